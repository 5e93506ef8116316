import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { type Records, records } from "../../lib/proxy/records.ts";
import { seals } from "../../lib/seal.ts";
import type { Store } from "../../lib/store.ts";
import { memory } from "../../lib/store/memory.ts";
import { sqlite } from "../../lib/store/sqlite.ts";
import { type FakePorts, fakePorts, ORIGIN, SECRET } from "../fakes.ts";

const OLD = new TextEncoder().encode(SECRET);
const NEW = new TextEncoder().encode([...SECRET].reverse().join(""));
const TTL = 60;

/** A store, its clock, and the rows of a kind in it, as servers with `secrets` see them. */
interface Rig extends AsyncDisposable {
  readonly store: Store;
  readonly ports: FakePorts;
  rows<T>(kind: string, secrets?: Uint8Array<ArrayBuffer>[], server?: string): Records<T>;
}

async function rig(kind: "memory" | "sqlite"): Promise<Rig> {
  const ports = fakePorts();
  const folder = kind === "sqlite" ? await Deno.makeTempDir({ prefix: "gatehouse-rows-" }) : "";
  const store = folder ? await sqlite(`${folder}/store.db`, ports) : memory(ports);
  return {
    store,
    ports,
    rows: (kind, secrets = [OLD], server = ORIGIN) =>
      records(store, seals(secrets, server)(`row ${kind}`), kind, ports.now),
    async [Symbol.asyncDispose]() {
      await store.close();
      if (folder) await Deno.remove(folder, { recursive: true });
    },
  };
}

