import { rejects, strictEqual as equal } from "node:assert/strict";
import { MAX_VALUE_BYTES } from "../../lib/store.ts";
import { MAX_ENTRIES, MAX_LENGTH, memory, SWEEP_SECONDS } from "../../lib/store/memory.ts";
import { fakePorts } from "../fakes.ts";
import { storeSuite } from "../suites/store.ts";

storeSuite({
  name: "memory()",
  make: () => {
    const ports = fakePorts();
    const store = memory(ports);
    return Promise.resolve({
      store,
      expire: ports.advance,
      [Symbol.asyncDispose]: () => store.close(),
    });
  },
});

const FULL = /^Error: Cannot store any more: the memory store is full$/;

Deno.test("memory() refuses what is new when it is full, and evicts nothing", async () => {
  const ports = fakePorts();
  const store = memory(ports);
  await store.put("first", "1", 10);
  for (let nth = 1; nth < MAX_ENTRIES; nth++) await store.put(`key ${nth}`, "1", 20);
  await rejects(store.put("new", "1", 10), FULL);
  await rejects(store.putIfAbsent("new", "1", 10), FULL);
  equal(await store.get("first"), "1");
  await store.put("first", "2", 10);
  equal(await store.replace("first", "2", "3", 10), true);
  equal(await store.putIfAbsent("first", "4", 10), false);
  equal(await store.get("new"), undefined);

  ports.advance(9);
  await rejects(store.put("new", "1", 10), FULL);
  ports.advance(1);
  await store.put("new", "1", 10);
  await rejects(store.put("newer", "1", 10), FULL);
  equal(await store.take("key 1"), "1");
  await store.put("newer", "1", 10);
});

Deno.test("memory() is full as well when its values are too long together", async () => {
  const ports = fakePorts();
  const store = memory(ports);
  const value = "v".repeat(MAX_VALUE_BYTES);
  await store.put("first", value, 10);
  for (let size = 2 * value.length; size <= MAX_LENGTH; size += value.length) {
    await store.put(`key ${size}`, value, 20);
  }
  await rejects(store.put("new", "1", 10), FULL);
  await store.put("first", value.slice(1), 10);
  await store.put("new", "1", 10);
  await rejects(store.put("new", "12", 10), FULL);
  await rejects(store.replace("new", "1", "12", 10), FULL);
  equal(await store.get("new"), "1");
  await store.take("new");
  await store.put("first", value, 10);
  ports.advance(10);
  await store.put("new", value, 10);
});

Deno.test("memory() lets expired entries go that nobody asks for", async () => {
  const ports = fakePorts();
  const store = memory(ports);
  for (const key of ["a", "b", "c"]) await store.put(key, "1", SWEEP_SECONDS);
  await store.put("d", "1", 2 * SWEEP_SECONDS);
  ports.advance(SWEEP_SECONDS - 1);
  await store.put("e", "1", SWEEP_SECONDS);
  equal(store.size, 5);
  ports.advance(1);
  await store.put("e", "2", SWEEP_SECONDS);
  equal(store.size, 2);
});

Deno.test("memory() lets an expired entry go when somebody asks for it", async () => {
  const ports = fakePorts();
  const store = memory(ports);
  await store.put("a", "1", 1);
  ports.advance(1);
  equal(store.size, 1);
  equal(await store.get("a"), undefined);
  equal(store.size, 0);
});
