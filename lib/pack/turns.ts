/**
 * Turns of callers: nobody has so many calls under way in a pack that others find no connection
 * upstream, or the memory full.
 *
 * @module
 */

import { subjectOf } from "../identity.ts";
import { type Pack, type ToolContext, ToolError } from "../pack.ts";
import { seat, type Seats, unseat } from "./seats.ts";

/** How many calls of one person are under way at a time in a pack, whatever their clients. */
export const MOST_AT_ONCE = 16;

/** How many more of them may wait. */
export const MOST_WAITING = 100;

/**
 * The same pack, each of whose tools, resources and prompts does its work when it is the caller's
 * turn, and throws a {@linkcode ToolError} when too much waits already. Without OAuth, all callers
 * are one.
 */
export function inTurn(pack: Pack): Pack {
  const turn = turnsOf(pack.name);
  return {
    ...pack,
    tools: pack.tools.map((one) => ({
      ...one,
      run: (args, context) => turn(context, () => one.run(args, context)),
    })),
    resources: pack.resources?.map((one) => ({
      ...one,
      read: (query, context) => turn(context, () => one.read(query, context)),
    })) ?? [],
    prompts: pack.prompts?.map((one) => ({
      ...one,
      write: (args, context) => turn(context, () => one.write(args, context)),
    })) ?? [],
  };
}

function turnsOf(
  name: string,
): <T>(context: ToolContext, work: () => T | Promise<T>) => Promise<T> {
  const people = new Map<string, Seats>();
  return async ({ identity, signal }, work) => {
    const person = subjectOf(identity);
    const own = people.get(person) ?? { free: MOST_AT_ONCE, waiting: [] };
    if (own.waiting.length >= MOST_WAITING) {
      throw new ToolError(
        `${MOST_AT_ONCE + MOST_WAITING} of your ${name} calls are under way. Wait for some of them`,
        "too many calls at once",
      );
    }
    signal.throwIfAborted();
    people.set(person, own);
    await seat(own, signal);
    try {
      signal.throwIfAborted();
      return await work();
    } finally {
      unseat(own);
      if (own.free === MOST_AT_ONCE) people.delete(person);
    }
  };
}
