/**
 * Which partitions are read, and where their logs begin and end.
 *
 * @module
 */

import { ToolError } from "../../pack.ts";
import type { Cluster, Place, Topic } from "./cluster.ts";
import type { Kafka } from "./kafka.ts";
import { type LogEnds, placeKey } from "./lag.ts";
import { readEnds } from "./lags.ts";
import { noSuchTopic } from "./names.ts";
import { checkPartition } from "./partition.ts";

/** Most partitions of one call. */
export const MAX_PARTITIONS = 100;

/** A partition, and what its log holds. */
export type PlacedLog = Place & LogEnds;

/** The partitions to read, and words on those that are not. */
export interface Places {
  readonly logs: readonly PlacedLog[];
  readonly notes: readonly string[];
}

/**
 * Finds the partitions of topics, in three calls however many they are.
 *
 * Of more than {@linkcode MAX_PARTITIONS} the ones with the lowest numbers are taken, so that each
 * topic has its share. Partitions that nobody leads are left out.
 *
 * @param partition Only this one, of each topic.
 * @throws {ToolError} When a topic is unknown, not allowed or internal, or there is nothing to read.
 */
export async function findPlaces(
  cluster: Cluster,
  isAllowed: Kafka["isAllowed"],
  names: readonly string[],
  partition: number | undefined,
): Promise<Places> {
  const topics = await findTopics(cluster, isAllowed, [...new Set(names)]);
  if (partition !== undefined) { for (const topic of topics) checkPartition(topic, partition); }
  const all = topics.flatMap(({ name, partitions }) =>
    partitions.map((one) => ({ topic: name, partition: one.partition, leader: one.leader }))
  ).filter((one) => partition === undefined || one.partition === partition);
  const led = all.filter(({ leader }) => leader !== undefined);
  const lowest = new Set(
    led.toSorted((a, b) => a.partition - b.partition).slice(0, MAX_PARTITIONS),
  );
  const chosen = led.filter((one) => lowest.has(one))
    .map(({ topic, partition }) => ({ topic, partition }));
  const ends = await readEnds(cluster, chosen);
  const logs = chosen.flatMap((place) => {
    const found = ends.get(placeKey(place));
    return found ? [{ ...place, ...found }] : [];
  });
  if (logs.length === 0) {
    throw new ToolError(
      "No broker leads what is to be read: see describe_topic, and try again later",
      "offline",
    );
  }
  const offline = all.length - led.length + chosen.length - logs.length;
  const tooMany = led.length - chosen.length;
  const notes = [
    ...(offline > 0 ? [`partitions not read, as no broker leads them: ${offline}`] : []),
    ...(tooMany > 0
      ? [`${tooMany} of ${led.length} partitions not read: name fewer topics, or one partition`]
      : []),
  ];
  return { logs, notes };
}

async function findTopics(
  cluster: Cluster,
  isAllowed: Kafka["isAllowed"],
  names: readonly string[],
): Promise<readonly Topic[]> {
  const allowed = names.filter(isAllowed);
  // Asked for no topic, a cluster might tell all.
  const { topics } = allowed.length > 0 ? await cluster.snapshot(allowed) : { topics: [] };
  const missing = names.filter((name) => !topics.some((topic) => topic.name === name));
  if (missing.length > 0) throw noSuchTopic(...missing);
  const own = topics.find(({ internal }) => internal);
  // What is in there tells of all topics, allowed or not.
  if (own) {
    throw new ToolError(
      `"${own.name}" holds what Kafka keeps for itself, and is not read here. ` +
        "describe_consumer_group tells what groups committed",
      "internal topic",
    );
  }
  return topics;
}
