import { deepStrictEqual as deepEqual, rejects, strictEqual as equal } from "node:assert/strict";
import {
  COOL_DOWN_SECONDS,
  FAILURE_SECONDS,
  kept,
  type Loaded,
  STALE_SECONDS,
} from "../../lib/proxy/kept.ts";
import { fakePorts } from "../fakes.ts";

const PASSING = { ok: false, reason: "down", retryable: true } as const;
const LASTING = { ok: false, reason: "wrong", retryable: false } as const;
const SECONDS = 600;

/** A keeper of two values whose source is `state.source`; values are numbered. */
function keeper() {
  const ports = fakePorts();
  const asked: string[] = [];
  const load = (key: string): Promise<Loaded<number>> => {
    asked.push(key);
    return state.source();
  };
  const good = () =>
    Promise.resolve({ ok: true, value: asked.length, seconds: SECONDS } as Loaded<number>);
  const state = { source: good, good };
  return { get: kept({ now: ports.now, max: 2, load }), asked, ports, state };
}

Deno.test("kept() loads a value once, and again when it has run out (SPEC B4.1)", async () => {
  const { get, ports } = keeper();
  deepEqual(await get("a"), { ok: true, value: 1 });
  ports.advance(SECONDS - 1);
  deepEqual(await get("a"), { ok: true, value: 1 });
  ports.advance(1);
  deepEqual(await get("a"), { ok: true, value: 2 });
});

Deno.test("kept() keeps the values used last, and no more than the bound", async () => {
  const { get, asked } = keeper();
  for (const key of ["a", "b", "a", "c", "a", "b"]) await get(key);
  deepEqual(asked, ["a", "b", "c", "b"]);
});

Deno.test("kept() loads a key once for all who ask meanwhile, fresh or not", async () => {
  const { get, asked } = keeper();
  const got = await Promise.all([get("a"), get("a"), get("a", true), get("b")]);
  deepEqual(got.map((kept) => kept.ok && kept.value), [1, 1, 1, 2]);
  deepEqual(asked, ["a", "b"]);
});

Deno.test("kept() loads early at most once in a cool-down", async () => {
  const { get, asked, ports } = keeper();
  await get("a");
  ports.advance(COOL_DOWN_SECONDS - 1);
  deepEqual(await get("a", true), { ok: true, value: 1 });
  ports.advance(1);
  deepEqual(await get("a"), { ok: true, value: 1 });
  deepEqual(await get("a", true), { ok: true, value: 2 });
  deepEqual(await get("a", true), { ok: true, value: 2 });
  equal(asked.length, 2);
});

for (const failure of [PASSING, LASTING]) {
  Deno.test(`kept() remembers a failure for moments, and not as a value: ${failure.reason} (SPEC B4.1)`, async () => {
    const { get, asked, ports, state } = keeper();
    state.source = () => Promise.resolve(failure);
    for (const fresh of [false, true, false]) deepEqual(await get("a", fresh), failure);
    equal(asked.length, 1);
    ports.advance(FAILURE_SECONDS - 1);
    deepEqual(await get("a"), failure);
    ports.advance(1);
    state.source = state.good;
    deepEqual(await get("a"), { ok: true, value: 2 });
  });
}

Deno.test("kept() has no value stand in for one that was found wrong (SPEC B4.1)", async () => {
  const { get, ports, state } = keeper();
  await get("a");
  ports.advance(SECONDS);
  state.source = () => Promise.resolve(LASTING);
  deepEqual(await get("a"), LASTING);
});

Deno.test("kept() has a value that ran out stand in for a day while its source is away", async () => {
  const { get, ports, state } = keeper();
  await get("a");
  ports.advance(SECONDS + STALE_SECONDS - FAILURE_SECONDS - 1);
  state.source = () => Promise.resolve(PASSING);
  deepEqual(await get("a"), { ok: true, value: 1 });
  deepEqual(await get("a", true), PASSING);
  deepEqual(await get("a"), { ok: true, value: 1 });
  ports.advance(FAILURE_SECONDS + 1);
  deepEqual(await get("a"), PASSING);
});

for (const [failure, kept] of [[PASSING, true], [LASTING, false]] as const) {
  Deno.test(`kept() ${kept ? "keeps" : "drops"} a value when loading early fails: ${failure.reason} (SPEC B4.1)`, async () => {
    const { get, ports, state, asked } = keeper();
    await get("a");
    ports.advance(COOL_DOWN_SECONDS);
    state.source = () => Promise.resolve(failure);
    deepEqual(await get("a", true), failure);
    deepEqual(await get("a", true), failure);
    deepEqual(await get("a"), kept ? { ok: true, value: 1 } : failure);
    equal(asked.length, 2);
  });
}

Deno.test("kept() forgets the failures of others when there are too many", async () => {
  const { get, asked, state } = keeper();
  state.source = () => Promise.resolve(PASSING);
  for (const key of ["a", "b", "c", "c", "a"]) await get(key);
  deepEqual(asked, ["a", "b", "c", "a"]);
});

Deno.test("kept() rejects when loading breaks, and loads again", async () => {
  const { get, state } = keeper();
  state.source = () => Promise.reject(new Error("broken"));
  await rejects(get("a"), /^Error: broken$/);
  state.source = state.good;
  deepEqual(await get("a"), { ok: true, value: 2 });
});
