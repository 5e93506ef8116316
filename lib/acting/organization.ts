/**
 * The organization in which a caller acts.
 *
 * @module
 */

import type { Identity } from "../identity.ts";
import { ToolError } from "../pack.ts";

/** Settings of {@linkcode organization}. */
export interface OrganizationOptions {
  /** Digits: that of callers without the claim. */
  readonly orgId?: string;
  /** Claim that names a caller's own. */
  readonly orgClaim?: string;
}

/** The organization of a caller as digits; the service's choice when it yields `undefined`. */
export type OrganizationOf = (identity: Identity | undefined) => string | undefined;

/**
 * Prepares the finding of organizations. A claim counts when it is a whole number above 0, as a
 * number or in digits; anything else in its place is never taken for its absence.
 *
 * The result throws a {@linkcode ToolError} when the claim does not count, and when it is absent
 * and there is no `orgId`. Without a caller there is no claim to ask for: it is `orgId` then.
 */
export function organization({ orgId, orgClaim }: OrganizationOptions): OrganizationOf {
  return (identity) => {
    if (!identity || orgClaim === undefined) return orgId;
    const { claims } = identity;
    if (Object.hasOwn(claims, orgClaim)) return judged(claims[orgClaim]);
    if (orgId !== undefined) return orgId;
    throw new ToolError(
      "Your login does not say which organization of Grafana is yours. Ask whoever runs this server",
      "organization claim absent",
    );
  };
}

function judged(claimed: unknown): string {
  // Larger numbers may have lost digits when they were parsed.
  const isExact = typeof claimed === "string" || Number.isSafeInteger(claimed);
  if (isExact && /^[1-9]\d{0,17}$/.test(String(claimed))) return String(claimed);
  throw new ToolError(
    "Your login names an organization of Grafana by something else than its number. Ask whoever runs this server",
    "organization claim malformed",
  );
}
