/**
 * Reading records and offsets.
 *
 * A broker that is asked to wait for records holds up everything else on that connection. It is
 * asked again and again instead, so that a few connections are enough for any number of readers.
 *
 * @module
 */

import { listOffsetsV6, listOffsetsV7, listOffsetsV8, listOffsetsV9 } from "@platformatic/kafka";
import { answered, type Call, type Calls, newest } from "./calls.ts";
import type { Cluster, Instant, Place, Slice } from "./cluster.ts";
import { outOfRange, refusal } from "./failures.ts";
import { type Fetched, fetchRaw } from "./fetch.ts";
import { leaders, type Led } from "./routing.ts";
import { type Budget, MOST_GROWN_BYTES, sliceOf } from "./slice.ts";

type Start = Place & { readonly offset: bigint };

const ANYBODY = -1;
const READ_COMMITTED = 1;
const NO_SESSION = [0, -1] as const;
const NO_EPOCH = -1;
const OFFSET_IS_OUT_OF_RANGE = 1;

/** The first pause between two questions for new records; each is twice as long, up to the last. */
const PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 400;

/** The part of a cluster that reads. */
export function reading({ call }: Calls): Pick<Cluster, "read" | "offsets"> {
  return {
    offsets: (places, at) => call((own) => offsets(own, places, at)),
    read: async (from, { maxBytes, maxWaitMs }) => {
      let isOver = maxWaitMs <= 0;
      const timer = setTimeout(() => isOver = true, maxWaitMs);
      try {
        return await call((own) => read(own, from, maxBytes, () => isOver), maxWaitMs);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

async function read(
  call: Call,
  from: readonly Start[],
  maxBytes: number,
  isOver: () => boolean,
): Promise<readonly Slice[]> {
  const led = await leaders(call, from, "READ");
  const offsetOf = new Map(from.map((start) => [keyOf(start), start.offset]));
  for (let pauseMs = PAUSE_MS;;) {
    const answers = await Promise.all(led.map((one) => fetch(call, one, offsetOf, maxBytes)));
    const fetched = new Map(answers.flat().map((one) => [keyOf(one), one]));
    const budget: Budget = { bytes: maxBytes, grown: MOST_GROWN_BYTES, isFresh: true };
    const slices = from.map(({ topic, partition }): Slice => {
      const key = keyOf({ topic, partition });
      const answer = fetched.get(key);
      if (!answer) throw new Error("Cannot read: the answer lacks a partition");
      const slice = sliceOf(answer, offsetOf.get(key)!, budget);
      return { topic, partition, endOffset: answer.lastStableOffset, ...slice };
    });
    if (slices.some(({ records }) => records.length > 0)) return slices;
    const moved = slices.filter((slice) => slice.nextOffset > offsetOf.get(keyOf(slice))!);
    const isAtEnd = slices.every(({ nextOffset, endOffset }) => nextOffset >= endOffset);
    if (isAtEnd && isOver()) return slices;
    for (const slice of moved) offsetOf.set(keyOf(slice), slice.nextOffset);
    // Control records and aborted ones lead on at once.
    if (!isAtEnd && moved.length > 0) continue;
    await call.pause(pauseMs);
    pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
  }
}

async function fetch(
  call: Call,
  { address, places }: Led<Place>,
  offsetOf: ReadonlyMap<string, bigint>,
  maxBytes: number,
): Promise<readonly Fetched[]> {
  const topics = byTopic(places, "topicId", (place) => ({
    partition: place.partition,
    currentLeaderEpoch: NO_EPOCH,
    fetchOffset: offsetOf.get(keyOf(place))!,
    lastFetchedEpoch: NO_EPOCH,
    partitionMaxBytes: maxBytes,
  }));
  const { errorCode, partitions } = await call.at(address, "read", (connection, versions) => {
    const api = newest(versions, [fetchRaw]);
    return api.async(connection, 0, 1, maxBytes, READ_COMMITTED, ...NO_SESSION, topics, [], "");
  });
  if (errorCode !== 0) throw refusal(errorCode, { operation: "READ" });
  for (const one of partitions) {
    const offset = offsetOf.get(keyOf(one));
    if (offset === undefined) throw new Error("Cannot read: the answer is about something else");
    if (one.errorCode === OFFSET_IS_OUT_OF_RANGE) throw await beyond(call, { ...one, offset });
    if (one.errorCode !== 0) throw refusal(one.errorCode, { ...one, operation: "READ" });
  }
  return partitions;
}

async function beyond(call: Call, start: Start): Promise<Error> {
  const [first, end] = await Promise.all([
    offsets(call, [start], "earliest"),
    offsets(call, [start], "latest"),
  ]);
  return outOfRange(start, first[0]?.offset ?? 0n, end[0]?.offset ?? 0n);
}

async function offsets(call: Call, places: readonly Place[], at: Instant) {
  const timestamp = at === "latest" ? -1n : at === "earliest" ? -2n : BigInt(at);
  const led = await leaders(call, places, "DESCRIBE");
  const answers = await Promise.all(
    led.map(({ address, places }) =>
      call.at(address, "ask", (connection, versions) => {
        const api = newest(versions, [
          listOffsetsV9.api,
          listOffsetsV8.api,
          listOffsetsV7.api,
          listOffsetsV6.api,
        ]);
        const topics = byTopic(places, "name", ({ partition }) => ({
          partitionIndex: partition,
          currentLeaderEpoch: NO_EPOCH,
          timestamp,
        }));
        return answered(api.async(connection, ANYBODY, READ_COMMITTED, topics));
      })
    ),
  );
  const found = new Map<string, bigint>();
  for (const { name: topic, partitions } of answers.flatMap(({ topics }) => topics)) {
    for (const { partitionIndex: partition, errorCode, offset } of partitions) {
      if (errorCode !== 0) throw refusal(errorCode, { topic, partition, operation: "DESCRIBE" });
      found.set(keyOf({ topic, partition }), offset);
    }
  }
  return places.map(({ topic, partition }) => {
    const offset = found.get(keyOf({ topic, partition }));
    if (offset === undefined) {
      throw new Error("Cannot ask for offsets: the answer lacks a partition");
    }
    return { topic, partition, offset: offset < 0n ? undefined : offset };
  });
}

function byTopic<P extends Place, N extends "topicId" | "name", T>(
  places: readonly P[],
  name: N,
  partition: (place: P) => T,
) {
  const topics = Map.groupBy(places, ({ topic }) => topic);
  return [...topics].map(([topic, places]) =>
    ({ [name]: topic, partitions: places.map(partition) }) as Record<N, string> & {
      partitions: T[];
    }
  );
}

const keyOf = ({ topic, partition }: Place) => `${partition} ${topic}`;
