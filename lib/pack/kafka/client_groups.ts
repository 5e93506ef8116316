/**
 * Consumer groups, of the classic protocol and the new one (KIP-848).
 *
 * @module
 */

import {
  consumerGroupDescribeV0,
  decodeConsumerProtocolAssignment,
  describeGroupsV5,
  FindCoordinatorKeyTypes,
  findCoordinatorV4,
  findCoordinatorV5,
  findCoordinatorV6,
  listGroupsV4,
  listGroupsV5,
  offsetFetchV8,
  offsetFetchV9,
} from "@platformatic/kafka";
import { answered, type Call, type Calls, newest } from "./calls.ts";
import type { Cluster, Commit, GroupDetails, GroupMember, GroupSummary, Place } from "./cluster.ts";
import type { Address, Exchange } from "./connect.ts";
import { refusal } from "./failures.ts";
import { addresses, metadata } from "./routing.ts";

/** Codes that a broker has for a group that it does not know under the protocol that was asked for. */
const UNKNOWN: ReadonlySet<number> = new Set([24, 69]);

const TOPIC_IS_UNKNOWN = 3;

/** The part of a cluster that tells of groups. */
export function grouping(
  { call }: Calls,
): Pick<Cluster, "groups" | "groupDetails" | "commits"> {
  return {
    groups: () => call(groups),
    groupDetails: (ids) => call((own) => groupDetails(own, ids)),
    commits: (ids) => call((own) => commits(own, ids)),
  };
}

// Version 5 says of which type a group is.
type GroupLister = typeof listGroupsV4.api | typeof listGroupsV5.api;

async function groups(call: Call): Promise<readonly GroupSummary[]> {
  const brokers = addresses(await metadata(call, []));
  const lists = await Promise.all(
    [...brokers.values()].map((address) =>
      call.at(address, "ask", async (connection, versions) => {
        const api = newest<GroupLister>(versions, [listGroupsV5.api, listGroupsV4.api]);
        return await answered(api.async(connection, [], []));
      })
    ),
  );
  const all = lists.flatMap(({ errorCode, groups }) => {
    if (errorCode !== 0) throw refusal(errorCode, { operation: "DESCRIBE" });
    return groups.map((group): GroupSummary => ({
      id: group.groupId,
      state: group.groupState,
      type: "groupType" in group ? group.groupType.toLowerCase() : undefined,
    }));
  });
  return [...new Map(all.map((group) => [group.id, group])).values()]
    .sort((a, b) => a.id < b.id ? -1 : 1);
}

/** Asks each group's coordinator about all of its groups at once. */
async function perCoordinator<T>(
  call: Call,
  ids: readonly string[],
  exchange: (ids: readonly string[]) => Exchange<readonly T[]>,
): Promise<readonly T[]> {
  if (ids.length === 0) return [];
  const { coordinators } = await call.any((connection, versions) => {
    const api = newest(versions, [
      findCoordinatorV6.api,
      findCoordinatorV5.api,
      findCoordinatorV4.api,
    ]);
    return answered(api.async(connection, FindCoordinatorKeyTypes.GROUP, [...new Set(ids)]));
  });
  const led = Map.groupBy(coordinators, ({ key: group, errorCode, errorMessage, host, port }) => {
    if (errorCode !== 0) throw refusal(errorCode, { group, operation: "DESCRIBE" }, errorMessage);
    return `${host} ${port}`;
  });
  const answers = await Promise.all(
    [...led.values()].map((own) =>
      call.at(own[0] as Address, "ask", exchange(own.map(({ key }) => key)))
    ),
  );
  return answers.flat();
}

