/**
 * Tokens of the benchmark.
 *
 * @module
 */

import { type CryptoKey, SignJWT } from "@panva/jose";

/** Whom every token names. */
export const SUBJECT = "alice";

/** Signs one token; `id` makes it distinct. */
export type Signer = (id: string) => Promise<string>;

/** Prepares the signing of tokens that live for an hour. */
export function signer(
  alg: string,
  key: CryptoKey | Uint8Array,
  issuer: string,
  audience: string,
): Signer {
  return (id) =>
    new SignJWT({
      client_id: "bench",
      email: "alice@example.com",
      email_verified: true,
      name: "Alice",
      roles: ["admin"],
      scope: "mcp:read mcp:write",
    })
      .setProtectedHeader({ alg, typ: "at+jwt" })
      .setIssuer(issuer)
      .setSubject(SUBJECT)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime("1h")
      .setJti(id)
      .sign(key);
}
