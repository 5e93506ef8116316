/**
 * Batches of records as a broker sends them.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { crc32c, createRecordsBatch, type MessageRecord } from "@platformatic/kafka";

/** What a batch may be made with. */
export interface BatchOptions {
  readonly firstOffset?: bigint;
  readonly compression?: "none" | "gzip" | "snappy" | "lz4" | "zstd";
  readonly producerId?: bigint;
  /** Bits besides those of the compression: 8 append time, 16 transactional, 32 control. */
  readonly attributes?: number;
}

/** Makes a batch of values, stamped 1000, 1001 and so on. */
export function batch(values: readonly string[], options: BatchOptions = {}): Buffer {
  const records = values.map((value, at) => ({
    topic: "orders",
    value: Buffer.from(value),
    timestamp: BigInt(1000 + at),
  }));
  return batchOf(records, options);
}

/** Makes a batch of records. */
export function batchOf(
  records: MessageRecord[],
  { firstOffset = 0n, compression = "none", producerId = -1n, attributes = 0 }: BatchOptions = {},
): Buffer {
  const { buffer } = createRecordsBatch(records, { compression, producerId, producerEpoch: 0 });
  const bytes = Buffer.from(buffer);
  bytes.writeBigInt64BE(firstOffset, 0);
  bytes.writeInt16BE(bytes.readInt16BE(21) | attributes, 21);
  return checked(bytes);
}

/** The end of a transaction. */
export function marker(kind: "abort" | "commit", firstOffset: bigint, producerId: bigint): Buffer {
  const key = Buffer.from([0, 0, 0, kind === "abort" ? 0 : 1]);
  const record = { topic: "orders", key, value: Buffer.alloc(6), timestamp: 1000n };
  return batchOf([record], { firstOffset, producerId, attributes: 48 });
}

/** Puts the checksum right. */
export function checked(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17);
  return bytes;
}
