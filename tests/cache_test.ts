import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { cache, type CacheRoom } from "../lib/cache.ts";

/** A cache of numbers, and a clock that the test sets. */
function stage(room: CacheRoom = { max: 100 }) {
  const clock = { now: 1000 };
  return { clock, kept: cache<number>(room, () => clock.now) };
}

Deno.test("cache() yields a value until its time, and not at that time", () => {
  const { clock, kept } = stage();
  kept.set("a", 1, 1010);
  clock.now = 1009;
  equal(kept.get("a"), 1);
  clock.now = 1010;
  equal(kept.get("a"), undefined);
  equal(kept.size, 0);
});

Deno.test("cache() yields nothing that was never there, or was deleted", () => {
  const { kept } = stage();
  kept.set("a", 1, 1010);
  equal(kept.get("b"), undefined);
  kept.delete("a");
  kept.delete("b");
  equal(kept.get("a"), undefined);
});

Deno.test("cache() keeps the last of two values, also when that is over", () => {
  const { kept } = stage();
  kept.set("a", 1, 1010);
  kept.set("a", 2, 1020);
  equal(kept.get("a"), 2);
  kept.set("a", 3, 1000);
  equal(kept.get("a"), undefined);
  equal(kept.size, 0);
});

Deno.test("cache() has room for so many, and lets go of what was not used for the longest time", () => {
  const { kept } = stage({ max: 2 });
  kept.set("a", 1, 1010);
  kept.set("b", 2, 1010);
  equal(kept.get("a"), 1);
  kept.set("c", 3, 1010);
  deepEqual(["a", "b", "c"].map((key) => kept.get(key)), [1, undefined, 3]);
});

Deno.test("cache() has room for values that are so large together", () => {
  const { kept } = stage({ max: 100, maxSize: 10 });
  kept.set("a", 1, 1010, 6);
  kept.set("b", 2, 1010, 4);
  deepEqual(["a", "b"].map((key) => kept.get(key)), [1, 2]);
  kept.set("c", 3, 1010, 5);
  deepEqual(["a", "b", "c"].map((key) => kept.get(key)), [undefined, 2, 3]);
  kept.set("d", 4, 1010, 11);
  equal(kept.get("d"), undefined);
});

// Judgements made before a clock was set back an hour held for that hour more.
Deno.test("cache() lets go of what was set later than now, for a clock was set back", () => {
  const { clock, kept } = stage();
  kept.set("a", 1, 1010);
  clock.now = 999;
  equal(kept.get("a"), undefined);
  kept.set("b", 2, NaN);
  equal(kept.get("b"), undefined);
  equal(kept.size, 0);
});

// Ten thousand judgements of tokens that had ended stayed, until there was no room for more.
Deno.test("cache() lets go of what is over when something comes, however much room there is", () => {
  const { clock, kept } = stage({ max: 100_000 });
  for (let nth = 0; nth < 50; nth++) {
    for (let of = 0; of < 100; of++) kept.set(`${nth} ${of}`, of, clock.now + 10);
    clock.now += 1;
    equal(kept.size <= 1000, true, `${kept.size} after ${nth}`);
  }
  clock.now += 10;
  kept.set("last", 1, clock.now + 1);
  equal(kept.size, 1);
});

Deno.test("cache() yields what was set last and holds, and nothing else", () => {
  const step = fc.record({
    key: fc.constantFrom("a", "b", "c"),
    seconds: fc.integer({ min: -2, max: 5 }),
    pass: fc.integer({ min: 0, max: 3 }),
  });
  fc.assert(fc.property(fc.array(step), (steps) => {
    const { clock, kept } = stage();
    const model = new Map<string, { value: number; until: number }>();
    for (const [value, { key, seconds, pass }] of steps.entries()) {
      const until = clock.now + seconds;
      kept.set(key, value, until);
      model.set(key, { value, until });
      clock.now += pass;
      for (const [known, { value, until }] of model) {
        equal(kept.get(known), until > clock.now ? value : undefined);
      }
    }
  }));
});
