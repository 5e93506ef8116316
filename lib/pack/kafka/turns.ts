/**
 * Turns of callers: nobody has so many calls under way that others find no connection, or the memory
 * full.
 *
 * @module
 */

import type { Identity } from "../../identity.ts";
import { type ToolContext, ToolError } from "../../pack.ts";
import { seat, type Seats, unseat } from "./seats.ts";

/** How many calls of one person are under way at a time, whatever their clients. */
export const MOST_AT_ONCE = 16;

/** How many more of them may wait. */
export const MOST_WAITING = 100;

/** Does some work when it is the caller's turn. @throws {ToolError} When too much waits already. */
export type Turns = <T>(
  context: Pick<ToolContext, "identity" | "signal">,
  work: () => T | Promise<T>,
) => Promise<T>;

/** Prepares turns. Without OAuth, all callers are one. */
export function turns(): Turns {
  const people = new Map<string, Seats>();
  return async ({ identity, signal }, work) => {
    const person = personOf(identity);
    const own = people.get(person) ?? { free: MOST_AT_ONCE, waiting: [] };
    if (own.waiting.length >= MOST_WAITING) {
      throw new ToolError(
        `${
          MOST_AT_ONCE + MOST_WAITING
        } of your calls to Kafka are under way. Wait for some of them`,
        "too many calls at once",
      );
    }
    signal.throwIfAborted();
    people.set(person, own);
    await seat(own, signal);
    try {
      return await work();
    } finally {
      unseat(own);
      if (own.free === MOST_AT_ONCE) people.delete(person);
    }
  };
}

function personOf(identity: Identity | undefined): string {
  return identity ? JSON.stringify([identity.issuer, identity.subject]) : "";
}
