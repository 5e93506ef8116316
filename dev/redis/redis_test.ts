/**
 * The Redis store against a real server: the contract suite, outages, passwords and TLS.
 *
 * @module
 */

import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { Redis } from "ioredis";
import { MAX_VALUE_BYTES } from "../../lib/store.ts";
import { PREFIX } from "../../lib/store/redis.ts";
import { storeOf } from "../../lib/stores.ts";
import { fakePorts } from "../../tests/fakes.ts";
import { sharedStoreSuite, storeSuite } from "../../tests/suites/store.ts";
import { until } from "../keycloak/wait.ts";
import { startRedis } from "./redis.ts";

/** Within how many milliseconds a dead server is noticed, and one that is back is used again. */
const NOTICED_MS = 3_000;

const server = await startRedis();
const admin = new Redis(server.url);
Deno.test.afterAll(async () => {
  await admin.quit();
  await server[Symbol.asyncDispose]();
});

const suite = {
  name: "redis()",
  make: async () => {
    await admin.flushall();
    const store = await storeOf(server.url, fakePorts());
    const another = await storeOf(server.url, fakePorts());
    return {
      store,
      another,
      expire,
      async [Symbol.asyncDispose]() {
        await Promise.all([store.close(), another.close()]);
      },
    };
  },
};

/** Takes so many seconds off every entry, as if they had passed: Redis has a clock of its own. */
async function expire(seconds: number): Promise<void> {
  for (const key of await admin.keys(`${PREFIX}*`)) {
    const left = await admin.pttl(key);
    ok(left > 0, `${key} has no expiry`);
    // A time that is not in the future removes the entry. What really passed so far is given back:
    // the boundary is at whole seconds.
    await admin.pexpire(key, Math.ceil(left / 1000) * 1000 - seconds * 1000);
  }
}

storeSuite(suite);
sharedStoreSuite(suite);

const seconds = (since: number) => (performance.now() - since) / 1000;

Deno.test("redis() lets an entry expire by the clock of the server", async () => {
  await using candidate = await suite.make();
  const { store } = candidate;
  const since = performance.now();
  await store.put("a", "1", 1);
  await until("it is gone", 3_000, async () => await store.get("a") === undefined);
  ok(seconds(since) >= 0.99, `It was gone after ${seconds(since)} s`);
});

Deno.test("redis() keeps everything under a prefix of its own", async () => {
  await using candidate = await suite.make();
  const { store } = candidate;
  await admin.set("a", "theirs");
  await store.put("a", "1", 10);
  await store.putIfAbsent("b", "1", 10);
  await store.replace("a", "1", "2", 10);
  deepEqual((await admin.keys("*")).sort(), ["a", `${PREFIX}a`, `${PREFIX}b`]);
  equal(await store.take("a"), "2");
  equal(await admin.get("a"), "theirs");
});

Deno.test("redis() rejects at once while the server is away, and comes back with it", async () => {
  await using own = await startRedis();
  const ports = fakePorts();
  const store = await storeOf(own.url, ports);
  await store.put("a", "1", 10);
  await own.stop();
  const since = performance.now();
  await refusesEverything(store);
  ok(seconds(since) < 1, `It took ${seconds(since)} s`);
  equal(await store.ready(), false);
  await own.start();
  await until("the store is ready", NOTICED_MS, () => store.ready());
  equal(await store.get("a"), undefined);
  equal(await store.putIfAbsent("a", "2", 10), true);
  await own.stop();
  await until("the loss is noticed", NOTICED_MS, () => events(ports).length === 4);
  await store.close();
  deepEqual(events(ports), ["store connected", "store lost", "store connected", "store lost"]);
});

Deno.test("redis() opens although the server is not there yet, and uses it once it is", async () => {
  await using own = await startRedis();
  await own.stop();
  const ports = fakePorts();
  const store = await storeOf(own.url, ports);
  equal(await store.ready(), false);
  await own.start();
  await until("the store is ready", NOTICED_MS, () => store.ready());
  await store.close();
  deepEqual(events(ports), ["store lost", "store connected"]);
});

Deno.test("redis() rejects within seconds when the server does not answer", async () => {
  await using own = await startRedis();
  const ports = fakePorts();
  const store = await storeOf(own.url, ports);
  own.freeze();
  const since = performance.now();
  const [late] = await Promise.all([refusesEverything(store), store.ready()]);
  equal(late, undefined);
  ok(seconds(since) < NOTICED_MS / 1000, `It took ${seconds(since)} s`);
  await until("the loss is noticed", NOTICED_MS, () => events(ports).includes("store lost"));
  own.thaw();
  await until("the store is ready", 2 * NOTICED_MS, () => store.ready());
  await store.put("a", "1", 10);
  await store.close();
});

