/**
 * The two processes of a soak: the server, whose every line is read, and the identity provider,
 * which goes away and comes back.
 *
 * @module
 */

import { TextLineStream } from "./lines.ts";
import { privateKey } from "../../tests/e2e/issuer.ts";
import { inherited, within } from "../../tests/e2e/process.ts";
import { freePort } from "../../tests/e2e/program.ts";
import { memoryOf } from "../bench/servers.ts";
import { until } from "../keycloak/wait.ts";
import { readMetrics } from "./counts.ts";
import type { IssuerSettings } from "./issuer.ts";
import { collectedIn } from "./memory.ts";
import { SCOPE } from "./person.ts";

const ROOT = new URL("../../", import.meta.url);
const START_MS = 60_000;

/** How long each may take to stop, in milliseconds: longer than the server gives calls to finish. */
const STOP_MS = 15_000;

/** The server. */
export interface Server extends AsyncDisposable {
  readonly origin: string;
  readonly storeUrl: string;
  readonly secret: string;
  /** What the process has, in mebibytes. */
  memory(): Promise<number | undefined>;
  /** Everything that it counts. */
  metrics(): Promise<Map<string, number>>;
  /** Resolves with the exit status, once all lines are read. */
  readonly ended: Promise<number>;
  /** Asks it to stop. @returns The exit status. @throws When it does not end in time. */
  stop(): Promise<number>;
}

/** Who listens to the server. */
export interface Ears {
  /** Hears each line of its log. */
  line(line: string): void;
  /** Hears how much was in use when all garbage had been collected, in mebibytes. */
  collected(mebibytes: number): void;
}

/** Starts the server as its users do, but that V8 tells what it collects. */
export async function startServer(
  folder: string,
  { port: issuerPort, client }: IssuerSettings,
  port: number,
  ears: Ears,
): Promise<Server> {
  const secret = crypto.getRandomValues(new Uint8Array(32)).toHex();
  const origin = `http://localhost:${port}`;
  const metrics = `127.0.0.1:${freePort()}`;
  const storeUrl = `sqlite:${folder}/store.db`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-P", "--v8-flags=--trace-gc", `--allow-write=${folder}`, "main.ts"],
    cwd: ROOT,
    clearEnv: true,
    env: {
      ...inherited(),
      MCP_TRANSPORT: "http",
      MCP_HTTP_PORT: `${port}`,
      MCP_SESSIONS: "on",
      MCP_METRICS_LISTEN: metrics,
      MCP_TRUSTED_PROXIES: "127.0.0.1,::1",
      OAUTH_ENABLED: "on",
      OAUTH_MODE: "proxy",
      OAUTH_SCOPES_REQUIRED: SCOPE,
      // As short as can be, so that tokens come and go.
      OAUTH_ACCESS_TTL: "1m",
      OAUTH_PROVIDER: "oidc",
      OIDC_ISSUER: `http://127.0.0.1:${issuerPort}`,
      OIDC_CLIENT_ID: client.id,
      OIDC_CLIENT_SECRET: client.secret,
      JWT_SECRET: secret,
      STORE_URL: storeUrl,
      LOG_FORMAT: "json",
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const reading = Promise.all([
    readLines(child.stderr, ears.line),
    readLines(child.stdout, (line) => {
      const collected = collectedIn(line);
      if (collected !== undefined) ears.collected(collected);
    }),
  ]);
  let isOver = false;
  const ended = child.status.then(async ({ code }) => {
    isOver = true;
    await reading;
    return code;
  });
  const kill = (signal: Deno.Signal) => {
    if (!isOver) child.kill(signal);
  };
  const server: Server = {
    origin,
    storeUrl,
    secret,
    memory: () => memoryOf(child.pid),
    metrics: async () => readMetrics(await (await fetch(`http://${metrics}/metrics`)).text()),
    ended,
    stop: () => {
      kill("SIGTERM");
      return within(STOP_MS, ended, () => "the server to stop");
    },
    async [Symbol.asyncDispose]() {
      kill("SIGKILL");
      await ended;
    },
  };
  try {
    await until("the server is ready", START_MS, async () => {
      if (isOver) throw new Error("Cannot start the server: it ended");
      return await isOk(`${origin}/readyz`);
    });
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return server;
}

/** The identity provider. */
export interface Issuer extends AsyncDisposable {
  readonly settings: IssuerSettings;
  /** Ends it, after what it has begun. */
  stop(): Promise<void>;
  /** Starts it anew, and waits until it answers. */
  start(): Promise<void>;
}

/** Starts the identity provider. @param callback Where it sends people back to. */
export async function startIssuer(folder: string, callback: string): Promise<Issuer> {
  const settings: IssuerSettings = {
    port: freePort(),
    key: await privateKey("soak"),
    callback,
    client: { id: "gatehouse", secret: crypto.randomUUID() },
    memory: `${folder}/issuer-memory.json`,
  };
  const file = `${folder}/issuer.json`;
  await Deno.writeTextFile(file, JSON.stringify(settings));
  let child: Deno.ChildProcess | undefined;
  const end = async (signal: Deno.Signal) => {
    const ending = child;
    child = undefined;
    if (!ending) return;
    ending.kill(signal);
    await within(STOP_MS, ending.status, () => "the identity provider to stop");
  };
  const issuer: Issuer = {
    settings,
    stop: () => end("SIGTERM"),
    async start() {
      child = new Deno.Command(Deno.execPath(), {
        args: ["run", "--quiet", "-A", "dev/soak/issuer.ts", file],
        cwd: ROOT,
        clearEnv: true,
        env: inherited(),
        stdin: "null",
        stdout: "null",
        stderr: "null",
      }).spawn();
      const document = `http://127.0.0.1:${settings.port}/.well-known/openid-configuration`;
      await until("the identity provider answers", START_MS, () => isOk(document));
    },
    [Symbol.asyncDispose]: () => end("SIGKILL"),
  };
  await issuer.start();
  return issuer;
}

async function readLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  onLine: (line: string) => void,
): Promise<void> {
  const lines = stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  for await (const line of lines) onLine(line);
}

async function isOk(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
