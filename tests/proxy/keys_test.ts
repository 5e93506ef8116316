import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { type CryptoKey, jwtVerify, SignJWT } from "@panva/jose";
import {
  ALGORITHM,
  ANNOUNCE_SECONDS,
  type KeyRow,
  RETIRE_SECONDS,
  ROTATE_SECONDS,
  type SigningKeys,
  signingKeys,
} from "../../lib/proxy/keys.ts";
import { records } from "../../lib/proxy/records.ts";
import { seals } from "../../lib/seal.ts";
import type { Store } from "../../lib/store.ts";
import { memory } from "../../lib/store/memory.ts";
import { type FakePorts, fakePorts, NOW, ORIGIN, SECRET } from "../fakes.ts";
import { settled } from "../waiting.ts";

const OLD = new TextEncoder().encode(SECRET);
const NEW = new TextEncoder().encode([...SECRET].reverse().join(""));

/** How long a replica may be behind, and how long it waits between two looks. */
const FRESH_SECONDS = 60;
const COOL_DOWN_SECONDS = 5;

/** One store that can be down, and replicas over it. */
function rig() {
  const ports: FakePorts = fakePorts();
  const real = memory(ports);
  const state = { up: true, reads: 0, writes: 0 };
  const reach = () => {
    if (!state.up) throw new Error("Cannot reach the store");
  };
  const store: Store = {
    ...real,
    get: async (key) => (reach(), state.reads++, await real.get(key)),
    put: async (...all) => (reach(), state.writes++, await real.put(...all)),
    putIfAbsent: async (...all) => (reach(), state.writes++, await real.putIfAbsent(...all)),
    replace: async (...all) => (reach(), state.writes++, await real.replace(...all)),
  };
  const rows = (secrets = [OLD]) =>
    records<KeyRow>(store, seals(secrets, ORIGIN)("row keys"), "keys", ports.now);
  return {
    ports,
    state,
    rows,
    replica: (secrets = [OLD]): SigningKeys => signingKeys(rows(secrets), ports),
  };
}

async function kidsOf(keys: SigningKeys): Promise<string[]> {
  const { keys: published } = await keys.document() as { keys: { kid: string }[] };
  return published.map(({ kid }) => kid);
}

/** Lets a replica see what time and others have done: a look behind the scenes. */
async function look(...replicas: SigningKeys[]): Promise<void> {
  for (const keys of replicas) {
    await keys.document();
    await waitUntilIdle(keys);
  }
}

// Keys take a while to make, off this thread: a look is over when an unknown key is known not to be.
async function waitUntilIdle(keys: SigningKeys): Promise<void> {
  await keys.find({ alg: ALGORITHM, kid: "none" });
  await settled();
}

async function sign(keys: SigningKeys): Promise<{ token: string; kid: string }> {
  const { kid, key } = await keys.current();
  const token = await new SignJWT({}).setProtectedHeader({ alg: ALGORITHM, kid }).sign(key);
  return { token, kid };
}

async function verifies(keys: SigningKeys, { token, kid }: { token: string; kid: string }) {
  const key = await keys.find({ alg: ALGORITHM, kid });
  if (!key) return false;
  await jwtVerify(token, key, { currentDate: new Date(NOW * 1000) });
  return true;
}

Deno.test("signingKeys() makes nothing before it is asked, and then one key (SPEC B3.8)", async () => {
  const { replica, state } = rig();
  const keys = replica();
  equal(state.reads + state.writes, 0);
  const got = await Promise.all(Array.from({ length: 20 }, () => keys.current()));
  equal(new Set(got.map(({ kid }) => kid)).size, 1);
  equal(state.writes, 1);
  deepEqual(await kidsOf(keys), [got[0]!.kid]);
});

Deno.test("signingKeys() agrees on one key among 20 replicas that start at once (SPEC B3.8)", async () => {
  const { replica, rows } = rig();
  const replicas = Array.from({ length: 20 }, () => replica());
  const got = await Promise.all(replicas.map((keys) => keys.current()));
  equal(new Set(got.map(({ kid }) => kid)).size, 1);
  equal((await rows().get("signing"))!.value.keys.length, 1);
  const token = await sign(replicas[0]!);
  for (const keys of replicas) equal(await verifies(keys, token), true);
});

