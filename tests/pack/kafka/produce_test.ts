import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { ToolError } from "../../../lib/pack.ts";
import { produce } from "../../../lib/pack/kafka/produce.ts";
import { NOW } from "../../fakes.ts";
import {
  callTool,
  type Contents,
  CONTEXT,
  newCluster,
  newKafka,
  record,
  topic,
} from "./cluster.ts";

const ORDERS = { topics: [topic("orders", 3), topic("secret-plans")] };

const bytesOf = (text: string) => new TextEncoder().encode(text);

const write = (args: Record<string, unknown>, contents: Contents = ORDERS) =>
  callTool(produce, "produce_message", args, contents);

Deno.test("produce_message() writes a text and tells where it is", async () => {
  const { written, value, calls } = await write({ topic: "orders", value: "né" }, {
    ...ORDERS,
    records: [record("orders", 0, 6n)],
  });
  deepEqual(written, [{ topic: "orders", value: bytesOf("né"), headers: [] }]);
  deepEqual(value, {
    topic: "orders",
    partition: 0,
    offset: 7,
    timestamp: new Date(NOW * 1000).toISOString(),
  });
  deepEqual(calls, { snapshot: 1, write: 1 });
});

Deno.test("produce_message() writes key, headers and partition", async () => {
  const { written, value } = await write({
    topic: "orders",
    key: "k",
    value: "v",
    headers: { trace: "1", empty: "" },
    partition: 2,
  });
  deepEqual(written, [{
    topic: "orders",
    key: bytesOf("k"),
    value: bytesOf("v"),
    headers: [{ name: "trace", value: bytesOf("1") }, { name: "empty", value: bytesOf("") }],
    partition: 2,
  }]);
  equal(value!.partition, 2);
});

Deno.test("produce_message() decodes key, value and headers from base64", async () => {
  const base64 = { key: "AA==", value: "AP8=", headers: { h: "Ag==" }, encoding: "base64" };
  const { written: [written] } = await write({ topic: "orders", ...base64 });
  deepEqual([...written!.key!], [0]);
  deepEqual([...written!.value!], [0, 255]);
  deepEqual([...written!.headers[0]!.value!], [2]);
});

Deno.test("produce_message() tells an empty key from none, and an empty value from a tombstone", async () => {
  const { written: [empty] } = await write({ topic: "orders", key: "", value: "" });
  deepEqual([empty!.key, empty!.value], [bytesOf(""), bytesOf("")]);
  for (const none of [{}, { key: null }]) {
    const { written: [tombstone] } = await write({ topic: "orders", value: null, ...none });
    ok(!("key" in tombstone!));
    equal(tombstone!.value, undefined);
  }
});

Deno.test("produce_message() leaves out the time where a topic keeps none", async () => {
  const cluster = newCluster(ORDERS);
  const timeless = newKafka({
    ...cluster,
    write: async (one) => ({ ...await cluster.write(one), timestampMs: -1 }),
  });
  const [tool] = produce(timeless);
  const args = tool!.input.parse({ topic: "orders", value: "v" });
  deepEqual(await tool!.run(args, CONTEXT), { topic: "orders", partition: 0, offset: 0 });
});

const REFUSED: [what: string, args: Record<string, unknown>, words: RegExp][] = [
  ["a topic that does not exist", { topic: "nope" }, /no topic "nope".*list_topics/],
  [
    "a topic that is not allowed",
    { topic: "secret-plans" },
    /no topic "secret-plans".*list_topics/,
  ],
  [
    "a partition that does not exist",
    { partition: 3 },
    /no partition 3 of "orders": it has 3, from 0/,
  ],
  ["a partition below 0", { partition: -1 }, /partition/],
  ["a partition between two", { partition: 0.5 }, /partition/],
  ["a name that no topic has", { topic: "a b" }, /made of/],
  ["a value that is not base64", { value: "%", encoding: "base64" }, /The value is not base64/],
  [
    "a key that is not base64",
    { key: "%", value: "", encoding: "base64" },
    /The key is not base64/,
  ],
  [
    "a header that is not base64",
    { headers: { h: "%" }, value: "", encoding: "base64" },
    /The header "h" is not base64/,
  ],
  ["half a character", { value: "\ud83c" }, /The value has half a character/],
  ["another encoding", { encoding: "hex" }, /encoding/],
  ["a message without a value", { value: undefined }, /value/],
  ["a value that is no text", { value: { a: 1 } }, /value/],
  ["arguments that it does not know", { acks: 0 }, /acks/],
];
for (const [what, args, words] of REFUSED) {
  Deno.test(`produce_message() writes nothing given ${what}`, async () => {
    const { told, written } = await write({ topic: "orders", value: "v", ...args });
    match(told!, words);
    equal(written.length, 0);
  });
}

Deno.test("produce_message() refuses a topic that is not allowed like one that does not exist, and asks Kafka about neither", async () => {
  const hidden = await write({ topic: "secret-plans", value: "v" });
  const absent = await write({ topic: "secret-plans", value: "v" }, { topics: [] });
  equal(hidden.told, absent.told);
  deepEqual([hidden.calls, absent.calls], [{}, {}]);
});

Deno.test("produce_message() asks no cluster for what cannot be bytes", async () => {
  const { calls } = await write({ topic: "orders", value: "%", encoding: "base64" });
  deepEqual(calls, {});
});

Deno.test("produce_message() hands on what Kafka refuses, and writes once", async () => {
  const { told, calls } = await write({ topic: "orders", value: "v" }, {
    ...ORDERS,
    failing: { write: new ToolError("It is too large", "too large") },
  });
  equal(told, "It is too large");
  equal(calls.write, 1);
});

Deno.test("produce_message() does not tell callers why a client does not work", async () => {
  const failing = { write: new Error("Cannot connect") };
  await rejects(write({ topic: "orders", value: "v" }, { ...ORDERS, failing }), /Cannot connect/);
});

Deno.test("produce_message() logs nothing of what it writes", async () => {
  const [tool] = produce(newKafka(newCluster(ORDERS)));
  const log = () => {
    throw new TypeError("Cannot log here");
  };
  await tool!.run(tool!.input.parse({ topic: "orders", value: "v" }), { ...CONTEXT, log });
});

Deno.test("produce_message() says that it writes, each time anew", () => {
  const [tool] = produce(newKafka(newCluster()));
  deepEqual(tool!.annotations, {
    readOnlyHint: false,
    destructiveHint: false,
    idempotentHint: false,
    openWorldHint: false,
  });
  ok(tool!.description.length <= 400);
});
