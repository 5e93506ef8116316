/**
 * What is written through the pack and read through it, against a real Kafka.
 *
 * @module
 */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Producer } from "@platformatic/kafka";
import type { Message } from "../../lib/pack/kafka/consume_message.ts";
import { until } from "../keycloak/wait.ts";
import { type Caller, makeTopics, PATIENCE_MS } from "./pack_stand.ts";
import type { Stand } from "./pack_steps.ts";

/** What `consume_messages` yields. */
export interface Consumed {
  readonly messages: readonly Message[];
  readonly next: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly offset: number;
    readonly end: number;
  }[];
  readonly truncated?: string;
}

/** What `produce_message` yields. */
export interface Produced {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: string;
}

const EVERYWHERE = [[1, 2, 3], [2, 3, 1], [3, 1, 2]];
const MEGABYTE = "quokka ".repeat(150_000).slice(0, 1_000_000);
const BINARY = Uint8Array.from({ length: 256 }, (_, byte) => byte).toBase64();
const CODECS = ["gzip", "snappy", "lz4", "zstd"] as const;

/** Reads everything in some topics, page by page. */
export async function everything(caller: Caller, topic: string): Promise<Message[]> {
  const all: Message[] = [];
  const first = await caller.ask<Consumed>("consume_messages", {
    topics: [topic],
    from: "earliest",
    max_messages: 1000,
  });
  all.push(...first.messages);
  const open = first.next.filter(({ offset, end }) => offset < end);
  for (let at = open.pop(); at; at = open.pop()) {
    const { topic, partition, offset } = at;
    const page = await caller.ask<Consumed>("consume_messages", {
      topics: [topic],
      from: "offset",
      partition,
      offset,
      max_messages: 1000,
    });
    all.push(...page.messages);
    open.push(...page.next.filter(({ offset, end }) => offset < end));
  }
  return all;
}

const text = (value: string) => ({ value, value_encoding: "text" as const });
const binary = (value: string) => ({ value, value_encoding: "base64" as const });
const none = { key: null, value: null };

/** What is written, and what then is to be read. */
const ROUND_TRIPS: readonly (readonly [Record<string, unknown>, Partial<Message>])[] = [
  [{ value: "quokka" }, { ...none, ...text("quokka") }],
  [
    { value: "quokka", key: "okapi" },
    { key: "okapi", key_encoding: "text", ...text("quokka") },
  ],
  [{ value: "quokka", key: "" }, { key: "", key_encoding: "text", ...text("quokka") }],
  [{ value: "quokka", key: null }, { ...none, ...text("quokka") }],
  [{ value: "" }, { ...none, ...text("") }],
  [{ value: null, key: "okapi" }, { key: "okapi", key_encoding: "text", value: null }],
  [{ value: null }, none],
  [{ value: " quokka\tné 日本 🦓\r\n\ufeff" }, {
    ...none,
    ...text(" quokka\tné 日本 🦓\r\n\ufeff"),
  }],
  [{ value: '{"quokka":[1,2]}' }, { ...none, ...text('{"quokka":[1,2]}') }],
  [{ value: "quokka\0" }, { ...none, ...binary(btoa("quokka\0")) }],
  [
    { value: BINARY, key: BINARY, headers: { numbat: BINARY }, encoding: "base64" },
    {
      key: BINARY,
      key_encoding: "base64",
      ...binary(BINARY),
      headers: [{ name: "numbat", value: BINARY, encoding: "base64" }],
    },
  ],
  [{ value: btoa("quokka"), encoding: "base64" }, { ...none, ...text("quokka") }],
  [
    { value: "quokka", headers: { "numbat-b": "1", "numbat-a": "", "né": "numbat" } },
    {
      ...none,
      ...text("quokka"),
      headers: [
        { name: "numbat-b", value: "1", encoding: "text" },
        { name: "numbat-a", value: "", encoding: "text" },
        { name: "né", value: "numbat", encoding: "text" },
      ],
    },
  ],
];

