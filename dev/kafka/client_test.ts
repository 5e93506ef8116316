/**
 * The client against a real Kafka that is well: what is written is read.
 *
 * @module
 */

import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { Producer } from "@platformatic/kafka";
import { partitionOf } from "../../lib/pack/kafka/partitioner.ts";
import { until } from "../keycloak/wait.ts";
import { type Kafka, startKafka } from "./kafka.ts";
import { BOUNDS, bytes, everything, reach, type Reaching, text, topic } from "./reaching.ts";

const PATIENCE_MS = 60_000;

Deno.test("records in a cluster that is well", async (t) => {
  await using kafka = await startKafka();
  await using client = reach(kafka.bootstrap());
  const steps: readonly [string, (kafka: Kafka, client: Reaching) => Promise<void>][] = [
    ["what is written is read as it was", whatIsWrittenIsRead],
    ["keys go to the partitions that Java's client chooses", partitionsOfJava],
    ["records of every compression are read", compressions],
    ["aborted records and markers are left out, and led beyond", transactions],
    ["a batch is read from its middle on", middle],
    ["what grows beyond all bounds is refused, and read beyond", bomb],
    ["a hundred readers see the same, and hold no writer up", hundred],
    ["offsets are told by time and at the ends", offsets],
  ];
  for (const [name, step] of steps) await t.step(name, () => step(kafka, client));
});

async function whatIsWrittenIsRead(kafka: Kafka, client: Reaching) {
  await kafka.run("kafka-topics", topic("orders", "--partitions", "2"));
  const place = { topic: "orders", partition: 1 };
  const headers = [
    { name: "kind", value: bytes("a") },
    { name: "kind", value: bytes("") },
    { name: "none", value: undefined },
  ];
  const before = Date.now();

  const whole = await client.write({ ...place, key: bytes("k"), value: bytes("v"), headers });
  const tombstone = await client.write({ ...place, key: bytes(""), value: undefined, headers: [] });
  await client.write({ ...place, value: bytes(""), headers: [] });

  deepEqual([whole.topic, whole.partition, whole.offset], ["orders", 1, 0n]);
  equal(tombstone.offset, 1n);
  const [slice] = await client.read([{ ...place, offset: 0n }], BOUNDS);
  deepEqual([slice!.nextOffset, slice!.endOffset], [3n, 3n]);
  const [first, second, third] = slice!.records;
  equal(first!.timestampMs, whole.timestampMs);
  ok(whole.timestampMs >= before && whole.timestampMs <= Date.now());
  deepEqual([text(first!.key), text(first!.value)], ["k", "v"]);
  deepEqual(first!.headers.map(({ name, value }) => [name, text(value)]), [
    ["kind", "a"],
    ["kind", ""],
    ["none", undefined],
  ]);
  deepEqual([text(second!.key), second!.value], ["", undefined]);
  deepEqual([third!.key, text(third!.value)], [undefined, ""]);
  // Views would keep the whole answer in memory.
  equal(first!.value!.buffer.byteLength, 1);
}

async function partitionsOfJava(kafka: Kafka, client: Reaching) {
  await kafka.run("kafka-topics", topic("keyed", "--partitions", "7"));
  const keys = Array.from({ length: 60 }, (_, at) => "ключ-".slice(0, at % 6) + `${at * 7919}`);
  const lines = keys.map((key) => `${key}:x\n`).join("");
  const parsed = ["--property", "parse.key=true", "--property", "key.separator=:"];
  await kafka.run("kafka-console-producer", ["--topic", "keyed", ...parsed], lines);

  const start = Array.from({ length: 7 }, (_, partition) => ({
    topic: "keyed",
    partition,
    offset: 0n,
  }));
  const records = (await client.read(start, BOUNDS)).flatMap(({ records }) => records);
  equal(records.length, keys.length);
  for (const { key, partition } of records) equal(partitionOf(key!, 7), partition, text(key));
  const { partition } = await client.write({
    topic: "keyed",
    key: bytes(keys[5]!),
    value: bytes("x"),
    headers: [],
  });
  equal(partition, records.find(({ key }) => text(key) === keys[5])!.partition);
}

async function compressions(kafka: Kafka, client: Reaching) {
  await kafka.run("kafka-topics", topic("packed"));
  const said: string[] = [];
  for (const codec of ["gzip", "snappy", "lz4", "zstd"]) {
    const own = Array.from({ length: 300 }, (_, at) => `${codec} ${at} ${"again ".repeat(40)}`);
    const args = ["--topic", "packed", "--compression-codec", codec];
    await kafka.run("kafka-console-producer", args, own.map((line) => `${line}\n`).join(""));
    said.push(...own);
  }
  const records = await everything(client, { topic: "packed", partition: 0 });
  deepEqual(records.map(({ value }) => text(value)), said);
}

