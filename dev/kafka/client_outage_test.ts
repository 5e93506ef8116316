/**
 * The client while brokers come and go.
 *
 * @module
 */

import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { until } from "../keycloak/wait.ts";
import { startKafka } from "./kafka.ts";
import { BOUNDS, bytes, everything, reach, refused, text, topic } from "./reaching.ts";

const PATIENCE_MS = 60_000;
const AWAY = /^Kafka cannot be reached at the moment/;
const UNKNOWN = /^It is not known whether the record was written to "orders"/;

Deno.test("a client is made without Kafka, and finds it when it comes", async () => {
  await using kafka = await startKafka();
  await kafka.run("kafka-topics", topic("orders"));
  await kafka.stop(1);
  await using client = reach(kafka.bootstrap());
  const place = { topic: "orders", partition: 0 };

  equal(await client.ready(), false);
  match(await refused(() => client.snapshot(), AWAY), /ECONNREFUSED/);
  match(await refused(() => client.write({ ...place, value: bytes("x"), headers: [] }), AWAY), /./);
  await refused(() => client.read([{ ...place, offset: 0n }], BOUNDS), AWAY);

  await kafka.restart(1);
  await until("it is ready by itself", PATIENCE_MS, () => client.ready());
  deepEqual(client.lines.map(({ event }) => event), ["kafka lost", "kafka connected"]);
  deepEqual(await everything(client, place), []);
});

Deno.test("a broker that is killed and comes back is used again", async () => {
  await using kafka = await startKafka();
  await using client = reach(kafka.bootstrap());
  await kafka.run("kafka-topics", topic("orders"));
  const write = (value: string) =>
    client.write({ topic: "orders", partition: 0, value: bytes(value), headers: [] });
  await write("before");
  equal(await client.ready(), true);

  await kafka.kill(1);
  await refused(() => write("meanwhile"), AWAY);
  equal(await client.ready(), false);
  await kafka.restart(1);
  await until("it is ready by itself", PATIENCE_MS, () => client.ready());

  await write("after");
  const records = await everything(client, { topic: "orders", partition: 0 });
  deepEqual(records.map(({ value }) => text(value)), ["before", "after"]);
});

Deno.test("no record is lost or doubled unsaid while leaders are killed", async () => {
  await using kafka = await startKafka({ brokers: 3 });
  await using client = reach(kafka.bootstrap());
  await kafka.run("kafka-topics", topic("orders", "--replica-assignment", "1:2:3,2:3:1,3:1:2"));
  const [confirmed, unknown, refusedOnes]: Set<string>[] = [new Set(), new Set(), new Set()];
  let isOver = false;
  const writer = async (partition: number) => {
    for (let at = 0; !isOver; at++) {
      const value = `${partition} ${at}`;
      await client.write({ topic: "orders", partition, value: bytes(value), headers: [] }).then(
        () => confirmed!.add(value),
        (error) => (UNKNOWN.test(error.message) ? unknown : refusedOnes)!.add(value),
      );
    }
  };
  const writers = [0, 1, 2].map(writer);
  for (const broker of [1, 2]) {
    const before = confirmed!.size;
    await until("some are written", PATIENCE_MS, () => confirmed!.size > before + 50);
    await kafka.kill(broker);
    const then = confirmed!.size;
    await until("others lead", PATIENCE_MS, () => confirmed!.size > then + 50);
    await kafka.restart(broker);
  }
  isOver = true;
  await Promise.all(writers);

  const found = new Map<string, number>();
  for (const partition of [0, 1, 2]) {
    for (const { value } of await everything(client, { topic: "orders", partition })) {
      found.set(text(value)!, (found.get(text(value)!) ?? 0) + 1);
    }
  }
  deepEqual([...confirmed!].filter((value) => !found.has(value)), [], "confirmed, yet lost");
  deepEqual([...refusedOnes!].filter((value) => found.has(value)), [], "refused, yet written");
  deepEqual([...found].filter(([, count]) => count > 1), [], "written twice");
});