/** What is written comes back as it was. */
export async function roundTrips({ kafka, alice }: Stand): Promise<void> {
  await makeTopics(kafka, { name: "zebra-round", brokers: EVERYWHERE });
  for (const [at, [args]] of ROUND_TRIPS.entries()) {
    const place = { topic: "zebra-round", partition: 1 };
    const written = await alice.ask<Produced>("produce_message", { ...place, ...args });
    deepEqual([written.topic, written.partition, written.offset], ["zebra-round", 1, at]);
    const { messages: [newest] } = await alice.ask<Consumed>("consume_messages", {
      topics: ["zebra-round"],
      max_messages: 1,
    });
    equal(newest!.timestamp, written.timestamp);
  }
  const read = await everything(alice, "zebra-round");
  deepEqual(
    read.map(({ timestamp: _, ...message }) => message),
    ROUND_TRIPS.map(([, message], offset) => ({
      topic: "zebra-round",
      partition: 1,
      offset,
      ...message,
    })),
  );
  for (
    const [args, words] of [
      [{ topic: "zebra-absent", value: "quokka" }, /There is no topic "zebra-absent"/],
      [{ topic: "zebra-round", value: "quokka", partition: 3 }, /partition/],
      [{ topic: "zebra-round", value: "quokka!", encoding: "base64" }, /not base64/],
      [{ topic: "zebra round", value: "quokka" }, /Cannot call produce_message: .*topic/],
      [{ topic: "zebra-round", value: MEGABYTE.repeat(2) }, /max\.message\.bytes/],
    ] as const
  ) match(await alice.refusal("produce_message", args), words);
}

/** Java's consumer gets what was written here, up to a megabyte. */
export async function readByJava({ kafka, alice }: Stand): Promise<void> {
  await makeTopics(kafka, { name: "zebra-java", brokers: [[1, 2, 3]] });
  const records = [
    { key: "okapi", value: "quokka né", headers: { "numbat-1": "one", "numbat-2": "two" } },
    { key: "", value: "" },
    { value: null },
    { key: "okapi-large", value: MEGABYTE },
  ];
  for (const record of records) {
    await alice.ask("produce_message", { topic: "zebra-java", ...record });
  }
  const shown = ["key", "headers", "offset"].flatMap((what) => [
    "--formatter-property",
    `print.${what}=true`,
  ]);
  const printed = await kafka.run("kafka-console-consumer", [
    ...["--topic", "zebra-java", "--from-beginning", "--max-messages", `${records.length}`],
    ...shown,
  ]);
  deepEqual(printed.trimEnd().replace(MEGABYTE, "a megabyte").split("\n"), [
    "Offset:0\tnumbat-1:one,numbat-2:two\tokapi\tquokka né",
    "Offset:1\tNO_HEADERS\t\t",
    "Offset:2\tNO_HEADERS\tnull\tnull",
    "Offset:3\tNO_HEADERS\tokapi-large\ta megabyte",
  ]);
  const { messages: [large] } = await alice.ask<Consumed>("consume_messages", {
    topics: ["zebra-java"],
    max_messages: 1,
    max_value_bytes: 50_000,
  });
  const { value, value_truncated, value_bytes } = large!;
  deepEqual([value_truncated, value_bytes], [true, 1_000_000]);
  ok(value === MEGABYTE.slice(0, 50_000));
}

/** What Java's producer compressed is read, and a key leads to the same partition there and here. */
export async function writtenByJava({ kafka, alice }: Stand): Promise<void> {
  const topics = ["zebra-keys", ...CODECS.map((codec) => `zebra-${codec}`)];
  await makeTopics(kafka, ...topics.map((name) => ({ name, brokers: EVERYWHERE })));
  const keys = Array.from({ length: 40 }, (_, at) => `okapi-${at} né`);
  const lines = keys.map((key) => `${key}\tquokka of ${key}\n`).join("");
  for (const codec of CODECS) {
    await kafka.run("kafka-console-producer", [
      ...["--topic", `zebra-${codec}`, "--compression-codec", codec],
      ...["--reader-property", "parse.key=true"],
    ], lines);
  }
  await Promise.all(
    keys.map((key) => {
      const record = { topic: "zebra-keys", key, value: `quokka of ${key}` };
      return alice.ask("produce_message", record);
    }),
  );
  const placed = async (topic: string) => {
    const all = await everything(alice, topic);
    return all.map(({ key, value, partition }) => `${key} ${value} ${partition}`).sort();
  };
  const own = await placed("zebra-keys");
  equal(own.length, keys.length);
  for (const codec of CODECS) deepEqual(await placed(`zebra-${codec}`), own, codec);
}

