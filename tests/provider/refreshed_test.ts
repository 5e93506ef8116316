import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import fc from "fast-check";
import { COOL_DOWN_SECONDS, FRESH_SECONDS, RETRY_SECONDS } from "../../lib/provider/oidc.ts";
import { type Refreshed, refreshed } from "../../lib/provider/refreshed.ts";
import { NOW } from "../fakes.ts";
import { settled } from "../waiting.ts";

/** A value that a test provides: loads wait to be answered, and the clock stands. */
function rig() {
  let now = NOW;
  const loads: PromiseWithResolvers<string>[] = [];
  const errors: string[] = [];
  const kept: Refreshed<string> = refreshed(() => {
    const load = Promise.withResolvers<string>();
    loads.push(load);
    return load.promise;
  }, {
    now: () => now,
    freshSeconds: FRESH_SECONDS,
    coolDownSeconds: COOL_DOWN_SECONDS,
    retrySeconds: RETRY_SECONDS,
    onError: (error) => errors.push((error as Error).message),
  });
  return {
    kept,
    loads,
    errors,
    advance: (seconds: number) => void (now += seconds),
    answer: (value: string) => (loads.at(-1)!.resolve(value), settled()),
    fail: (message = "down") => (loads.at(-1)!.reject(new Error(message)), settled()),
  };
}

/** A rig that has had its first value. */
async function loaded() {
  const all = rig();
  const first = all.kept.get();
  await all.answer("first");
  equal(await first, "first");
  return all;
}

Deno.test("refreshed() loads nothing before it is asked, and once for any number of callers (SPEC A4.6)", async () => {
  const { kept, loads, answer } = rig();
  equal(loads.length, 0);
  const gets = Array.from({ length: 100 }, () => kept.get());
  const renewed = kept.renew();
  equal(loads.length, 1);
  await answer("first");
  deepEqual(new Set(await Promise.all([...gets, renewed])), new Set(["first"]));
  equal(loads.length, 1);
});

const FRESHNESS = [
  ["does not renew a value of 599 seconds", FRESH_SECONDS - 1, 1],
  ["renews a value of 600 seconds behind the scenes", FRESH_SECONDS, 2],
] as const;

for (const [title, age, loadsThen] of FRESHNESS) {
  Deno.test(`refreshed() ${title} (SPEC A4.6)`, async () => {
    const { kept, loads, advance, answer } = await loaded();
    advance(age);
    equal(await kept.get(), "first");
    equal(loads.length, loadsThen);
    if (loadsThen === 1) return;
    equal(await kept.get(), "first");
    equal(loads.length, 2);
    await answer("second");
    equal(await kept.get(), "second");
  });
}

Deno.test("refreshed() counts freshness from when the value came, not from when it was asked for", async () => {
  const { kept, loads, advance, answer } = rig();
  const first = kept.get();
  advance(4);
  await answer("first");
  await first;
  advance(FRESH_SECONDS - 1);
  await kept.get();
  equal(loads.length, 1);
  advance(1);
  await kept.get();
  equal(loads.length, 2);
  await answer("second");
});

const COOLING = [
  ["yields the value at hand 29 seconds after the last attempt", COOL_DOWN_SECONDS - 1, 1],
  ["asks again 30 seconds after the last attempt", COOL_DOWN_SECONDS, 2],
] as const;

for (const [title, age, loadsThen] of COOLING) {
  Deno.test(`refreshed() when told to renew ${title} (SPEC A4.6)`, async () => {
    const { kept, loads, advance, answer } = await loaded();
    advance(age);
    const renewals = Array.from({ length: 20 }, () => kept.renew());
    equal(loads.length, loadsThen);
    if (loadsThen === 2) await answer("second");
    for (const value of await Promise.all(renewals)) {
      equal(value, loadsThen === 2 ? "second" : "first");
    }
    await kept.renew();
    equal(loads.length, loadsThen);
  });
}

const RETRYING = [
  ["repeats the failure 4 seconds after it", RETRY_SECONDS - 1, 1],
  ["asks again 5 seconds after a failure", RETRY_SECONDS, 2],
] as const;

for (const [title, age, loadsThen] of RETRYING) {
  Deno.test(`refreshed() without a value ${title} (SPEC A4.6)`, async () => {
    const { kept, loads, errors, advance, answer, fail } = rig();
    const first = kept.get();
    const refused = rejects(first, /down/);
    await fail();
    await refused;
    advance(age);
    const second = kept.get();
    equal(loads.length, loadsThen);
    if (loadsThen === 1) {
      await rejects(second, /down/);
      await rejects(kept.renew(), /down/);
      equal(loads.length, 1);
    } else {
      await answer("first");
      equal(await second, "first");
    }
    deepEqual(errors, ["down"]);
  });
}

Deno.test("refreshed() keeps a stale value while the source is down, and asks every 30 seconds at most", async () => {
  const { kept, loads, errors, advance, fail, answer } = await loaded();
  advance(FRESH_SECONDS);
  for (let minute = 0; minute < 60; minute++) {
    for (const step of [0, 1, 28, 1, 29]) {
      advance(step);
      const attempts = loads.length;
      equal(await kept.get(), "first");
      if (loads.length > attempts) await fail(`down ${loads.length}`);
    }
    advance(1);
  }
  equal(errors.length, 120);
  equal(loads.length, 121);
  advance(COOL_DOWN_SECONDS);
  equal(await kept.get(), "first");
  await answer("second");
  equal(await kept.get(), "second");
});

Deno.test("refreshed() does not take the old value for the latest when renewing fails", async () => {
  const { kept, loads, errors, advance, fail } = await loaded();
  advance(COOL_DOWN_SECONDS);
  const renewed = rejects(kept.renew(), /broken/);
  await fail("broken");
  await renewed;
  await rejects(kept.renew(), /broken/);
  equal(await kept.get(), "first");
  deepEqual([errors, loads.length], [["broken"], 2]);
});

Deno.test("refreshed() lets a caller that asks during a renewal have the new value", async () => {
  const { kept, loads, advance, answer } = await loaded();
  advance(FRESH_SECONDS);
  equal(await kept.get(), "first");
  const renewed = kept.renew();
  equal(loads.length, 2);
  await answer("second");
  equal(await renewed, "second");
});

Deno.test("refreshed() never asks twice within a bound, and never forgets a value (SPEC A4.6)", async () => {
  const step = fc.record({
    advance: fc.nat({ max: 700 }),
    act: fc.constantFrom("get", "renew"),
    up: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      let [now, up, had, last] = [NOW, false, "", -Infinity];
      let loads = 0;
      const kept = refreshed(
        () => {
          ok(now - last >= (had ? COOL_DOWN_SECONDS : RETRY_SECONDS), `asked after ${now - last}`);
          last = now;
          if (!up) return Promise.reject(new Error("down"));
          had = `value ${++loads}`;
          return Promise.resolve(had);
        },
        {
          now: () => now,
          freshSeconds: FRESH_SECONDS,
          coolDownSeconds: COOL_DOWN_SECONDS,
          retrySeconds: RETRY_SECONDS,
          onError: () => {},
        },
      );
      for (const { advance, act, up: isUp } of steps) {
        now += advance;
        up = isUp;
        const hadOne = had !== "";
        const value = await kept[act]().catch(() => undefined);
        if (hadOne && act === "get") ok(value !== undefined, "It forgot what it had");
        if (hadOne && act === "renew" && value !== undefined) equal(value, had);
      }
    }),
    { seed: 1, numRuns: 300 },
  );
});
