/**
 * What every store does, wherever it keeps things: the contract of `lib/store.ts` as tests.
 *
 * @module
 */

import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import fc from "fast-check";
import { MAX_KEY_LENGTH, MAX_VALUE_BYTES, type Store } from "../../lib/store.ts";

/** A store, and whoever moves its clock. */
export interface Candidate extends AsyncDisposable {
  readonly store: Store;
  /** Another instance in the same place, for stores that are shared. */
  readonly another?: Store;
  /** Lets time pass for the store. */
  expire(seconds: number): Promise<void> | void;
}

/** What the suite needs of a kind of store. */
export interface StoreSuite {
  readonly name: string;
  /** Makes an empty one. */
  make(): Promise<Candidate>;
}

/** How many callers want the same thing at once. */
const CALLERS = 50;

const TTL = 10;

/** Defines the contract's tests for one kind of store. */
export function storeSuite({ name, make }: StoreSuite): void {
  const test = (does: string, body: (candidate: Candidate) => Promise<void>) =>
    Deno.test(`${name} ${does}`, async () => {
      await using candidate = await make();
      await body(candidate);
    });

  test("keeps a value until its last second, and not longer", async ({ store, expire }) => {
    equal(await store.get("a"), undefined);
    await store.put("a", "1", TTL);
    equal(await store.get("a"), "1");
    await expire(TTL - 1);
    equal(await store.get("a"), "1");
    await expire(1);
    equal(await store.get("a"), undefined);
  });

  test("put() sets a value and a lifetime, whatever was there", async ({ store, expire }) => {
    await store.put("a", "1", 2);
    await store.put("a", "2", TTL);
    await store.put("b", "3", TTL);
    await store.put("b", "4", 2);
    await expire(2);
    deepEqual([await store.get("a"), await store.get("b")], ["2", undefined]);
  });

  test("putIfAbsent() leaves a value alone while it lasts", async ({ store, expire }) => {
    equal(await store.putIfAbsent("a", "1", TTL), true);
    equal(await store.putIfAbsent("a", "2", 2 * TTL), false);
    equal(await store.get("a"), "1");
    await expire(TTL);
    equal(await store.putIfAbsent("a", "3", TTL), true);
    await expire(TTL - 1);
    equal(await store.get("a"), "3");
    await expire(1);
    equal(await store.get("a"), undefined);
  });

  test("replace() sets a value where the expected one stands", async ({ store, expire }) => {
    equal(await store.replace("a", "1", "2", TTL), false);
    equal(await store.get("a"), undefined);
    await store.put("a", "1", TTL);
    equal(await store.replace("a", "2", "3", TTL), false);
    equal(await store.get("a"), "1");
    await expire(TTL - 1);
    equal(await store.replace("a", "1", "2", TTL), true);
    await expire(TTL - 1);
    equal(await store.get("a"), "2");
    await expire(1);
    equal(await store.replace("a", "2", "3", TTL), false);
    equal(await store.get("a"), undefined);
  });

  test("replace() compares byte for byte", async ({ store }) => {
    await store.put("a", "é", TTL);
    for (const other of ["e\u0301", "É", "é ", "é\0", ""]) {
      equal(await store.replace("a", other, "x", TTL), false, JSON.stringify(other));
    }
    equal(await store.replace("a", "é", "é", TTL), true);
  });

  test("take() removes what it yields, and yields nothing expired", async ({ store, expire }) => {
    await store.put("a", "1", TTL);
    equal(await store.take("a"), "1");
    deepEqual([await store.take("a"), await store.get("a")], [undefined, undefined]);
    equal(await store.putIfAbsent("a", "2", TTL), true);
    await expire(TTL);
    equal(await store.take("a"), undefined);
  });

  test("keeps keys apart", async ({ store }) => {
    const keys = ["a", "A", "a ", "a*", "a%", "a:b", "a_", "'; --", "~".repeat(MAX_KEY_LENGTH)];
    for (const key of keys) await store.put(key, key, TTL);
    for (const key of keys) equal(await store.take(key), key);
  });

  test("gives a value to one of many that take it (SPEC B3.3)", async ({ store, another }) => {
    await store.put("code", "1", TTL);
    const taken = await crowd((nth) => (nth % 2 && another || store).take("code"));
    deepEqual(taken.filter((value) => value !== undefined), ["1"]);
  });

  test("lets one of many replace a value (SPEC B3.2)", async ({ store, another }) => {
    await store.put("grant", "old", TTL);
    const replaced = await crowd((nth) =>
      (nth % 2 && another || store).replace("grant", "old", `new ${nth}`, TTL)
    );
    equal(replaced.filter(Boolean).length, 1);
    equal(await store.get("grant"), `new ${replaced.indexOf(true)}`);
  });

  test("lets one of many set an absent value (SPEC B3.3)", async ({ store, another }) => {
    const set = await crowd((nth) =>
      (nth % 2 && another || store).putIfAbsent("mark", String(nth), TTL)
    );
    equal(set.filter(Boolean).length, 1);
    equal(await store.get("mark"), String(set.indexOf(true)));
  });

  test("keeps any text", async ({ store }) => {
    const texts = fc.oneof(
      fc.string({ unit: "binary", maxLength: 30 }),
      fc.constantFrom(
        "",
        "\0",
        "a\0b",
        "\ufeffa",
        "\ufffd",
        "\uffff",
        "a\r\nb",
        "👩‍👩‍👧",
        "null",
        "[]",
      ),
    );
    await fc.assert(fc.asyncProperty(texts, async (text) => {
      await store.put("a", text, TTL);
      equal(await store.get("a"), text);
      equal(await store.replace("a", text, `${text}.`, TTL), true);
      equal(await store.take("a"), `${text}.`);
    }));
  });

  test("does in any order what a plain list would do", async ({ store, expire }) => {
    await fc.assert(
      fc.asyncProperty(fc.array(STEP, { minLength: 5, maxLength: 30 }), async (steps) => {
        for (const key of KEYS) await store.take(key);
        const list = new PlainList();
        for (const step of steps) {
          if (step.does === "expire") await expire(step.ttl);
          deepEqual(await carryOut(store, step), list.carryOut(step), JSON.stringify(step));
        }
      }),
    );
  });

  test("takes keys and values up to the bounds, and refuses what is beyond", async ({ store }) => {
    const longest = { key: "k".repeat(MAX_KEY_LENGTH), value: "é".repeat(MAX_VALUE_BYTES / 2) };
    await store.put(longest.key, longest.value, 1);
    equal(await store.replace(longest.key, longest.value, longest.value, TTL), true);
    equal(await store.take(longest.key), longest.value);
    const refused = (asked: Promise<unknown>, why: string) =>
      rejects(asked, { name: "RangeError", message: /^Cannot / }, why);
    for (const key of ["", `${longest.key}k`, "é", "a\n", "\x7f"]) {
      const why = JSON.stringify(key);
      await refused(store.get(key), why);
      await refused(store.take(key), why);
      await refused(store.put(key, "1", TTL), why);
      await refused(store.putIfAbsent(key, "1", TTL), why);
      await refused(store.replace(key, "1", "2", TTL), why);
    }
    await store.put("a", "\ufffd", TTL);
    for (const value of [`${longest.value}a`, "a".repeat(MAX_VALUE_BYTES + 1), "\ud800"]) {
      const why = `${value.length} characters`;
      await refused(store.put("a", value, TTL), why);
      await refused(store.putIfAbsent("b", value, TTL), why);
      await refused(store.replace("a", "\ufffd", value, TTL), why);
      await refused(store.replace("a", value, "1", TTL), why);
    }
    for (const ttl of [0, -1, 0.5, 1.5, NaN, Infinity]) {
      await refused(store.put("a", "1", ttl), String(ttl));
      await refused(store.putIfAbsent("b", "1", ttl), String(ttl));
      await refused(store.replace("a", "\ufffd", "1", ttl), String(ttl));
    }
    deepEqual([await store.get("a"), await store.get("b")], ["\ufffd", undefined]);
  });

  test("is ready until it is closed, and then does nothing", async ({ store }) => {
    await store.put("a", "1", TTL);
    equal(await store.ready(), true);
    await Promise.all([store.close(), store.close()]);
    equal(await store.ready(), false);
    await rejects(store.get("a"), /^Error: Cannot use a store that is closed$/);
    await rejects(store.put("a", "1", TTL), /closed/);
    await rejects(store.putIfAbsent("a", "1", TTL), /closed/);
    await rejects(store.replace("a", "1", "2", TTL), /closed/);
    await rejects(store.take("a"), /closed/);
  });
}

