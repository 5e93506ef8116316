/**
 * Logins of the whole program at a broker: by password, by certificate, and refused.
 *
 * @module
 */

import { match, ok, strictEqual as equal } from "node:assert/strict";
import { certificates } from "../../tests/certificates.ts";
import { type Kafka, startKafka } from "./kafka.ts";
import { discreet } from "./pack_log.ts";
import { callerAt, makeTopics, saidAt, startGate, startUnready } from "./pack_stand.ts";
import type { Listener } from "./settings.ts";

const PASSWORD = "the clerk's own password";
const OTHER_PASSWORD = "nobody's own password";
const NOT_LOGGED_IN = /^Kafka refused the login\./;
const AWAY = /^Kafka cannot be reached at the moment/;

type Env = Readonly<Record<string, string>>;

interface Case {
  readonly name: string;
  readonly listener: Listener;
  readonly env: Env;
}

interface Refused extends Case {
  readonly words: RegExp;
  /** What the log tells whoever runs the server. */
  readonly logged: RegExp;
}

function login(mechanism: string, password = PASSWORD): Env {
  return {
    KAFKA_SASL_MECHANISM: mechanism,
    KAFKA_SASL_USER: "clerk",
    KAFKA_SASL_PASSWORD: password,
  };
}

async function works(kafka: Kafka, { listener, env }: Case): Promise<void> {
  await using gate = await startGate(kafka.bootstrap(listener), env);
  await using alice = await callerAt(gate, "alice");
  await alice.ask("produce_message", { topic: "zebra-login", value: "quokka" });
  const { brokers } = await alice.ask<{ brokers: unknown[] }>("list_brokers");
  equal(brokers.length, 1);
  equal((await gate.stop()).code, 0);
  equal(discreet(gate, [PASSWORD]).length, 2);
}

async function refuses(kafka: Kafka, { listener, env, words, logged }: Refused): Promise<void> {
  await using gate = await startUnready(kafka.bootstrap(listener), env);
  await using alice = await callerAt(gate, "alice");
  const said = await alice.refusal("list_topics");
  match(said, words);
  const { status, text } = await saidAt(gate, "/readyz");
  equal(status, 503);
  match(text, /kafka/);
  equal((await saidAt(gate, "/healthz")).status, 200);
  ok(!said.includes(OTHER_PASSWORD));
  equal((await gate.stop()).code, 0);
  discreet(gate, [PASSWORD, OTHER_PASSWORD]);
  match(gate.stderr(), logged);
}

Deno.test("logins of the whole program", async (t) => {
  await using made = await certificates("IP:127.0.0.1");
  await using other = await certificates("IP:127.0.0.1");
  await using kafka = await startKafka({
    listeners: ["SASL_PLAINTEXT", "SASL_SSL", "SSL", "MUTUAL"],
    users: { clerk: PASSWORD, trainee: PASSWORD },
    certificates: made,
    authorizer: true,
  });
  await makeTopics(
    kafka,
    { name: "zebra-login", brokers: [[1]] },
    { name: "zebra-other", brokers: [[1]] },
  );
  const allow = (principal: string, ...args: string[]) =>
    kafka.run("kafka-acls", ["--add", "--allow-principal", `User:${principal}`, ...args]);
  await Promise.all([
    ...["clerk", "CN=server of a test"].map((principal) =>
      allow(principal, "--operation", "All", "--topic", "*", "--group", "*")
    ),
    allow("trainee", "--operation", "Describe", "--topic", "zebra-login"),
  ]);

  const folder = made.caFile.replace(/[^/]*$/, "");
  const tls = { KAFKA_TLS_ENABLE: "true", KAFKA_TLS_CA_FILE: made.caFile };
  const shown = {
    KAFKA_TLS_CERT_FILE: `${folder}cert.pem`,
    KAFKA_TLS_KEY_FILE: `${folder}key.pem`,
  };
  const strange = { ...tls, KAFKA_TLS_CA_FILE: other.caFile };
  const good: readonly Case[] = [
    { name: "PLAIN", listener: "SASL_PLAINTEXT", env: login("plain") },
    { name: "SCRAM-SHA-256", listener: "SASL_PLAINTEXT", env: login("scram-sha-256") },
    { name: "SCRAM-SHA-512", listener: "SASL_PLAINTEXT", env: login("scram-sha-512") },
    { name: "TLS", listener: "SSL", env: tls },
    { name: "TLS with a certificate", listener: "MUTUAL", env: { ...tls, ...shown } },
    { name: "TLS and PLAIN", listener: "SASL_SSL", env: { ...tls, ...login("plain") } },
    { name: "TLS and SCRAM", listener: "SASL_SSL", env: { ...tls, ...login("scram-sha-512") } },
  ];
  for (const one of good) {
    await t.step(`a call works with ${one.name}`, () => works(kafka, one));
  }

  const failed = { words: NOT_LOGGED_IN, logged: /SASL_AUTHENTICATION_FAILED/ };
  const bad: readonly Refused[] = [
    ...["plain", "scram-sha-256", "scram-sha-512"].map((mechanism) => ({
      name: `another password by ${mechanism}`,
      listener: "SASL_PLAINTEXT" as const,
      env: login(mechanism, OTHER_PASSWORD),
      ...failed,
    })),
    {
      name: "another authority than the broker's",
      listener: "SSL",
      env: strange,
      words: AWAY,
      logged: /UNABLE_TO_VERIFY|certificate/i,
    },
    { name: "no certificate", listener: "MUTUAL", env: tls, words: AWAY, logged: /kafka lost/ },
    { name: "no TLS", listener: "SSL", env: {}, words: AWAY, logged: /Broker requires TLS/ },
  ];
  for (const one of bad) {
    await t.step(`${one.name} is refused in words`, () => refuses(kafka, one));
  }

  await t.step("who lacks a right is told which", async () => {
    await using gate = await startGate(kafka.bootstrap("SASL_PLAINTEXT"), {
      ...login("scram-sha-256"),
      KAFKA_SASL_USER: "trainee",
    });
    await using alice = await callerAt(gate, "alice");
    const topic = "zebra-login";
    const asked = [
      ["produce_message", { topic, value: "quokka" }, /not allow WRITE on .*"zebra-login"/],
      [
        "produce_message",
        { topic, partition: 0, value: "quokka" },
        /not allow WRITE on .*"zebra-login"/,
      ],
      ["consume_messages", { topics: [topic] }, /not allow READ on .*"zebra-login"/],
      [
        "consume_messages",
        { topics: [topic], from: "earliest" },
        /not allow READ on .*"zebra-login"/,
      ],
      [
        "describe_configs",
        { resource_type: "topic", resource_name: topic },
        /not allow DESCRIBE_CONFIGS on topic "zebra-login"/,
      ],
      [
        "describe_configs",
        { resource_type: "broker", resource_name: "1" },
        /not allow DESCRIBE_CONFIGS on the cluster/,
      ],
      ["describe_consumer_group", { group_id: "tapir" }, /not allow DESCRIBE on group "tapir"/],
      ["describe_topic", { topic_name: "zebra-other" }, /DESCRIBE/],
      ["produce_message", { topic: "zebra-other", value: "quokka" }, /DESCRIBE|WRITE/],
    ] as const;
    const wrong: string[] = [];
    for (const [tool, args, words] of asked) {
      const said = await alice.refusal(tool, args).catch(String);
      if (!words.test(said)) wrong.push(`${tool} ${JSON.stringify(args)}: ${said}`);
    }
    equal(wrong.join("\n"), "");
    await gate.stop();
    discreet(gate, [PASSWORD]);
  });
});
