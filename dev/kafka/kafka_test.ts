/**
 * That the script starts what it says, and ends it.
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
import { brokersSeenAt } from "./metadata.ts";

const PATIENCE_MS = 60_000;

const portOf = (address: string) => Number(address.split(":").at(-1));

Deno.test("every one of three brokers knows all of them", async () => {
  await using kafka = await startKafka({ brokers: 3 });
  const ports = kafka.bootstrap().map(portOf);
  equal(new Set(ports).size, 3);
  deepEqual(await Promise.all(ports.map(brokersSeenAt)), [3, 3, 3]);
});

Deno.test("a killed broker is missed, and comes back to its port with its data", async () => {
  await using kafka = await startKafka({ brokers: 3 });
  const [first, second] = kafka.bootstrap().map(portOf) as [number, number, number];
  await kafka.run("kafka-topics", ["--create", "--topic", "orders", "--replica-assignment", "1"]);
  await kafka.run("kafka-console-producer", ["--topic", "orders"], "shoes\n");

  await kafka.kill(1);

  equal(await brokersSeenAt(first), 0);
  await until("the others miss it", PATIENCE_MS, async () => await brokersSeenAt(second) === 2);
  await kafka.restart(1);
  equal(await brokersSeenAt(first), 3);
  const all = ["--topic", "orders", "--from-beginning", "--max-messages", "1"];
  match(await kafka.run("kafka-console-consumer", all), /^shoes$/m);
});

Deno.test("a broker that ends in order hands its partitions over before it is gone", async () => {
  await using kafka = await startKafka({ brokers: 3 });
  const placed = ["--replica-assignment", "1:2"];
  await kafka.run("kafka-topics", ["--create", "--topic", "orders", ...placed]);

  await kafka.stop(1);

  match(await kafka.run("kafka-topics", ["--describe", "--topic", "orders"]), /Leader: 2/);
  equal(await brokersSeenAt(portOf(kafka.bootstrap()[0]!)), 0);
});

Deno.test("a broker that runs is not started again", async () => {
  await using kafka = await startKafka();
  await rejects(() => kafka.restart(1), { message: "Cannot start broker 1: it runs" });
});

Deno.test("a tool that fails says why", async () => {
  await using kafka = await startKafka();
  await rejects(
    () => kafka.run("kafka-topics", ["--describe", "--topic", "orders"]),
    /Cannot run kafka-topics .*'orders' does not exist/s,
  );
});

Deno.test("a consumer goes on until it is disposed of, and is then a member no more", async () => {
  await using kafka = await startKafka();
  await kafka.run("kafka-topics", ["--create", "--topic", "orders"]);
  const members = () =>
    kafka.run("kafka-consumer-groups", ["--describe", "--group", "shop", "--members"]);
  {
    const topic = ["--topic", "orders", "--group", "shop", "--from-beginning"];
    await using consumer = kafka.start("kafka-console-consumer", topic);
    await kafka.run("kafka-console-producer", ["--topic", "orders"], "shoes\n");
    await until("it reads", PATIENCE_MS, () => consumer.words().includes("shoes"));
    match(await members(), /console-consumer/);
  }
  ok(!(await members()).includes("console-consumer"));
});

Deno.test("a broker that cannot start says so in its own words, and nothing is left", async () => {
  await rejects(
    () => startKafka({ extra: { "process.roles": "waiter" } }),
    /Cannot run kafka-storage .*waiter/s,
  );
  await rejects(
    () => startKafka({ extra: { "authorizer.class.name": "no.such.Authorizer" } }),
    /Cannot start broker 1:.*no\.such\.Authorizer/s,
  );
});
