/**
 * How far groups are behind, from what they committed and where the logs begin and end.
 *
 * @module
 */

import type { Commit, Place } from "./cluster.ts";

/** The ends of a partition's log: nothing below `start` is kept, nothing from `end` on is stable. */
export interface LogEnds {
  readonly start: bigint;
  readonly end: bigint;
}

/** What is known of a log: its ends, that nobody leads the partition, or that there is none. */
export type Log = LogEnds | "offline" | "deleted";

/**
 * How what was committed fits the log.
 *
 * - `ok`: within it.
 * - `never_committed`: nothing was committed; what the group reads next is up to its own settings.
 * - `below_log_start`: what comes next was deleted before it was read.
 * - `beyond_end`: past the end: the topic was made anew, or a transaction is open.
 * - `offline`: nobody leads the partition, so its end is unknown.
 * - `deleted`: there is no such partition any more, or the caller may not see it.
 */
export type LagStatus =
  | "ok"
  | "never_committed"
  | "below_log_start"
  | "beyond_end"
  | "offline"
  | "deleted";

/** How far a group is behind in a partition. */
export interface PartitionLag extends Place {
  readonly committed: bigint | undefined;
  readonly end: bigint | undefined;
  /**
   * Offsets that are still to be read: those that were deleted do not count, and it is never below
   * 0. Absent when it is unknown: nothing was committed, or the log's end is not known.
   */
  readonly lag: bigint | undefined;
  readonly status: LagStatus;
  /** What the group left with the commit. */
  readonly metadata: string | undefined;
}

/** How far a group is behind. */
export interface GroupLag {
  /** Those with most lag first, those where it is unknown last; else in order of topic and number. */
  readonly partitions: readonly PartitionLag[];
  /** The sum of the lags that are known; absent when none is. */
  readonly total: bigint | undefined;
  /** How many partitions the group never committed. */
  readonly neverCommitted: number;
  /** How many partitions have no lag that is known, for other reasons: `offline` or `deleted`. */
  readonly unknown: number;
}

/**
 * Judges each partition that a group has committed or is assigned.
 *
 * @param assigned May name partitions more than once.
 * @param logOf Where the log of a partition begins and ends.
 */
export function lagOf(
  commits: readonly Commit[],
  assigned: readonly Place[],
  logOf: (place: Place) => Log,
): GroupLag {
  const places = new Map<string, Place & Partial<Commit>>();
  for (const one of [...assigned, ...commits]) places.set(placeKey(one), one);
  const partitions = [...places.values()].map((one) => judge(one, logOf(one))).sort(byLag);
  const known = partitions.flatMap(({ lag }) => lag ?? []);
  const neverCommitted = partitions.filter(({ status }) => status === "never_committed").length;
  return {
    partitions,
    total: known.length > 0 ? known.reduce((sum, lag) => sum + lag) : undefined,
    neverCommitted,
    unknown: partitions.length - known.length - neverCommitted,
  };
}

/** A partition as a key. No topic's name has a slash. */
export function placeKey({ topic, partition }: Place): string {
  return `${topic}/${partition}`;
}

function judge(
  { topic, partition, offset: committed, metadata }: Place & Partial<Commit>,
  log: Log,
): PartitionLag {
  const end = typeof log === "string" ? undefined : log.end;
  const at = { topic, partition, committed, end, metadata, lag: undefined };
  if (log === "deleted") return { ...at, status: log };
  if (committed === undefined) return { ...at, status: "never_committed" };
  if (log === "offline") return { ...at, status: log };
  if (committed > log.end) return { ...at, lag: 0n, status: "beyond_end" };
  if (committed < log.start) return { ...at, lag: log.end - log.start, status: "below_log_start" };
  return { ...at, lag: log.end - committed, status: "ok" };
}

function byLag(one: PartitionLag, other: PartitionLag): number {
  const [a, b] = [one.lag ?? -1n, other.lag ?? -1n];
  if (a !== b) return a > b ? -1 : 1;
  if (one.topic !== other.topic) return one.topic < other.topic ? -1 : 1;
  return one.partition - other.partition;
}
