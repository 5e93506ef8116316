/**
 * From accepted claims to an identity.
 *
 * Reads only what an issuer signed; anything of another type than expected counts as absent.
 *
 * @module
 */

import type { Refusal, Verdict } from "../errors.ts";
import type { KnownIdentity } from "../identity.ts";
import type { Claims } from "../jwt.ts";

/** Where an issuer puts what. */
export interface Mapping {
  /** Claims to try for the username, best first; the subject is the last resort. */
  readonly usernameClaims: readonly string[];
  /** Paths of claims that list roles, such as `realm_access.roles`. */
  readonly rolesClaims: readonly string[];
  /** Whether an address without `email_verified` counts as verified. */
  readonly emailTrusted: boolean;
}

/** A vendor's own last step over claims that passed all others. */
export type JudgeVendor = (claims: Claims) => Refusal | undefined;

/** The verdict on claims that passed every other step. */
export function conclude(
  claims: Claims,
  mapping: Mapping,
  judgeVendor: JudgeVendor | undefined,
): Verdict {
  const refusal = judgeVendor?.(claims);
  return refusal
    ? { ok: false, refusal }
    : { ok: true, identity: describeIdentity(claims, mapping) };
}

/** Describes the caller that `claims` name. */
export function describeIdentity(claims: Claims, mapping: Mapping): KnownIdentity {
  const trusted = isVerified(claims, mapping) ? claims : { ...claims, email: undefined };
  const email = text(trusted.email);
  const name = text(claims.name);
  const clientId = text(claims.client_id) ?? text(claims.azp) ?? text(claims.cid) ??
    text(claims.appid);
  const username = mapping.usernameClaims.map((claim) => text(trusted[claim])).find(Boolean);
  return {
    subject: claims.sub,
    issuer: claims.iss,
    username: username ?? claims.sub,
    ...(email !== undefined && { email }),
    ...(name !== undefined && { name }),
    scopes: [...new Set([...words(claims.scope), ...words(claims.scp)])],
    roles: [...new Set(mapping.rolesClaims.flatMap((path) => at(claims, path.split("."))))],
    ...(clientId !== undefined && { clientId }),
    expiresAt: claims.exp,
    claims,
  };
}

function isVerified({ email_verified: verified }: Claims, { emailTrusted }: Mapping): boolean {
  if (verified === undefined) return emailTrusted;
  return verified === true || verified === "true";
}

/** The texts at a path of claims; a list yields its members. */
function at(value: unknown, path: readonly string[]): string[] {
  const [step, ...rest] = path;
  if (step === undefined) return texts(value);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  // A claim may have dots in its own name, as with URLs for names.
  const whole = path.join(".");
  if (Object.hasOwn(value, whole)) return texts((value as Record<string, unknown>)[whole]);
  return Object.hasOwn(value, step) ? at((value as Record<string, unknown>)[step], rest) : [];
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function texts(value: unknown): string[] {
  if (typeof value === "string" && value !== "") return [value];
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

// RFC 8693 section 4.2: one string, separated by spaces. Some issuers send a list.
function words(value: unknown): string[] {
  return texts(value).flatMap((one) => one.split(" ").filter(Boolean));
}
