import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { configure } from "../../lib/config.ts";
import type { KafkaConfig } from "../../lib/config/kafka.ts";
import type { Problem } from "../../lib/config/sources.ts";
import { SECRET } from "../fakes.ts";

type Env = Record<string, string>;

const BROKERS = { KAFKA_BROKERS: "kafka.example:9092" };
const PASSWORD = "a password of this test";
const HTTP = { MCP_TRANSPORT: "http" };
const OAUTH = {
  ...HTTP,
  OAUTH_ENABLED: "on",
  OAUTH_PROVIDER: "keycloak",
  OIDC_ISSUER: "https://idp.example/realms/acme",
};
const CLIENT = { OIDC_CLIENT_ID: "gatehouse", OIDC_CLIENT_SECRET: "client-secret-of-this-test" };
const HMAC = { ...HTTP, OAUTH_ENABLED: "on", OAUTH_PROVIDER: "hmac", JWT_SECRET: SECRET };
const EXCHANGE = { ...OAUTH, ...CLIENT, KAFKA_AUTH: "exchange", KAFKA_AUDIENCE: "kafka" };

function from(env: Env, flags: Env = {}, files: Env = {}) {
  return configure({ flags, env, readFile: (path) => files[path] ?? "" });
}

function kafkaOf(env: Env, flags: Env = {}, files: Env = {}): KafkaConfig {
  const configured = from({ ...BROKERS, ...env }, flags, files);
  ok(configured.ok, JSON.stringify(configured));
  ok(configured.config.kafka);
  return configured.config.kafka;
}

function problemsOf(env: Env): readonly Problem[] {
  const configured = from({ ...BROKERS, ...env });
  return configured.ok ? [] : configured.problems;
}

Deno.test("readKafka() has nothing without brokers, whatever else is set", () => {
  const configured = from({
    KAFKA_AUTH: "exchange",
    KAFKA_SASL_USER: "alice",
    KAFKA_TLS_CERT_FILE: "cert.pem",
    KAFKA_TLS_INSECURE_SKIP_VERIFY: "true",
  });
  ok(configured.ok);
  equal(configured.config.kafka, undefined);
});

Deno.test("readKafka() needs brokers alone, and has defaults for the rest", () => {
  deepEqual(kafkaOf({ KAFKA_BROKERS: "a.example:9092, 10.0.0.7:9093,[::1]:9094" }), {
    brokers: ["a.example:9092", "10.0.0.7:9093", "[::1]:9094"],
    clientId: "gatehouse",
    topics: { allow: ["*"], deny: [] },
    timeout: 10,
  });
});

Deno.test("readKafka() reads every setting, from flags too", () => {
  const flags = {
    "kafka-brokers": "kafka.example:9093",
    "kafka-client-id": "tools",
    "kafka-topics-allow": "orders.*, invoices",
    "kafka-topics-deny": "*.secret",
    "kafka-sasl-mechanism": "scram-sha-512",
    "kafka-sasl-user": "gatehouse",
    "kafka-sasl-password": PASSWORD,
    "kafka-tls-enable": "true",
    "kafka-tls-ca-file": "ca.pem",
    "kafka-tls-cert-file": "cert.pem",
    "kafka-tls-key-file": "key.pem",
    "kafka-timeout": "1m",
  };
  const expected = {
    brokers: ["kafka.example:9093"],
    clientId: "tools",
    topics: { allow: ["orders.*", "invoices"], deny: ["*.secret"] },
    login: { mechanism: "scram-sha-512", user: "gatehouse", password: PASSWORD },
    tls: { caFile: "ca.pem", certFile: "cert.pem", keyFile: "key.pem" },
    timeout: 60,
  } as const;
  const env = Object.fromEntries(
    Object.entries(flags).map(([flag, value]) => [flag.toUpperCase().replaceAll("-", "_"), value]),
  );
  deepEqual(kafkaOf(env), expected);
  deepEqual(kafkaOf({}, flags), expected);
});

Deno.test("readKafka() takes the password from a file", () => {
  const { login } = kafkaOf(
    {
      KAFKA_SASL_MECHANISM: "plain",
      KAFKA_SASL_USER: "gatehouse",
      KAFKA_SASL_PASSWORD_FILE: "password.txt",
    },
    {},
    { "password.txt": `${PASSWORD}\n` },
  );
  equal(login?.password, PASSWORD);
});

Deno.test("readKafka() connects as the caller by exchange, and then has no login of its own", () => {
  const { exchange, login } = kafkaOf(EXCHANGE);
  deepEqual([exchange, login], [{ audience: "kafka" }, undefined]);
});

Deno.test("readKafka() logs in with a token of its own by oauthbearer", () => {
  const { exchange, login } = kafkaOf({
    ...OAUTH,
    KAFKA_SASL_MECHANISM: "oauthbearer",
    KAFKA_SASL_USER: "kafka-tools",
    KAFKA_SASL_PASSWORD: PASSWORD,
    KAFKA_SASL_SCOPE: "kafka",
  });
  equal(exchange, undefined);
  deepEqual(login, {
    mechanism: "oauthbearer",
    user: "kafka-tools",
    password: PASSWORD,
    scope: "kafka",
  });
});

