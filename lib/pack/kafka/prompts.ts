/**
 * The state of the cluster as texts that ask a model to assess it.
 *
 * @module
 */

import { z } from "zod";
import { type Prompt, prompt } from "../../pack.ts";
import type { Kafka } from "./kafka.ts";
import { healthReport, healthText } from "./report_health.ts";
import { lagQuery, lagReport, lagText } from "./report_lag.ts";
import { overviewReport, overviewText } from "./report_overview.ts";
import { replicationReport, replicationText } from "./report_replication.ts";

const nothing = z.strictObject({});

/** The prompts. */
export function prompts(kafka: Kafka): readonly Prompt[] {
  return [
    prompt({
      name: "kafka_cluster_overview",
      title: "Kafka overview",
      description: "Shows brokers, topics and partitions in numbers, and asks for an assessment.",
      input: nothing,
      write: async (_args, context) => overviewText(await overviewReport(kafka, context)),
    }),
    prompt({
      name: "kafka_health_check",
      title: "Kafka health check",
      description: "Shows how well brokers, controller, partitions and consumer groups are, and " +
        "asks for an assessment.",
      input: nothing,
      write: async (_args, context) => healthText(await healthReport(kafka, context)),
    }),
    prompt({
      name: "kafka_under_replicated_partitions",
      title: "Under-replicated partitions",
      description:
        "Shows partitions that lack a replica in sync, and the brokers that these are missing " +
        "from, and asks for an assessment.",
      input: nothing,
      write: async (_args, context) => replicationText(await replicationReport(kafka, context)),
    }),
    prompt({
      name: "kafka_consumer_lag_report",
      title: "Consumer lag",
      description: "Shows how far consumer groups are behind, and asks for an assessment.",
      input: lagQuery,
      write: async (args, context) => lagText(await lagReport(kafka, args, context)),
    }),
  ];
}
