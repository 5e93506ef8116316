/**
 * The real program as a process of its own: started on a free port, waited for, and stopped by its
 * own pid.
 *
 * @module
 */

import { mint } from "../../lib/mint.ts";
import { SECRET } from "../fakes.ts";
import { type Ended, type Process, spawn } from "./process.ts";

/** Command line that runs `main.ts` as its users do. */
export const MAIN: readonly string[] = [
  Deno.execPath(),
  "run",
  "--quiet",
  "-P",
  new URL("../../main.ts", import.meta.url).pathname,
];

/** Settings of an HTTP server with OAuth. */
export const HTTP_ENV = {
  MCP_TRANSPORT: "http",
  OAUTH_ENABLED: "on",
  OAUTH_PROVIDER: "hmac",
  JWT_SECRET: SECRET,
} as const;

/** What to start. */
export interface Launch {
  /** Arguments after those of `command`. */
  readonly args?: readonly string[];
  /** Environment besides what a process needs to run at all; nothing else is inherited. */
  readonly env?: Readonly<Record<string, string>>;
  /** @default {MAIN} */
  readonly command?: readonly string[];
  /** For a program that comes back where it was. @default A free one. */
  readonly port?: number;
  /** A folder to run in, which is its home then, with nothing inherited but `PATH`. */
  readonly alone?: string;
}

/** A program that serves HTTP. */
export interface Program extends Process {
  readonly port: number;
  readonly origin: string;
  /** URL of the MCP endpoint. */
  readonly endpoint: string;
  /** Asks the program to stop, and waits for its end. */
  stop(): Promise<Ended>;
}

/**
 * Starts the program and waits until it is ready. Its port is told by the environment.
 * The log must be at level `info` or below: a line of it tells that the program serves.
 */
export async function start(launch: Launch = {}): Promise<Program> {
  // Somebody else may take a port between its choice and its use.
  for (let attempt = 1;; attempt++) {
    const port = launch.port ?? freePort();
    const env = { MCP_HTTP_PORT: `${port}`, ...(launch.env ?? HTTP_ENV) };
    const process = launchOf({ ...launch, env });
    const origin = `http://localhost:${port}`;
    if (await ready(process, origin)) {
      const stop = () => {
        process.kill("SIGTERM");
        return process.end(10_000);
      };
      return { ...process, port, origin, endpoint: `${origin}/mcp`, stop };
    }
    process.kill("SIGKILL");
    const { code, stderr } = await process.end(1000);
    if (attempt < 3 && stderr.includes("the port is taken")) continue;
    throw new Error(`Cannot start the program: it ended with ${code}\n${stderr}`);
  }
}

/** Runs the program to its end. */
export async function run(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  await using process = launchOf({ args, env });
  return await process.end(20_000);
}

/** Starts the program without waiting for anything. */
export function launchOf({ args = [], env = {}, command = MAIN, alone }: Launch): Process {
  return spawn([...command, ...args], env, alone);
}

/** A port that nobody listens on. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** A token for the program at `origin`, started with {@linkcode HTTP_ENV}. */
export function tokenFor(
  origin: string,
  subject: string,
  claims: { roles?: readonly string[]; scopes?: readonly string[]; ttl?: number } = {},
): Promise<string> {
  const grant = { roles: [], scopes: [], ttl: 600, ...claims };
  return mint(
    { ...grant, issuer: origin, audiences: [`${origin}/mcp`], subject },
    new TextEncoder().encode(SECRET),
    crypto.randomUUID(),
    Math.floor(Date.now() / 1000),
  );
}

// The log line tells that this very process has the port; /readyz that it answers there.
async function ready(process: Process, origin: string): Promise<boolean> {
  const serving = process.until("stderr", /"event":"serving"/);
  if (!await serving.then(() => true, () => false)) return false;
  const response = await fetch(`${origin}/readyz`, { signal: AbortSignal.timeout(10_000) });
  await response.body?.cancel();
  return response.ok;
}
