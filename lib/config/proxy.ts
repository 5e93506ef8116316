/**
 * The part of the configuration that proxy mode needs: what it seals with, what it keeps where, and
 * which clients it serves.
 *
 * @module
 */

import type { Client } from "../proxy/client.ts";
import { type RedirectPolicy, redirectPolicy } from "../proxy/redirect.ts";
import type { RoleScope } from "../scope.ts";
import { configuredClients } from "./clients.ts";
import type { Read } from "./oauth.ts";
import { strongSecret } from "./secret.ts";
import * as values from "./values.ts";

/** What this server keeps, and how it seals that. */
export interface Keeping {
  /** The secret in force, then the one before it. */
  readonly secrets: readonly Uint8Array<ArrayBuffer>[];
  /** URL of the store. May have a password in it. */
  readonly store: string;
}

/** How this server is an authorization server in front of an identity provider. */
export interface ProxyConfig extends Keeping {
  readonly redirects: RedirectPolicy;
  readonly clients: readonly Client[];
  /** How clients that are not configured may introduce themselves. */
  readonly registration: readonly values.Registration[];
  /** Scopes that not everybody can grant. */
  readonly roleScopes: readonly RoleScope[];
  /** Lifetime of access tokens, in seconds. */
  readonly accessTtl: number;
  /** This server as a client of the issuer; absent where people log in here, for development. */
  readonly client?: UpstreamClient;
}

/** This server as a client of the identity provider. */
export interface UpstreamClient {
  readonly id: string;
  /** Absent for a public client. */
  readonly secret?: string;
}

/** Where the identity provider sends people back to. */
export const CALLBACK_PATH = "/oauth/callback";

const NO_SECRET = new Uint8Array();

/**
 * Reads the proxy part.
 *
 * @param demand Reads like `read`, and adds a problem when the setting is absent.
 * @param origin This server's own.
 * @param isDevelopment Whether people log in here instead of at an identity provider.
 */
export function readProxy(
  read: Read,
  demand: Read,
  origin: string,
  isDevelopment: boolean,
): ProxyConfig {
  const listed = read("redirectUris", values.redirectUris, []);
  const redirects = redirectPolicy(listed, `${origin}${CALLBACK_PATH}`);
  const id = isDevelopment ? undefined : demand("clientId", values.words, "");
  const clientSecret = read("clientSecret", values.words, undefined);
  return {
    ...readKeeping(read, demand("secret", strongSecret, NO_SECRET)),
    redirects,
    clients: read("clients", configuredClients(redirects), []),
    registration: read("registration", values.registration, ["documents", "dynamic"]),
    roleScopes: read("roleScopes", values.roleScopeRows, []),
    accessTtl: read("accessTtl", values.duration(60, 3600, "1m to 1h"), 600),
    ...(id && { client: { id, ...(clientSecret && { secret: clientSecret }) } }),
  };
}

/** Reads what is kept where, sealed with `secret`. */
export function readKeeping(read: Read, secret: Uint8Array<ArrayBuffer>): Keeping {
  const previous = read("previousSecret", strongSecret, undefined);
  return {
    secrets: previous ? [secret, previous] : [secret],
    store: read("store", values.storeUrl, "memory:"),
  };
}
