/**
 * The report on partitions that lack a replica in sync.
 *
 * @module
 */

import type { ToolContext } from "../../pack.ts";
import { listing } from "../listing.ts";
import { idsText, replicaAdvice } from "./advice.ts";
import type { Kafka } from "./kafka.ts";
import { blocks, bullets, NAMES_ARE_DATA, quoted, rowsLeft, table } from "./markdown.ts";
import { type Overview, overviewOf } from "./overview.ts";
import { timestamp } from "./report.ts";

/** Most partitions that the report details. */
export const MAX_PARTITIONS = 500;

/** Most partitions, and brokers, that the text has. */
const MAX_ROWS = 20;

/** Makes the report, in one call to the cluster. */
export async function replicationReport(kafka: Kafka, context: ToolContext) {
  const cluster = await kafka.clusterFor(context);
  const overview = overviewOf(await cluster.snapshot(), kafka.isAllowed);
  const { items, ...cut } = listing(
    overview.underReplicated.map((one) => ({
      topic: one.topic,
      partition: one.partition,
      leader: one.leader ?? null,
      replica_count: one.replicas.length,
      isr_count: one.isr.length,
      replicas: one.replicas,
      isr: one.isr,
      missing_replicas: one.missing,
    })),
    MAX_PARTITIONS,
    "describe_topic tells the partitions of one topic",
  );
  return {
    timestamp: timestamp(kafka),
    under_replicated_partition_count: overview.underReplicated.length,
    brokers: brokersOf(overview),
    details: items,
    ...cut,
    recommendations: replicaAdvice(overview),
  };
}

/** The brokers whose replicas are missing, those with most first. */
function brokersOf({ underReplicated, offlineBrokers }: Overview) {
  const missing = Map.groupBy(underReplicated.flatMap(({ missing }) => missing), (id) => id);
  return [...missing].map(([broker_id, { length }]) => ({
    broker_id,
    is_live: !offlineBrokers.includes(broker_id),
    missing_replica_count: length,
  })).sort((a, b) =>
    b.missing_replica_count - a.missing_replica_count || a.broker_id - b.broker_id
  );
}

/** Tells the report in Markdown. */
export function replicationText(report: Awaited<ReturnType<typeof replicationReport>>): string {
  const brokers = report.brokers.slice(0, MAX_ROWS);
  const details = report.details.slice(0, MAX_ROWS);
  const { under_replicated_partition_count: count } = report;
  return blocks(
    "# Under-replicated partitions",
    `As of ${report.timestamp}, under-replicated partitions: ${count}.`,
    NAMES_ARE_DATA,
    table(
      ["Broker", "Live", "Replicas not in sync"],
      brokers.map((one) => [
        one.broker_id,
        one.is_live ? "yes" : "no",
        one.missing_replica_count,
      ]),
    ),
    rowsLeft(brokers.length, report.brokers.length),
    table(
      ["Topic", "Partition", "Leader", "Replicas", "In sync", "Not in sync"],
      details.map((one) => [
        quoted(one.topic),
        one.partition,
        one.leader ?? "none",
        one.replica_count,
        one.isr_count,
        idsText(one.missing_replicas),
      ]),
    ),
    rowsLeft(details.length, count),
    bullets(report.recommendations),
    "Assess how much data is at risk and which brokers are the cause, and say what to do first.",
  );
}
