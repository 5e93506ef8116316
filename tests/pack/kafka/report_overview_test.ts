import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { broker, type Contents, partition, topic } from "./cluster.ts";
import { read, rowsOf, write } from "./reports.ts";

const SICK: Contents = {
  brokers: [broker(1), broker(2)],
  topics: [
    topic("__consumer_offsets", 4, true),
    topic("orders", [
      partition(0, { isr: [1, 2] }),
      partition(1, { leader: undefined, replicas: [3], isr: [3] }),
    ]),
    topic("secret", [partition(0, { leader: undefined, replicas: [7], isr: [] })]),
  ],
};

Deno.test("kafka-mcp://overview tells the facts in one call, with the time as ISO 8601", async () => {
  const { document, calls } = await read("overview", SICK);
  deepEqual(document, {
    timestamp: "2027-01-15T08:00:00.000Z",
    cluster_id: "test",
    controller_id: 1,
    broker_count: 2,
    topic_count: 1,
    internal_topic_count: 1,
    partition_count: 6,
    under_replicated_partitions_count: 1,
    offline_partitions_count: 1,
    offline_broker_ids: [3],
    health_status: "critical",
  });
  deepEqual(calls, { snapshot: 1 });
});

Deno.test("kafka-mcp://overview names brokers that do not live, though nobody failed to answer", async () => {
  const topics = [topic("orders", [partition(0, { replicas: [1, 9], isr: [1] })])];
  const { document } = await read("overview", { topics });
  deepEqual(document.offline_broker_ids, [9]);
  equal(document.health_status, "warning");
});

Deno.test("kafka-mcp://overview judges nothing by topics that are not allowed", async () => {
  const topics = [topic("secret", [partition(0, { leader: undefined, replicas: [7], isr: [] })])];
  const { document } = await read("overview", { topics });
  equal(document.health_status, "healthy");
  equal(document.partition_count, 0);
  deepEqual(document.offline_broker_ids, []);
});

Deno.test("kafka_cluster_overview tells the same in Markdown, and asks for an assessment", async () => {
  const { text, calls } = await write("kafka_cluster_overview", SICK);
  deepEqual(calls, { snapshot: 1 });
  match(text, /^# Kafka cluster overview\n\nAs of 2027-01-15T08:00:00.000Z, .*\*\*critical\*\*/);
  deepEqual(rowsOf(text).slice(2), [
    ["Live brokers", "2"],
    ["Topics, without internal ones", "1"],
    ["Partitions of all topics", "6"],
    ["Under-replicated partitions", "1"],
    ["Partitions without a leader", "1"],
  ]);
  match(text, /Controller: 1\. Brokers that hold replicas and do not live: 3\.\n/);
  match(text, /\nAssess .*\.$/);
});

Deno.test("kafka_cluster_overview says when no controller is told, and does not take 0 for none", async () => {
  const none = await write("kafka_cluster_overview", { controllerId: null });
  match(none.text, /\*\*unknown\*\*[^]*Controller: none is known\./);
  const zero = await write("kafka_cluster_overview", { controllerId: 0 });
  match(zero.text, /\*\*healthy\*\*[^]*Controller: 0\./);
});

Deno.test("kafka_cluster_overview names some of very many brokers, and counts the others", async () => {
  const replicas = Array.from({ length: 2000 }, (_, at) => at + 10);
  const topics = [topic("orders", [partition(0, { replicas: [1, ...replicas], isr: [1] })])];
  const { text } = await write("kafka_cluster_overview", { topics });
  match(text, /do not live: 10, 11, .*, 29 and 1980 more\./);
  ok(text.length < 2000);
});
