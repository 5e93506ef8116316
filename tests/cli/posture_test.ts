import { deepStrictEqual as deepEqual, ok } from "node:assert/strict";
import { posture } from "../../lib/cli/posture.ts";
import { configure } from "../../lib/config.ts";
import { SECRET } from "../fakes.ts";

type Env = Record<string, string>;

const CLIENT_SECRET = "b8Jq2v-Xw7nR_tL5pZ1k";

const NATIVE = {
  MCP_TRANSPORT: "http",
  OAUTH_ENABLED: "on",
  OAUTH_PROVIDER: "keycloak",
  OAUTH_SERVER_URL: "https://mcp.acme.com",
  OIDC_ISSUER: "https://idp.acme.com/realms/acme",
  MCP_TRUSTED_PROXIES: "10.0.0.1",
  MCP_AUDIT: "file:data/audit.jsonl",
};
const PROXY = {
  ...NATIVE,
  OAUTH_MODE: "proxy",
  OIDC_CLIENT_ID: "gatehouse",
  OIDC_CLIENT_SECRET: CLIENT_SECRET,
  JWT_SECRET: SECRET,
  STORE_URL: "rediss://:p@redis.acme.com:6379",
  OAUTH_REGISTRATION: "documents",
};
const GRAFANA = { ...PROXY, GRAFANA_URL: "https://grafana.acme.com" };
const KAFKA = {
  ...NATIVE,
  OAUTH_TOOL_SCOPES: "produce_message=kafka:write",
  KAFKA_BROKERS: "kafka.acme.com:9093",
  KAFKA_TLS_ENABLE: "true",
  KAFKA_SASL_MECHANISM: "scram-sha-512",
  KAFKA_SASL_USER: "gatehouse",
  KAFKA_SASL_PASSWORD: CLIENT_SECRET,
  KAFKA_TOPICS_ALLOW: "orders.*",
};

function judged(env: Env) {
  const configured = configure({ flags: {}, env, readFile: () => "" });
  ok(configured.ok, JSON.stringify(configured));
  const findings = posture(configured.config);
  for (const finding of findings) {
    ok(finding.what && finding.fix, JSON.stringify(finding));
    ok(!JSON.stringify(findings).includes(CLIENT_SECRET));
  }
  const wheres = (advice: boolean) =>
    findings.filter((finding) => Boolean(finding.advice) === advice).map(({ where }) => where);
  return { refused: wheres(false), advised: wheres(true) };
}

const READY: [what: string, env: Env][] = [
  ["native mode behind a proxy", NATIVE],
  ["proxy mode with Redis", PROXY],
  ["Google for one company", {
    ...NATIVE,
    OAUTH_PROVIDER: "google",
    OIDC_ISSUER: "",
    OIDC_AUDIENCE: "x.apps.googleusercontent.com",
    OAUTH_ALLOW: "domain:acme.com",
  }],
  ["Grafana with the login's own token", GRAFANA],
  ["Kafka with TLS, a password and a scope for writing", KAFKA],
];
for (const [what, env] of READY) {
  Deno.test(`posture() finds nothing to say of ${what}`, () => {
    deepEqual(judged(env), { refused: [], advised: [] });
  });
}

