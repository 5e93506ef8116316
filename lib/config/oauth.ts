/**
 * The part of the configuration that says whose tokens are accepted.
 *
 * @module
 */

import type { AllowRule } from "../allow.ts";
import type { ToolScope } from "../scope.ts";
import { type Keeping, type ProxyConfig, readKeeping, readProxy } from "./proxy.ts";
import { strongSecret } from "./secret.ts";
import type { SettingName } from "./settings.ts";
import * as values from "./values.ts";

/** Whose tokens are accepted, and what they must carry. */
export interface OAuthConfig {
  readonly provider: ProviderConfig;
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly scopesRequired: readonly string[];
  readonly toolScopes: readonly ToolScope[];
  readonly scopeHierarchy: readonly (readonly string[])[];
  /** Claims to try for the username, best first. */
  readonly usernameClaims: readonly string[];
  /** Paths of the claims that list roles. */
  readonly rolesClaims: readonly string[];
  readonly allow: readonly AllowRule[];
  /** Absent in native mode. */
  readonly proxy?: ProxyConfig;
  /** Absent without a secret. */
  readonly keeping?: Keeping;
}

/** Who issues tokens. */
export type ProviderConfig = HmacConfig | IssuerConfig;

/** Tokens signed with a shared secret. */
export interface HmacConfig {
  readonly kind: "hmac";
  readonly secret: Uint8Array<ArrayBuffer>;
}

/** An OpenID Connect or OAuth issuer, and what its vendor needs. */
export interface IssuerConfig {
  readonly kind: "okta" | "google" | "azure" | "keycloak" | "oidc";
  /** This server as a client of the issuer; absent when opaque tokens are refused. */
  readonly client?: { readonly id: string; readonly secret: string };
  /** azure: tenants whose tokens are accepted; the issuer's own when empty. */
  readonly tenants: readonly string[];
  /** google: the Workspace domain that callers must be of. */
  readonly hostedDomain?: string;
}

/** A configuration whose tokens can be minted here. */
export type HmacOAuth = OAuthConfig & { readonly provider: HmacConfig };

/** Whether tokens can be minted here. */
export function isHmac(oauth: OAuthConfig | undefined): oauth is HmacOAuth {
  return oauth?.provider.kind === "hmac";
}

/** Reads a setting; the fallback stands in when it is absent or does not read. */
export type Read = <T, F>(name: SettingName, reader: values.Reader<T>, fallback: F) => T | F;

/** Defaults that differ by provider. */
const PRESETS = {
  hmac: { username: ["preferred_username"], roles: ["roles"] },
  okta: { username: ["preferred_username"], roles: ["groups", "roles"] },
  google: { username: [], roles: ["roles"] },
  azure: { username: ["preferred_username", "upn", "unique_name"], roles: ["roles"] },
  keycloak: { username: ["preferred_username"], roles: ["realm_access.roles"] },
  oidc: { username: ["preferred_username"], roles: ["roles", "groups"] },
} as const satisfies Record<ProviderConfig["kind"], { username: string[]; roles: string[] }>;

const KINDS = ["okta", "google", "azure", "azuread", "keycloak", "oidc", "hmac"] as const;

/** Whether there is a provider of that name among `kinds`. */
export function isProvider(name: string, kinds: readonly string[] = KINDS): boolean {
  return kinds.includes(name);
}

/** The origin and endpoint of the server, for what defaults to them. */
interface Self {
  readonly origin: string;
  readonly resource: string;
}

/**
 * Reads the OAuth part.
 *
 * @param demand Reads like `read`, and adds a problem when the setting is absent.
 * @param kinds Providers to choose from.
 */
export function readOAuth(
  read: Read,
  demand: Read,
  self: Self,
  kinds: readonly string[] = KINDS,
): OAuthConfig {
  const mode = read("oauthMode", values.choice("native", "proxy"), "native");
  const offered = values.choice(...KINDS.filter((one) => kinds.includes(one)));
  const named = read("oauthProvider", offered, "okta");
  const kind = named === "azuread" ? "azure" : named;
  const preset = PRESETS[kind];
  const claim = read("usernameClaim", values.claim, undefined);
  const roles = read("rolesClaim", values.claim, undefined);
  const issuer = readIssuer(kind, read, demand, self);
  const proxy = mode === "proxy"
    ? readProxy(read, demand, self.origin, kind === "hmac")
    : undefined;
  const provider: ProviderConfig = kind === "hmac"
    ? { kind, secret: proxy?.secrets[0] ?? demand("secret", strongSecret, NO_SECRET) }
    : readVendor(kind, read, demand, issuer, proxy);
  const secret = provider.kind === "hmac"
    ? provider.secret
    : proxy
    ? undefined
    : read("secret", strongSecret, undefined);
  const keeping = proxy ?? (secret && readKeeping(read, secret));
  const clientId = proxy?.client?.id ??
    (provider.kind === "hmac" ? undefined : provider.client?.id);
  return {
    provider,
    issuer,
    // Google's tokens name the client they were issued to, never this server.
    audiences: (kind === "google" && !proxy ? demand : read)("audience", values.list, [
      self.resource,
    ]),
    scopesRequired: read("scopesRequired", values.scopes, []),
    toolScopes: read("toolScopes", values.toolScopeRows, []),
    scopeHierarchy: read("scopeHierarchy", values.scopeChains, []),
    usernameClaims: claim ? [claim] : ["email", ...preset.username],
    rolesClaims: roles ? [roles] : [...preset.roles, ...ownRoles(kind, clientId)],
    allow: read("allow", values.allowRules, []),
    ...(proxy && { proxy }),
    ...(keeping && { keeping }),
  };
}

const NO_SECRET = new Uint8Array();

// Keycloak lists roles of every client; only those of this server's own client speak of it.
function ownRoles(kind: ProviderConfig["kind"], clientId: string | undefined): string[] {
  if (kind !== "keycloak" || !clientId) return [];
  return [`resource_access.${clientId}.roles`];
}

function readIssuer(kind: ProviderConfig["kind"], read: Read, demand: Read, self: Self): string {
  switch (kind) {
    case "hmac":
      return read("issuer", values.issuer, self.origin);
    case "google":
      return read("issuer", values.issuer, "https://accounts.google.com");
    default:
      return demand("issuer", values.issuer, self.origin);
  }
}

function readVendor(
  kind: IssuerConfig["kind"],
  read: Read,
  demand: Read,
  issuer: string,
  proxy: ProxyConfig | undefined,
): IssuerConfig {
  const client = proxy ? undefined : readClient(read, demand);
  const isShared = /\/(?:common|organizations)(?:\/|$)/.test(new URL(issuer).pathname);
  const tenants = kind === "azure" && isShared
    ? demand("tenants", values.tenants, [])
    : read("tenants", values.tenants, []);
  const hostedDomain = read("hostedDomain", values.words, undefined);
  return {
    kind,
    ...(client && { client }),
    tenants,
    ...(hostedDomain && { hostedDomain }),
  };
}

// For asking about opaque tokens; in proxy mode there are none.
function readClient(read: Read, demand: Read): IssuerConfig["client"] {
  const id = read("clientId", values.words, undefined);
  const secret = (id ? demand : read)("clientSecret", values.words, undefined);
  if (secret && !id) demand("clientId", values.words, undefined);
  return id && secret ? { id, secret } : undefined;
}
