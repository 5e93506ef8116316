/**
 * Results of LogQL: log lines, or series as Prometheus has them.
 *
 * @module
 */

import { z } from "zod";
import { items, members } from "./items.ts";

const labels = members(z.string());

/** One log line, or one series. A point is its time in Unix seconds, and its value as text. */
export type Entry = {
  labels: Record<string, string>;
  timestamp?: string;
  line?: string;
  structuredMetadata?: Record<string, string> | undefined;
  parsed?: Record<string, string> | undefined;
  value?: unknown[] | undefined;
  values?: unknown[][] | undefined;
};

const more = z.object({ structuredMetadata: labels.optional(), parsed: labels.optional() });

const metrics = items(
  z.object({
    metric: labels,
    value: z.array(z.unknown()).optional(),
    values: items(z.array(z.unknown())).optional(),
  }),
);

const streams = items(z.object({
  stream: labels,
  values: items(z.tuple([z.string().regex(/^\d+$/), z.string()], z.unknown())),
}));

/** Loki's answer to a query. */
export const answered = z.object({
  status: z.literal("success"),
  data: z.discriminatedUnion("resultType", [
    z.object({ resultType: z.literal("streams"), result: streams }),
    z.object({ resultType: z.enum(["matrix", "vector"]), result: metrics }),
    z.object({ resultType: z.literal("scalar"), result: z.array(z.unknown()) }),
  ]),
});

/** Loki's answer to a query. */
export type Answered = z.infer<typeof answered>["data"];

/** Longest line that is told, in characters. */
export const LONGEST_LINE = 5000;

/** The order of log lines: the newest first, or the oldest. */
export type Direction = "backward" | "forward";

/** Makes a flat list of the result; log lines of all streams in one order. */
export function entriesOf(data: Answered, direction: Direction): Entry[] {
  switch (data.resultType) {
    case "streams":
      return linesOf(data.result, direction);
    case "scalar":
      return [{ labels: {}, value: data.result }];
    default:
      return data.result.map(({ metric, ...rest }) => ({ labels: metric, ...rest }));
  }
}

function linesOf(all: z.infer<typeof streams>, direction: Direction): Entry[] {
  const sign = direction === "backward" ? -1 : 1;
  return all
    .flatMap(({ stream, values }) =>
      values.map(([at, line, found]) => ({ at: BigInt(at), line, found, stream }))
    )
    .sort((one, other) => sign * Number(one.at - other.at))
    .map(({ at, line, found, stream }) => ({
      timestamp: rfc3339(at),
      line: shortened(line),
      labels: stream,
      ...nonEmpty(more.safeParse(found).data ?? {}),
    }));
}

function nonEmpty(found: z.infer<typeof more>): z.infer<typeof more> {
  return Object.fromEntries(
    Object.entries(found).filter(([, labels]) => labels && Object.keys(labels).length > 0),
  );
}

function shortened(line: string): string {
  if (line.length <= LONGEST_LINE) return line;
  return `${line.slice(0, LONGEST_LINE)}… (${line.length - LONGEST_LINE} more characters)`;
}

function rfc3339(nanoseconds: bigint): string {
  const seconds = Number(nanoseconds / 1_000_000_000n);
  const fraction = `${nanoseconds % 1_000_000_000n}`.padStart(9, "0");
  return new Date(seconds * 1000).toISOString().replace("000Z", `${fraction}Z`);
}

/**
 * The time to go on from after a line. Times are read to the millisecond, so lines of this one may
 * come again; none is missed.
 */
export function after(timestamp: string, direction: Direction): string {
  // Loki leaves the end out, and takes the start in.
  const ms = Date.parse(timestamp) + (direction === "backward" ? 1 : 0);
  return new Date(ms).toISOString();
}

/** Lines of one stream, which share its labels. */
export type Stream = {
  labels: Record<string, string>;
  lines: { timestamp: string; line: string }[];
};

/** Groups lines by their streams, so that labels are told once; what else a line has is left out. */
export function byStream(entries: readonly Entry[]): Stream[] {
  const groups = Map.groupBy(
    entries,
    ({ labels }) => JSON.stringify(Object.entries(labels).sort()),
  );
  return [...groups.values()].map((group) => ({
    labels: group[0]!.labels,
    lines: group.map(({ timestamp = "", line = "" }) => ({ timestamp, line })),
  }));
}
