/**
 * Whether Kafka is there, by the last time that it was asked.
 *
 * @module
 */

import { ToolError } from "../../pack.ts";
import type { Ports } from "../../ports.ts";
import { Closed } from "./failures.ts";

/** What was last known of Kafka. */
export interface Readiness {
  /** Notes how an attempt to reach Kafka went. */
  contact(reached: boolean, reason?: string): void;
  /** What was last known, asked anew in the background when that is old. The first time waits. */
  ready(): boolean | Promise<boolean>;
}

/** How long Kafka counts as there without being asked, in milliseconds. */
const GOOD_MS = 15_000;

/**
 * How long until Kafka is asked again after it could not be reached, in milliseconds: twice as long
 * each time, up to the longest.
 */
const BAD_MS = 1_000;
const LONGEST_BAD_MS = 10_000;

/**
 * Keeps what is known.
 *
 * @param ask Tries to reach Kafka. Not called again before it is done.
 */
export function readiness(
  ask: () => Promise<unknown>,
  { elapsedMs, log }: Pick<Ports, "elapsedMs" | "log">,
): Readiness {
  let reached: boolean | undefined;
  let failures = 0;
  let until = -Infinity;
  let asking: Promise<boolean> | undefined;

  const contact = (is: boolean, reason?: string) => {
    if (is && !reached) log("info", "kafka connected");
    if (!is && reached !== false) log("error", "kafka lost", { error: reason });
    reached = is;
    if (is) failures = 0;
    until = elapsedMs() + (is ? GOOD_MS : Math.min(BAD_MS * 2 ** failures, LONGEST_BAD_MS));
  };
  const found = async () => {
    try {
      await ask();
      contact(true);
    } catch (error) {
      if (!(error instanceof Closed)) {
        contact(false, error instanceof ToolError ? error.reason : String(error));
      }
      failures++;
    } finally {
      asking = undefined;
    }
    return reached ?? false;
  };

  return {
    contact,
    ready() {
      if (elapsedMs() < until) return reached!;
      asking ??= found();
      return reached ?? asking;
    },
  };
}
