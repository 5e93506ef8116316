import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { MAX_PARTITIONS } from "../../../lib/pack/kafka/report_replication.ts";
import { broker, type Contents, partition, topic } from "./cluster.ts";
import { read, rowsOf, write } from "./reports.ts";

const URI = "under-replicated-partitions";
const PROMPT = "kafka_under_replicated_partitions";

const SICK: Contents = {
  brokers: [broker(1), broker(2)],
  topics: [
    topic("__consumer_offsets", [partition(0, { leader: 2, isr: [2] })], true),
    topic("orders", [
      partition(0),
      partition(1, { leader: undefined, replicas: [3], isr: [] }),
      partition(2, { isr: [1, 2] }),
    ]),
    topic("secret", [partition(0, { isr: [1] })]),
  ],
};

Deno.test("kafka-mcp://under-replicated-partitions details partitions and the brokers they are missing from, in one call", async () => {
  const { document, calls } = await read(URI, SICK);
  deepEqual(calls, { snapshot: 1 });
  const { recommendations, ...facts } = document;
  deepEqual(facts, {
    timestamp: "2027-01-15T08:00:00.000Z",
    under_replicated_partition_count: 3,
    brokers: [
      { broker_id: 3, is_live: false, missing_replica_count: 3 },
      { broker_id: 1, is_live: true, missing_replica_count: 1 },
    ],
    details: [
      {
        topic: "__consumer_offsets",
        partition: 0,
        leader: 2,
        replica_count: 3,
        isr_count: 1,
        replicas: [1, 2, 3],
        isr: [2],
        missing_replicas: [1, 3],
      },
      {
        topic: "orders",
        partition: 1,
        leader: null,
        replica_count: 1,
        isr_count: 0,
        replicas: [3],
        isr: [],
        missing_replicas: [3],
      },
      {
        topic: "orders",
        partition: 2,
        leader: 1,
        replica_count: 3,
        isr_count: 2,
        replicas: [1, 2, 3],
        isr: [1, 2],
        missing_replicas: [3],
      },
    ],
  });
  equal(recommendations.length, 2);
  match(recommendations[0], /do not live, and start them: 3$/);
  match(recommendations[1], /live but are not in sync: 1$/);
});

Deno.test("kafka-mcp://under-replicated-partitions recommends only what the facts say", async () => {
  const away = await read(URI, {
    brokers: [broker(1), broker(2)],
    topics: [topic("orders", [partition(0, { isr: [1, 2] })])],
  });
  equal(away.document.recommendations.length, 1);
  match(away.document.recommendations[0], /start them: 3$/);
  const slow = await read(URI, { topics: [topic("orders", [partition(0, { isr: [1, 2] })])] });
  equal(slow.document.recommendations.length, 1);
  match(slow.document.recommendations[0], /not in sync: 3$/);
  const elsewhere = await read(URI, {
    brokers: [broker(1), broker(2)],
    topics: [
      topic("orders", [
        partition(0, { leader: undefined, replicas: [9], isr: [9] }),
        partition(1, { replicas: [1, 2], isr: [1] }),
      ]),
    ],
  });
  equal(elsewhere.document.recommendations.length, 1);
  match(elsewhere.document.recommendations[0], /not in sync: 2$/);
  const fine = await read(URI, { topics: [topic("orders", 3)] });
  deepEqual(fine.document.recommendations, []);
  deepEqual(fine.document.details, []);
});

Deno.test("kafka-mcp://under-replicated-partitions says what it left out", async () => {
  const many = Array.from({ length: MAX_PARTITIONS + 3 }, (_, at) => partition(at, { isr: [1] }));
  const { document } = await read(URI, { topics: [topic("orders", many)] });
  equal(document.under_replicated_partition_count, MAX_PARTITIONS + 3);
  equal(document.details.length, MAX_PARTITIONS);
  match(document.truncated, /^3 of 503 left out: /);
});

Deno.test("kafka_under_replicated_partitions tells brokers and partitions in Markdown, and asks for an assessment", async () => {
  const { text, calls } = await write(PROMPT, SICK);
  deepEqual(calls, { snapshot: 1 });
  match(text, /under-replicated partitions: 3\./);
  deepEqual(rowsOf(text), [
    ["Broker", "Live", "Replicas not in sync"],
    ["---", "---", "---"],
    ["3", "no", "3"],
    ["1", "yes", "1"],
    ["Topic", "Partition", "Leader", "Replicas", "In sync", "Not in sync"],
    ["---", "---", "---", "---", "---", "---"],
    ['`"__consumer_offsets"`', "0", "2", "3", "1", "1, 3"],
    ['`"orders"`', "1", "none", "1", "0", "3"],
    ['`"orders"`', "2", "1", "3", "2", "3"],
  ]);
  match(text, /\n- .*start them: 3\n- .*not in sync: 1\n/);
  match(text, /\nAssess .*\.$/);
  ok(!text.includes("secret"));
});

Deno.test("kafka_under_replicated_partitions has no tables and no advice where nothing is wrong", async () => {
  const { text } = await write(PROMPT, { topics: [topic("orders", 3)] });
  match(text, /under-replicated partitions: 0\./);
  deepEqual(rowsOf(text), []);
  ok(!text.includes("\n- "));
});

Deno.test("kafka_under_replicated_partitions shows the first of many, and says of how many", async () => {
  const many = Array.from({ length: 700 }, (_, at) => partition(at, { isr: [1] }));
  const { text } = await write(PROMPT, { topics: [topic("orders", many)] });
  match(text, /The table has the first 20 of 700\./);
  ok(text.length < 5000);
});
