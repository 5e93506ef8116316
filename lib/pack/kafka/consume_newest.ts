/**
 * The newest records over many partitions.
 *
 * Of each partition the last offsets are read. Offsets are not records: compaction and transactions
 * leave gaps; and one partition can have more of the newest than another. So it goes further back
 * wherever something as new may be, for a bounded number of reads.
 *
 * @module
 */

import type { Cluster, KafkaRecord, Place, Slice } from "./cluster.ts";
import type { PlacedLog } from "./consume_places.ts";
import { bySlice, MAX_READS, READ } from "./consume_reads.ts";

// How many offsets are looked at first, and how much further each step goes at most.
const LEAST_WINDOW = 4;
const MOST_GROWTH = 8;

/** What was found. */
export interface Newest {
  /** By time, the oldest first; those of one time by topic, partition and offset. */
  readonly records: readonly KafkaRecord[];
  /** In how many partitions others as new may be, which the reads did not reach. */
  readonly unreached: number;
}

/**
 * Finds the newest records by their times, in at most {@linkcode MAX_READS} reads. Of those of one
 * time, each partition has its share. Times are taken to rise within a partition: a newer one that
 * lies behind many older ones is not looked for.
 *
 * @param signal Ends the reading between two reads.
 */
export async function newest(
  cluster: Cluster,
  logs: readonly PlacedLog[],
  count: number,
  signal: AbortSignal,
): Promise<Newest> {
  const tails = logs.map((log) => new Tail(log));
  const window = Math.max(LEAST_WINDOW, Math.ceil(2 * count / tails.length));
  for (let reads = 0;; reads++) {
    let open: readonly Tail[] = tails.filter(({ isReading }) => isReading);
    if (open.length === 0) {
      open = wanting(tails, count);
      for (const tail of open) tail.goBack(count, window);
    }
    if (open.length === 0 || reads === MAX_READS) {
      return { records: chosenOf(tails, count).toSorted(byTime), unreached: open.length };
    }
    signal.throwIfAborted();
    const sliceOf = bySlice(await cluster.read(open.map(({ position }) => position), READ));
    for (const tail of open) {
      const slice = sliceOf(tail.position);
      if (slice) tail.take(slice);
    }
  }
}

/** The part of a log that is known, from its end backwards. */
class Tail {
  /** In order of their offsets. */
  records: readonly KafkaRecord[] = [];
  // Everything from here to the end is known.
  #low: bigint;
  // What is being read: from here, up to what is known.
  #from: bigint;
  #at: bigint;
  #part: readonly KafkaRecord[] = [];

  constructor(private readonly log: PlacedLog) {
    this.#low = this.#from = this.#at = log.end;
  }

  get position(): Place & { readonly offset: bigint } {
    const { topic, partition } = this.log;
    return { topic, partition, offset: this.#at };
  }

  get isReading(): boolean {
    return this.#at < this.#low;
  }

  get isWhole(): boolean {
    return this.#low <= this.log.start;
  }

  /** Goes on as far as what is known lets expect the missing records. @param first The first time. */
  goBack(count: number, first: number): void {
    const known = Number(this.log.end - this.#low);
    const found = this.records.length;
    const expected = found > 0 ? Math.ceil((count - found) * known / found) : Infinity;
    const step = BigInt(known === 0 ? first : Math.min(expected, known * MOST_GROWTH));
    const from = this.#low - step;
    this.#restart(from > this.log.start ? from : this.log.start);
  }

  take({ records, nextOffset }: Slice): void {
    const got = records.filter(({ offset }) => offset < this.#low);
    const read = nextOffset - this.#at;
    const left = this.#low - nextOffset;
    if (left <= 0n) {
      this.records = [...this.#part, ...got, ...this.records];
      this.#low = this.#from;
      this.#restart(this.#from);
    } else if (left > read && read > 0n) {
      // These are too large for the way: what is nearer to the end comes first.
      this.#restart(this.#low - read);
    } else {
      this.#part = [...this.#part, ...got];
      this.#at = nextOffset;
    }
  }

  #restart(from: bigint): void {
    this.#from = this.#at = from;
    this.#part = [];
  }
}

/** Those that may have more of the newest: so far, all that is known of them is among these. */
function wanting(tails: readonly Tail[], count: number): readonly Tail[] {
  const chosen = new Set(chosenOf(tails, count));
  return tails.filter((tail) =>
    !tail.isWhole && tail.records.length < count && tail.records.every((one) => chosen.has(one))
  );
}

function chosenOf(tails: readonly Tail[], count: number): readonly KafkaRecord[] {
  return tails
    .flatMap(({ records }) => records.map((record, at) => ({ record, rank: records.length - at })))
    .sort((a, b) => b.record.timestampMs - a.record.timestampMs || a.rank - b.rank)
    .slice(0, count).map(({ record }) => record);
}

function byTime(a: KafkaRecord, b: KafkaRecord): number {
  if (a.timestampMs !== b.timestampMs) return a.timestampMs - b.timestampMs;
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1;
  return a.partition - b.partition || Number(a.offset - b.offset);
}
