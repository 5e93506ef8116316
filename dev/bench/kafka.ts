/**
 * Tools of the Kafka pack on a real broker, beside the pack's own client, which writes and reads the
 * same records from this process.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { READ } from "../../lib/pack/kafka/consume_reads.ts";
import type { KafkaClient } from "../../lib/pack/kafka/client.ts";
import type { Kafka } from "../kafka/kafka.ts";
import { makeTopics } from "../kafka/pack_stand.ts";
import { type Answer, authorizationAt, modern, targetOf } from "./calls.ts";
import { CONNECTIONS, load, repeat, type Row, type Target } from "./load.ts";

/** How many records are read at once. */
const RECORDS = 10;

const VALUE = "Kafka and gate. ".repeat(64);
const BYTES = new TextEncoder().encode(VALUE);

const PARTITION = 0;
const READ_TOPIC = "bench-read";
const GATE_TOPIC = "bench-written-by-gate";
const CLIENT_TOPIC = "bench-written-by-client";

/**
 * Prepares the rows, each client's before the gate's, and checks one answer of each.
 *
 * @param client Reaches the same broker as the gate.
 */
export async function kafkaCalls(
  kafka: Kafka,
  client: KafkaClient,
  gatePort: number,
): Promise<Row[]> {
  const names = [READ_TOPIC, GATE_TOPIC, CLIENT_TOPIC];
  await makeTopics(kafka, ...names.map((name) => ({ name, brokers: [[1]] })));
  for (let count = 0; count < RECORDS; count++) await client.write(recordFor(READ_TOPIC));
  const call = await calling(gatePort);
  const [write, read] = [writingDirectly(client), readingDirectly(client)];
  return [
    write,
    { ...await producing(client, call), base: write },
    read,
    { ...await consuming(call), base: read },
  ];
}

type Calling = (
  name: string,
  args: Readonly<Record<string, unknown>>,
  isRight: (answer: Answer) => boolean,
) => Promise<Target>;

async function calling(port: number): Promise<Calling> {
  const authorization = await authorizationAt(port);
  return (name, args, isRight) => {
    const { params, headers } = modern(name, args);
    return targetOf({
      name,
      port,
      params,
      headers: { ...headers, authorization },
      status: 200,
      isRight: (_, answer) => isRight(answer),
    });
  };
}

function writingDirectly(client: KafkaClient): Row {
  const ledger = ledgerOf(client, CLIENT_TOPIC);
  const write = async () => {
    const { partition, offset } = await client.write(recordFor(CLIENT_TOPIC));
    if (partition === PARTITION && ledger.isNew(Number(offset))) return;
    throw new Error(`A record was written to ${partition} at ${offset}, as another was`);
  };
  return {
    name: "client-write",
    label: "Client called directly: write 1 KB",
    measure: (seconds) => ledger.checked(repeat(Array(CONNECTIONS).fill(write), seconds)),
  };
}

async function producing(client: KafkaClient, call: Calling): Promise<Row> {
  const ledger = ledgerOf(client, GATE_TOPIC);
  const isRight = ({ result }: Answer) => {
    const { topic, partition, offset } = result?.structuredContent ?? {};
    return topic === GATE_TOPIC && partition === PARTITION && ledger.isNew(offset);
  };
  const args = { topic: GATE_TOPIC, partition: PARTITION, value: VALUE };
  const target = await call("produce_message", args, isRight);
  const body = (text: string) => isRight(JSON.parse(text));
  return {
    name: "produce_message",
    label: "tools/call produce_message, 1 KB",
    measure: (seconds) => ledger.checked(load({ ...target, body }, seconds)),
  };
}

function readingDirectly(client: KafkaClient): Row {
  const from = [{ topic: READ_TOPIC, partition: PARTITION, offset: 0n }];
  const read = async () => {
    const [slice] = await client.read(from, READ);
    const isRight = slice!.records.length === RECORDS &&
      slice!.records.every(({ offset, value }, at) => offset === BigInt(at) && isValue(value));
    if (!isRight) throw new Error("What was read directly is not what was written");
  };
  return {
    name: "client-read",
    label: `Client called directly: read ${RECORDS} x 1 KB`,
    measure: (seconds) => repeat(Array(CONNECTIONS).fill(read), seconds),
  };
}

async function consuming(call: Calling): Promise<Row> {
  const isRight = ({ result }: Answer) => {
    const messages = result?.structuredContent?.messages;
    return Array.isArray(messages) && messages.length === RECORDS &&
      messages.every(({ offset, value }, at) => offset === at && value === VALUE);
  };
  const args = {
    topics: [READ_TOPIC],
    from: "offset",
    partition: PARTITION,
    offset: 0,
    max_messages: RECORDS,
  };
  const target = await call("consume_messages", args, isRight);
  let right: string | undefined;
  // Every answer is the same, down to the last byte.
  const body = (text: string) => {
    if (right === undefined && isRight(JSON.parse(text))) right = text;
    return text === right;
  };
  return {
    name: "consume_messages",
    label: `tools/call consume_messages, ${RECORDS} x 1 KB`,
    measure: (seconds) => load({ ...target, body }, seconds),
  };
}

/** Holds a topic to what answers said: each record has an offset of its own, and no others exist. */
function ledgerOf(client: KafkaClient, topic: string) {
  const place = { topic, partition: PARTITION };
  const told = new Set<unknown>();
  return {
    isNew: (offset: unknown) => Number.isSafeInteger(offset) && told.size < told.add(offset).size,
    /** @throws {Error} When the topic has more than was told of, or less, or something else. */
    async checked<T>(work: Promise<T>): Promise<T> {
      const done = await work;
      const [end] = await client.offsets([place], "latest");
      if (end!.offset !== BigInt(told.size)) {
        throw new Error(`${topic} ends at ${end!.offset}, but ${told.size} records were told of`);
      }
      const [slice] = await client.read([{ ...place, offset: end!.offset - 1n }], READ);
      if (isValue(slice!.records[0]?.value)) return done;
      throw new Error(`${topic}: the last record is not what was written`);
    },
  };
}

function recordFor(topic: string) {
  return { topic, partition: PARTITION, value: BYTES, headers: [] };
}

function isValue(value: Uint8Array | undefined): boolean {
  return value !== undefined && Buffer.compare(value, BYTES) === 0;
}
