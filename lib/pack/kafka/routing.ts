/**
 * Who leads what: asked anew in each attempt of a call, so that nothing stays stale.
 *
 * @module
 */

import { metadataV10, metadataV11, metadataV12, metadataV9 } from "@platformatic/kafka";
import { answered, type Call, newest } from "./calls.ts";
import type { Place } from "./cluster.ts";
import type { Address } from "./connect.ts";
import { leaderless, Passing, refusal, unknownPartition } from "./failures.ts";

type Metadata = Awaited<ReturnType<typeof metadataV12.api.async>>;

const TOPIC_IS_UNKNOWN = 3;

/** The cluster as one broker sees it, of the topics named or all. Creates no topic. */
export async function metadata(call: Call, topics?: readonly string[]): Promise<Metadata> {
  const found = await call.any((connection, versions) => {
    const api = newest(versions, [
      metadataV12.api,
      metadataV11.api,
      metadataV10.api,
      metadataV9.api,
    ]);
    return answered(api.async(connection, topics ? [...topics] : null, false, false));
  });
  call.learn(found.brokers);
  return found;
}

/** Where brokers listen, by their ids. */
export function addresses({ brokers }: Metadata): ReadonlyMap<number, Address> {
  return new Map(brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
}

/** What is asked of one broker. */
export interface Led<P extends Place> {
  readonly address: Address;
  readonly places: readonly P[];
}

/**
 * Partitions by the brokers that lead them.
 *
 * @throws {ToolError} When one does not exist, or may not be used.
 * @throws {Passing} When one has no leader.
 */
export async function leaders<P extends Place>(
  call: Call,
  places: readonly P[],
  operation: "READ" | "WRITE" | "DESCRIBE",
): Promise<readonly Led<P>[]> {
  const found = await metadata(call, [...new Set(places.map(({ topic }) => topic))]);
  const brokers = addresses(found);
  const partitions = partitionsOf(found, operation);
  const led = Map.groupBy(places, (place) => {
    const all = partitions(place.topic);
    const { leaderId } = all.find((one) => one.partitionIndex === place.partition) ??
      fail(unknownPartition(place, all.length));
    return brokers.get(leaderId) ?? fail(new Passing(leaderless(place)));
  });
  return [...led].map(([address, places]) => ({ address, places }));
}

/** The partitions of topics. What is returned throws a `ToolError` for topics that cannot be used. */
export function partitionsOf({ topics }: Metadata, operation: "READ" | "WRITE" | "DESCRIBE") {
  const named = new Map(topics.map((topic) => [topic.name, topic]));
  return (topic: string) => {
    const { errorCode, partitions } = named.get(topic) ??
      { errorCode: TOPIC_IS_UNKNOWN, partitions: [] };
    if (errorCode !== 0) throw refusal(errorCode, { topic, operation });
    return partitions;
  };
}

function fail(error: Error): never {
  throw error;
}
