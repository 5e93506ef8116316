/**
 * A real Redis on this machine, for tests. Valkey does as well: `REDIS_SERVER=valkey-server`.
 *
 * It answers on loopback only, persists nothing and ends with whoever started it.
 *
 * @module
 */

import { freePort } from "../keycloak/keycloak.ts";
import { until } from "../keycloak/wait.ts";

const START_DEADLINE_MS = 10_000;

/** A Redis that runs. */
export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  /** Where a store finds it. */
  readonly url: string;
  /** Stops it in the middle of whatever it does, as it is when a network swallows everything. */
  freeze(): void;
  /** Lets it go on. */
  thaw(): void;
  /** Ends it. What it held is gone. */
  stop(): Promise<void>;
  /** Starts it anew at the same port. */
  start(): Promise<void>;
}

/**
 * Starts Redis and waits until it answers.
 *
 * @param options Further options of `redis-server`, such as `["--requirepass", "x"]`.
 * @throws {Error} When it does not start, with its last words, or there is no `redis-server`.
 */
export async function startRedis(options: readonly string[] = []): Promise<RedisServer> {
  const port = freePort();
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-redis-" });
  let child: Deno.ChildProcess | undefined;

  const stop = async () => {
    const ending = child;
    child = undefined;
    if (!ending) return;
    // It has nothing to save, and a frozen one hears no other signal.
    ending.kill("SIGKILL");
    await ending.status;
  };
  const start = async () => {
    const started = spawn(port, folder, options);
    child = started;
    let ended = false;
    started.status.then(() => ended = true);
    try {
      await until("Redis answers", START_DEADLINE_MS, async () => {
        if (ended) throw new Error(`Cannot start Redis:\n${await lastWords(folder)}`);
        return await answers(port);
      });
    } catch (error) {
      await stop().catch(() => {});
      throw error;
    }
  };
  const dispose = async () => {
    await stop();
    await Deno.remove(folder, { recursive: true });
  };
  try {
    await start();
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    freeze: () => child?.kill("SIGSTOP"),
    thaw: () => child?.kill("SIGCONT"),
    stop,
    start,
    [Symbol.asyncDispose]: dispose,
  };
}

function spawn(port: number, folder: string, options: readonly string[]): Deno.ChildProcess {
  const program = Deno.env.get("REDIS_SERVER") ?? "redis-server";
  const args = [
    ["--port", String(port)],
    ["--bind", "127.0.0.1"],
    ["--dir", folder],
    ["--logfile", "redis.log"],
    ["--save", ""],
    ["--appendonly", "no"],
    options,
  ].flat();
  try {
    return new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "null" })
      .spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(`Cannot find ${program}: install Debian's redis-server, or set REDIS_SERVER`);
  }
}

/** Whether a server speaks the protocol, be it only to ask for a password or to be loading. */
async function answers(port: number): Promise<boolean> {
  try {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(new TextEncoder().encode("PING\r\n"));
    const reply = new Uint8Array(1);
    return await connection.read(reply) === 1;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}

async function lastWords(folder: string): Promise<string> {
  return (await Deno.readTextFile(`${folder}/redis.log`).catch(() => "")).slice(-4_000);
}
