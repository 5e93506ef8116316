/**
 * The grants of each person, so that nobody piles them up: beyond {@linkcode MOST_GRANTS} the oldest
 * ends.
 *
 * @module
 */

import type { Digests } from "../seal.ts";
import { type Grants, IDLE_SECONDS } from "./grants.ts";
import type { Records } from "./records.ts";

/** How many grants a person can have. */
export const MOST_GRANTS = 50;

/**
 * How often to try while others change the same row. Of those who do, one gets through at every
 * attempt, and a replica finishes up to 32 logins at once.
 */
const ATTEMPTS = 64;

/** The grants by person. */
export interface Roster {
  /** Enters a grant, and ends those that are too many. */
  enter(subject: string, grantId: string): Promise<void>;
}

/** Prepares the roster. @param digestOf Digests of subjects. */
export function roster(
  rows: Records<readonly string[]>,
  grants: Pick<Grants, "end">,
  digestOf: Digests,
): Roster {
  return {
    async enter(subject, grantId) {
      // A bare digest of a subject could be guessed by whoever sees the keys of the store.
      const id = await digestOf(subject);
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const kept = await rows.get(id);
        const all = [...kept?.value ?? [], grantId];
        const next = all.slice(-MOST_GRANTS);
        const isSet = kept
          ? await rows.replace(id, kept, next, IDLE_SECONDS)
          : await rows.add(id, next, IDLE_SECONDS) || await rows.supplant(id, next, IDLE_SECONDS);
        if (!isSet) continue;
        for (const old of all.slice(0, -MOST_GRANTS)) await grants.end(old);
        return;
      }
      throw new Error("Cannot enter a grant: its person's row changes all the time");
    },
  };
}
