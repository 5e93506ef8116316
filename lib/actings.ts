/**
 * The ways to act as a caller, by the name that configuration gives them.
 *
 * @module
 */

import type { CryptoKey } from "@panva/jose";
import type { AuthorizationServer } from "oauth4webapi";
import type { Acting } from "./acting.ts";
import { account } from "./acting/account.ts";
import { assertion } from "./acting/assertion.ts";
import { clientCredentials, type OwnTokens } from "./acting/credentials.ts";
import { exchange } from "./acting/exchange.ts";
import { forward } from "./acting/forward.ts";
import { stored } from "./acting/stored.ts";
import type { GrafanaConfig } from "./config/grafana.ts";
import type { KafkaLogin } from "./config/kafka.ts";
import type { Identity } from "./identity.ts";
import { outbound } from "./outbound.ts";
import { ToolError } from "./pack.ts";
import type { Ports } from "./ports.ts";

/** What this server has that acting may need. */
export interface Grounds {
  /** This server as an issuer of statements. */
  readonly issuer: string;
  /** The key that statements are signed with. */
  readonly key?: () => Promise<{ readonly kid: string; readonly key: CryptoKey }>;
  /** The identity provider's metadata. */
  readonly server?: () => Promise<AuthorizationServer>;
  /** This server as a client of the identity provider. */
  readonly client?: { readonly id: string; readonly secret?: string };
  /** The identity provider's token of a caller, where this server holds it. */
  readonly held?: (
    identity: Identity,
  ) => Promise<{ readonly token: string; readonly expiresAt: number } | undefined>;
}

/**
 * Prepares the way that `config` names.
 *
 * @throws {TypeError} When the grounds lack what it needs; configuration sees to it that they do not.
 */
export function actingOf(
  { auth, token, audience, url }: GrafanaConfig,
  grounds: Grounds | undefined,
  ports: Pick<Ports, "now" | "random" | "fetch">,
): Acting {
  switch (auth) {
    case "service-account":
      return account(token!);
    case "forward":
      return forward(audience);
    case "upstream":
      return stored(need(grounds?.held, auth), ports.now);
    case "assertion":
      return assertion({
        issuer: need(grounds, auth).issuer,
        audience: audience ?? url.href.replace(/\/$/, ""),
        key: need(grounds?.key, auth),
      }, ports);
    case "exchange":
      return exchanging(need(audience, auth), grounds, ports);
  }
}

/** Prepares exchanging callers' tokens for some that name `audience`. */
export function exchanging(
  audience: string,
  grounds: Grounds | undefined,
  ports: Pick<Ports, "now" | "fetch">,
): Acting {
  return exchange({
    server: need(grounds?.server, "exchange"),
    client: need(grounds?.client, "exchange") as { id: string; secret: string },
    audience,
    fetch: outbound(ports.fetch),
    ...(grounds?.held && { subjectToken: heldToken(grounds.held) }),
  }, ports.now);
}

/** Prepares tokens that this server gets for itself. */
export function ownTokens(
  { user, password, scope }: KafkaLogin,
  grounds: Grounds | undefined,
  ports: Pick<Ports, "now" | "fetch">,
): OwnTokens {
  return clientCredentials({
    server: need(grounds?.server, "client credentials"),
    client: { id: user, secret: password },
    ...(scope && { scope }),
    fetch: outbound(ports.fetch),
  }, ports.now);
}

function heldToken(held: NonNullable<Grounds["held"]>): (identity: Identity) => Promise<string> {
  return async (identity) => {
    const found = await held(identity);
    if (found) return found.token;
    throw new ToolError(
      "Your login at the identity provider has ended. Log in again",
      "no upstream token",
    );
  };
}

function need<T>(ground: T | undefined, auth: string): T {
  if (ground === undefined) throw new TypeError(`Cannot act by ${auth} on these grounds`);
  return ground;
}
