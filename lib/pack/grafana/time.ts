/**
 * Points in time as people write them: RFC 3339, Unix seconds or milliseconds, or relative to now,
 * as `now-1h` in Grafana.
 *
 * @module
 */

import { z } from "zod";
import { ToolError } from "../../pack.ts";

const UNIT_SECONDS: Readonly<Record<string, number>> = {
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
  w: 604_800,
  M: 2_592_000,
  y: 31_536_000,
};

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
export function timeMs(text: string, now: number): number {
  const ms = Math.round(read(text.trim(), now));
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
  /^\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d\d:\d\d))?$/;

function read(text: string, now: number): number {
  const relative = /^now(?:([+-])(\d{1,6})([smhdwMy]))?$/.exec(text);
  if (relative) {
    const [, sign = "+", count = "0", unit = "s"] = relative;
    const seconds = Number(count) * UNIT_SECONDS[unit]!;
    return (sign === "-" ? now - seconds : now + seconds) * 1000;
  }
  if (/^\d{1,16}(?:\.\d{1,9})?$/.test(text)) {
    const number = Number(text);
    return number >= FIRST_MILLISECOND ? number : number * 1000;
  }
  return RFC_3339.test(text) ? Date.parse(text) : NaN;
}
