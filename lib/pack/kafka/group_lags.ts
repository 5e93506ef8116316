/**
 * How far all groups of a cluster are behind.
 *
 * @module
 */

import { first } from "../cut.ts";
import type { Cluster, GroupDetails } from "./cluster.ts";
import type { Kafka } from "./kafka.ts";
import type { GroupLag, PartitionLag } from "./lag.ts";
import { readLags } from "./lags.ts";

/** Most groups that are looked at. */
export const MAX_GROUPS = 1000;

/** A group, and how far it is behind. */
export interface GroupWithLag extends GroupDetails {
  readonly lag: GroupLag;
}

/** The groups of a cluster. */
export interface GroupLags {
  /** How many there are. */
  readonly count: number;
  /**
   * Those that were looked at: those with most lag first, those where it is unknown last. Without
   * those of a type that is not described, and those that are gone meanwhile.
   */
  readonly groups: readonly GroupWithLag[];
  /** A word on those that were not looked at because there are too many. */
  readonly truncated?: string;
}

/** Looks at groups, in six calls however many there are. @throws {ToolError} When Kafka refuses. */
export async function readGroupLags(
  cluster: Cluster,
  isAllowed: Kafka["isAllowed"],
): Promise<GroupLags> {
  const all = await cluster.groups();
  const { items, ...cut } = first(all, MAX_GROUPS, "describe_consumer_group tells of one group");
  const details = all.length > 0 ? await cluster.groupDetails(items.map(({ id }) => id)) : [];
  const lags = await readLags(cluster, details, isAllowed);
  const groups = details.map((one) => ({ ...one, lag: lags.get(one.id)! }))
    .sort(byLag);
  return { count: all.length, groups, ...cut };
}

/** A partition whose lag is known. */
export type KnownLag =
  & PartitionLag
  & { readonly [member in "committed" | "end" | "lag"]: bigint };

/** The partitions in which a group is further behind than `threshold`, in offsets. */
export function highLags({ lag }: GroupWithLag, threshold: number): KnownLag[] {
  return lag.partitions.filter(isKnown).filter(({ lag }) => lag > threshold);
}

function isKnown(one: PartitionLag): one is KnownLag {
  return one.lag !== undefined;
}

/** Whether a group has partitions to read, and never committed any. */
export function neverCommitted({ lag }: GroupWithLag): boolean {
  return lag.neverCommitted > 0 &&
    lag.partitions.every(({ committed }) => committed === undefined);
}

function byLag(one: GroupWithLag, other: GroupWithLag): number {
  const [a, b] = [one.lag.total ?? -1n, other.lag.total ?? -1n];
  if (a !== b) return a > b ? -1 : 1;
  return one.id < other.id ? -1 : 1;
}
