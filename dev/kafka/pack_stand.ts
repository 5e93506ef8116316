/**
 * The whole program before a real Kafka, and people who call it with the official client.
 *
 * @module
 */

import { fail, ok, strictEqual as equal } from "node:assert/strict";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Admin } from "@platformatic/kafka";
import {
  freePort,
  HTTP_ENV,
  launchOf,
  type Program,
  start,
  tokenFor,
} from "../../tests/e2e/program.ts";
import { until } from "../keycloak/wait.ts";
import type { Kafka } from "./kafka.ts";

/** How long a test waits for Kafka to get somewhere. */
export const PATIENCE_MS = 60_000;

/** Longer than the program takes for anything, so that it is never the client who gives up. */
const CALL_MS = 60_000;

/** Settings of the program before brokers: HTTP, tokens of its own, and all that it can log. */
export function kafkaEnv(
  brokers: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return { ...HTTP_ENV, LOG_LEVEL: "debug", KAFKA_BROKERS: brokers.join(), ...env };
}

/** Starts the program and waits until it is ready, which it is when Kafka answers. */
export function startGate(
  brokers: readonly string[],
  env: Readonly<Record<string, string>> = {},
  args: readonly string[] = [],
): Promise<Program> {
  return start({ env: kafkaEnv(brokers, env), args });
}

/** Starts the program and waits until it serves, whether Kafka is there or not. */
export async function startUnready(
  brokers: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Program> {
  const port = freePort();
  const process = launchOf({ env: { ...kafkaEnv(brokers, env), MCP_HTTP_PORT: `${port}` } });
  await process.until("stderr", /"event":"serving"/);
  const origin = `http://localhost:${port}`;
  const stop = () => {
    process.kill("SIGTERM");
    return process.end(PATIENCE_MS);
  };
  return { ...process, port, origin, endpoint: `${origin}/mcp`, stop };
}

/** Somebody who is connected. Disposing disconnects. */
export interface Caller extends AsyncDisposable {
  /** What a tool yields. @throws When it refuses. */
  ask<T>(tool: string, args?: Record<string, unknown>): Promise<T>;
  /** The words in which a tool refuses. */
  refusal(tool: string, args?: Record<string, unknown>): Promise<string>;
  /** The document of a resource. */
  read<T>(uri: string): Promise<T>;
  /** The text of a prompt. */
  write(prompt: string, args?: Record<string, string>): Promise<string>;
  /** Names of all that is offered. */
  offered(): Promise<{ tools: string[]; resources: string[]; prompts: string[] }>;
}

/** Connects somebody with a token of the program. */
export async function callerAt(
  program: Pick<Program, "origin" | "endpoint">,
  subject: string,
  ...scopes: readonly string[]
): Promise<Caller> {
  return await callerWith(program.endpoint, await tokenFor(program.origin, subject, { scopes }));
}

/** Connects somebody with a token. */
export async function callerWith(endpoint: string, token: string): Promise<Caller> {
  const client = new Client({ name: "kafka-test", version: "1.0.0" }, {
    versionNegotiation: { mode: { pin: "2026-07-28" } },
  });
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(endpoint), { requestInit }));
  // The client holds results against the schemas that it has seen.
  const { tools } = await client.listTools();
  const patience = { timeout: CALL_MS };
  const call = async (name: string, args: Record<string, unknown>) => {
    const result = await client.callTool({ name, arguments: args }, patience);
    const [first] = result.content;
    const text = first?.type === "text" ? first.text : "";
    return { isError: result.isError === true, text, value: result.structuredContent };
  };
  return {
    async ask<T>(tool: string, args = {}) {
      const { isError, text, value } = await call(tool, args);
      ok(!isError, `${tool}: ${text}`);
      return value as T;
    },
    async refusal(tool, args = {}) {
      const { isError, text } = await call(tool, args);
      ok(isError, `${tool} was not refused: ${text}`);
      return text;
    },
    async read<T>(uri: string) {
      const { contents: [content] } = await client.readResource({ uri }, patience);
      return JSON.parse(content && "text" in content ? content.text : fail(uri)) as T;
    },
    async write(name, args = {}) {
      const { messages } = await client.getPrompt({ name, arguments: args }, patience);
      equal(messages.length, 1);
      const { content } = messages[0]!;
      return content.type === "text" ? content.text : fail(name);
    },
    async offered() {
      const { resources } = await client.listResources();
      const { prompts } = await client.listPrompts();
      return {
        tools: tools.map(({ name }) => name),
        resources: resources.map(({ uri }) => uri),
        prompts: prompts.map(({ name }) => name),
      };
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** What a path says. */
export async function saidAt(
  { origin }: Pick<Program, "origin">,
  path: string,
): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(`${origin}${path}`);
  return { status: response.status, text: await response.text() };
}

/** A topic to make: the brokers of each partition, the leader first. */
export interface NewTopic {
  readonly name: string;
  readonly brokers: readonly (readonly number[])[];
  readonly configs?: Readonly<Record<string, string>>;
}

/** Makes topics, and waits until every broker knows them. */
export async function makeTopics(kafka: Kafka, ...topics: readonly NewTopic[]): Promise<void> {
  const admin = new Admin({ clientId: "kafka-test", bootstrapBrokers: kafka.bootstrap() });
  try {
    for (const { name, brokers, configs = {} } of topics) {
      await admin.createTopics({
        topics: [name],
        assignments: brokers.map((ids, partition) => ({ partition, brokers: [...ids] })),
        configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
      });
    }
  } finally {
    await admin.close();
  }
  await Promise.all(kafka.bootstrap().map((address) => known(address, topics)));
}

async function known(address: string, topics: readonly NewTopic[]): Promise<void> {
  const names = topics.map(({ name }) => name);
  const admin = new Admin({ clientId: "kafka-test", bootstrapBrokers: [address], retries: 0 });
  try {
    await until(`${address} knows the topics`, PATIENCE_MS, async () => {
      const found = await admin.metadata({ topics: [...names], forceUpdate: true })
        .catch(() => undefined);
      return found?.topics.size === names.length;
    });
  } finally {
    await admin.close();
  }
}
