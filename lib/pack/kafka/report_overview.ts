/**
 * The report on a cluster at a glance.
 *
 * @module
 */

import type { ToolContext } from "../../pack.ts";
import { fitting } from "../cut.ts";
import { idsText } from "./advice.ts";
import { statusesOf, worst } from "./health.ts";
import type { Kafka } from "./kafka.ts";
import { blocks, table } from "./markdown.ts";
import { overviewOf } from "./overview.ts";
import { timestamp } from "./report.ts";

/** Makes the report, in one call to the cluster. */
export async function overviewReport(kafka: Kafka, context: ToolContext) {
  const cluster = await kafka.clusterFor(context);
  const overview = overviewOf(await cluster.snapshot(), kafka.isAllowed);
  const { items, ...cut } = fitting(
    overview.offlineBrokers,
    "describe_topic tells the replicas of a topic",
  );
  return {
    timestamp: timestamp(kafka),
    ...(overview.clusterId !== undefined && { cluster_id: overview.clusterId }),
    controller_id: overview.controllerId ?? null,
    broker_count: overview.brokerCount,
    topic_count: overview.topicCount,
    internal_topic_count: overview.internalTopicCount,
    partition_count: overview.partitionCount,
    under_replicated_partitions_count: overview.underReplicated.length,
    offline_partitions_count: overview.offline.length,
    offline_broker_ids: items,
    ...cut,
    health_status: worst(Object.values(statusesOf(overview))),
  };
}

/** Tells the report in Markdown. */
export function overviewText(report: Awaited<ReturnType<typeof overviewReport>>): string {
  return blocks(
    "# Kafka cluster overview",
    `As of ${report.timestamp}, the cluster is **${report.health_status}**.`,
    table(["What", "How many"], [
      ["Live brokers", report.broker_count],
      ["Topics, without internal ones", report.topic_count],
      ["Partitions of all topics", report.partition_count],
      ["Under-replicated partitions", report.under_replicated_partitions_count],
      ["Partitions without a leader", report.offline_partitions_count],
    ]),
    `Controller: ${report.controller_id ?? "none is known"}. ` +
      `Brokers that hold replicas and do not live: ${idsText(report.offline_broker_ids)}.`,
    "Assess the state of this cluster, and say what to look at next.",
  );
}