Deno.test("signingKeys() finds the keys again after a restart (SPEC B3.8)", async () => {
  const { replica, state } = rig();
  const token = await sign(replica());
  const writes = state.writes;
  equal(await verifies(replica(), token), true);
  equal(state.writes, writes);
});

Deno.test("signingKeys() publishes the public members alone, and gives away no other (SPEC B3.8)", async () => {
  const { replica, ports } = rig();
  const keys = replica();
  await keys.document();
  ports.advance(ROTATE_SECONDS);
  await look(keys);
  const { keys: published } = await keys.document() as { keys: Record<string, unknown>[] };
  equal(published.length, 2);
  for (const { kid, x, y, ...rest } of published) {
    deepEqual(rest, { kty: "EC", crv: "P-256", alg: "ES256", use: "sig" });
    for (const text of [kid, x, y]) ok(typeof text === "string" && text.length >= 16);
  }
  const key = (await keys.find({ alg: ALGORITHM, kid: String(published[0]!.kid) }))!;
  deepEqual([key.type, [...key.usages]], ["public", ["verify"]]);
  const { key: secret } = await keys.current();
  deepEqual([secret.type, secret.extractable], ["private", false]);
});

Deno.test("signingKeys() rotates in 30 days, announces for 15 minutes, and retires after two hours (SPEC B3.8)", async () => {
  const { replica, ports, rows } = rig();
  const [one, two] = [replica(), replica()];
  const old = await sign(one);
  equal((await sign(two)).kid, old.kid);

  ports.advance(ROTATE_SECONDS - 1);
  await look(one, two);
  deepEqual(await kidsOf(one), [old.kid]);

  ports.advance(FRESH_SECONDS);
  await look(one, two);
  const [, successor] = await kidsOf(one);
  ok(successor !== undefined && successor !== old.kid);
  deepEqual(await kidsOf(two), [old.kid, successor]);
  const since = (await rows().get("signing"))!.value.keys[1]!.since;

  ports.advance(since + ANNOUNCE_SECONDS - 1 - ports.now());
  await look(one, two);
  for (const keys of [one, two]) equal((await sign(keys)).kid, old.kid);
  ports.advance(1);
  for (const keys of [one, two]) equal((await sign(keys)).kid, successor);
  for (const keys of [one, two]) equal(await verifies(keys, old), true);

  ports.advance(RETIRE_SECONDS - 1);
  await look(one, two);
  for (const keys of [one, two]) equal(await verifies(keys, old), true);
  ports.advance(FRESH_SECONDS);
  await look(one, two);
  for (const keys of [one, two]) {
    deepEqual(await kidsOf(keys), [successor]);
    equal(await verifies(keys, old), false);
    equal((await sign(keys)).kid, successor);
  }

  // The next one does not keep the private half of what has retired.
  ports.advance(ROTATE_SECONDS);
  await look(one);
  deepEqual((await rows().get("signing"))!.value.keys.map(({ kid }) => kid), await kidsOf(one));
  deepEqual((await kidsOf(one))[0], successor);
  equal((await kidsOf(one)).length, 2);
});

Deno.test("signingKeys() rotates once, however many replicas do it at once (SPEC B3.8)", async () => {
  const { replica, ports, rows } = rig();
  const replicas = Array.from({ length: 10 }, () => replica());
  await Promise.all(replicas.map((keys) => keys.current()));
  ports.advance(ROTATE_SECONDS);
  await Promise.all(replicas.map((keys) => look(keys)));
  equal((await rows().get("signing"))!.value.keys.length, 2);
  equal(
    new Set(await Promise.all(replicas.map(async (keys) => String(await kidsOf(keys))))).size,
    1,
  );
});

