/**
 * A store in Redis (6.2 or later) or Valkey: shared by any number of replicas.
 *
 * Expiry goes by the clock of Redis. How durable entries are is up to the server: it should persist
 * them and, having `maxmemory`, refuse writes (`noeviction`) rather than evict grants. Clusters and
 * sentinels are not supported.
 *
 * While there is no connection, operations reject at once: a command that waits for one could be
 * carried out after its caller was told that it failed. For the same reason none is sent twice.
 *
 * @module
 */

import { Redis, type RedisOptions } from "ioredis";
import type { Ports } from "../ports.ts";
import type { Store } from "../store.ts";
import { bounded } from "./bounds.ts";

/** What the keys of this program begin with. */
export const PREFIX = "gatehouse:";

/** How long a connection or an answer may take, in milliseconds. */
const DEADLINE_MS = 2_000;

/** Longest pause between two attempts to connect, in milliseconds. */
const RETRY_MS = 1_000;

// A script runs in one go on the server.
const REPLACE = `
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
redis.call("SET", KEYS[1], ARGV[2], "EX", ARGV[3])
return 1`;

/**
 * Connects to a server, and again whenever the connection is lost.
 *
 * A server that is not there yet is no error: the store is not ready until it is.
 *
 * @param url `redis://[[USERNAME]:PASSWORD@]HOST[:PORT][/DATABASE]`, or `rediss:` for TLS.
 * @throws {Error} When the URL is not such a one.
 */
export async function redis(url: string, ports: Pick<Ports, "log">): Promise<Store> {
  const client = new Redis({ ...BOUNDS, ...addressOf(url) });
  report(client, ports.log);
  await client.connect().catch(() => {});
  return bounded({
    get: async (key) => await answer(client.get(key)) ?? undefined,
    put: async (key, value, ttlSeconds) => {
      await answer(client.set(key, value, "EX", ttlSeconds));
    },
    putIfAbsent: async (key, value, ttlSeconds) =>
      await answer(client.set(key, value, "EX", ttlSeconds, "NX")) === "OK",
    replace: async (key, expected, value, ttlSeconds) =>
      await answer(client.eval(REPLACE, 1, key, expected, value, ttlSeconds)) === 1,
    take: async (key) => await answer(client.getdel(key)) ?? undefined,
    ready: async () => await client.ping() === "PONG",
    close: () => end(client),
  });
}

const BOUNDS = {
  keyPrefix: PREFIX,
  connectionName: "gatehouse",
  disableClientInfo: true,
  protocol: 2,
  lazyConnect: true,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  connectTimeout: DEADLINE_MS,
  commandTimeout: DEADLINE_MS,
  socketTimeout: DEADLINE_MS,
  disconnectTimeout: 0,
  retryStrategy: (attempts) => Math.min(50 * 2 ** attempts, RETRY_MS),
  // The server became a replica: its name may lead to the new primary by now.
  reconnectOnError: (error) => error.message.startsWith("READONLY"),
} satisfies RedisOptions;

function addressOf(text: string) {
  const url = URL.parse(text);
  const secure = url?.protocol === "rediss:";
  if (!url?.hostname || !(secure || url.protocol === "redis:") || url.search || url.hash) {
    throw new Error("Cannot use a Redis store: its URL is not redis://HOST:PORT");
  }
  if (!/^\/?\d{0,4}$/.test(url.pathname)) {
    throw new Error("Cannot use a Redis store: the path of its URL is no database number");
  }
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(url.port || 6379),
    db: Number(url.pathname.slice(1)),
    ...(url.username && { username: decoded(url.username) }),
    ...(url.password && { password: decoded(url.password) }),
    ...(secure && { tls: {} }),
  } satisfies RedisOptions;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error("Cannot use a Redis store: the password in its URL is not percent-encoded");
  }
}

async function end(client: Redis): Promise<void> {
  const ended = new Promise((resolve) => client.once("end", resolve));
  // What is under way is answered first, unless the server does not answer.
  await client.quit().catch(() => {});
  const { status } = client;
  client.disconnect();
  if (status === "reconnecting") {
    // Nothing is open, and the client lets go of its last socket in the next turn.
    await new Promise((resolve) => setTimeout(resolve));
  } else if (status !== "end") {
    await ended;
  }
}

/** Logs when the connection comes and goes, not each attempt. */
function report(client: Redis, log: Ports["log"]): void {
  let lost: boolean | undefined;
  const lose = (error?: unknown) => {
    if (!lost) log("error", "store lost", { store: "redis", error: error && reasonOf(error) });
    lost = true;
  };
  client.on("ready", () => {
    log("info", "store connected", { store: "redis" });
    lost = false;
  });
  client.on("error", lose);
  client.on("reconnecting", () => lose());
}

// Errors of the client carry the command, which nobody should come to log.
async function answer<T>(reply: Promise<T>): Promise<T> {
  try {
    return await reply;
  } catch (error) {
    throw new Error(`Cannot ask Redis: ${reasonOf(error)}`);
  }
}

const NOT_CONNECTED = /isn't writeable|max retries per request|Connection is closed/;

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return NOT_CONNECTED.test(text) ? "there is no connection" : text;
}
