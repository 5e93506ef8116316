/**
 * The embedded minter: access tokens for the hmac provider (RFC 9068 claims, HS256).
 *
 * It proves nobody's identity. Whoever runs it holds the secret, and may name anyone.
 *
 * @module
 */

import { SignJWT } from "@panva/jose";

/** Longest lifetime, in seconds: minted tokens cannot be revoked. */
export const MAX_TTL_SECONDS = 24 * 3600;

/** What a token says. */
export interface Grant {
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly subject: string;
  readonly email?: string;
  readonly name?: string;
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  /** Lifetime in seconds, up to {@linkcode MAX_TTL_SECONDS}. */
  readonly ttl: number;
}

/**
 * Mints a token.
 *
 * @param id Value of `jti`, unique.
 * @param now Unix seconds.
 * @throws {RangeError} When the lifetime is out of bounds.
 */
export function mint(
  grant: Grant,
  secret: Uint8Array,
  id: string,
  now: number,
): Promise<string> {
  if (!Number.isInteger(grant.ttl) || grant.ttl < 1 || grant.ttl > MAX_TTL_SECONDS) {
    throw new RangeError(`Cannot mint a token for ${grant.ttl} seconds: 1 to ${MAX_TTL_SECONDS}`);
  }
  const { audiences, email, name, roles, scopes } = grant;
  const claims = {
    client_id: "gatehouse-token",
    ...(email && { email, email_verified: true }),
    ...(name && { name }),
    ...(roles.length > 0 && { roles }),
    ...(scopes.length > 0 && { scope: scopes.join(" ") }),
  };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: "HS256", typ: "at+jwt" })
    .setIssuer(grant.issuer)
    .setSubject(grant.subject)
    .setAudience(audiences.length === 1 ? audiences[0]! : [...audiences])
    .setIssuedAt(now)
    .setExpirationTime(now + grant.ttl)
    .setJti(id)
    .sign(secret);
}
