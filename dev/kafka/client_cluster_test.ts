/**
 * The client against a real Kafka that is well: what there is, and how refusals are told.
 *
 * @module
 */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { until } from "../keycloak/wait.ts";
import { type Kafka, startKafka } from "./kafka.ts";
import { BOUNDS, bytes, reach, type Reaching, refused, topic } from "./reaching.ts";

const PATIENCE_MS = 60_000;

Deno.test("what there is in a cluster that is well", async (t) => {
  await using kafka = await startKafka();
  await using client = reach(kafka.bootstrap());
  await kafka.run("kafka-topics", topic("orders", "--partitions", "2"));
  for (let at = 0; at < 3; at++) {
    await client.write({ topic: "orders", partition: 1, value: bytes("x"), headers: [] });
  }
  const steps: readonly [string, (kafka: Kafka, client: Reaching) => Promise<void>][] = [
    ["refusals have words", refusals],
    ["groups of both protocols, and what they committed", groups],
    ["settings say where they come from", settings],
    ["a snapshot tells of all topics, internal ones as such", snapshot],
  ];
  for (const [name, step] of steps) await t.step(name, () => step(kafka, client));
});

async function refusals(kafka: Kafka, client: Reaching) {
  await kafka.run("kafka-topics", topic("small", "--config", "max.message.bytes=500"));
  await kafka.run("kafka-topics", topic("compact", "--config", "cleanup.policy=compact"));
  const none = { topic: "none", partition: 0 };
  const beyond = { topic: "small", partition: 7 };
  const write = (topic: string, value = bytes("x")) => client.write({ topic, value, headers: [] });
  const told: readonly [() => Promise<unknown>, RegExp][] = [
    [() => client.read([{ ...none, offset: 0n }], BOUNDS), /There is no topic "none"/],
    [() => client.read([{ ...beyond, offset: 0n }], BOUNDS), /has no partition 7. .* 0 to 0$/],
    [() => client.offsets([none], "latest"), /There is no topic "none"/],
    [() => client.offsets([beyond], "latest"), /has no partition 7/],
    [() => write("none"), /There is no topic "none"/],
    [() => write("a topic"), /Kafka does not take "a topic" as a topic/],
    [() => client.write({ ...beyond, value: undefined, headers: [] }), /has no partition 7/],
    [() => write("small", new Uint8Array(600)), /larger than "small" takes: .*max.message.bytes/],
    [() => write("orders", new Uint8Array(33 * 1024 * 1024)), /larger than "orders" takes/],
    [() => write("compact"), /a compacted topic takes none without a key/],
    [() => client.settings({ type: "topic", name: "none" }), /There is no topic "none"/],
    [() => client.settings({ type: "broker", name: "9" }), /No broker 9 lives. .*: 1$/],
    [
      () => client.read([{ topic: "small", partition: 0, offset: 5n }], BOUNDS),
      /cannot be read from offset 5. It is empty; the next record gets offset 0$/,
    ],
    [
      () => client.read([{ topic: "orders", partition: 1, offset: 9n }], BOUNDS),
      /It has offsets 0 to 2; the next record gets 3$/,
    ],
  ];
  for (const [ask, words] of told) await refused(ask, words);
  equal((await client.snapshot(["none", "small"])).topics.length, 1, "nothing is made by asking");
}

async function groups(kafka: Kafka, client: Reaching) {
  deepEqual(await client.groups(), []);
  const reading = (...more: string[]) => ["--topic", "orders", "--from-beginning", ...more];
  const newer = ["--consumer-property", "group.protocol=consumer"];
  {
    await using classic = kafka.start("kafka-console-consumer", reading("--group", "classic"));
    await using modern = kafka.start(
      "kafka-console-consumer",
      reading("--group", "modern", ...newer),
    );
    await until("both read", PATIENCE_MS, async () => {
      const all = await client.groups();
      return all.length === 2 && all.every(({ state }) => state === "Stable") &&
        [classic, modern].every(({ words }) => words().includes("x\nx\nx"));
    });
    deepEqual(await client.groups(), [
      { id: "classic", state: "Stable", type: "classic" },
      { id: "modern", state: "Stable", type: "consumer" },
    ]);
    const details = await client.groupDetails(["modern", "none", "classic"]);
    deepEqual(details.map(({ id, type }) => [id, type]), [
      ["modern", "consumer"],
      ["classic", "classic"],
    ]);
    for (const { members } of details) {
      deepEqual(members.map(({ clientId, host }) => [clientId, host]), [[
        "console-consumer",
        "127.0.0.1",
      ]]);
      deepEqual(members[0]!.assigned.map(({ partition }) => partition).sort(), [0, 1]);
    }
  }
  await until("both left", PATIENCE_MS, async () => {
    return (await client.groups()).every(({ state }) => state === "Empty");
  });
  const commits = await client.commits(["classic", "modern", "none"]);
  deepEqual(commits.get("none"), []);
  for (const id of ["classic", "modern"]) {
    const sum = commits.get(id)!.reduce((sum, { offset }) => sum + offset, 0n);
    equal(sum, 3n, id);
  }
}

async function settings(_kafka: Kafka, client: Reaching) {
  const of = { type: "topic", name: "small" } as const;
  const [own, inherited] = await client.settings(of, ["max.message.bytes", "retention.ms"]);
  deepEqual([own!.value, own!.isDefault, own!.source], ["500", false, "topic"]);
  deepEqual([inherited!.isDefault, inherited!.source], [true, "default"]);
  const broker = await client.settings({ type: "broker", name: "1" });
  ok(broker.length > 100);
  for (const { isSensitive, value } of broker) ok(!isSensitive || value === undefined);
  equal(broker.find(({ name }) => name === "node.id")!.source, "static broker");
}

async function snapshot(_kafka: Kafka, client: Reaching) {
  const all = await client.snapshot();
  equal(all.controllerId, 1);
  equal((await client.snapshot([])).controllerId, 1);
  equal((await client.snapshot(["orders"])).controllerId, undefined);
  match(all.clusterId!, /^gatehouse-kafka/);
  deepEqual(all.brokers.map(({ id, rack }) => [id, rack]), [[1, "rack-1"]]);
  deepEqual(all.topics.map(({ name }) => name), all.topics.map(({ name }) => name).toSorted());
  equal(all.topics.find(({ name }) => name === "__consumer_offsets")!.internal, true);
  deepEqual(all.topics.find(({ name }) => name === "orders"), {
    name: "orders",
    internal: false,
    partitions: [0, 1].map((partition) => ({ partition, leader: 1, replicas: [1], isr: [1] })),
  });
  deepEqual((await client.snapshot([])).topics, []);
}
