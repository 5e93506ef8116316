/**
 * Callers who are themselves at Kafka, and a server that is itself there by token.
 *
 * @module
 */

import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { MAX_CALLERS } from "../../lib/pack/kafka/callers.ts";
import { bearerHeader, modernCall } from "../../tests/fakes.ts";
import { type Kafka, startKafka } from "./kafka.ts";
import { discreet } from "./pack_log.ts";
import { AUDIENCE, PEOPLE, type Provider, SELF, SERVICE, startProvider } from "./pack_provider.ts";
import type { Consumed } from "./pack_records.ts";
import { callerWith, makeTopics, saidAt, startGate, startUnready } from "./pack_stand.ts";

const CALLS = 50;

const SECRETS = [SELF.secret, SERVICE.secret];

function exchangeEnv({ issuer }: Provider): Record<string, string> {
  return {
    OAUTH_PROVIDER: "oidc",
    OIDC_ISSUER: issuer,
    OIDC_CLIENT_ID: SELF.id,
    OIDC_CLIENT_SECRET: SELF.secret,
    KAFKA_AUTH: "exchange",
    KAFKA_AUDIENCE: AUDIENCE,
  };
}

function serviceEnv({ issuer }: Provider, password: string): Record<string, string> {
  return {
    OAUTH_PROVIDER: "oidc",
    OIDC_ISSUER: issuer,
    KAFKA_SASL_MECHANISM: "oauthbearer",
    KAFKA_SASL_USER: SERVICE.id,
    KAFKA_SASL_PASSWORD: password,
  };
}

/** Nothing of a token is in the log: not the part that proves it. */
function proofs({ given }: Provider): string[] {
  return given.map((token) => token.split(".")[2]!);
}

Deno.test("callers are themselves at Kafka", async (t) => {
  await using provider = await startProvider();
  const { issuer, jwks } = provider;
  await using kafka = await startKafka({
    listeners: ["OAUTH"],
    oauth: { issuer, jwks, audience: AUDIENCE },
    authorizer: true,
  });
  await makeTopics(
    kafka,
    { name: "zebra-alice", brokers: [[1]] },
    { name: "zebra-bob", brokers: [[1]] },
  );
  for (const name of ["alice", "bob"]) await readable(kafka, name, `zebra-${name}`);
  await readable(kafka, SERVICE.id, "zebra-alice");

  await t.step("each of many calls at once acts as who sent it", async () => {
    await using gate = await startGate(kafka.bootstrap("OAUTH"), exchangeEnv(provider));
    const connect = async (name: string) =>
      callerWith(gate.endpoint, await provider.tokenOf(name, gate.endpoint));
    await using alice = await connect("alice");
    await using bob = await connect("bob");
    const people = { alice, bob };
    const outcomes = await Promise.all(Array.from({ length: CALLS }, async (_, at) => {
      const who = at % 2 === 0 ? "alice" : "bob";
      const whose = at % 4 < 2 ? "alice" : "bob";
      const topics = [`zebra-${whose}`];
      const said = await people[who].ask<Consumed>("consume_messages", { topics })
        .then(({ messages }) => messages.map(({ value }) => value), String);
      return { who, whose, said };
    }));
    for (const { who, whose, said } of outcomes) {
      if (who === whose) deepEqual(said, [`quokka of zebra-${whose}`]);
      else match(String(said), new RegExp(`There is no topic "zebra-${whose}"`));
    }
    const write = { topic: "zebra-alice", value: "quokka" };
    match(await alice.refusal("produce_message", write), /does not allow WRITE/);
    // One exchange serves all calls with a token.
    deepEqual([...provider.exchanged].sort(), ["alice", "bob"]);
    const { topics } = await bob.ask<{ topics: { name: string }[] }>("list_topics");
    deepEqual(topics.map(({ name }) => name), ["zebra-bob"]);

    await using mallory = await connect(PEOPLE.refused);
    match(await mallory.refusal("list_topics"), /identity provider does not let you/);
    await using trudy = await connect(PEOPLE.misled);
    match(await trudy.refusal("list_topics"), /^Kafka refused the login\./);
    match(await alice.write("kafka_cluster_overview"), /^# Kafka cluster overview/);

    equal((await gate.stop()).code, 0);
    const users = Map.groupBy(
      discreet(gate, [...SECRETS, ...proofs(provider)]),
      ({ user }) => user,
    );
    deepEqual([...users.keys()].sort(), ["alice", "bob", "mallory", "trudy"]);
    equal(users.get("alice")!.length, CALLS / 2 + 2);
  });

  await t.step("more callers at once than there are connections for are all served", async () => {
    await using gate = await startGate(kafka.bootstrap("OAUTH"), exchangeEnv(provider));
    const said = await Promise.all(Array.from({ length: MAX_CALLERS + 50 }, async (_, at) => {
      const token = await provider.tokenOf(`one-of-many-${at}`, gate.endpoint);
      const params = { name: "list_topics", arguments: {} };
      const request = modernCall("tools/call", params, bearerHeader(token));
      const { result } = await (await fetch(gate.endpoint, request)).json();
      return result.structuredContent?.topics ?? result.content[0].text;
    }));
    deepEqual(said.filter((topics) => !Array.isArray(topics)), []);
  });

  await t.step("a server that logs in by its own token is itself, whoever calls", async () => {
    const env = serviceEnv(provider, SERVICE.secret);
    await using gate = await startGate(kafka.bootstrap("OAUTH"), env);
    for (const name of ["alice", "bob"]) {
      await using one = await callerWith(
        gate.endpoint,
        await provider.tokenOf(name, gate.endpoint),
      );
      const { topics } = await one.ask<{ topics: { name: string }[] }>("list_topics");
      deepEqual(topics.map(({ name }) => name), ["zebra-alice"]);
    }
    equal((await gate.stop()).code, 0);
    equal(discreet(gate, [...SECRETS, ...proofs(provider)]).length, 2);
  });

  await t.step("a secret that the provider does not take leaves the server unready", async () => {
    const wrong = "another secret than the service's";
    await using gate = await startUnready(kafka.bootstrap("OAUTH"), serviceEnv(provider, wrong));
    const { status, text } = await saidAt(gate, "/readyz");
    equal(status, 503);
    match(text, /kafka/);
    await using alice = await callerWith(
      gate.endpoint,
      await provider.tokenOf("alice", gate.endpoint),
    );
    match(
      await alice.refusal("list_topics"),
      /^Kafka refused the login\. Whoever runs this server/,
    );
    equal((await gate.stop()).code, 0);
    discreet(gate, [wrong, ...proofs(provider)]);
  });
});

/** Writes a record to a topic, and lets somebody read there. */
async function readable(kafka: Kafka, principal: string, topic: string): Promise<void> {
  await kafka.run("kafka-acls", [
    ...["--add", "--allow-principal", `User:${principal}`],
    ...["--operation", "Read", "--topic", topic],
  ]);
  if (topic !== `zebra-${principal}`) return;
  await kafka.run("kafka-console-producer", ["--topic", topic], `quokka of ${topic}\n`);
}