const NO_BROKERS = [
  "kafka.example",
  "kafka.example:",
  "kafka.example:0",
  "kafka.example:65536",
  "kafka.example:9092,",
  ",",
  "SASL_SSL://kafka.example:9092",
  "user:hunter2@kafka.example:9092",
  "::1:9092",
  "[::1]",
  "kafka example:9092",
];
for (const text of NO_BROKERS) {
  Deno.test(`readKafka() refuses KAFKA_BROKERS=${text}, with a fix`, () => {
    const [problem, ...others] = problemsOf({ KAFKA_BROKERS: text });
    equal(others.length, 0);
    equal(problem!.where, "KAFKA_BROKERS");
    ok(problem!.fix.length > 0);
  });
}

const SCRAM = { KAFKA_SASL_MECHANISM: "scram-sha-256" };
const OWN = { KAFKA_SASL_USER: "gatehouse", KAFKA_SASL_PASSWORD: PASSWORD };
const BEARER = { ...OWN, KAFKA_SASL_MECHANISM: "oauthbearer" };

const MISFITS: [what: string, env: Env, where: string, fix: RegExp][] = [
  ["a mechanism nobody knows", { KAFKA_SASL_MECHANISM: "gssapi" }, "KAFKA_SASL_MECHANISM", /plain/],
  [
    "a mechanism without a user",
    { ...SCRAM, KAFKA_SASL_PASSWORD: PASSWORD },
    "KAFKA_SASL_USER",
    /set/,
  ],
  [
    "a mechanism without a password",
    { ...SCRAM, KAFKA_SASL_USER: "x" },
    "KAFKA_SASL_PASSWORD",
    /set/,
  ],
  ["a user without a mechanism", OWN, "KAFKA_SASL_MECHANISM", /scram-sha-512/],
  ["oauthbearer without OAuth", BEARER, "KAFKA_SASL_MECHANISM", /OAUTH_ENABLED=on/],
  [
    "oauthbearer without an identity provider",
    { ...HMAC, ...BEARER },
    "KAFKA_SASL_MECHANISM",
    /identity provider/,
  ],
  [
    "exchange without OAuth",
    { KAFKA_AUTH: "exchange", KAFKA_AUDIENCE: "kafka" },
    "KAFKA_AUTH",
    /OAUTH_ENABLED=on/,
  ],
  [
    "exchange over stdio",
    { ...EXCHANGE, MCP_TRANSPORT: "stdio" },
    "KAFKA_AUTH",
    /MCP_TRANSPORT=http/,
  ],
  [
    "exchange without a client",
    { ...OAUTH, KAFKA_AUTH: "exchange", KAFKA_AUDIENCE: "kafka" },
    "OIDC_CLIENT_ID",
    /register/,
  ],
  [
    "exchange without an audience",
    { ...OAUTH, ...CLIENT, KAFKA_AUTH: "exchange" },
    "KAFKA_AUDIENCE",
    /Kafka/,
  ],
  [
    "exchange with passwords",
    { ...EXCHANGE, KAFKA_SASL_MECHANISM: "plain" },
    "KAFKA_SASL_MECHANISM",
    /oauthbearer/,
  ],
  [
    "certificates without TLS",
    { KAFKA_TLS_CA_FILE: "ca.pem" },
    "KAFKA_TLS_ENABLE",
    /KAFKA_TLS_ENABLE=true/,
  ],
  [
    "a certificate without its key",
    { KAFKA_TLS_ENABLE: "on", KAFKA_TLS_CERT_FILE: "c.pem" },
    "KAFKA_TLS_KEY_FILE",
    /both/,
  ],
  [
    "brokers that nobody checks",
    { KAFKA_TLS_INSECURE_SKIP_VERIFY: "true" },
    "KAFKA_TLS_INSECURE_SKIP_VERIFY",
    /KAFKA_TLS_CA_FILE/,
  ],
  // The original took what it could not read for off, and sent passwords in clear.
  ["TLS that is neither on nor off", { KAFKA_TLS_ENABLE: "ture" }, "KAFKA_TLS_ENABLE", /./],
  [
    "skipping that is neither on nor off",
    { KAFKA_TLS_INSECURE_SKIP_VERIFY: "no way" },
    "KAFKA_TLS_INSECURE_SKIP_VERIFY",
    /./,
  ],
  ["a client id that breaks lines", { KAFKA_CLIENT_ID: "a\nb" }, "KAFKA_CLIENT_ID", /letters/],
  ["an empty topic pattern", { KAFKA_TOPICS_ALLOW: "orders,," }, "KAFKA_TOPICS_ALLOW", /comma/],
  ["an endless timeout", { KAFKA_TIMEOUT: "24h" }, "KAFKA_TIMEOUT", /5m/],
];
for (const [what, env, where, fix] of MISFITS) {
  Deno.test(`readKafka() refuses ${what}, and tells what to do`, () => {
    const problems = problemsOf(env);
    deepEqual(problems.map((problem) => problem.where), [where]);
    match(problems[0]!.fix, fix);
    ok(!JSON.stringify(problems).includes(PASSWORD));
  });
}
