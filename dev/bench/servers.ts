/**
 * The servers under test, each a process of its own.
 *
 * @module
 */

import { ENVIRONMENT } from "../../lib/config/settings.ts";

const ROOT = new URL("../../", import.meta.url);

/** How long a server may take to answer for the first time, in milliseconds. */
const START_DEADLINE_MS = 20_000;

/** Signs the tokens of this run; long enough for HS512. */
export const SECRET = crypto.getRandomValues(new Uint8Array(64)).toHex();

/** How much a server may say before the rest is dropped, in characters. */
const MOST_WORDS = 4096;

/** A running server. */
export interface Running extends AsyncDisposable {
  readonly port: number;
  /** From spawning the process until `/healthz` answered, in milliseconds. */
  readonly startedIn: number;
  /** Resident memory, in mebibytes; `undefined` where the system does not tell. */
  memory(): Promise<number | undefined>;
}

/** Starts the bare server. */
export function startBare(): Promise<Running> {
  return start((port) => ["-A", "dev/bench/bare.ts", String(port)]);
}

/** Starts the real program over HTTP with OAuth, and otherwise as it comes but for `settings`. */
export function startGatehouse(settings: Readonly<Record<string, string>> = {}): Promise<Running> {
  return start((port) => [
    "-P",
    "main.ts",
    "serve",
    "--transport=http",
    `--port=${port}`,
    "--oauth-enabled",
    "--oauth-provider=hmac",
  ], settings);
}

async function start(
  argsFor: (port: number) => string[],
  settings: Readonly<Record<string, string>> = {},
): Promise<Running> {
  const port = freePort();
  const env = Deno.env.toObject();
  for (const name of ENVIRONMENT) delete env[name];
  const started = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", ...argsFor(port)],
    cwd: ROOT,
    clearEnv: true,
    env: { ...env, JWT_SECRET: SECRET, ...settings },
    stdin: "null",
    stdout: "null",
    // A pipe, as under a container runtime: what the log costs is part of the figures.
    stderr: "piped",
  }).spawn();
  const said = drain(child.stderr);
  let ended = false;
  const end = child.status.then(() => void (ended = true));
  const stop = async () => {
    if (!ended) child.kill("SIGKILL");
    await end;
  };
  while (!await answers(port)) {
    if (!ended && performance.now() < started + START_DEADLINE_MS) continue;
    await stop();
    throw new Error(`Cannot start the server:\n${await said}`);
  }
  const startedIn = performance.now() - started;
  return { port, startedIn, memory: () => memoryOf(child.pid), [Symbol.asyncDispose]: stop };
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function answers(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/healthz`);
    await response.body?.cancel();
    return response.ok;
  } catch {
    await new Promise((resolve) => setTimeout(resolve, 2));
    return false;
  }
}

async function drain(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    if (text.length < MOST_WORDS) text += decoder.decode(chunk, { stream: true });
  }
  return text;
}

/** Resident memory of a process, in mebibytes; `undefined` where the system does not tell. */
export async function memoryOf(pid: number): Promise<number | undefined> {
  try {
    if (Deno.build.os === "linux") {
      const status = await Deno.readTextFile(`/proc/${pid}/status`);
      return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)![1]) / 1024;
    }
    const { stdout } = await new Deno.Command("ps", { args: ["-o", "rss=", "-p", `${pid}`] })
      .output();
    return Number(new TextDecoder().decode(stdout)) / 1024;
  } catch {
    return undefined;
  }
}