Deno.test("redis() opens within seconds when the server does not answer, and queues nothing", async () => {
  await using own = await startRedis();
  own.freeze();
  const since = performance.now();
  const store = await storeOf(own.url, fakePorts());
  ok(seconds(since) < NOTICED_MS / 1000, `It took ${seconds(since)} s`);
  await rejects(store.take("a"), /: there is no connection$/);
  await store.close();
});

Deno.test("redis() does not ask a second time what was under way when the connection broke", async () => {
  await using own = await startRedis();
  const store = await storeOf(own.url, fakePorts());
  own.freeze();
  const refused = refusesEverything(store);
  await own.stop();
  await own.start();
  await refused;
  await until("the store is ready", NOTICED_MS, () => store.ready());
  equal(await store.get("a"), undefined);
  await store.close();
});

Deno.test("redis() closes within seconds when the server does not answer", async () => {
  await using own = await startRedis();
  const store = await storeOf(own.url, fakePorts());
  own.freeze();
  const since = performance.now();
  await store.close();
  ok(seconds(since) < NOTICED_MS / 1000, `It took ${seconds(since)} s`);
  own.thaw();
});

Deno.test("redis() closes at once while it looks for the server", async () => {
  await using own = await startRedis();
  const store = await storeOf(own.url, fakePorts());
  await own.stop();
  await until("the loss is noticed", NOTICED_MS, async () => !await store.ready());
  const since = performance.now();
  await store.close();
  ok(seconds(since) < 1, `It took ${seconds(since)} s`);
});

Deno.test("redis() answers what is under way before it closes", async () => {
  await using candidate = await suite.make();
  const { store } = candidate;
  const value = "v".repeat(MAX_VALUE_BYTES);
  const under = Array.from({ length: 100 }, (_, nth) => store.put(`key ${nth}`, value, 10));
  await store.close();
  await Promise.all(under);
});

Deno.test("redis() says that a full server refuses, with nothing of the value", async () => {
  await using candidate = await suite.make();
  const { store } = candidate;
  await admin.config("SET", "maxmemory", "1mb");
  await admin.config("SET", "maxmemory-policy", "noeviction");
  try {
    await rejects(store.put("a", "private value", 10), (error: Error) => {
      match(error.message, /^Cannot ask Redis: OOM /);
      equal(Deno.inspect(error).includes("private value"), false);
      return true;
    });
  } finally {
    await admin.config("SET", "maxmemory", "0");
  }
});

Deno.test("redis() uses the database, the username and the password of its URL", async () => {
  const [password, theirs] = ["p@ss/w%rd:é", "another:é"];
  const user = ["--user", "gate", "on", `>${theirs}`, "~gatehouse:*", "+@all"];
  await using own = await startRedis(["--requirepass", password, ...user]);
  for (const [name, word] of [["", password], ["gate", theirs]] as const) {
    const who = `${name}:${encodeURIComponent(word)}`;
    const store = await storeOf(`redis://${who}@localhost:${own.port}/3`, fakePorts());
    equal(await store.ready(), true, who);
    await store.put("a", "1", 10);
    await store.close();
  }
  const look = new Redis({ port: own.port, password, db: 3 });
  deepEqual(await look.keys("*"), [`${PREFIX}a`]);
  await look.quit();
});

Deno.test("redis() does not log the password of its URL", async () => {
  await using own = await startRedis(["--requirepass", "right-password"]);
  const ports = fakePorts();
  const store = await storeOf(`redis://:wrong-password@127.0.0.1:${own.port}`, ports);
  equal(await store.ready(), false);
  await rejects(store.get("a"), (error: Error) => {
    equal(Deno.inspect(error).includes("wrong-password"), false);
    return true;
  });
  await store.close();
  deepEqual(events(ports), ["store lost"]);
  match(ports.lines.join(""), /WRONGPASS/);
  equal(/wrong-password/.test(ports.lines.join("")), false);
});

async function refusesEverything(store: Awaited<ReturnType<typeof storeOf>>): Promise<void> {
  const asked = [
    store.get("a"),
    store.put("a", "1", 10),
    store.putIfAbsent("a", "1", 10),
    store.replace("a", "1", "2", 10),
    store.take("a"),
  ];
  await Promise.all(asked.map((one) => rejects(one, /^Error: Cannot ask Redis: /)));
}

function events({ lines }: { lines: readonly string[] }): string[] {
  return lines.map((line) => JSON.parse(line).event);
}
