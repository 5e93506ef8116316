import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { ToolError } from "../../../lib/pack.ts";
import { MAX_RESULT_LENGTH } from "../../../lib/pack/cut.ts";
import { topics } from "../../../lib/pack/kafka/topics.ts";
import { callTool, partition, topic } from "./cluster.ts";

const CONTENTS = {
  topics: [
    topic("__consumer_offsets", 50, true),
    topic("Orders.eu", 3),
    topic("orders-us", [partition(0, { replicas: [1], isr: [1] })]),
    topic("payments"),
    topic("secret-orders", 2),
    topic("secret-internal", 1, true),
  ],
};
const list = (args = {}) => callTool(topics, "list_topics", args, CONTENTS);
const names = (value: Record<string, unknown> | undefined) =>
  (value!.topics as { name: string }[]).map(({ name }) => name);

Deno.test("list_topics() lists topics in one call, without internal and hidden ones", async () => {
  const { value, asked } = await list();
  deepEqual(value, {
    topics: [
      { name: "Orders.eu", partition_count: 3, replication_factor: 3, is_internal: false },
      { name: "orders-us", partition_count: 1, replication_factor: 1, is_internal: false },
      { name: "payments", partition_count: 1, replication_factor: 3, is_internal: false },
    ],
    total: 3,
  });
  deepEqual(asked, [["snapshot"]]);
});

Deno.test("list_topics() lists internal topics when asked, and hidden ones never", async () => {
  const { value } = await list({ include_internal: true });
  deepEqual(names(value), ["Orders.eu", "__consumer_offsets", "orders-us", "payments"]);
  equal(value!.total, 4);
});

Deno.test("list_topics() finds a part of the name in any case", async () => {
  deepEqual(names((await list({ filter: "ORDERS" })).value), ["Orders.eu", "orders-us"]);
});

Deno.test("list_topics() takes no filter for a pattern", async () => {
  deepEqual((await list({ filter: ".*" })).value, { topics: [], total: 0 });
});

Deno.test("list_topics() does not tell by a count that a hidden topic is there", async () => {
  deepEqual((await list({ filter: "secret" })).value, { topics: [], total: 0 });
});

Deno.test("list_topics() goes on where it ended", async () => {
  const first = (await list({ limit: 2 })).value!;
  deepEqual([names(first), first.total, first.next_offset], [["Orders.eu", "orders-us"], 3, 2]);
  const rest = (await list({ limit: 2, offset: first.next_offset })).value!;
  deepEqual([names(rest), rest.total, rest.next_offset], [["payments"], 3, undefined]);
});

Deno.test("list_topics() tells an empty part beyond the end", async () => {
  deepEqual((await list({ offset: 1000 })).value, { topics: [], total: 3 });
});

Deno.test("list_topics() lists no more than fits, and goes on from there", async () => {
  const long = Array.from({ length: 1000 }, (_, at) => topic(`${at}`.padStart(4, "0").repeat(62)));
  const seen: string[] = [];
  let offset: unknown = 0;
  while (offset !== undefined) {
    const args = { limit: 1000, offset };
    const { value } = await callTool(topics, "list_topics", args, { topics: long });
    ok(JSON.stringify(value).length < MAX_RESULT_LENGTH + 1000);
    seen.push(...names(value));
    offset = value!.next_offset;
  }
  deepEqual(seen, long.map(({ name }) => name));
});

Deno.test("list_topics() tells a topic without partitions", async () => {
  const { value } = await callTool(topics, "list_topics", {}, { topics: [topic("new", [])] });
  deepEqual(value!.topics, [
    { name: "new", partition_count: 0, replication_factor: 0, is_internal: false },
  ]);
});

const describe = (args: Record<string, unknown>, contents = CONTENTS) =>
  callTool(topics, "describe_topic", args, contents);

Deno.test("describe_topic() tells partitions and what is wrong with them, in one call", async () => {
  const contents = {
    topics: [topic("orders", [
      partition(0),
      partition(1, { leader: 0, replicas: [0, 1], isr: [0] }),
      partition(2, { leader: undefined, isr: [] }),
    ])],
  };
  const { value, asked } = await describe({ topic_name: "orders" }, contents);
  deepEqual(value, {
    topic_name: "orders",
    is_internal: false,
    under_replicated_partitions_count: 2,
    offline_partitions_count: 1,
    partitions: [
      { partition_id: 0, leader: 1, replicas: [1, 2, 3], isr: [1, 2, 3] },
      { partition_id: 1, leader: 0, replicas: [0, 1], isr: [0] },
      { partition_id: 2, leader: null, replicas: [1, 2, 3], isr: [] },
    ],
    total: 3,
  });
  deepEqual(asked, [["snapshot", ["orders"]]]);
});

Deno.test("describe_topic() describes an internal topic", async () => {
  const { value } = await describe({ topic_name: "__consumer_offsets", limit: 1 });
  deepEqual([value!.is_internal, value!.total], [true, 50]);
});

Deno.test("describe_topic() counts all partitions in each part", async () => {
  const bad = partition(1, { leader: undefined, isr: [] });
  const contents = { topics: [topic("orders", [partition(0), bad, partition(2)])] };
  const { value } = await describe({ topic_name: "orders", limit: 1 }, contents);
  equal(value!.next_offset, 1);
  equal(value!.offline_partitions_count, 1);
  const rest = await describe({ topic_name: "orders", limit: 2, offset: 1 }, contents);
  deepEqual(
    (rest.value!.partitions as { partition_id: number }[]).map((one) => one.partition_id),
    [1, 2],
  );
  equal(rest.value!.next_offset, undefined);
});

Deno.test("describe_topic() tells of a hidden topic what it tells of none", async () => {
  const hidden = await describe({ topic_name: "secret-orders" });
  const none = await describe({ topic_name: "secret-nothing" });
  match(hidden.told!, /^There is no topic "secret-orders"\. See list_topics/);
  equal(hidden.told!.replace("secret-orders", "X"), none.told!.replace("secret-nothing", "X"));
  const unknown = await describe({ topic_name: "nothing" });
  equal(hidden.told!.replace("secret-orders", "X"), unknown.told!.replace("nothing", "X"));
  deepEqual(hidden.calls, {});
});

for (const name of ["list_topics", "describe_topic"]) {
  Deno.test(`${name}() tells what Kafka refuses`, async () => {
    const failing = { snapshot: new ToolError("Kafka does not let you", "not authorized") };
    const args = name === "list_topics" ? {} : { topic_name: "orders" };
    equal((await callTool(topics, name, args, { failing })).told, "Kafka does not let you");
  });
}

const BAD: [name: string, args: Record<string, unknown>][] = [
  ["list_topics", { limit: 0 }],
  ["list_topics", { limit: 1001 }],
  ["list_topics", { limit: 1.5 }],
  ["list_topics", { offset: -1 }],
  ["list_topics", { filter: "x".repeat(256) }],
  ["list_topics", { nothing: 1 }],
  ["describe_topic", {}],
  ["describe_topic", { topic_name: "" }],
  ["describe_topic", { topic_name: ".." }],
  ["describe_topic", { topic_name: "a b" }],
  ["describe_topic", { topic_name: "a\n" }],
  ["describe_topic", { topic_name: "x".repeat(250) }],
  ["describe_topic", { topic_name: "orders", limit: 0 }],
];
for (const [name, args] of BAD) {
  Deno.test(`${name}() asks nothing with ${JSON.stringify(args).slice(0, 40)}`, async () => {
    const { told, calls } = await callTool(topics, name, args, CONTENTS);
    match(told!, /^bad arguments/);
    deepEqual(calls, {});
  });
}
