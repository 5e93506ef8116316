/**
 * Acting with a short statement of this server about the caller, for services that trust its keys
 * (a JSON Web Token, ES256, keys at `/.well-known/jwks.json`).
 *
 * @module
 */

import { type CryptoKey, SignJWT } from "@panva/jose";
import type { Acting } from "../acting.ts";
import type { Ports } from "../ports.ts";
import { kept } from "./kept.ts";

/** How long a statement lives, in seconds. */
export const LIFETIME_SECONDS = 120;

/** Settings of {@linkcode assertion}. */
export interface AssertionOptions {
  /** This server as an issuer. */
  readonly issuer: string;
  /** The service. */
  readonly audience: string;
  readonly key: () => Promise<{ readonly kid: string; readonly key: CryptoKey }>;
}

/** States who the caller is. */
export function assertion(
  { issuer, audience, key }: AssertionOptions,
  { now, random }: Pick<Ports, "now" | "random">,
): Acting {
  return kept(async ({ subject, email, name, roles, expiresAt }) => {
    const { kid, key: secret } = await key();
    const until = Math.min(now() + LIFETIME_SECONDS, expiresAt);
    const token = await new SignJWT({
      // Services find people by it: only what nobody chooses for themselves.
      preferred_username: email ?? subject,
      ...(email !== undefined && { email }),
      ...(name !== undefined && { name }),
      roles: [...roles],
    })
      .setProtectedHeader({ alg: "ES256", kid, typ: "JWT" })
      .setIssuer(issuer)
      .setSubject(subject)
      .setAudience(audience)
      .setIssuedAt(now())
      .setExpirationTime(until)
      .setJti(random(16).toHex())
      .sign(secret);
    return { token, expiresAt: until };
  }, now);
}
