/**
 * How much of the audit log strangers can fill: each line costs its sender one request, and a disk
 * that is full stops the server.
 *
 * @module
 */

import { limiter } from "./limit.ts";
import type { Fields } from "./ports.ts";
import type { Trace } from "./trace.ts";

/** How many events one client's address may cause within the window. */
export const PER_ADDRESS = 60;

/** How many events all addresses together may cause within the window. */
export const OVERALL = 600;

const WINDOW_SECONDS = 60;

/** Writes an event into the audit log, or leaves it out. */
export type Sparing = (
  trace: Pick<Trace, "address" | "audit">,
  event: string,
  fields: Fields,
) => void;

/**
 * Prepares writing events that anybody can cause. The next one that is written tells as `leftOut`
 * how many were not.
 *
 * @param now Unix seconds.
 */
export function sparing(now: () => number): Sparing {
  const ofAddress = limiter({ limit: PER_ADDRESS, windowSeconds: WINDOW_SECONDS }, now);
  const ofAll = limiter({ limit: OVERALL, windowSeconds: WINDOW_SECONDS, maxClients: 1 }, now);
  let leftOut = 0;
  return (trace, event, fields) => {
    if (ofAddress(trace.address) > 0 || ofAll("") > 0) {
      leftOut++;
      return;
    }
    trace.audit(event, leftOut === 0 ? fields : { ...fields, leftOut });
    leftOut = 0;
  };
}
