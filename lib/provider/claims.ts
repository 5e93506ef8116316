/**
 * From accepted claims to an identity.
 *
 * Reads only what an issuer signed; anything of another type than expected counts as absent.
 *
 * @module
 */

import type { KnownIdentity } from "../identity.ts";
import type { Claims } from "../jwt.ts";

/**
 * Describes the caller that `claims` name.
 *
 * @param usernameClaims Claims to try for the username, best first; the subject is the last resort.
 */
export function describeIdentity(
  claims: Claims,
  usernameClaims: readonly string[],
): KnownIdentity {
  const verified = claims.email_verified !== false && claims.email_verified !== "false";
  const trusted = verified ? claims : { ...claims, email: undefined };
  const email = text(trusted.email);
  const name = text(claims.name);
  const clientId = text(claims.client_id) ?? text(claims.azp);
  const username = usernameClaims.map((claim) => text(trusted[claim])).find(Boolean);
  return {
    subject: claims.sub,
    issuer: claims.iss,
    username: username ?? claims.sub,
    ...(email !== undefined && { email }),
    ...(name !== undefined && { name }),
    scopes: words(claims.scope),
    roles: texts(claims.roles),
    ...(clientId !== undefined && { clientId }),
    expiresAt: claims.exp,
    claims,
  };
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

// RFC 8693 section 4.2: one string, separated by spaces.
function words(value: unknown): string[] {
  return typeof value === "string" ? value.split(" ").filter(Boolean) : [];
}
