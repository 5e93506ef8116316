/**
 * The records from given offsets on.
 *
 * @module
 */

import type { Cluster, KafkaRecord, Place } from "./cluster.ts";
import { bySlice, MAX_READS, READ } from "./consume_reads.ts";

// The signal is looked at in between.
const WAIT_STEP_MS = 1000;

/** Where to go on in a partition, and where its log ends. */
export interface Position extends Place {
  readonly offset: bigint;
  readonly end: bigint;
}

/** What was read. */
export interface Onward {
  /** Those of a partition in order of their offsets, else by time. May be more than were asked for. */
  readonly records: readonly KafkaRecord[];
  /** Beyond all these records. */
  readonly positions: readonly Position[];
}

/**
 * Reads until there are `count` records, or no more, in at most {@linkcode MAX_READS} reads.
 *
 * @param waitMs How long to wait for a first record, when there is none.
 * @param signal Ends the reading, and the waiting within a second.
 */
export async function onward(
  cluster: Cluster,
  from: readonly Position[],
  { count, waitMs, signal }: {
    readonly count: number;
    readonly waitMs: number;
    readonly signal: AbortSignal;
  },
): Promise<Onward> {
  let positions = from;
  const batches = from.map((): KafkaRecord[] => []);
  let reads = 0;
  let waited = 0;
  for (;;) {
    const found = batches.reduce((sum, { length }) => sum + length, 0);
    const open = positions.filter(({ offset, end }) => offset < end);
    const isWaiting = open.length === 0;
    const isOver = isWaiting
      ? found > 0 || waited >= waitMs
      : found >= count || reads === MAX_READS;
    if (isOver) return { records: batches.flatMap(timed).sort(byTime).map(recordOf), positions };
    signal.throwIfAborted();
    const maxWaitMs = isWaiting ? Math.min(WAIT_STEP_MS, waitMs - waited) : READ.maxWaitMs;
    if (isWaiting) waited += maxWaitMs;
    else reads++;
    const asked = (isWaiting ? positions : open)
      .map(({ topic, partition, offset }) => ({ topic, partition, offset }));
    const sliceOf = bySlice(await cluster.read(asked, { ...READ, maxWaitMs }));
    positions = positions.map((position, at) => {
      const slice = sliceOf(position);
      if (!slice) return position;
      for (const record of slice.records) batches[at]!.push(record);
      const { nextOffset: offset, endOffset } = slice;
      return { ...position, offset, end: endOffset > offset ? endOffset : offset };
    });
  }
}

interface Timed {
  readonly record: KafkaRecord;
  /** The newest time up to here: clocks of producers may go back, a log does not. */
  readonly timeMs: number;
  readonly rank: number;
}

function timed(records: readonly KafkaRecord[]): Timed[] {
  let timeMs = -Infinity;
  return records.map((record, rank) => {
    timeMs = Math.max(timeMs, record.timestampMs);
    return { record, timeMs, rank };
  });
}

// Keeps those of a partition in order.
function byTime(a: Timed, b: Timed): number {
  return a.timeMs - b.timeMs || a.rank - b.rank;
}

const recordOf = ({ record }: Timed) => record;
