/**
 * Writing a record, once at most.
 *
 * A record that was sent and not confirmed is not sent again: it may have been written. What fails
 * before it was sent, or is refused by the broker, has not been written for certain.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import {
  type Connection,
  type MessageRecord,
  ProduceAcks,
  produceV10,
  produceV11,
  produceV9,
} from "@platformatic/kafka";
import { ToolError } from "../../pack.ts";
import type { Ports } from "../../ports.ts";
import { answered, type Call, type Calls, newest } from "./calls.ts";
import type { Cluster, NewRecord, Place, Written } from "./cluster.ts";
import type { Versions } from "./connect.ts";
import {
  leaderless,
  Passing,
  refusal,
  tooLarge,
  unknownOutcome,
  unknownPartition,
} from "./failures.ts";
import { partitionOf } from "./partitioner.ts";
import { addresses, metadata, partitionsOf } from "./routing.ts";
import { sizeOf } from "./slice.ts";

/** Codes after which the leader may have the record all the same. */
const UNDECIDED: ReadonlySet<number> = new Set([
  -1, // Anything that went wrong in the broker
  7, // Replicas took too long
  20, // Too few replicas, noticed after the leader wrote it
  56, // Trouble with the disk
]);

/** How much less time brokers are given than a call has, so that they can still say how it went. */
const LESS_MS = 500;

/** The largest record that is sent, in bytes. Most topics take a megabyte. */
const MOST_RECORD_BYTES = 32 * 1024 * 1024;

/** What writing needs. */
export interface WriteOptions {
  readonly timeoutMs: number;
}

/** The part of a cluster that writes. */
export function writing(
  { call }: Calls,
  { timeoutMs }: WriteOptions,
  { random }: Pick<Ports, "random">,
): Pick<Cluster, "write"> {
  const waitMs = Math.max(timeoutMs - LESS_MS, Math.ceil(timeoutMs / 2));
  // Records without a key stay together for a while in Java's client; here they come one by one.
  const chance = (count: number) => new DataView(random(4).buffer).getUint32(0) % count;

  const placeOf = async (own: Call, { topic, partition, key }: NewRecord) => {
    const found = await metadata(own, [topic]);
    const all = partitionsOf(found, "WRITE")(topic);
    const chosen = partition ?? (key ? partitionOf(key, all.length) : chance(all.length));
    const place: Place = { topic, partition: chosen };
    const led = all.find(({ partitionIndex }) => partitionIndex === chosen);
    if (!led) throw unknownPartition(place, all.length);
    const address = addresses(found).get(led.leaderId);
    if (!address) throw new Passing(leaderless(place));
    return { place, address };
  };

  return {
    write: (record) =>
      call(async (own) => {
        if (sizeOf(record) > MOST_RECORD_BYTES) {
          throw tooLarge(record.topic, "over the client's limit");
        }
        const { place, address } = await placeOf(own, record);
        const message = messageOf(record, place);
        let isSent = false;
        const send = async (connection: Connection, versions: Versions) => {
          const api = newest(versions, [produceV11.api, produceV10.api, produceV9.api]);
          isSent = true;
          return await answered(api.async(connection, ProduceAcks.ALL, waitMs, [message]));
        };
        const answer = await own.at(address, "write", send).catch((error) => {
          throw isSent ? unknownOutcome(record.topic, reasonOf(error)) : error;
        });
        const written = typeof answer === "object" && answer.responses[0]?.partitionResponses[0];
        if (!written) {
          throw unknownOutcome(record.topic, "the answer is about something else");
        }
        const { errorCode, errorMessage, baseOffset, logAppendTimeMs } = written;
        if (UNDECIDED.has(errorCode)) throw unknownOutcome(record.topic, `error ${errorCode}`);
        if (errorCode !== 0) {
          throw refusal(errorCode, { ...place, operation: "WRITE" }, errorMessage);
        }
        return {
          ...place,
          offset: baseOffset,
          // The library stamps the message while it sends it.
          timestampMs: Number(logAppendTimeMs < 0n ? message.timestamp : logAppendTimeMs),
        } satisfies Written;
      }),
  };
}

function messageOf({ key, value, headers }: NewRecord, place: Place): MessageRecord {
  return {
    ...place,
    ...(key && { key: Buffer.from(key) }),
    // The library's type does not know of tombstones; the library does.
    value: (value && Buffer.from(value)) as Buffer,
    // By the bytes of the name, which are an object each: names may be there twice.
    headers: new Map(
      headers.map((
        { name, value },
      ) => [Buffer.from(name), (value && Buffer.from(value)) as Buffer]),
    ),
  };
}

function reasonOf(error: unknown): string {
  if (error instanceof Passing) return error.told.reason;
  if (error instanceof ToolError) return error.reason;
  return error instanceof Error ? error.message : String(error);
}