for (const kind of ["memory", "sqlite"] as const) {
  const test = (does: string, body: (rig: Rig) => Promise<void>) =>
    Deno.test(`records() over ${kind}() ${does}`, async () => {
      await using all = await rig(kind);
      await body(all);
    });

  test("keeps values of any shape for as long as was said", async ({ rows, ports }) => {
    const all = rows<unknown>("a");
    for (const value of [null, true, 0, "", "é\u{1f511}", [], { a: [{ b: null }] }]) {
      await all.put("id", value, TTL);
      deepEqual((await all.get("id"))?.value, value);
    }
    ports.advance(TTL - 1);
    ok(await all.get("id"));
    ports.advance(1);
    equal(await all.get("id"), undefined);
  });

  test("adds where there is nothing, and says so", async ({ rows, ports }) => {
    const all = rows<number>("a");
    deepEqual([await all.add("id", 1, TTL), await all.add("id", 2, TTL)], [true, false]);
    equal((await all.get("id"))?.value, 1);
    ports.advance(TTL);
    equal(await all.add("id", 3, TTL), true);
    equal((await all.get("id"))?.value, 3);
  });

  test("replaces exactly what was read", async ({ rows, ports }) => {
    const all = rows<number>("a");
    await all.put("id", 1, TTL);
    const kept = (await all.get("id"))!;
    ports.advance(TTL - 1);
    equal(await all.replace("id", kept, 2, TTL), true);
    equal(await all.replace("id", kept, 3, TTL), false);
    equal((await all.get("id"))?.value, 2);
    ports.advance(TTL - 1);
    equal((await all.get("id"))?.value, 2);
    // The same value, but another row: it was written anew meanwhile.
    const again = (await all.get("id"))!;
    await all.put("id", 2, TTL);
    equal(await all.replace("id", again, 4, TTL), false);
    ports.advance(TTL);
    equal(await all.replace("id", (await all.get("id")) ?? again, 5, TTL), false);
    equal(await all.get("id"), undefined);
  });

  test("lets one of many replace a row, and one of many remove it", async ({ rows }) => {
    const all = rows<number>("a");
    await all.put("id", 0, TTL);
    const kept = (await all.get("id"))!;
    const numbers = Array.from({ length: 20 }, (_, index) => index + 1);
    const replaced = await Promise.all(numbers.map((one) => all.replace("id", kept, one, TTL)));
    equal(replaced.filter(Boolean).length, 1);
    equal((await all.get("id"))?.value, numbers[replaced.indexOf(true)]);
    const removed = await Promise.all(numbers.map(() => all.remove("id")));
    equal(removed.filter(Boolean).length, 1);
    equal(await all.get("id"), undefined);
  });

  test("finds nothing in a row that was put in another's place (SPEC B3.6)", async (all) => {
    const { rows, store } = all;
    const [grants, codes] = [rows<string>("grant"), rows<string>("code")];
    await grants.put("mallory", "mallory's", TTL);
    const row = (await store.get("grant:mallory"))!;
    await store.put("grant:alice", row, TTL);
    await store.put("code:mallory", row, TTL);
    equal(await grants.get("alice"), undefined);
    equal(await codes.get("mallory"), undefined);
    equal((await grants.get("mallory"))?.value, "mallory's");
  });

  test("keeps a kind and an id apart, however they are split", async ({ rows, store }) => {
    await rows<string>("a:b").put("c", "x", TTL);
    ok(await store.get("a:b:c"));
    equal(await rows<string>("a").get("b:c"), undefined);
  });

  test("counts a row as absent that does not open (SPEC B3.8)", async ({ rows, store }) => {
    const old = rows<string>("a");
    await old.put("id", "x", TTL);
    const row = (await store.get("a:id"))!;
    for (const stranger of [rows("a", [NEW]), rows("a", [OLD], "https://other.example")]) {
      equal(await stranger.get("id"), undefined);
      // It is there all the same: nothing is added in its place, and it can be removed.
      equal(await stranger.add("id", "y", TTL), false);
    }
    for (const garbage of ["garbage", "", `${row}x`, row.slice(1), "[]", "a.b.c.d.e"]) {
      await store.put("a:id", garbage, TTL);
      equal(await old.get("id"), undefined, garbage);
    }
    equal(await old.remove("id"), true);
    equal(await old.remove("id"), false);
  });

  test("supplants a row that does not open, once, and no other (SPEC B3.8)", async ({ rows }) => {
    const [old, fresh] = [rows<number>("a"), rows<number>("a", [NEW])];
    equal(await fresh.supplant("id", 0, TTL), false);
    await old.put("id", 0, TTL);
    equal(await old.supplant("id", 1, TTL), false);
    const numbers = Array.from({ length: 20 }, (_, index) => index + 1);
    const set = await Promise.all(numbers.map((one) => fresh.supplant("id", one, TTL)));
    equal(set.filter(Boolean).length, 1);
    equal((await fresh.get("id"))?.value, numbers[set.indexOf(true)]);
  });

  test("opens rows of the previous secret, and writes with the new one (SPEC B3.8)", async (all) => {
    const { rows } = all;
    await rows<string>("a").put("id", "old", TTL);
    const rotated = rows<string>("a", [NEW, OLD]);
    const kept = (await rotated.get("id"))!;
    equal(kept.value, "old");
    equal(await rotated.replace("id", kept, "new", TTL), true);
    equal((await rows<string>("a", [NEW]).get("id"))?.value, "new");
    equal(await rows<string>("a").get("id"), undefined);
  });

  test("stores nothing that can be read (SPEC B3.6)", async ({ rows, store }) => {
    await rows<string>("a").put("id", "mellon", TTL);
    const row = (await store.get("a:id"))!;
    const decoded = row.split(".").map((part) =>
      new TextDecoder("latin1").decode(Uint8Array.fromBase64(part, { alphabet: "base64url" }))
    );
    ok(!`${row}${decoded}`.includes("mellon"));
  });

  test("rejects when the store does", async ({ rows, store }) => {
    const all = rows<string>("a");
    await all.put("id", "x", TTL);
    const kept = (await all.get("id"))!;
    await store.close();
    const calls = [
      () => all.get("id"),
      () => all.put("id", "x", TTL),
      () => all.add("id", "x", TTL),
      () => all.replace("id", kept, "x", TTL),
      () => all.supplant("id", "x", TTL),
      () => all.remove("id"),
    ];
    for (const call of calls) await rejects(call(), /^Error: Cannot use a store that is closed$/);
  });
}

Deno.test("records() does not rely on the store's clock for the end of a row", async () => {
  const ports = fakePorts();
  const store = memory({ now: () => 0 });
  const all = records<string>(store, seals([OLD], ORIGIN)("row a"), "a", ports.now);
  await all.put("id", "x", TTL);
  ports.advance(TTL);
  ok(await store.get("a:id"));
  equal(await all.get("id"), undefined);
  await store.close();
});
