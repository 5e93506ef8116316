import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { type Code, CODE_SECONDS, codes } from "../../lib/proxy/codes.ts";
import { records } from "../../lib/proxy/records.ts";
import { seals } from "../../lib/seal.ts";
import type { Store } from "../../lib/store.ts";
import { memory } from "../../lib/store/memory.ts";
import { fakePorts, NOW, ORIGIN, RESOURCE, SECRET } from "../fakes.ts";

const ASKED = {
  grantId: "0".repeat(32),
  clientId: "app",
  redirectUri: "http://127.0.0.1/cb",
  challenge: "c".repeat(43),
  resource: RESOURCE,
};

/** Codes over a store that keeps count of the keys it was asked for. */
function rig() {
  const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
  const ports = { ...fakePorts(), random };
  const real = memory(ports);
  const keys: string[] = [];
  const store: Store = {
    ...real,
    get: (key) => (keys.push(key), real.get(key)),
    put: (key, value, ttl) => (keys.push(key), real.put(key, value, ttl)),
  };
  const seal = seals([new TextEncoder().encode(SECRET)], ORIGIN)("row code");
  return { ports, keys, all: codes(records<Code>(store, seal, "code", ports.now), ports) };
}

Deno.test("codes() makes codes that nobody guesses, and stores their digest alone (SPEC B3.3)", async () => {
  const { all, keys } = rig();
  const made = await Promise.all(Array.from({ length: 50 }, () => all.create(ASKED)));
  equal(new Set(made).size, 50);
  for (const code of made) {
    equal(/^gatehouse_c_[\w-]{43}$/.test(code), true);
    ok(keys.every((key) => !key.includes(code.slice(12))));
  }
  equal(keys.every((key) => /^code:[\w-]{43}$/.test(key)), true);
});

Deno.test("codes() finds what a code stands for, for five minutes (SPEC B3.3)", async () => {
  const { all, ports } = rig();
  const code = await all.create(ASKED);
  ports.advance(CODE_SECONDS - 1);
  deepEqual((await all.get(code))?.value, {
    ...ASKED,
    expiresAt: NOW + CODE_SECONDS,
    used: false,
  });
  ports.advance(1);
  equal(await all.get(code), undefined);
});

Deno.test("codes() lets one of many use a code, and still knows it then (SPEC B3.3)", async () => {
  const { all, ports } = rig();
  const code = await all.create(ASKED);
  const kept = (await all.get(code))!;
  ports.advance(100);
  const used = await Promise.all(Array.from({ length: 20 }, () => all.use(code, kept)));
  equal(used.filter(Boolean).length, 1);
  const again = (await all.get(code))!;
  deepEqual(again.value, { ...kept.value, used: true });
  equal(await all.use(code, again), false);
  ports.advance(CODE_SECONDS - 101);
  equal((await all.get(code))?.value.used, true);
  // Using it does not make it live longer.
  ports.advance(1);
  equal(await all.get(code), undefined);
});

Deno.test("codes() lets nobody use a code that has expired since it was read (SPEC B3.3)", async () => {
  const { all, ports } = rig();
  const code = await all.create(ASKED);
  const kept = (await all.get(code))!;
  ports.advance(CODE_SECONDS);
  equal(await all.use(code, kept), false);
});

Deno.test("codes() lets a code be used for itself alone (SPEC B3.3)", async () => {
  const { all } = rig();
  const [one, two] = [await all.create(ASKED), await all.create({ ...ASKED, clientId: "other" })];
  equal(await all.use(two, (await all.get(one))!), false);
  equal((await all.get(two))?.value.used, false);
});

Deno.test("codes() takes any text for a code, asks the store under a digest, and finds none (SPEC B3.3)", async () => {
  const { all, keys } = rig();
  const code = await all.create(ASKED);
  keys.length = 0;
  for (const text of ["", code.slice(12), `${code}=`, `${code} `, code.toUpperCase()]) {
    equal(await all.get(text), undefined, text);
  }
  const anything = fc.oneof(
    fc.string({ unit: "binary", maxLength: 100 }),
    fc.string({ unit: "binary", maxLength: 100 }).map((text) => `gatehouse_c_${text}`),
  );
  await fc.assert(
    fc.asyncProperty(anything, async (text) => equal(await all.get(text), undefined)),
    { seed: 1, numRuns: 300 },
  );
  equal(keys.length > 10 && keys.every((key) => /^code:[\w-]{43}$/.test(key)), true);
});
