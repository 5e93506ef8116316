/**
 * Asking the identity provider anew about a grant: by one replica at a time, since the provider may
 * rotate its tokens.
 *
 * @module
 */

import type { KnownIdentity } from "../identity.ts";
import type { Grantable } from "../scope.ts";
import { type Grant, personOf, rolesOf } from "./grants.ts";
import type { Records } from "./records.ts";
import type { Upstream } from "./upstream.ts";

/** How long a replica may take before another may try, in seconds: longer than it ever takes. */
export const TURN_SECONDS = 60;

/** What asking needs. */
export interface RenewalOptions {
  readonly upstream: Upstream;
  /** Whether the operator lets a caller in. */
  readonly mayCall: (identity: KnownIdentity) => boolean;
  /** Which scopes a person can grant. */
  readonly grantable: Grantable;
}

/** What changes in a grant, or why it has to end. */
export type Renewed =
  | { readonly ok: true; readonly changes: Partial<Pick<Grant, "upstream" | "person" | "scopes">> }
  | { readonly ok: false; readonly reason: string };

/** Renews the provider's side of a grant. Rejects when the provider cannot be asked. */
export async function renewed(
  { upstream: tokens, person, scopes }: Grant,
  { upstream, mayCall, grantable }: RenewalOptions,
): Promise<Renewed> {
  if (tokens?.refreshToken === undefined) return { ok: true, changes: {} };
  const renewal = await upstream.renew(tokens, person.subject);
  if (!renewal.ok) return { ok: false, reason: `upstream: ${renewal.reason}` };
  const { identity, tokens: next } = renewal;
  if (!identity) return { ok: true, changes: { upstream: next } };
  if (!mayCall(identity)) return { ok: false, reason: "not among those who may call" };
  const known = personOf(identity);
  const kept = grantable(rolesOf(known), scopes);
  return { ok: true, changes: { upstream: next, person: known, scopes: kept } };
}

/**
 * Does `work` if no other replica is at this grant; else yields `undefined` at once.
 *
 * @param now Unix seconds.
 */
export async function inTurn<T>(
  turns: Records<true>,
  grantId: string,
  now: () => number,
  work: () => Promise<T>,
): Promise<T | undefined> {
  const since = now();
  if (!await turns.add(grantId, true, TURN_SECONDS)) return undefined;
  try {
    return await work();
  } finally {
    // Later it may be another's. A turn that is not given back ends by itself, and what was done
    // counts: a client that did not hear of it in time would look like a thief.
    if (now() - since < TURN_SECONDS) await turns.remove(grantId).catch(() => {});
  }
}