const REFUSED: [what: string, env: Env, where: string][] = [
  ["stdio", { MCP_TRANSPORT: "stdio" }, "MCP_TRANSPORT"],
  ["no OAuth", { ...NATIVE, OAUTH_ENABLED: "off", MCP_INSECURE: "on" }, "OAUTH_ENABLED"],
  ["http on this machine as the public URL", {
    ...NATIVE,
    OAUTH_SERVER_URL: "http://localhost:8080",
  }, "OAUTH_SERVER_URL"],
  [
    "https on this machine as the public URL",
    { ...NATIVE, OAUTH_SERVER_URL: "https://localhost" },
    "OAUTH_SERVER_URL",
  ],
  [
    "pages over http",
    { ...NATIVE, MCP_ALLOWED_ORIGINS: "https://a.acme.com,http://b.acme.com" },
    "MCP_ALLOWED_ORIGINS",
  ],
  [
    "proxies all over the internet",
    { ...NATIVE, MCP_TRUSTED_PROXIES: "10.0.0.0/8,::/1" },
    "MCP_TRUSTED_PROXIES",
  ],
  ["tokens made with a secret", {
    ...NATIVE,
    OAUTH_PROVIDER: "hmac",
    JWT_SECRET: SECRET,
    OIDC_ISSUER: "",
  }, "OAUTH_PROVIDER"],
  [
    "an issuer over http",
    { ...NATIVE, OIDC_ISSUER: "http://localhost:8090/realms/acme" },
    "OIDC_ISSUER",
  ],
  ["everybody with a Google account", {
    ...NATIVE,
    OAUTH_PROVIDER: "google",
    OIDC_ISSUER: "",
    OIDC_AUDIENCE: "x.apps.googleusercontent.com",
  }, "OAUTH_ALLOW"],
  ["a store that forgets", { ...PROXY, STORE_URL: "memory:" }, "STORE_URL"],
  [
    "a password of Redis in clear",
    { ...PROXY, STORE_URL: "redis://:p@redis.acme.com" },
    "STORE_URL",
  ],
  ["a short client secret", { ...PROXY, OIDC_CLIENT_SECRET: "x8Jq2v-Xw7n" }, "OIDC_CLIENT_SECRET"],
  ["a client secret out of an example", {
    ...PROXY,
    OIDC_CLIENT_SECRET: "please-change-me-soon-1234",
  }, "OIDC_CLIENT_SECRET"],
  [
    "scopes of tools for everybody",
    { ...PROXY, OAUTH_TOOL_SCOPES: "whoami=mcp:read" },
    "OAUTH_ROLE_SCOPES",
  ],
  [
    "tokens handed on to Grafana",
    { ...NATIVE, GRAFANA_URL: "https://grafana.acme.com" },
    "GRAFANA_AUDIENCE",
  ],
  ["one account at Grafana for all", {
    ...GRAFANA,
    GRAFANA_AUTH: "service-account",
    GRAFANA_API_KEY: "glsa_x",
  }, "GRAFANA_AUTH"],
  ["a password of Kafka in clear", {
    ...KAFKA,
    KAFKA_TLS_ENABLE: "off",
    KAFKA_SASL_MECHANISM: "plain",
  }, "KAFKA_TLS_ENABLE"],
  ["tokens at Kafka in clear", {
    ...KAFKA,
    KAFKA_TLS_ENABLE: "off",
    KAFKA_SASL_MECHANISM: "oauthbearer",
  }, "KAFKA_TLS_ENABLE"],
  ["a poor password at Kafka", { ...KAFKA, KAFKA_SASL_PASSWORD: "kafka" }, "KAFKA_SASL_PASSWORD"],
  [
    "everybody writing to Kafka",
    { ...KAFKA, OAUTH_TOOL_SCOPES: "consume_*=kafka:read" },
    "OAUTH_TOOL_SCOPES",
  ],
];
for (const [what, env, where] of REFUSED) {
  Deno.test(`posture() refuses ${what}`, () => {
    deepEqual(judged(env).refused, [where]);
  });
}

const ADVISED: [what: string, env: Env, where: string][] = [
  ["plain HTTP from other machines", { ...NATIVE, MCP_HTTP_HOST: "0.0.0.0" }, "MCP_HTTP_HOST"],
  ["limits that count all as one", { ...NATIVE, MCP_TRUSTED_PROXIES: "" }, "MCP_TRUSTED_PROXIES"],
  ["tokens for something else", { ...NATIVE, OIDC_AUDIENCE: "account" }, "OIDC_AUDIENCE"],
  ["a store that is a file", { ...PROXY, STORE_URL: "sqlite:data/x.db" }, "STORE_URL"],
  [
    "Redis without a password and in clear",
    { ...PROXY, STORE_URL: "redis://redis.acme.com" },
    "STORE_URL",
  ],
  [
    "clients that register by themselves",
    { ...PROXY, OAUTH_REGISTRATION: "documents,dynamic" },
    "OAUTH_REGISTRATION",
  ],
  ["Grafana in clear", { ...GRAFANA, GRAFANA_URL: "http://grafana.monitoring.svc" }, "GRAFANA_URL"],
  ["scram in clear", { ...KAFKA, KAFKA_TLS_ENABLE: "off" }, "KAFKA_TLS_ENABLE"],
  ["all topics", { ...KAFKA, KAFKA_TOPICS_ALLOW: "" }, "KAFKA_TOPICS_ALLOW"],
  ["a talkative log", { ...NATIVE, LOG_LEVEL: "debug" }, "LOG_LEVEL"],
  ["no audit", { ...NATIVE, MCP_AUDIT: "" }, "MCP_AUDIT"],
  [
    "metrics for other machines",
    { ...NATIVE, MCP_METRICS_LISTEN: "0.0.0.0:9464" },
    "MCP_METRICS_LISTEN",
  ],
];
for (const [what, env, where] of ADVISED) {
  Deno.test(`posture() has a word on ${what}, and refuses nothing`, () => {
    deepEqual(judged(env), { refused: [], advised: [where] });
  });
}

Deno.test("posture() lets nobody write to Kafka who may only read", () => {
  deepEqual(judged({ ...KAFKA, OAUTH_TOOL_SCOPES: "", MCP_READ_ONLY: "true" }).refused, []);
});

Deno.test("posture() tells everything at once", () => {
  const { refused } = judged({
    ...PROXY,
    OAUTH_SERVER_URL: "http://localhost:8080",
    STORE_URL: "memory:",
    OIDC_CLIENT_SECRET: "x",
  });
  deepEqual(refused, ["OAUTH_SERVER_URL", "OIDC_CLIENT_SECRET", "STORE_URL"]);
});
