/**
 * Compressed records, with a bound on what they grow to: a few bytes may stand for gigabytes.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { compressionsAlgorithms } from "@platformatic/kafka";

/** Compressed records grow beyond the bound. */
export class TooLarge extends Error {}

/** How records may be compressed, by the number that Kafka gives it. */
const CODECS: readonly (((bytes: Buffer, mostBytes: number) => Uint8Array) | undefined)[] = [
  (bytes) => bytes,
  (bytes, maxOutputLength) => gunzipSync(bytes, { maxOutputLength }),
  (bytes, mostBytes) => {
    demand(snappyLength(bytes) <= mostBytes);
    return compressionsAlgorithms.snappy.decompressSync(bytes);
  },
  (bytes, mostBytes) => {
    demand(lz4Length(bytes) <= mostBytes);
    return compressionsAlgorithms.lz4.decompressSync(bytes);
  },
  (bytes, maxOutputLength) => zstdDecompressSync(bytes, { maxOutputLength }),
];

/**
 * The bytes that were compressed.
 *
 * @throws {TooLarge} When they are more than `mostBytes`.
 * @throws {Error} When they are not what they should be.
 */
export function decompressed(codec: number, bytes: Uint8Array, mostBytes: number): Uint8Array {
  const decompress = CODECS[codec];
  if (!decompress) throw new Error(`Cannot decompress records: codec ${codec} is unknown`);
  try {
    return decompress(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), mostBytes);
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === "ERR_BUFFER_TOO_LARGE") throw new TooLarge("Cannot hold that much");
    throw error;
  }
}

function demand(fits: boolean): void {
  if (!fits) throw new TooLarge("Cannot hold that much");
}

// Java's client writes blocks behind a header, others a single block. A block begins with its length.
const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const XERIAL_HEADER = 16;

function snappyLength(bytes: Buffer): number {
  if (!bytes.subarray(0, XERIAL.length).equals(XERIAL)) return blockLength(bytes, 0);
  let length = 0;
  for (let at = XERIAL_HEADER; at < bytes.length;) {
    const size = bytes.readUInt32BE(at);
    length += blockLength(bytes, at + 4);
    at += 4 + size;
  }
  return length;
}

function blockLength(bytes: Buffer, at: number): number {
  let length = 0;
  for (let shift = 0; shift < 35; shift += 7, at++) {
    const byte = bytes[at] ?? 0;
    length += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return length;
  }
  return Infinity;
}

const LZ4_MAGIC = 0x184d2204;
const LZ4_MOST_GROWTH = 255;

/** The most that an LZ4 frame can grow to, by the sizes of its blocks. */
function lz4Length(bytes: Buffer): number {
  if (bytes.length < 7 || bytes.readUInt32LE(0) !== LZ4_MAGIC) {
    throw new Error("Cannot decompress records: they are no LZ4 frame");
  }
  const flags = bytes[4]!;
  const most = 1 << (8 + 2 * (bytes[5]! >> 4 & 7));
  const checksum = flags & 0x10 ? 4 : 0;
  let length = 0;
  for (let at = 7 + (flags & 0x08 ? 8 : 0) + (flags & 0x01 ? 4 : 0); at + 4 <= bytes.length;) {
    const size = bytes.readUInt32LE(at) & 0x7fffffff;
    if (size === 0) break;
    length += Math.min(most, size * LZ4_MOST_GROWTH);
    at += 4 + size + checksum;
  }
  return length;
}