function groupDetails(call: Call, ids: readonly string[]): Promise<readonly GroupDetails[]> {
  return perCoordinator(call, ids, (ids) => async (connection, versions) => {
    const modern = versions.has(consumerGroupDescribeV0.api.key)
      ? await answered(consumerGroupDescribeV0.api.async(connection, [...ids], false))
      : { groups: [] };
    const found = modern.groups.filter(({ errorCode }) => !UNKNOWN.has(errorCode));
    const rest = ids.filter((id) => !found.some(({ groupId }) => groupId === id));
    const classic = rest.length === 0
      ? { groups: [] }
      : await answered(newest(versions, [describeGroupsV5.api]).async(connection, rest, false));
    return [
      ...found.map((group) => {
        judge(group);
        return modernDetails(group);
      }),
      ...classic.groups.filter(({ errorCode, groupState }) =>
        !UNKNOWN.has(errorCode) && (errorCode !== 0 || groupState !== "Dead")
      ).map((group) => {
        judge(group);
        return classicDetails(group, versions.has(consumerGroupDescribeV0.api.key));
      }),
    ];
  });
}

function judge({ groupId: group, errorCode }: { groupId: string; errorCode: number }): void {
  if (errorCode !== 0) throw refusal(errorCode, { group, operation: "DESCRIBE" });
}

type Modern = Awaited<ReturnType<typeof consumerGroupDescribeV0.api.async>>["groups"][number];
type Classic = Awaited<ReturnType<typeof describeGroupsV5.api.async>>["groups"][number];

function modernDetails({ groupId, groupState, assignorName, members }: Modern): GroupDetails {
  return {
    id: groupId,
    state: groupState,
    type: "consumer",
    protocol: assignorName || undefined,
    members: members.map((member): GroupMember => ({
      id: member.memberId,
      instanceId: member.instanceId ?? undefined,
      clientId: member.clientId,
      host: hostOf(member.clientHost),
      assigned: member.assignment.topicPartitions.flatMap(({ topicName: topic, partitions }) =>
        partitions.map((partition): Place => ({ topic, partition }))
      ),
    })),
  };
}

function classicDetails(group: Classic, knowsTypes: boolean): GroupDetails {
  return {
    id: group.groupId,
    state: group.groupState,
    type: knowsTypes ? "classic" : undefined,
    protocol: group.protocolData || undefined,
    members: group.members.map((member): GroupMember => ({
      id: member.memberId,
      instanceId: member.groupInstanceId ?? undefined,
      clientId: member.clientId,
      host: hostOf(member.clientHost),
      assigned: group.protocolType === "consumer" ? assignedOf(member.memberAssignment) : [],
    })),
  };
}

// A member may have written anything: what is no assignment counts as none.
function assignedOf(bytes: Parameters<typeof decodeConsumerProtocolAssignment>[0]): Place[] {
  try {
    return decodeConsumerProtocolAssignment(bytes).assignedPartitions
      .flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })));
  } catch {
    return [];
  }
}

/** Java writes an address as `name/address`. */
const hostOf = (text: string) => text.replace(/^\//, "");

async function commits(call: Call, ids: readonly string[]) {
  const answers = await perCoordinator(call, ids, (ids) => async (connection, versions) => {
    const api = newest(versions, [offsetFetchV9.api, offsetFetchV8.api]);
    const groups = ids.map((groupId) => ({
      groupId,
      memberId: null,
      memberEpoch: -1,
      topics: null,
    }));
    return (await answered(api.async(connection, groups, false))).groups;
  });
  return new Map(answers.map((group): [string, readonly Commit[]] => {
    if (!UNKNOWN.has(group.errorCode)) judge(group);
    return [
      group.groupId,
      group.topics.flatMap(({ name, partitions }) => committed(name, partitions)),
    ];
  }));
}

function committed(
  topic: string,
  partitions: readonly {
    readonly partitionIndex: number;
    readonly committedOffset: bigint;
    readonly metadata?: string | null | undefined;
    readonly errorCode: number;
  }[],
): Commit[] {
  return partitions.flatMap(
    ({ partitionIndex: partition, errorCode, committedOffset, metadata }) => {
      // Of a topic that is deleted meanwhile, nothing is committed.
      if (errorCode === TOPIC_IS_UNKNOWN) return [];
      if (errorCode !== 0) throw refusal(errorCode, { topic, partition, operation: "DESCRIBE" });
      return committedOffset < 0n
        ? []
        : [{ topic, partition, offset: committedOffset, metadata: metadata || undefined }];
    },
  );
}
