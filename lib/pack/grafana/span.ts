/**
 * Spans of time, and the steps in them.
 *
 * @module
 */

import { ToolError } from "../../pack.ts";
import { timeMs } from "../time.ts";

/** A span of time, in Unix milliseconds. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Most points that Prometheus and Loki answer per series. */
export const MAX_POINTS = 11_000;

/** Longest step, in seconds: some months. */
export const MAX_STEP_SECONDS = 1e7;

// As many points as a panel shows; more say little more to a model.
const USUAL_POINTS = 250;

const USUAL_LENGTH_MS = 3_600_000;

/**
 * Reads a span.
 *
 * @param start An hour before the end when absent.
 * @param now Unix seconds.
 * @throws {ToolError} When it ends before it starts.
 */
export function readSpan(start: string | undefined, end: string, now: number): Span {
  const to = Math.round(timeMs(end, now, "end"));
  const from = start === undefined ? to - USUAL_LENGTH_MS : Math.round(timeMs(start, now));
  if ([from, to].some((ms) => Number.isNaN(new Date(ms).getTime()))) {
    throw new ToolError("This time is further away than a calendar reaches", "bad time");
  }
  if (from > to) {
    throw new ToolError(`The start (${start}) is after the end (${end})`, "start after end");
  }
  return { from, to };
}

/** A span in words, for hints. */
export function spanText({ from, to }: Span): string {
  return `from ${new Date(from).toISOString()} to ${new Date(to).toISOString()}`;
}

/** A step in seconds that makes a span as fine as a panel shows it. */
export function usualStep({ from, to }: Span): number {
  return Math.max(1, Math.ceil((to - from) / 1000 / USUAL_POINTS));
}

/** Refuses a step, in seconds, that makes more points than are answered. */
export function checkStep({ from, to }: Span, stepSeconds: number): number {
  const seconds = (to - from) / 1000;
  if (seconds / stepSeconds > MAX_POINTS) {
    throw new ToolError(
      `A step of ${stepSeconds} s makes more than ${MAX_POINTS} points per series. ` +
        `Use stepSeconds ${Math.ceil(seconds / MAX_POINTS)} or more, or a shorter time range`,
      "too many points",
    );
  }
  return stepSeconds;
}