Deno.test("a broker that hangs is not waited for beyond the call's time", async () => {
  await using kafka = await startKafka();
  await using client = reach(kafka.bootstrap(), { timeoutMs: 2_000 });
  await kafka.run("kafka-topics", topic("orders"));
  const place = { topic: "orders", partition: 0 };
  const record = { ...place, value: bytes("x"), headers: [] };
  await client.write(record);

  kafka.freeze(1);
  const asked = [
    refused(() => client.write(record), /did not answer within 2 seconds|cannot be reached/),
    refused(
      () => client.read([{ ...place, offset: 0n }], BOUNDS),
      /did not answer within 2 seconds/,
    ),
    ...Array.from(
      { length: 20 },
      () => refused(() => client.snapshot(), /did not answer within 2 seconds/),
    ),
  ];
  await Promise.all(asked);
  kafka.thaw(1);

  await until("it answers", PATIENCE_MS, () => client.write(record).catch(() => undefined));
});

Deno.test("a replica that hangs leaves a write open, and one that is missed has it refused", async () => {
  await using kafka = await startKafka({ brokers: 3 });
  await using client = reach(kafka.bootstrap(), { timeoutMs: 4_000 });
  const strict = ["--config", "min.insync.replicas=2"];
  await kafka.run("kafka-topics", topic("orders", "--replica-assignment", "1:2", ...strict));
  const record = { topic: "orders", partition: 0, value: bytes("x"), headers: [] };
  await client.write(record);

  // The leader has the record, and waits for the other one.
  kafka.freeze(2);
  await refused(() => client.write(record), UNKNOWN);
  kafka.thaw(2);

  await until("both are in sync", PATIENCE_MS, () => client.write(record).catch(() => undefined));

  // Once the other one is missed, the leader refuses at once.
  await kafka.kill(2);
  await until("it is missed", PATIENCE_MS, async () => {
    const [topic] = (await client.snapshot(["orders"])).topics;
    return topic!.partitions[0]!.isr.length === 1;
  });
  await refused(() => client.write(record), /^The record was not written: fewer replicas of/);
});

Deno.test("a cluster whose controllers have no majority is told of all the same", async () => {
  await using kafka = await startKafka({ brokers: 2 });
  await using client = reach(kafka.bootstrap());
  await kafka.run("kafka-topics", topic("orders", "--replica-assignment", "1"));
  ok((await client.snapshot()).controllerId !== undefined);
  await kafka.kill(2);
  const { topics } = await until("nobody leads", PATIENCE_MS, async () => {
    const snapshot = await client.snapshot();
    return snapshot.controllerId === undefined && snapshot;
  });
  deepEqual(topics.map(({ name }) => name), ["orders"]);
});

Deno.test("closing ends what is under way, and nothing is done afterwards", async () => {
  await using kafka = await startKafka();
  const client = reach(kafka.bootstrap());
  await kafka.run("kafka-topics", topic("orders"));
  const start = { topic: "orders", partition: 0, offset: 0n };
  const closed = { message: "Cannot ask Kafka: the client is closed" };
  await client.read([start], BOUNDS);
  const waiting = Array.from(
    { length: 10 },
    () => rejects(client.read([start], { ...BOUNDS, maxWaitMs: 60_000 }), closed),
  );
  await client.close();
  await Promise.all(waiting);
  await rejects(() => client.snapshot(), closed);
  await client.close();
});

Deno.test("what is no Kafka, or not there at all, is told as not reached", async () => {
  await using web = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    () => new Response(),
  );
  await using strange = reach([`127.0.0.1:${web.addr.port}`], { timeoutMs: 3_000 });
  await refused(() => strange.snapshot(), /cannot be reached|did not answer/);
  await using nowhere = reach(["no-such-host.invalid:9092"], { timeoutMs: 3_000 });
  await refused(() => nowhere.snapshot(), /cannot be reached|did not answer/);
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using waiting = reach([`127.0.0.1:${silent.addr.port}`], { timeoutMs: 1_000 });
  await refused(() => waiting.snapshot(), /did not answer within 1 seconds|cannot be reached/);
  equal(await waiting.ready(), false);
});
