/**
 * The Fetch request, its answer left as the bytes that lie in the log.
 *
 * The library decompresses while it reads an answer, with no bound on what comes of it.
 *
 * @module
 */

import { createAPI, fetchV12, type Reader } from "@platformatic/kafka";

/** What a broker answers for one partition. */
export interface Fetched {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  /** The offset up to which everything is decided. */
  readonly lastStableOffset: bigint;
  readonly aborted: readonly { readonly producerId: bigint; readonly firstOffset: bigint }[];
  /** Batches, the last perhaps cut off. */
  readonly bytes: Uint8Array;
}

/** Fetch in version 12, the newest that knows topics by name. */
export const fetchRaw = createAPI<Parameters<typeof fetchV12.createRequest>, FetchAnswer>(
  fetchV12.api.key,
  fetchV12.api.version,
  fetchV12.createRequest,
  (_correlation, _key, _version, reader) => parse(reader),
);

interface FetchAnswer {
  readonly errorCode: number;
  readonly partitions: readonly Fetched[];
}

function parse(reader: Reader): FetchAnswer {
  reader.readInt32(); // Throttle time
  const errorCode = reader.readInt16();
  reader.readInt32(); // Session
  const topics = reader.readArray((reader) => {
    const topic = reader.readString();
    return reader.readArray((reader) => parsePartition(topic, reader));
  });
  return { errorCode, partitions: topics.flat() };
}

function parsePartition(topic: string, reader: Reader): Fetched {
  const partition = reader.readInt32();
  const errorCode = reader.readInt16();
  reader.readInt64(); // High watermark
  const lastStableOffset = reader.readInt64();
  reader.readInt64(); // Start of the log
  const aborted = reader.readArray((reader) => ({
    producerId: reader.readInt64(),
    firstOffset: reader.readInt64(),
  }));
  reader.readInt32(); // Preferred replica
  return { topic, partition, errorCode, lastStableOffset, aborted, bytes: reader.readBytes() };
}
