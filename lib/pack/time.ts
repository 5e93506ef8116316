/**
 * Points in time as people write them: RFC 3339, Unix seconds or milliseconds, or relative to now,
 * as `now-1h` in Grafana.
 *
 * @module
 */

import { z } from "zod";
import { ToolError } from "../pack.ts";
import { type Edge, relativeMs } from "./time_relative.ts";

// From here on a number is of milliseconds: as seconds it would be in the year 5138.
const FIRST_MILLISECOND = 100_000_000_000;

/** Argument that is a point in time. */
export const time = z.string().min(1).max(64);

/** What a description says of such an argument. */
export const TIME_HELP = "RFC 3339, Unix seconds, or relative like now-1h";

/**
 * Reads a point in time as Unix milliseconds.
 *
 * @param now Unix seconds.
 * @param edge Which end of a span it is, which matters where it is rounded, as `now/d`.
 * @throws {ToolError} When it is none, or no calendar has it.
 *
 * @example
 * ```ts
 * import { strictEqual } from "node:assert/strict";
 * import { timeMs } from "./time.ts";
 *
 * strictEqual(timeMs("now-1h", 7200), 3_600_000);
 * strictEqual(timeMs("2026-01-01T00:00:00Z", 0), 1_767_225_600_000);
 * ```
 */
export function timeMs(text: string, now: number, edge: Edge = "start"): number {
  const trimmed = text.trim();
  const ms = Math.round(relativeMs(trimmed, now, edge) ?? absoluteMs(trimmed));
  if (Number.isNaN(ms)) {
    throw new ToolError(`"${text}" is no point in time: write ${TIME_HELP}`, "bad time");
  }
  if (Number.isNaN(new Date(ms).getTime())) {
    throw new ToolError("This time is further away than a calendar reaches", "bad time");
  }
  return ms;
}

// Without an offset it would be a time of wherever this server stands.
const RFC_3339 =
  /^(\d{4}-\d\d-\d\d)(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d\d:\d\d))?$/;

function absoluteMs(text: string): number {
  if (/^\d{1,16}(?:\.\d{1,9})?$/.test(text)) {
    const number = Number(text);
    return number >= FIRST_MILLISECOND ? number : number * 1000;
  }
  const day = RFC_3339.exec(text)?.[1];
  return day !== undefined && isDay(day) ? Date.parse(text) : NaN;
}

// The platform's parser goes on into March for the 30th of February.
function isDay(day: string): boolean {
  const ms = Date.parse(day);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(day);
}
