import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { ToolError } from "../../../lib/pack.ts";
import { brokers } from "../../../lib/pack/kafka/brokers.ts";
import { broker, callTool, type Contents, partition, topic } from "./cluster.ts";

Deno.test("list_brokers() lists the brokers that live, and asks for no topic", async () => {
  const { value, asked } = await callTool(brokers, "list_brokers", {}, {
    brokers: [broker(0, "eu-1a"), broker(7)],
    controllerId: 7,
    topics: [topic("orders", 3)],
  });
  deepEqual(value, {
    controller_id: 7,
    brokers: [
      { id: 0, host: "kafka-0.example", port: 9092, rack: "eu-1a" },
      { id: 7, host: "kafka-7.example", port: 9092 },
    ],
  });
  deepEqual(asked, [["snapshot", []]]);
});

Deno.test("list_brokers() tells when no controller is known, and takes 0 for one", async () => {
  const none = await callTool(brokers, "list_brokers", {}, { controllerId: null });
  equal(none.value!.controller_id, null);
  const zero = await callTool(brokers, "list_brokers", {}, { controllerId: 0 });
  equal(zero.value!.controller_id, 0);
});

Deno.test("list_brokers() says what it left out of a list that does not fit", async () => {
  const many = Array.from({ length: 5000 }, (_, id) => broker(id));
  const { value } = await callTool(brokers, "list_brokers", {}, { brokers: many });
  match(String(value!.truncated), /^\d+ of 5000 left out: /);
});

Deno.test("cluster_overview() tells the facts in one call", async () => {
  const { value, calls } = await callTool(brokers, "cluster_overview", {}, {
    brokers: [broker(1), broker(2)],
    topics: [
      topic("__consumer_offsets", 2, true),
      topic("orders", [
        partition(0, { isr: [1, 2] }),
        partition(1, { leader: undefined, replicas: [9], isr: [] }),
        partition(2, { replicas: [1, 2], isr: [1, 2] }),
      ]),
    ],
  });
  const { timestamp, ...facts } = value!;
  match(String(timestamp), /^2027-01-15T08:00:00/);
  deepEqual(facts, {
    cluster_id: "test",
    controller_id: 1,
    broker_count: 2,
    topic_count: 1,
    internal_topic_count: 1,
    partition_count: 5,
    under_replicated_partitions_count: 2,
    offline_partitions_count: 1,
    offline_broker_ids: [3, 9],
    health_status: "critical",
  });
  deepEqual(calls, { snapshot: 1 });
});

Deno.test("cluster_overview() tells nothing of topics that are not allowed", async () => {
  const gone = partition(0, { leader: undefined, replicas: [9], isr: [] });
  const shown = [topic("orders", 2)];
  const hidden = [topic("secret", [gone]), topic("secret-internal", 4, true)];
  const { value } = await callTool(brokers, "cluster_overview", {}, {
    topics: [...shown, ...hidden],
  });
  deepEqual(value, (await callTool(brokers, "cluster_overview", {}, { topics: shown })).value);
  equal(value!.health_status, "healthy");
});

const HEALTH: [what: string, contents: Contents, health: string][] = [
  ["without topics", {}, "healthy"],
  ["of controller 0", { controllerId: 0 }, "healthy"],
  ["that lacks a replica", { topics: [topic("a", [partition(0, { isr: [1] })])] }, "warning"],
  ["that lacks a broker", { brokers: [broker(1), broker(2)], topics: [topic("a")] }, "warning"],
  ["without brokers", { brokers: [] }, "critical"],
  ["with an offline partition", {
    topics: [topic("a", [partition(0), partition(1, { leader: undefined })])],
  }, "critical"],
];
for (const [what, contents, health] of HEALTH) {
  Deno.test(`cluster_overview() calls a cluster ${what} ${health}`, async () => {
    const { value } = await callTool(brokers, "cluster_overview", {}, contents);
    equal(value!.health_status, health);
  });
}

for (const name of ["list_brokers", "cluster_overview"]) {
  Deno.test(`${name}() tells what Kafka refuses`, async () => {
    const failing = { snapshot: new ToolError("Kafka does not let you", "not authorized") };
    const { told } = await callTool(brokers, name, {}, { failing });
    equal(told, "Kafka does not let you");
  });

  Deno.test(`${name}() takes no arguments`, async () => {
    const { told, calls } = await callTool(brokers, name, { topic: "orders" });
    match(told!, /^bad arguments/);
    deepEqual(calls, {});
  });
}
