/**
 * The topics and their partitions.
 *
 * @module
 */

import { z } from "zod";
import { type Tool, tool } from "../../pack.ts";
import type { Kafka } from "./kafka.ts";
import { topicName } from "./names.ts";
import { offline, underReplicated } from "./overview.ts";
import { filter, naming, paged, pageOf, paging } from "./page.ts";
import { findTopic } from "./topic.ts";

const reads = { readOnlyHint: true, idempotentHint: true, openWorldHint: false } as const;

/** The tools. */
export function topics(kafka: Kafka): Tool[] {
  return [list(kafka), describe(kafka)];
}

function list({ clusterFor, isAllowed }: Kafka): Tool {
  return tool({
    name: "list_topics",
    title: "List topics",
    description: "Lists topics by name. Internal ones are left out.",
    annotations: reads,
    input: z.strictObject({
      filter,
      include_internal: z.boolean().default(false),
      ...paging,
    }),
    output: z.object({
      topics: z.array(z.object({
        name: z.string(),
        partition_count: z.number(),
        replication_factor: z.number().describe("Of the first partition"),
        is_internal: z.boolean(),
      })),
      ...paged,
    }),
    async run({ filter, include_internal, ...part }, context) {
      const { topics } = await (await clusterFor(context)).snapshot();
      const isNamed = naming(filter);
      const found = topics.filter(({ name, internal }) =>
        isAllowed(name) && isNamed(name) && (include_internal || !internal)
      );
      const { items, ...page } = pageOf(
        found.map(({ name, partitions, internal }) => ({
          name,
          partition_count: partitions.length,
          replication_factor: partitions[0]?.replicas.length ?? 0,
          is_internal: internal,
        })),
        part,
      );
      return { topics: items, ...page };
    },
  });
}

function describe({ clusterFor, isAllowed }: Kafka): Tool {
  return tool({
    name: "describe_topic",
    title: "Describe topic",
    description: "Tells leader, replicas and in-sync replicas of a topic's partitions.",
    annotations: reads,
    input: z.strictObject({ topic_name: topicName, ...paging }),
    output: z.object({
      topic_name: z.string(),
      is_internal: z.boolean(),
      under_replicated_partitions_count: z.number(),
      offline_partitions_count: z.number(),
      partitions: z.array(z.object({
        partition_id: z.number(),
        leader: z.number().nullable().describe("null: the partition is offline"),
        replicas: z.array(z.number()),
        isr: z.array(z.number()).describe("Replicas in sync"),
      })),
      ...paged,
    }),
    async run({ topic_name, ...part }, context) {
      const topic = await findTopic(topic_name, await clusterFor(context), isAllowed);
      const { items, ...page } = pageOf(
        topic.partitions.map(({ partition, leader = null, replicas, isr }) => ({
          partition_id: partition,
          leader,
          replicas: [...replicas],
          isr: [...isr],
        })),
        part,
      );
      return {
        topic_name: topic.name,
        is_internal: topic.internal,
        under_replicated_partitions_count: underReplicated(topic).length,
        offline_partitions_count: offline(topic).length,
        partitions: items,
        ...page,
      };
    },
  });
}
