/**
 * Asking a cluster how far groups are behind.
 *
 * @module
 */

import type { Cluster, GroupDetails, Place, Topic } from "./cluster.ts";
import type { Kafka } from "./kafka.ts";
import { type GroupLag, lagOf, type LogEnds, placeKey } from "./lag.ts";

/**
 * Finds out how far groups are behind, in four calls however many they are. Topics that are not
 * allowed are left out.
 *
 * @returns Lags by the group's id; every group that was given has one.
 * @throws {ToolError} When Kafka refuses.
 */
export async function readLags(
  cluster: Cluster,
  groups: readonly Pick<GroupDetails, "id" | "members">[],
  isAllowed: Kafka["isAllowed"],
): Promise<ReadonlyMap<string, GroupLag>> {
  if (groups.length === 0) return new Map();
  // Before the ends: what is committed meanwhile would lie beyond them.
  const commits = await cluster.commits(groups.map(({ id }) => id));
  const seen = groups.map(({ id, members }) => ({
    id,
    committed: (commits.get(id) ?? []).filter(({ topic }) => isAllowed(topic)),
    assigned: members.flatMap(({ assigned }) => assigned).filter(({ topic }) => isAllowed(topic)),
  }));
  const places = seen.flatMap(({ committed, assigned }) => [...committed, ...assigned]);
  const logs = await readLogs(cluster, places);
  return new Map(
    seen.map(({ id, committed, assigned }) => [
      id,
      lagOf(committed, assigned, (place) => logs.get(placeKey(place)) ?? "deleted"),
    ]),
  );
}

/** The logs of the partitions that are there. */
async function readLogs(
  cluster: Cluster,
  places: readonly Place[],
): Promise<ReadonlyMap<string, LogEnds | "offline">> {
  if (places.length === 0) return new Map();
  const { topics } = await cluster.snapshot([...new Set(places.map(({ topic }) => topic))]);
  const wanted = new Set(places.map(placeKey));
  const there = topics.flatMap(partitionsOf).filter((one) => wanted.has(placeKey(one)));
  const led = there.filter(({ isLed }) => isLed)
    .map(({ topic, partition }) => ({ topic, partition }));
  const ends = await readEnds(cluster, led);
  return new Map(there.map((one) => [placeKey(one), ends.get(placeKey(one)) ?? "offline"]));
}

function partitionsOf({ name, partitions }: Topic): (Place & { isLed: boolean })[] {
  return partitions.map(({ partition, leader }) => ({
    topic: name,
    partition,
    isLed: leader !== undefined,
  }));
}

/** The ends of logs that somebody leads, by {@linkcode placeKey}. Others are absent. */
export async function readEnds(
  cluster: Cluster,
  places: readonly Place[],
): Promise<ReadonlyMap<string, LogEnds>> {
  if (places.length === 0) return new Map();
  const [starts, ends] = await Promise.all([
    cluster.offsets(places, "earliest"),
    cluster.offsets(places, "latest"),
  ]);
  const startOf = new Map(starts.map((one) => [placeKey(one), one.offset]));
  return new Map(ends.flatMap((one) => {
    const start = startOf.get(placeKey(one));
    return start === undefined || one.offset === undefined
      ? []
      : [[placeKey(one), { start, end: one.offset }]];
  }));
}
