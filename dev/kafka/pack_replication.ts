/**
 * What the pack tells of a real Kafka that lacks a broker.
 *
 * @module
 */

import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { until } from "../keycloak/wait.ts";
import { makeTopics, PATIENCE_MS } from "./pack_stand.ts";
import type { Stand } from "./pack_steps.ts";

interface Described {
  readonly under_replicated_partitions_count: number;
  readonly offline_partitions_count: number;
  readonly partitions: readonly {
    readonly partition_id: number;
    readonly leader: number | null;
    readonly replicas: readonly number[];
    readonly isr: readonly number[];
  }[];
}

interface Overview {
  readonly broker_count: number;
  readonly under_replicated_partitions_count: number;
  readonly offline_partitions_count: number;
  readonly offline_broker_ids: readonly number[];
  readonly health_status: string;
}

interface Health {
  readonly overall_status: string;
  readonly broker_status: Record<string, unknown>;
  readonly partition_status: Record<string, unknown>;
  readonly recommendations: readonly string[];
}

interface Replication {
  readonly under_replicated_partition_count: number;
  readonly brokers: readonly { readonly broker_id: number; readonly is_live: boolean }[];
  readonly details: readonly {
    readonly topic: string;
    readonly leader: number | null;
    readonly missing_replicas: readonly number[];
  }[];
}

/** The partitions of a topic that only broker 3 has are offline without it, and others thinner. */
export async function withoutBroker({ kafka, alice }: Stand): Promise<void> {
  await makeTopics(
    kafka,
    { name: "zebra-alone", brokers: [[3], [1]] },
    { name: "zebra-thrice", brokers: [[3, 1, 2]] },
  );
  const overview = () => alice.ask<Overview>("cluster_overview");
  const describe = (topic_name: string) => alice.ask<Described>("describe_topic", { topic_name });
  const isWell = async () => (await overview()).health_status === "healthy";
  await until("all is well", PATIENCE_MS, isWell);

  await kafka.kill(3);
  await until("it is missed", PATIENCE_MS, async () => {
    const { broker_count, offline_partitions_count } = await overview();
    const { partitions: [thrice] } = await describe("zebra-thrice");
    return broker_count === 2 && offline_partitions_count === 1 && thrice!.isr.length === 2;
  });

  const alone = await describe("zebra-alone");
  deepEqual(alone.partitions.map(({ leader, replicas }) => [leader, replicas]), [
    [null, [3]],
    [1, [1]],
  ]);
  equal(alone.offline_partitions_count, 1);
  const thrice = await describe("zebra-thrice");
  const [{ leader, isr }] = thrice.partitions as [Described["partitions"][0]];
  deepEqual([leader === 1 || leader === 2, [...isr].sort()], [true, [1, 2]]);
  deepEqual([thrice.offline_partitions_count, thrice.under_replicated_partitions_count], [0, 1]);

  const facts = await overview();
  deepEqual([facts.offline_broker_ids, facts.health_status], [[3], "critical"]);
  deepEqual(
    await alice.read<Overview>("kafka-mcp://overview").then(withoutTime),
    withoutTime(facts),
  );
  const health = await alice.read<Health>("kafka-mcp://health-check");
  equal(health.overall_status, "critical");
  deepEqual(health.broker_status.offline_broker_ids, [3]);
  equal(health.partition_status.offline_partitions, 1);
  match(health.recommendations.join("\n"), /start them: 3/);
  const thin = await alice.read<Replication>("kafka-mcp://under-replicated-partitions");
  equal(thin.under_replicated_partition_count, facts.under_replicated_partitions_count);
  deepEqual(thin.brokers.map(({ broker_id, is_live }) => [broker_id, is_live]), [[3, false]]);
  const found = thin.details.find(({ topic }) => topic === "zebra-thrice")!;
  deepEqual(found.missing_replicas, [3]);

  match(await alice.write("kafka_cluster_overview"), /the cluster is \*\*critical\*\*/);
  match(await alice.write("kafka_health_check"), /without a leader: 1;/);
  match(
    await alice.write("kafka_under_replicated_partitions"),
    /`"zebra-thrice"` \| 0 \| [12] \| 3 \| 2 \| 3 \|/,
  );
  const gone = { topic: "zebra-alone", partition: 0, value: "quokka" };
  match(
    await alice.refusal("produce_message", gone),
    /^No broker leads partition 0 of "zebra-alone"/,
  );
  const reading = { topics: ["zebra-alone"], partition: 0 };
  match(await alice.refusal("consume_messages", reading), /[Nn]o broker leads|offline/);
  await alice.ask("produce_message", { topic: "zebra-thrice", value: "quokka" });

  await kafka.restart(3);
  await until("all is well again", PATIENCE_MS, isWell);
}

function withoutTime(report: Overview): Record<string, unknown> {
  const { timestamp: _, ...rest } = report as Overview & { readonly timestamp: string };
  return rest;
}