/** Defines the tests for stores that several instances share. */
export function sharedStoreSuite({ name, make }: StoreSuite): void {
  Deno.test(`${name} is one store to all its instances`, async () => {
    await using candidate = await make();
    const { store, another, expire } = candidate;
    ok(another);
    await store.put("a", "1", TTL);
    equal(await another.get("a"), "1");
    equal(await another.putIfAbsent("a", "2", TTL), false);
    equal(await another.replace("a", "1", "2", 2 * TTL), true);
    equal(await store.replace("a", "1", "3", TTL), false);
    await expire(TTL);
    equal(await store.take("a"), "2");
    equal(await another.take("a"), undefined);
  });

  Deno.test(`${name} keeps its values when an instance is closed`, async () => {
    await using candidate = await make();
    const { store, another } = candidate;
    await store.put("a", "1", TTL);
    await store.close();
    equal(await another!.get("a"), "1");
  });
}

function crowd<T>(ask: (nth: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: CALLERS }, (_, nth) => ask(nth)));
}

const KEYS = ["a", "b"] as const;

const STEP = fc.record({
  does: fc.constantFrom("get", "put", "putIfAbsent", "replace", "take", "expire"),
  key: fc.constantFrom(...KEYS),
  expected: fc.constantFrom("1", "2"),
  value: fc.constantFrom("1", "2"),
  ttl: fc.integer({ min: 1, max: 4 }),
});

type Step = typeof STEP extends fc.Arbitrary<infer T> ? T : never;

async function carryOut(store: Store, { does, key, expected, value, ttl }: Step) {
  switch (does) {
    case "get":
      return await store.get(key);
    case "put":
      return await store.put(key, value, ttl);
    case "putIfAbsent":
      return await store.putIfAbsent(key, value, ttl);
    case "replace":
      return await store.replace(key, expected, value, ttl);
    case "take":
      return await store.take(key);
  }
}

/** The contract in its plainest form: each value with the seconds it has left. */
class PlainList {
  #left = new Map<string, { value: string; seconds: number }>();

  carryOut({ does, key, expected, value, ttl }: Step): string | boolean | undefined {
    const there = this.#left.get(key)?.value;
    if (does === "expire") {
      for (const [name, entry] of this.#left) {
        entry.seconds -= ttl;
        if (entry.seconds <= 0) this.#left.delete(name);
      }
      return undefined;
    }
    if (does === "get") return there;
    if (does === "take") {
      this.#left.delete(key);
      return there;
    }
    const sets = does === "put" || there === (does === "replace" ? expected : undefined);
    if (sets) this.#left.set(key, { value, seconds: ttl });
    return does === "put" ? undefined : sets;
  }
}