Deno.test("signingKeys() looks for an unknown key once per cool-down, whatever strangers send", async () => {
  const { replica, ports, state } = rig();
  const keys = replica();
  await keys.current();
  const unknown = (kid: string) => keys.find({ alg: ALGORITHM, kid });
  const loads = async () => {
    const before = state.reads;
    for (const kid of ["", "a", "__proto__", "constructor"]) equal(await unknown(kid), undefined);
    equal(await keys.find({ alg: ALGORITHM }), undefined);
    return state.reads - before;
  };
  equal(await loads(), 0);
  ports.advance(COOL_DOWN_SECONDS);
  equal(await loads(), 1);
  ports.advance(COOL_DOWN_SECONDS - 1);
  equal(await loads(), 0);
  ports.advance(1);
  equal(await loads(), 1);
  // Those that are known cost nothing.
  ports.advance(COOL_DOWN_SECONDS);
  const before = state.reads;
  ok(await unknown((await keys.current()).kid));
  equal(state.reads, before);
});

Deno.test("signingKeys() finds the key that another replica has just made (SPEC B3.8)", async () => {
  const { replica, ports } = rig();
  const [one, two] = [replica(), replica()];
  await Promise.all([one.current(), two.current()]);
  ports.advance(ROTATE_SECONDS);
  await look(one);
  const [, successor] = await kidsOf(one);
  ok(await two.find({ alg: ALGORITHM, kid: successor! }));
});

Deno.test("signingKeys() makes new keys when the secret is another, and accepts none of the old (SPEC B3.8)", async () => {
  const { replica } = rig();
  const old = await sign(replica());
  // They start at once, as after a deployment.
  const replicas = Array.from({ length: 20 }, () => replica([NEW]));
  const got = await Promise.all(replicas.map(sign));
  equal(new Set(got.map(({ kid }) => kid)).size, 1);
  for (const keys of replicas) {
    equal(await verifies(keys, old), false);
    equal(await verifies(keys, got[0]!), true);
  }
});

Deno.test("signingKeys() goes on with its keys when the previous secret is given (SPEC B3.8)", async () => {
  const { replica, state, ports, rows } = rig();
  const old = await sign(replica());
  const writes = state.writes;
  const rotated = replica([NEW, OLD]);
  equal((await sign(rotated)).kid, old.kid);
  equal(await verifies(rotated, old), true);
  equal(state.writes, writes);
  // The next key seals them all with the new secret.
  ports.advance(ROTATE_SECONDS);
  await look(rotated);
  equal((await rows([NEW]).get("signing"))!.value.keys.length, 2);
});

Deno.test("signingKeys() goes on with known keys while the store is down, and tells of it", async () => {
  const { replica, ports, state } = rig();
  const keys = replica();
  const token = await sign(keys);
  state.up = false;
  ports.advance(FRESH_SECONDS);
  equal(await verifies(keys, token), true);
  equal((await sign(keys)).kid, token.kid);
  deepEqual(await kidsOf(keys), [token.kid]);
  await settled();
  const { level, event } = JSON.parse(ports.lines[0]!);
  deepEqual([level, event], ["error", "signing keys not loaded"]);
  // Whether a key is unknown cannot be told now.
  await rejects(keys.find({ alg: ALGORITHM, kid: "other" }), /^Error: Cannot reach the store$/);
  state.up = true;
  ports.advance(COOL_DOWN_SECONDS);
  equal(await keys.find({ alg: ALGORITHM, kid: "other" }), undefined);
});

Deno.test("signingKeys() rejects while the store was never there, and makes a key once it is", async () => {
  const { replica, ports, state } = rig();
  const keys = replica();
  state.up = false;
  await rejects(keys.current(), /^Error: Cannot reach the store$/);
  await rejects(keys.document(), /^Error: Cannot reach the store$/);
  await rejects(keys.find({ alg: ALGORITHM, kid: "a" }), /^Error: Cannot reach the store$/);
  equal(ports.lines.length, 1);
  state.up = true;
  ports.advance(1);
  const { key } = await keys.current() as { key: CryptoKey };
  equal(key.algorithm.name, "ECDSA");
});
