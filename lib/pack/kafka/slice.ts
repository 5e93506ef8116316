/**
 * The records of one partition's answer that were asked for and are committed, within a budget.
 *
 * @module
 */

import { type Batch, batchesOf, type BatchRecord, isAbort, recordsOf } from "./batch.ts";
import type { KafkaRecord } from "./cluster.ts";
import { decompressed, TooLarge } from "./decompress.ts";
import { tooLargeToRead } from "./failures.ts";
import type { Fetched } from "./fetch.ts";

/**
 * The most that one batch of compressed records may grow to, in bytes. Kafka limits batches as they
 * are compressed, to a megabyte unless set otherwise.
 */
export const MOST_BATCH_BYTES = 32 * 1024 * 1024;

/** The most that batches grow to in one read; whatever remains waits for the next. */
export const MOST_GROWN_BYTES = 2 * MOST_BATCH_BYTES;

/** What a record counts besides what it holds, and each of its headers: empty ones take memory, too. */
export const PART_BYTES = 256;

/** How much may still be read. */
export interface Budget {
  bytes: number;
  /** What batches may still grow to. */
  grown: number;
  /** Whether there is any record yet: the first is read whatever its size. */
  isFresh: boolean;
}

/**
 * Reads an answer from an offset on.
 *
 * @returns The records, and where to go on.
 * @throws {ToolError} When the first batch is too large.
 */
export function sliceOf(fetched: Fetched, from: bigint, budget: Budget) {
  const records: KafkaRecord[] = [];
  const isCommitted = commitment(fetched);
  let nextOffset = from;
  for (const batch of batchesOf(fetched.bytes)) {
    const counts = isCommitted(batch);
    if (batch.lastOffset < nextOffset) continue;
    if (counts) {
      if (budget.grown <= 0) return { records, nextOffset };
      try {
        const plain = grown(batch);
        budget.grown -= plain.bytes.length;
        for (const record of recordsOf(plain, MOST_BATCH_BYTES, nextOffset)) {
          const size = sizeOf(record) + PART_BYTES * (1 + record.headers.length);
          if (size > budget.bytes && !budget.isFresh) {
            budget.grown = 0;
            return { records, nextOffset };
          }
          budget.bytes -= size;
          budget.isFresh = false;
          records.push(kept(record, fetched));
          nextOffset = record.offset + 1n;
        }
      } catch (error) {
        if (!(error instanceof TooLarge)) throw error;
        // What came before it is told first.
        if (records.length === 0) throw tooLargeToRead(fetched, batch, MOST_BATCH_BYTES);
        return { records, nextOffset };
      }
    }
    nextOffset = batch.lastOffset + 1n;
  }
  return { records, nextOffset };
}

/** A batch as it was before it was compressed. @throws As {@linkcode decompressed}. */
function grown(batch: Batch): Batch {
  return { ...batch, codec: 0, bytes: decompressed(batch.codec, batch.bytes, MOST_BATCH_BYTES) };
}

/** Tells of batch after batch whether its records count: not of aborted transactions, nor markers. */
function commitment({ aborted }: Fetched): (batch: Batch) => boolean {
  const toCome = aborted.toSorted((a, b) => Number(b.firstOffset - a.firstOffset));
  const aborting = new Set<bigint>();
  return (batch) => {
    while (toCome.length > 0 && toCome.at(-1)!.firstOffset <= batch.lastOffset) {
      aborting.add(toCome.pop()!.producerId);
    }
    if (batch.isControl) {
      if (isAbort(batch)) aborting.delete(batch.producerId);
      return false;
    }
    return !(batch.isTransactional && aborting.has(batch.producerId));
  };
}

type Content = Pick<KafkaRecord, "value" | "headers"> & {
  readonly key?: Uint8Array | undefined;
};

/** What a record holds, in bytes. */
export function sizeOf({ key, value, headers }: Content): number {
  const length = (bytes: Uint8Array | undefined) => bytes?.length ?? 0;
  return headers.reduce(
    (sum, header) => sum + header.name.length + length(header.value),
    length(key) + length(value),
  );
}

// Copies, so that one record does not keep a whole answer in memory.
function kept(record: BatchRecord, { topic, partition }: Fetched): KafkaRecord {
  return {
    ...record,
    topic,
    partition,
    key: copyOf(record.key),
    value: copyOf(record.value),
    headers: record.headers.map(({ name, value }) => ({ name, value: copyOf(value) })),
  };
}

function copyOf(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes && new Uint8Array(bytes);
}
