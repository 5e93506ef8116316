/**
 * What callers may do and see of a real Kafka, as the operator says.
 *
 * @module
 */

import {
  deepStrictEqual as deepEqual,
  match,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { tokenFor } from "../../tests/e2e/program.ts";
import { bearerHeader, modernCall } from "../../tests/fakes.ts";
import { challengeOf } from "../../tests/tokens.ts";
import { commit, type Described } from "./pack_groups.ts";
import type { Consumed } from "./pack_records.ts";
import { callerAt, makeTopics, startGate, startUnready } from "./pack_stand.ts";
import type { Stand } from "./pack_steps.ts";

interface Listed {
  readonly topics: readonly { readonly name: string }[];
}

/** Topics that are not allowed are as if there were none, in every tool. */
export async function topicsAllowed(stand: Stand): Promise<void> {
  const { kafka } = stand;
  const names = ["zebra-open", "zebra-open-secret", "zebra-closed"];
  await makeTopics(kafka, ...names.map((name) => ({ name, brokers: [[1, 2, 3]] })));
  for (const topic of names) {
    await stand.alice.ask("produce_message", { topic, value: `quokka of ${topic}` });
  }
  await commit(stand, "tapir-all", "--to-earliest", ...names);
  await using gate = await startGate(kafka.bootstrap(), {
    KAFKA_TOPICS_ALLOW: "zebra-open*",
    KAFKA_TOPICS_DENY: "*-secret",
  });
  await using alice = await callerAt(gate, "alice");

  const { topics } = await alice.ask<Listed>("list_topics", { include_internal: true });
  deepEqual(topics.map(({ name }) => name), ["zebra-open"]);
  const { messages } = await alice.ask<Consumed>("consume_messages", { topics: ["zebra-open"] });
  deepEqual(messages.map(({ value }) => value), ["quokka of zebra-open"]);
  const overview = await alice.ask<Record<string, unknown>>("cluster_overview");
  deepEqual(
    [overview.topic_count, overview.internal_topic_count, overview.partition_count],
    [1, 0, 1],
  );
  const { offsets, total_lag } = await alice.ask<Described>("describe_consumer_group", {
    group_id: "tapir-all",
    include_offsets: true,
  });
  deepEqual([offsets!.map(({ topic }) => topic), total_lag], [["zebra-open"], 1]);

  const tools = (topic: string): [string, Record<string, unknown>][] => [
    ["describe_topic", { topic_name: topic }],
    ["produce_message", { topic, value: "quokka" }],
    ["consume_messages", { topics: [topic] }],
    ["describe_configs", { resource_type: "topic", resource_name: topic }],
  ];
  const wordsOn = async (topic: string) => {
    const all = tools(topic).map(([tool, args]) => alice.refusal(tool, args));
    return (await Promise.all(all)).map((words) => words.replaceAll(topic, "…"));
  };
  const absent = await wordsOn("zebra-open-absent");
  for (const topic of ["zebra-open-secret", "zebra-closed", "__consumer_offsets"]) {
    deepEqual(await wordsOn(topic), absent, topic);
  }
  const mixed = { topics: ["zebra-open", "zebra-closed"] };
  match(await alice.refusal("consume_messages", mixed), /^There is no topic "zebra-closed"\./);

  const uris = ["overview", "health-check", "under-replicated-partitions", "consumer-lag-report"];
  const said = [
    ...await Promise.all(uris.map((name) => alice.read(`kafka-mcp://${name}`))),
    ...await Promise.all((await alice.offered()).prompts.map((name) => alice.write(name))),
  ];
  equal(/closed|secret|__consumer/.test(JSON.stringify(said)), false);
}

/** A server that only reads has no tool that writes. */
export async function readOnly({ kafka }: Stand): Promise<void> {
  await using gate = await startGate(kafka.bootstrap(), {}, ["--read-only"]);
  await using alice = await callerAt(gate, "alice");
  const { tools } = await alice.offered();
  equal(tools.includes("produce_message"), false);
  equal(tools.includes("consume_messages"), true);
  const args = { topic: "zebra-round", value: "quokka" };
  await rejects(() => alice.ask("produce_message", args), /Unknown tool/);
}

const SCOPES = {
  OAUTH_TOOL_SCOPES: "produce_message=kafka:write,kafka-mcp://*=kafka:read,kafka_*=kafka:read",
};

/** Who lacks a scope is told which, before Kafka is asked anything. */
export async function scopes({ kafka }: Stand): Promise<void> {
  let connections = 0;
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = (async () => {
    for await (const connection of listener) {
      connections++;
      connection.close();
    }
  })();
  await using gate = await startUnready([`127.0.0.1:${listener.addr.port}`], SCOPES);
  const token = await tokenFor(gate.origin, "bob", { scopes: ["mcp:read"] });
  const asked = [
    ["tools/call", { name: "produce_message", arguments: { topic: "zebra", value: "quokka" } }],
    ["resources/read", { uri: "kafka-mcp://overview" }],
    ["resources/read", { uri: "kafka-mcp://consumer-lag-report?threshold=5" }],
    ["prompts/get", { name: "kafka_health_check" }],
  ] as const;
  for (const [method, params] of asked) {
    const response = await fetch(gate.endpoint, modernCall(method, params, bearerHeader(token)));
    await response.body?.cancel();
    equal(response.status, 403);
    const { parameters } = challengeOf(response.headers.get("www-authenticate"));
    equal(parameters.error, "insufficient_scope");
    equal(parameters.scope, method === "tools/call" ? "kafka:write" : "kafka:read");
  }
  equal(connections, 0);
  listener.close();
  await accepting;

  await using open = await startGate(kafka.bootstrap(), SCOPES);
  await using reader = await callerAt(open, "bob", "kafka:read");
  await reader.read("kafka-mcp://overview");
  match(await reader.write("kafka_health_check"), /^# Kafka health check/);
  await using writer = await callerAt(open, "carol", "kafka:write");
  await writer.ask("produce_message", { topic: "zebra-open", value: "quokka" });
  await rejects(() => writer.read("kafka-mcp://overview"), /403|scope/i);
}
