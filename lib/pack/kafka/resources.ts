/**
 * The state of the cluster as documents.
 *
 * @module
 */

import { type Resource, resource } from "../../pack.ts";
import type { Kafka } from "./kafka.ts";
import { healthReport } from "./report_health.ts";
import { lagQuery, lagReport } from "./report_lag.ts";
import { overviewReport } from "./report_overview.ts";
import { replicationReport } from "./report_replication.ts";

/** The resources. */
export function resources(kafka: Kafka): readonly Resource[] {
  return [
    resource({
      uri: "kafka-mcp://overview",
      name: "kafka-overview",
      title: "Kafka overview",
      description:
        "Counts of brokers, topics and partitions, the controller, offline brokers, and how well " +
        "the cluster is.",
      read: (_query, context) => overviewReport(kafka, context),
    }),
    resource({
      uri: "kafka-mcp://health-check",
      name: "kafka-health-check",
      title: "Kafka health check",
      description: "How well brokers, controller, partitions and consumer groups are, each by " +
        "itself and all together, and what to do.",
      read: (_query, context) => healthReport(kafka, context),
    }),
    resource({
      uri: "kafka-mcp://under-replicated-partitions",
      name: "kafka-under-replicated-partitions",
      title: "Under-replicated partitions",
      description: "Partitions that lack a replica in sync, the brokers that these are missing " +
        "from, and what to do.",
      read: (_query, context) => replicationReport(kafka, context),
    }),
    resource({
      uri: "kafka-mcp://consumer-lag-report",
      name: "kafka-consumer-lag-report",
      title: "Consumer lag",
      description: "How far consumer groups are behind, most first, which never committed, and " +
        "what to do. A group has high lag when it is behind by more than threshold records " +
        "(1000 if absent) in a partition.",
      query: lagQuery,
      read: (query, context) => lagReport(kafka, query, context),
    }),
  ];
}
