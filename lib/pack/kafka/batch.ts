/**
 * Records as they lie in a log: batches, each with a header, its records perhaps compressed.
 *
 * Everything in a batch was written by somebody else, so that no length in it is believed.
 *
 * @see {@link https://kafka.apache.org/documentation/#recordbatch}
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { crc32c } from "@platformatic/kafka";
import type { Header } from "./cluster.ts";
import { decompressed } from "./decompress.ts";

/** A batch, its records still as they lie there. */
export interface Batch {
  readonly firstOffset: bigint;
  readonly lastOffset: bigint;
  readonly firstTimestamp: bigint;
  readonly maxTimestamp: bigint;
  readonly producerId: bigint;
  readonly count: number;
  readonly codec: number;
  /** Whether the topic's clock counts, which is then that of the whole batch. */
  readonly isAppendTime: boolean;
  readonly isTransactional: boolean;
  /** Whether it holds no records but the end of a transaction. */
  readonly isControl: boolean;
  readonly bytes: Uint8Array;
}

/** A record of a batch. */
export interface BatchRecord {
  readonly offset: bigint;
  readonly timestampMs: number;
  readonly key: Uint8Array | undefined;
  readonly value: Uint8Array | undefined;
  /** The first {@linkcode MOST_HEADERS}. */
  readonly headers: readonly Header[];
  /** How many there are in all. */
  readonly headerCount: number;
}

/** Most headers of a record that are read: an empty one is two bytes in a log, and hundreds here. */
export const MOST_HEADERS = 1000;

const LENGTH_AT = 8;
const BEFORE_LENGTH_COUNTS = 12;
const MAGIC_AT = 16;
const CRC_AT = 17;
const CHECKED_AT = 21;
const RECORDS_AT = 61;
const MAGIC = 2;
const UTF8 = new TextDecoder();

/**
 * The whole batches among some bytes. The last one may have been cut off, and is left out then.
 *
 * @throws {Error} When the bytes are no batches, are damaged, or were written before Kafka 0.11.
 */
export function* batchesOf(bytes: Uint8Array): Generator<Batch> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; bytes.length - at > MAGIC_AT;) {
    const end = at + BEFORE_LENGTH_COUNTS + view.getInt32(at + LENGTH_AT);
    const magic = view.getInt8(at + MAGIC_AT);
    if (magic !== MAGIC) throw new Error(`Cannot read records of format ${magic}`);
    if (end < at + RECORDS_AT) throw new Error("Cannot read a batch of records: it is damaged");
    if (end > bytes.length) return;
    const checked = Buffer.from(
      bytes.buffer,
      bytes.byteOffset + at + CHECKED_AT,
      end - at - CHECKED_AT,
    );
    if (crc32c(checked) !== view.getUint32(at + CRC_AT)) {
      throw new Error("Cannot read a batch of records: its checksum is wrong");
    }
    yield batchAt(bytes, view, at, end);
    at = end;
  }
}

function batchAt(bytes: Uint8Array, view: DataView, at: number, end: number): Batch {
  const attributes = view.getInt16(at + 21);
  const firstOffset = view.getBigInt64(at);
  return {
    firstOffset,
    lastOffset: firstOffset + BigInt(view.getInt32(at + 23)),
    firstTimestamp: view.getBigInt64(at + 27),
    maxTimestamp: view.getBigInt64(at + 35),
    producerId: view.getBigInt64(at + 43),
    count: view.getInt32(at + 57),
    codec: attributes & 0b111,
    isAppendTime: (attributes & 0b1000) !== 0,
    isTransactional: (attributes & 0b1_0000) !== 0,
    isControl: (attributes & 0b10_0000) !== 0,
    bytes: bytes.subarray(at + RECORDS_AT, end),
  };
}

/** Whether a batch that ends a transaction says that it was aborted. */
export function isAbort(batch: Batch): boolean {
  for (const { key } of recordsOf(batch, batch.bytes.length)) {
    // Its key is a version and a type, two bytes each.
    return key?.[3] === 0;
  }
  return false;
}

/**
 * The records of a batch, one by one. Keys, values and headers are views into the batch.
 *
 * @param from The offset to begin at. What is before it is not looked into.
 * @throws {TooLarge} When they decompress to more than `mostBytes`.
 * @throws {Error} When they are not what they should be.
 */
export function* recordsOf(
  batch: Batch,
  mostBytes: number,
  from = batch.firstOffset,
): Generator<BatchRecord> {
  const cursor = new Cursor(decompressed(batch.codec, batch.bytes, mostBytes));
  for (let index = 0; index < batch.count; index++) {
    const end = cursor.end();
    cursor.skip(1);
    const delta = cursor.bigVarint();
    const offset = batch.firstOffset + BigInt(cursor.varint());
    if (offset < from) {
      cursor.goTo(end);
      continue;
    }
    const key = cursor.data();
    const value = cursor.data();
    const headers: Header[] = [];
    const headerCount = cursor.size();
    while (headers.length < Math.min(headerCount, MOST_HEADERS)) {
      headers.push({ name: UTF8.decode(cursor.data()), value: cursor.data() });
    }
    cursor.goTo(end);
    const time = batch.isAppendTime ? batch.maxTimestamp : batch.firstTimestamp + delta;
    yield { offset, timestampMs: Number(time), key, value, headers, headerCount };
  }
}

/** Reads bytes in turn, and never beyond them. */
class Cursor {
  #at = 0;
  constructor(readonly bytes: Uint8Array) {}

  bigVarint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n));
    }
    throw damaged();
  }

  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1);
    }
    throw damaged();
  }

  /** How much is to come, no more than there are bytes. */
  size(): number {
    return this.#within(this.varint());
  }

  /** Where what is to come ends, when its size is said here. */
  end(): number {
    const size = this.size();
    return this.#at + size;
  }

  data(): Uint8Array | undefined {
    const size = this.varint();
    if (size === -1) return undefined;
    const start = this.#at;
    this.skip(this.#within(size));
    return this.bytes.subarray(start, this.#at);
  }

  skip(size: number): void {
    this.#at += size;
  }

  goTo(at: number): void {
    if (at < this.#at) throw damaged();
    this.#at = at;
  }

  #byte(): number {
    const byte = this.bytes[this.#at++];
    if (byte === undefined) throw damaged();
    return byte;
  }

  #within(size: number): number {
    if (size < 0 || size > this.bytes.length - this.#at) throw damaged();
    return size;
  }
}

function damaged(): Error {
  return new Error("Cannot read a record: a length in it leads beyond its batch");
}
