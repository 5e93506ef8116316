/**
 * What a snapshot tells of a cluster.
 *
 * @module
 */

import type { Partition, Place, Snapshot, Topic } from "./cluster.ts";
import type { Kafka } from "./kafka.ts";

/** A partition that not all of its replicas keep up with. It may be offline besides. */
export interface UnderReplicated extends Place, Partition {
  /** The replicas that are not in sync. */
  readonly missing: readonly number[];
}

/** The facts on a cluster, as far as topics are allowed. */
export interface Overview {
  readonly clusterId: string | undefined;
  readonly controllerId: number | undefined;
  readonly brokerCount: number;
  /** Without internal ones. */
  readonly topicCount: number;
  readonly internalTopicCount: number;
  /** Of all topics, internal ones included. */
  readonly partitionCount: number;
  readonly underReplicated: readonly UnderReplicated[];
  /** Partitions that nobody leads. */
  readonly offline: readonly Place[];
  /** Brokers that should hold a replica and do not live, in order of their ids. */
  readonly offlineBrokers: readonly number[];
}

/** Sums a snapshot up. Topics that are not allowed count nowhere. */
export function overviewOf(snapshot: Snapshot, isAllowed: Kafka["isAllowed"]): Overview {
  const { clusterId, controllerId, brokers } = snapshot;
  const topics = snapshot.topics.filter(({ name }) => isAllowed(name));
  const internalTopicCount = topics.filter(({ internal }) => internal).length;
  return {
    clusterId,
    controllerId,
    brokerCount: brokers.length,
    topicCount: topics.length - internalTopicCount,
    internalTopicCount,
    partitionCount: topics.reduce((sum, { partitions }) => sum + partitions.length, 0),
    underReplicated: topics.flatMap(underReplicated),
    offline: topics.flatMap(offline),
    offlineBrokers: offlineBrokers(topics, new Set(brokers.map(({ id }) => id))),
  };
}

/** The partitions of a topic that lack a replica in sync. */
export function underReplicated({ name, partitions }: Topic): UnderReplicated[] {
  return partitions.flatMap((one) => {
    const missing = one.replicas.filter((id) => !one.isr.includes(id));
    return missing.length > 0 ? [{ topic: name, ...one, missing }] : [];
  });
}

/** The partitions of a topic that nobody leads. */
export function offline({ name, partitions }: Topic): Place[] {
  return partitions.filter(({ leader }) => leader === undefined)
    .map(({ partition }) => ({ topic: name, partition }));
}

function offlineBrokers(topics: readonly Topic[], live: ReadonlySet<number>): number[] {
  const wanted = new Set(
    topics.flatMap(({ partitions }) => partitions.flatMap(({ replicas }) => replicas)),
  );
  return [...wanted].filter((id) => !live.has(id)).sort((a, b) => a - b);
}
