/**
 * Tokens signed with a shared secret: for development, tests and closed systems.
 *
 * Whoever can check such a token can also make one, so the secret belongs to this server alone.
 * There is no login: tokens come from the `token` command or from whoever else holds the secret.
 * The published metadata therefore names no endpoint but the (empty) key set.
 *
 * @module
 */

import { judge } from "../jwt.ts";
import type { Provider } from "../provider.ts";
import { describeIdentity, type Mapping } from "./claims.ts";

/** Settings of {@linkcode hmac}. */
export interface HmacOptions {
  readonly issuer: string;
  readonly audiences: readonly string[];
  /** At least 32 bytes; 48 admit HS384 and 64 HS512. */
  readonly secret: Uint8Array<ArrayBuffer>;
  readonly mapping: Mapping;
  /** URL of this server's key set document. */
  readonly jwksUri: string;
}

const ALGORITHMS = [
  { alg: "HS256", hash: "SHA-256", keyBytes: 32 },
  { alg: "HS384", hash: "SHA-384", keyBytes: 48 },
  { alg: "HS512", hash: "SHA-512", keyBytes: 64 },
] as const;

/** The `alg` values and keys a secret is long enough for: never shorter than the hash (RFC 7518 section 3.2). */
async function keysOf(secret: Uint8Array<ArrayBuffer>): Promise<Map<string, CryptoKey>> {
  const keys = new Map<string, CryptoKey>();
  for (const { alg, hash, keyBytes } of ALGORITHMS) {
    if (secret.length < keyBytes) continue;
    const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash }, false, [
      "verify",
    ]);
    keys.set(alg, key);
  }
  return keys;
}

/** Makes the provider, with one imported key per algorithm. */
export async function hmac(options: HmacOptions): Promise<Provider> {
  const { issuer, jwksUri } = options;
  const keys = await keysOf(options.secret);
  const rules = {
    issuers: [issuer],
    audiences: options.audiences,
    algorithms: [...keys.keys()],
    key: ({ alg }: { alg: string }) => keys.get(alg),
  };
  const common = { issuer, jwks_uri: jwksUri, response_types_supported: [] };
  const metadata = {
    authorizationServer: { ...common, grant_types_supported: [] },
    openid: {
      ...common,
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: [],
    },
    jwks: { keys: [] },
  };
  return {
    issuer,
    metadata: () => Promise.resolve(metadata),
    async verify(token, now) {
      const judged = await judge(token, rules, now);
      return judged.ok
        ? { ok: true, identity: describeIdentity(judged.claims, options.mapping) }
        : judged;
    },
  };
}
