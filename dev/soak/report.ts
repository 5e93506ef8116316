/**
 * The closing words of a soak.
 *
 * @module
 */

import type { Counts, Difference } from "./counts.ts";
import type { MemoryVerdict } from "./memory.ts";

/** What came of the memory of the process, and of its values. */
export interface Memory {
  readonly resident: MemoryVerdict;
  readonly values: MemoryVerdict;
}

/** What a soak found. */
export interface Report {
  readonly seconds: number;
  readonly requests: number;
  readonly calls: number;
  /** Milliseconds that half, and all but one in a hundred, of the calls took at most. */
  readonly p50: number;
  readonly p99: number;
  readonly outages: number;
  readonly done: Readonly<Record<string, number>>;
  /** What could not be done because the identity provider was away. */
  readonly excused: Readonly<Record<string, number>>;
  /** How many refusals clients saw, and the server counted. */
  readonly refusals: { readonly clients: number; readonly server: number };
  readonly memory: Memory;
  readonly logLines: number;
  readonly linesDropped: number;
  readonly exit: number;
  /** What was wrong; nothing when all is well. */
  readonly wrongs: readonly string[];
}

/** Names as an object, in their order. */
export function recordOf(counts: Counts): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a], [b]) => a < b ? -1 : 1));
}

/** What is wrong, in words. */
export function wrongsOf(
  { wrongs, uneven, memory, exit }: {
    readonly wrongs: Counts;
    readonly uneven: readonly Difference[];
    readonly memory: Memory;
    readonly exit: number;
  },
): string[] {
  return [
    ...[...wrongs].map(([what, times]) => times === 1 ? what : `${what} (${times} times)`),
    ...uneven.map(({ name, clients, server }) =>
      `${name}: clients saw ${clients}, the server counted ${server}`
    ),
    ...Object.entries(memory).filter(([, { isSteady }]) => !isSteady).map(
      ([what, { perMinute, bound }]) =>
        `memory (${what}) grew by ${perMinute.toFixed(2)} MiB in a minute; ${
          bound.toFixed(2)
        } is the bound`,
    ),
    ...(exit === 0 ? [] : [`the server ended with ${exit}`]),
  ];
}

/** The report as a table. @param paint Adds colours. */
export function table(report: Report, paint: (text: string, isGood: boolean) => string): string {
  const { memory, wrongs } = report;
  const rows: (readonly [string, string])[] = [
    ["Requests", `${report.requests} in ${report.seconds.toFixed(0)} s`],
    [
      "Calls of tools",
      `${report.calls}; half within ${report.p50.toFixed(1)} ms, 99 of 100 within ${
        report.p99.toFixed(1)
      } ms`,
    ],
    ...rowsOf("Done", report.done),
    ["Outages of the identity provider", `${report.outages}`],
    ...rowsOf("Not possible meanwhile", report.excused),
    ["Refusals", `${report.refusals.clients} seen, ${report.refusals.server} counted`],
    ...memoryRows("Memory of the process", memory.resident),
    ...memoryRows("Memory of values", memory.values),
    ["Lines of the log", `${report.logLines}, ${report.linesDropped} dropped`],
    ["Exit status", `${report.exit}`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
  const end = wrongs.length === 0
    ? [paint("Nothing was wrong.", true)]
    : [paint("Wrong:", false), ...wrongs.map((what) => `  ${what}`)];
  return [...lines, "", ...end, ""].join("\n");
}

function memoryRows(name: string, verdict: MemoryVerdict): (readonly [string, string])[] {
  const { first, last, peak, perMinute, bound, isJudged } = verdict;
  const levels = `${first.toFixed(0)} MiB after the warm-up, ${last.toFixed(0)} at the end`;
  const growth = `${perMinute.toFixed(2)} MiB in a minute; bound ${bound.toFixed(2)}`;
  return [
    [name, `${levels}, ${peak.toFixed(0)} at most`],
    ["", `${growth}${isJudged ? "" : ", not judged in so short a time"}`],
  ];
}

function rowsOf(name: string, counts: Readonly<Record<string, number>>) {
  return Object.entries(counts).map(([what, times], nth) =>
    [nth === 0 ? name : "", `${times} × ${what}`] as const
  );
}