/** What was aborted is not shown, and what is still open holds up what follows. */
export async function transactions({ kafka, alice }: Stand): Promise<void> {
  await makeTopics(kafka, { name: "zebra-bank", brokers: [[1, 2, 3]] });
  const producer = new Producer({
    clientId: "kafka-test",
    bootstrapBrokers: kafka.bootstrap(),
    transactionalId: "teller",
    idempotent: true,
    retries: 20,
  });
  const seen = async () =>
    (await everything(alice, "zebra-bank")).map(({ value, offset }) => `${offset} ${value}`);
  try {
    const send = async (value: string) => {
      const transaction = await producer.beginTransaction();
      const messages = [{ topic: "zebra-bank", partition: 0, value: Buffer.from(value) }];
      await transaction.send({ messages });
      return transaction;
    };
    for (const [value, end] of [["a", "abort"], ["b", "commit"], ["c", "abort"]] as const) {
      await (await send(`quokka ${value}`))[end]();
    }
    await until("all is decided", PATIENCE_MS, async () => {
      const read = await alice.ask<Consumed>("consume_messages", { topics: ["zebra-bank"] });
      return read.next[0]!.end === 6;
    });
    // Each transaction is followed by its marker.
    deepEqual(await seen(), ["2 quokka b"]);
    const open = await send("quokka d");
    await alice.ask("produce_message", { topic: "zebra-bank", value: "quokka e" });
    deepEqual(await seen(), ["2 quokka b"]);
    await open.commit();
    await until("it is decided", PATIENCE_MS, async () => (await seen()).length === 3);
    deepEqual(await seen(), ["2 quokka b", "6 quokka d", "7 quokka e"]);
  } finally {
    await producer.close(true);
  }
}

/** A hundred readers at once see the same, and leave no group behind. */
export async function manyReaders({ alice }: Stand): Promise<void> {
  const args = { topics: ["zebra-keys", "zebra-zstd"], max_messages: 60 };
  const read = () => alice.ask<Consumed>("consume_messages", args);
  const groups = () => alice.ask("list_consumer_groups");
  const before = await groups();
  const reading = Promise.all(Array.from({ length: 100 }, read));
  deepEqual(await groups(), before);
  const [first, ...others] = await reading;
  equal(first!.messages.length, 60);
  for (const other of others) deepEqual(other, first);
  deepEqual(await groups(), before);
}

/** Reading begins where it is told to, and waits only when there is nothing. */
export async function places({ kafka, alice }: Stand): Promise<void> {
  await makeTopics(kafka, { name: "zebra-empty", brokers: EVERYWHERE });
  const consume = (args: Record<string, unknown>) => alice.ask<Consumed>("consume_messages", args);
  const offsets = async (args: Record<string, unknown>) =>
    (await consume({ topics: ["zebra-round"], ...args })).messages.map(({ offset }) => offset);
  const count = ROUND_TRIPS.length;
  deepEqual(await offsets({ max_messages: 3 }), [count - 3, count - 2, count - 1]);
  deepEqual(await offsets({ from: "earliest", max_messages: 3 }), [0, 1, 2]);
  deepEqual(await offsets({ from: "offset", offset: 5, partition: 1, max_messages: 2 }), [5, 6]);
  const all = await everything(alice, "zebra-round");
  const time = all[4]!.timestamp!;
  const since = all.findIndex(({ timestamp }) => timestamp! >= time);
  equal((await offsets({ from: "timestamp", timestamp: time, max_messages: 1 }))[0], since);
  deepEqual(await offsets({ from: "timestamp", timestamp: "2100-01-01T00:00:00Z" }), []);

  const { messages, next } = await consume({ topics: ["zebra-empty"], from: "earliest" });
  deepEqual([messages, next.map(({ offset, end }) => [offset, end])], [
    [],
    [[0, 0], [0, 0], [0, 0]],
  ]);
  const waiting = consume({ topics: ["zebra-empty"], wait_seconds: 30 });
  // It is likely to wait by then; if not, it finds the record all the same.
  for (let calls = 0; calls < 5; calls++) await alice.ask("list_topics");
  await alice.ask("produce_message", { topic: "zebra-empty", value: "quokka at last" });
  const { messages: come } = await waiting;
  deepEqual(come.map(({ value }) => value), ["quokka at last"]);
  const nowhere = { topics: ["zebra-round"], from: "offset", offset: 999, partition: 1 };
  match(await alice.refusal("consume_messages", nowhere), /offsets? .*999|999/);
  ok(/no topic/.test(await alice.refusal("consume_messages", { topics: ["zebra-absent"] })));
}
