/**
 * What the page at `/` may tell of the running configuration. Whatever else the configuration
 * holds, secrets and the addresses of what lies behind this server, does not get past this file.
 *
 * @module
 */

import { type Config, resourceOf } from "../config.ts";
import type { OAuthConfig, ProviderConfig } from "../config/oauth.ts";
import type { ServerInfo } from "../mcp/server.ts";
import type { Pack } from "../pack.ts";
import { judgeRedirect } from "../proxy/redirect.ts";

/** What anybody may know of this server. */
export interface Facts {
  readonly title: string;
  readonly version: string;
  /** URL of the MCP endpoint, as clients are told it. */
  readonly endpoint: URL;
  readonly login: Login;
  readonly packs: readonly { readonly name: string; readonly tools: number }[];
  /** Whether tools that write are left out. */
  readonly readOnly: boolean;
}

/** How callers prove who they are. */
export type Login =
  /** Not at all. */
  | { readonly kind: "none" }
  /** By tokens that the operator hands out: there is nowhere to log in. */
  | { readonly kind: "token" }
  /** At the identity provider, which issues tokens to clients itself. */
  | { readonly kind: "native"; readonly issuer: Issuer }
  /** Through this server. Without an issuer people log in here, for development. */
  | (Registering & { readonly kind: "proxy"; readonly issuer?: Issuer });

/** Where people log in. */
export interface Issuer {
  /** Name for people; absent when only the host is known. */
  readonly name?: string;
  readonly host: string;
}

/** Which clients may introduce themselves here. */
interface Registering {
  readonly registration: readonly ("documents" | "dynamic")[];
  /** Whether a client may have people sent back to that URI. */
  readonly returnsTo: (uri: string) => boolean;
}

const NAMES: Readonly<Record<ProviderConfig["kind"], string | undefined>> = {
  okta: "Okta",
  google: "Google",
  azure: "Microsoft Entra ID",
  keycloak: "Keycloak",
  oidc: undefined,
  hmac: undefined,
};

/** Picks the facts. */
export function factsOf(
  { title, version }: ServerInfo,
  { http, oauth, readOnly }: Config,
  packs: readonly Pack[],
): Facts {
  return {
    title,
    version,
    endpoint: resourceOf(http),
    login: loginOf(oauth),
    packs: packs.map(({ name, tools }) => ({ name, tools: tools.length })),
    readOnly,
  };
}

function loginOf(oauth: OAuthConfig | undefined): Login {
  if (!oauth) return { kind: "none" };
  const { provider, proxy } = oauth;
  const name = NAMES[provider.kind];
  const issuer = { ...(name && { name }), host: new URL(oauth.issuer).host };
  if (proxy) {
    return {
      kind: "proxy",
      ...(provider.kind !== "hmac" && { issuer }),
      registration: proxy.registration,
      returnsTo: (uri) => judgeRedirect(uri, proxy.redirects) === undefined,
    };
  }
  return provider.kind === "hmac" ? { kind: "token" } : { kind: "native", issuer };
}

/** Where people log in, in a sentence or two. */
export function loginWords(login: Login): string {
  switch (login.kind) {
    case "none":
      return "Not needed. Whoever can reach this server may use it.";
    case "token":
      return "With a token, which the operator of this server gives you.";
    case "native":
      return `At ${placeOf(login.issuer)}, which issues the tokens (native mode).`;
    case "proxy":
      return login.issuer
        ? `At ${placeOf(login.issuer)}, by way of this server (proxy mode).`
        : "Here, without a password: this server is for development (proxy mode).";
  }
}

/** What apps need before they can log in, in a sentence or two; `undefined` when nothing. */
export function registrationWords(login: Login): string | undefined {
  if (login.kind === "native") {
    const place = login.issuer.name ?? login.issuer.host;
    return `Apps log in at ${place} themselves, so they have to be known there. If yours is not, ` +
      "ask the operator of this server for a client id or for a token.";
  }
  if (login.kind !== "proxy" || login.registration.includes("dynamic")) return undefined;
  return login.registration.length === 0
    ? "Only apps that the operator of this server has registered can log in."
    : "Only apps that publish metadata of their own can log in, and those that the operator of " +
      "this server has registered.";
}

function placeOf({ name, host }: Issuer): string {
  return name ? `${name}, ${host}` : host;
}

/** How many tools there are and of which packs, in a sentence or two. */
export function toolWords({ packs, readOnly }: Facts): string {
  const count = packs.reduce((sum, { tools }) => sum + tools, 0);
  const each = packs.map(({ name, tools }) => `${name} (${tools})`).join(", ");
  return `${count}: ${each}.${readOnly ? " None of them writes." : ""}`;
}
