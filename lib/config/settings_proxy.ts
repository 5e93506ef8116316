/**
 * Settings: what proxy mode needs besides.
 *
 * @module
 */

import type { Setting } from "./setting.ts";

/** What proxy mode needs besides. */
export const PROXY = {
  previousSecret: {
    flag: "jwt-secret-previous",
    env: ["JWT_SECRET_PREVIOUS"],
    value: "SECRET",
    secret: true,
    fallback: "none",
    help: "proxy: the secret before this one, which still opens what it sealed",
  },
  store: {
    flag: "store",
    env: ["STORE_URL"],
    value: "URL",
    secret: true,
    fallback: "memory:",
    help: "proxy: where grants are kept: memory:, sqlite:PATH or redis://HOST:PORT",
  },
  redirectUris: {
    flag: "oauth-redirect-uris",
    env: ["OAUTH_REDIRECT_URIS"],
    value: "URI,...",
    fallback: "this computer at any port, and any https URI",
    help: "proxy: the https URIs that clients may return to, and those of other schemes",
  },
  clients: {
    flag: "oauth-clients",
    env: ["OAUTH_CLIENTS"],
    value: "JSON",
    secret: true,
    fallback: "none",
    help: "proxy: clients known beforehand, as a JSON list of RFC 7591 metadata",
  },
  registration: {
    flag: "oauth-registration",
    env: ["OAUTH_REGISTRATION"],
    value: "documents,dynamic|off",
    fallback: "documents,dynamic",
    help: "proxy: how unknown clients may introduce themselves",
  },
  roleScopes: {
    flag: "oauth-role-scopes",
    env: ["OAUTH_ROLE_SCOPES"],
    value: "ROLE=SCOPE,...",
    fallback: "none; dev: admin for those of tools",
    help: "proxy: scopes that only people with a role can grant",
  },
  accessTtl: {
    flag: "oauth-access-ttl",
    env: ["OAUTH_ACCESS_TTL"],
    value: "DURATION",
    fallback: "10m",
    help: "proxy: lifetime of access tokens, 1m to 1h",
  },
} as const satisfies Record<string, Setting>;