async function transactions(kafka: Kafka, client: Reaching) {
  await kafka.run("kafka-topics", topic("paid"));
  await using producing = producer(kafka, "paid-1");
  const send = async (value: string, isKept: boolean) => {
    const transaction = await producing.producer.beginTransaction();
    await transaction.send({ messages: [message("paid", value)] });
    await (isKept ? transaction.commit() : transaction.abort());
  };
  await send("no 1", false);
  await send("yes 1", true);
  await send("no 2", false);
  await send("no 3", false);
  await send("yes 2", true);
  await send("no 4", false);

  const place = { topic: "paid", partition: 0 };
  // The marker of the last one may take a moment.
  await until("all is decided", PATIENCE_MS, async () => {
    const [end] = await client.offsets([place], "latest");
    return end!.offset === 12n;
  });
  const records = await everything(client, place);
  deepEqual(records.map(({ value, offset }) => [text(value), offset]), [["yes 1", 2n], [
    "yes 2",
    8n,
  ]]);
  const [rest] = await client.read([{ ...place, offset: 9n }], BOUNDS);
  deepEqual([rest!.records, rest!.nextOffset, rest!.endOffset], [[], 12n, 12n]);
}

async function middle(kafka: Kafka, client: Reaching) {
  await kafka.run("kafka-topics", topic("batched"));
  await using producing = producer(kafka);
  const messages = ["a", "b", "c", "d"].map((value) => message("batched", value));
  await producing.producer.send({ messages, acks: -1, compression: "gzip" });

  const place = { topic: "batched", partition: 0 };
  const [slice] = await client.read([{ ...place, offset: 2n }], BOUNDS);
  deepEqual(slice!.records.map(({ value, offset }) => [text(value), offset]), [["c", 2n], [
    "d",
    3n,
  ]]);
  const [cut] = await client.read([{ ...place, offset: 1n }], { maxBytes: 1, maxWaitMs: 0 });
  deepEqual(cut!.records.map(({ value }) => text(value)), ["b"]);
  deepEqual([cut!.nextOffset, cut!.endOffset], [2n, 4n]);
}

async function bomb(kafka: Kafka, client: Reaching) {
  await using producing = producer(kafka);
  for (const compression of ["gzip", "snappy", "lz4", "zstd"] as const) {
    const name = `bomb-${compression}`;
    await kafka.run("kafka-topics", topic(name, "--config", "max.message.bytes=4000000"));
    const value = "\0".repeat(40 * 1024 * 1024);
    await producing.producer.send({ messages: [message(name, value)], acks: -1, compression });
    const place = { topic: name, partition: 0 };
    await client.write({ ...place, value: bytes("after"), headers: [] });

    await rejects(() => client.read([{ ...place, offset: 0n }], BOUNDS), {
      message: `The records of partition 0 of "${name}" from offset 0 to 0 are compressed, and ` +
        "larger than 32 MiB together. Read on from offset 1",
    });
    deepEqual((await everything(client, place, 1n)).map(({ value }) => text(value)), ["after"]);
  }
}

async function hundred(kafka: Kafka, client: Reaching) {
  await kafka.run("kafka-topics", topic("busy"));
  const place = { topic: "busy", partition: 0 };
  const waiting = Array.from(
    { length: 100 },
    () => client.read([{ ...place, offset: 0n }], { ...BOUNDS, maxWaitMs: 30_000 }),
  );
  let isRead = false;
  for (const one of waiting) one.then(() => isRead = true);
  await client.write({ topic: "orders", partition: 0, value: bytes("x"), headers: [] });
  equal(isRead, false);
  await client.write({ ...place, value: bytes("news"), headers: [] });
  const slices = (await Promise.all(waiting)).flat();
  equal(slices.length, 100);
  for (const { records } of slices) deepEqual(records.map(({ value }) => text(value)), ["news"]);
}

async function offsets(kafka: Kafka, client: Reaching) {
  await kafka.run("kafka-topics", topic("timed", "--partitions", "2"));
  const place = { topic: "timed", partition: 0 };
  await client.write({ ...place, value: bytes("1"), headers: [] });
  const { timestampMs } = await client.write({ ...place, value: bytes("2"), headers: [] });
  const places = [place, { ...place, partition: 1 }];
  const at = async (instant: "earliest" | "latest" | number) =>
    (await client.offsets(places, instant)).map(({ offset }) => offset);
  deepEqual(await at("earliest"), [0n, 0n]);
  deepEqual(await at("latest"), [2n, 0n]);
  deepEqual(await at(timestampMs + 60_000), [undefined, undefined]);
  deepEqual(await at(0), [0n, undefined]);
}

function message(topic: string, value: string) {
  return { topic, partition: 0, value: new TextEncoder().encode(value) as never };
}

function producer(kafka: Kafka, transactionalId?: string) {
  const producer = new Producer({
    clientId: "test",
    bootstrapBrokers: kafka.bootstrap(),
    retries: 5,
    retryDelay: 200,
    ...(transactionalId && { transactionalId, idempotent: true }),
  });
  return { producer, [Symbol.asyncDispose]: () => producer.close() };
}
