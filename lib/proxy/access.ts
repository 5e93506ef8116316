/**
 * Access tokens of this server: signed JSON Web Tokens (RFC 9068) that name one resource and one
 * grant, and live for minutes.
 *
 * A token says who and for what; the rest is in the grant. While a grant is looked up anew every
 * {@linkcode REMEMBER_SECONDS}, ending it ends its access tokens within that time.
 *
 * @module
 */

import { SignJWT } from "@panva/jose";
import type { Verdict } from "../errors.ts";
import { judge } from "../jwt.ts";
import type { Ports } from "../ports.ts";
import type { Grant, Grants } from "./grants.ts";
import { ALGORITHM, type SigningKeys } from "./keys.ts";

/** How long a gate may go without asking whether a grant still stands, in seconds. */
export const REMEMBER_SECONDS = 30;

/** Settings of {@linkcode accessTokens}. */
export interface AccessOptions {
  /** This server as an issuer, byte for byte. */
  readonly issuer: string;
  /** Exact URL of the protected resource. */
  readonly resource: string;
  /** Lifetime in seconds. */
  readonly ttl: number;
  readonly keys: SigningKeys;
  readonly grants: Grants;
}

/** Issues access tokens, and judges them. */
export interface AccessTokens {
  readonly ttl: number;
  /** @param grantId The grant that it is a token of. */
  issue(grantId: string, grant: Grant): Promise<string>;
  /** Judges a token of ours: signature, lifetime, audience, and whether its grant still stands. */
  verify(token: string, now: number): Promise<Verdict>;
}

/** Prepares the issuing and judging. */
export function accessTokens(
  { issuer, resource, ttl, keys, grants }: AccessOptions,
  ports: Pick<Ports, "now" | "random">,
): AccessTokens {
  const rules = {
    issuers: [issuer],
    audiences: [resource],
    algorithms: [ALGORITHM],
    // RFC 9068 section 4: of our own tokens nothing else is expected.
    types: new Set(["at+jwt", "application/at+jwt"]),
    key: keys.find,
  };
  return {
    ttl,
    async issue(grantId, grant) {
      const { kid, key } = await keys.current();
      const now = ports.now();
      return await new SignJWT({
        client_id: grant.clientId,
        scope: grant.scopes.join(" "),
        [GRANT_CLAIM]: grantId,
      })
        .setProtectedHeader({ alg: ALGORITHM, kid, typ: "at+jwt" })
        .setIssuer(issuer)
        .setSubject(grant.person.subject)
        .setAudience(grant.resource)
        .setIssuedAt(now)
        .setExpirationTime(now + ttl)
        .setJti(ports.random(16).toHex())
        .sign(key);
    },
    async verify(token, now) {
      const judged = await judge(token, rules, now);
      if (!judged.ok) return judged;
      const { claims } = judged;
      const grantId = claims[GRANT_CLAIM];
      const found = typeof grantId === "string" ? await grants.get(grantId) : undefined;
      if (!found) return { ok: false, refusal: { reason: "grant", detail: "ended or unknown" } };
      const { person: { groups, ...person }, clientId, clientName } = found.value;
      const identity = {
        ...person,
        issuer,
        clientId,
        clientName,
        scopes: String(claims.scope).split(" ").filter(Boolean),
        expiresAt: claims.exp,
        claims: groups ? { ...claims, groups } : claims,
      };
      return { ok: true, identity, until: now + REMEMBER_SECONDS };
    },
  };
}

/** The claim that names the grant. An id, not a credential. */
export const GRANT_CLAIM = "grant_id";
