/**
 * The brokers, and the cluster as a whole.
 *
 * @module
 */

import { z } from "zod";
import { type Tool, tool } from "../../pack.ts";
import { fitting, truncated } from "../cut.ts";
import type { Kafka } from "./kafka.ts";
import { overviewReport } from "./report_overview.ts";

const reads = { readOnlyHint: true, idempotentHint: true, openWorldHint: false } as const;

const controller_id = z.number().nullable().describe("null: there is none, or it is not told");

/** The tools. */
export function brokers(kafka: Kafka): Tool[] {
  return [
    tool({
      name: "list_brokers",
      title: "List brokers",
      description: "Lists the brokers that live, and which one is the controller.",
      annotations: reads,
      input: z.strictObject({}),
      output: z.object({
        controller_id,
        brokers: z.array(z.object({
          id: z.number(),
          host: z.string(),
          port: z.number(),
          rack: z.string().optional(),
        })),
        truncated,
      }),
      async run(_args, context) {
        const { controllerId, brokers } = await (await kafka.clusterFor(context)).snapshot([]);
        const { items, ...cut } = fitting(
          brokers.map(({ id, host, port, rack }) => ({
            id,
            host,
            port,
            ...(rack !== undefined && { rack }),
          })),
          "describe_configs tells of one broker",
        );
        return { controller_id: controllerId ?? null, brokers: items, ...cut };
      },
    }),
    tool({
      name: "cluster_overview",
      title: "Cluster overview",
      description:
        "Counts brokers, topics and partitions, and what is wrong with them: under-replicated " +
        "and offline partitions, and offline brokers.",
      annotations: reads,
      input: z.strictObject({}),
      output: z.object({
        timestamp: z.string(),
        cluster_id: z.string().optional(),
        controller_id,
        broker_count: z.number(),
        topic_count: z.number().describe("Without internal ones"),
        internal_topic_count: z.number(),
        partition_count: z.number().describe("Of all topics"),
        under_replicated_partitions_count: z.number(),
        offline_partitions_count: z.number().describe("Without a leader"),
        offline_broker_ids: z.array(z.number())
          .describe("Should hold replicas and do not live"),
        health_status: z.enum(["healthy", "warning", "critical", "unknown"]),
        truncated,
      }),
      run: (_args, context) => overviewReport(kafka, context),
    }),
  ];
}
