/**
 * The consumer groups, and how far they are behind.
 *
 * @module
 */

import { z } from "zod";
import { type Tool, tool, ToolError } from "../../pack.ts";
import { fitting, MAX_RESULT_LENGTH, truncated } from "../cut.ts";
import type { GroupMember } from "./cluster.ts";
import type { Kafka } from "./kafka.ts";
import type { GroupLag, PartitionLag } from "./lag.ts";
import { readLags } from "./lags.ts";
import { groupId } from "./names.ts";
import { numberOrNull } from "./offset.ts";
import { filter, naming, paged, pageOf, paging } from "./page.ts";

const reads = { readOnlyHint: true, idempotentHint: true, openWorldHint: false } as const;

/** The tools. */
export function groups(kafka: Kafka): Tool[] {
  return [list(kafka), describe(kafka)];
}

function list({ clusterFor }: Kafka): Tool {
  return tool({
    name: "list_consumer_groups",
    title: "List consumer groups",
    description: "Lists consumer groups by id, with their states.",
    annotations: reads,
    input: z.strictObject({ filter, ...paging }),
    output: z.object({
      groups: z.array(z.object({
        group_id: z.string(),
        state: z.string().describe("Stable, Empty, Dead, …"),
        type: z.string().optional().describe("classic, consumer, share or streams"),
      })),
      ...paged,
    }),
    async run({ filter, ...part }, context) {
      const all = await (await clusterFor(context)).groups();
      const isNamed = naming(filter);
      const { items, ...page } = pageOf(
        all.filter(({ id }) => isNamed(id)).map(({ id, state, type }) => ({
          group_id: id,
          state,
          ...(type !== undefined && { type }),
        })),
        part,
      );
      return { groups: items, ...page };
    },
  });
}

const number = z.number().nullable();

const lags = {
  total_lag: number.describe("Of the partitions whose lag is known; null: of none"),
  never_committed_partitions_count: z.number(),
  unknown_lag_partitions_count: z.number().describe("offline or deleted"),
  offsets: z.array(z.object({
    topic: z.string(),
    partition: z.number(),
    commit_offset: number.describe("null: never committed"),
    end_offset: number.describe("null: unknown"),
    lag: number.describe("null: unknown"),
    status: z.enum([
      "ok",
      "never_committed",
      "below_log_start",
      "beyond_end",
      "offline",
      "deleted",
    ]),
    metadata: z.string().optional(),
  })).describe("Committed or assigned partitions, most lag first"),
};

function describe({ clusterFor, isAllowed }: Kafka): Tool {
  return tool({
    name: "describe_consumer_group",
    title: "Describe consumer group",
    description:
      "Tells state and members of a consumer group and, with include_offsets, its lag by " +
      "partition. A partition that was never committed has no lag: it is counted apart. " +
      "below_log_start: records were deleted before the group read them. beyond_end: the topic " +
      "was made anew, or a transaction is open.",
    annotations: reads,
    input: z.strictObject({ group_id: groupId, include_offsets: z.boolean().default(false) }),
    output: z.object({
      group_id: z.string(),
      state: z.string(),
      type: z.string().optional(),
      protocol: z.string().optional().describe("The assignor"),
      member_count: z.number(),
      members: z.array(z.object({
        member_id: z.string(),
        instance_id: z.string().optional(),
        client_id: z.string(),
        client_host: z.string(),
        assigned: z.array(z.object({ topic: z.string(), partitions: z.array(z.number()) })),
      })),
      ...z.object(lags).partial().shape,
      truncated,
    }),
    async run({ group_id, include_offsets }, context) {
      const cluster = await clusterFor(context);
      const [group] = await cluster.groupDetails([group_id]);
      if (!group) {
        throw new ToolError(
          `There is no consumer group "${group_id}". See list_consumer_groups; only groups of type classic or consumer are described`,
          "no such group",
        );
      }
      const lag = include_offsets
        ? (await readLags(cluster, [group], isAllowed)).get(group.id)
        : undefined;
      const members = half(
        group.members.map((one) => describeMember(one, isAllowed)),
        "these are the first members",
      );
      const offsets = half(
        lag?.partitions.map(describeLag) ?? [],
        "these are the partitions with most lag",
      );
      const cut = [members.truncated, offsets.truncated].filter((one) => one !== undefined);
      return {
        group_id: group.id,
        state: group.state,
        ...(group.type !== undefined && { type: group.type }),
        ...(group.protocol && { protocol: group.protocol }),
        member_count: group.members.length,
        members: members.items,
        ...(lag && { ...sums(lag), offsets: offsets.items }),
        ...(cut.length > 0 && { truncated: cut.join("; ") }),
      };
    },
  });
}

/** As much of a list as half a result takes. */
function half<T>(items: readonly T[], how: string) {
  return fitting(items, how, MAX_RESULT_LENGTH / 2);
}

function describeMember(
  { id, instanceId, clientId, host, assigned }: GroupMember,
  isAllowed: Kafka["isAllowed"],
) {
  const byTopic = Map.groupBy(
    assigned.filter(({ topic }) => isAllowed(topic)),
    ({ topic }) => topic,
  );
  return {
    member_id: id,
    ...(instanceId !== undefined && { instance_id: instanceId }),
    client_id: clientId,
    client_host: host,
    assigned: [...byTopic].map(([topic, places]) => ({
      topic,
      partitions: places.map(({ partition }) => partition).sort((a, b) => a - b),
    })),
  };
}

function sums({ total, neverCommitted, unknown }: GroupLag) {
  return {
    total_lag: numberOrNull(total),
    never_committed_partitions_count: neverCommitted,
    unknown_lag_partitions_count: unknown,
  };
}

// Whoever may commit may commit any offset, beyond all that a log can reach.
const GREATEST_OFFSET = BigInt(Number.MAX_SAFE_INTEGER);

const least = (a: bigint, b: bigint) => a < b ? a : b;

function describeLag({ topic, partition, committed, end, lag, status, metadata }: PartitionLag) {
  return {
    topic,
    partition,
    commit_offset: numberOrNull(committed && least(committed, GREATEST_OFFSET)),
    end_offset: numberOrNull(end),
    lag: numberOrNull(lag),
    status,
    ...(metadata && { metadata }),
  };
}
