import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import {
  type Grant,
  grants,
  IDLE_SECONDS,
  isGenuine,
  type NewGrant,
  personOf,
  readRefreshToken,
  refreshTokenOf,
  UNASKED_SECONDS,
} from "../../lib/proxy/grants.ts";
import { records } from "../../lib/proxy/records.ts";
import { seals } from "../../lib/seal.ts";
import { memory } from "../../lib/store/memory.ts";
import { fakePorts, NOW, ORIGIN, RESOURCE, SECRET } from "../fakes.ts";

const ASKED: NewGrant = {
  clientId: "app",
  clientName: "App",
  scopes: ["mcp:read"],
  resource: RESOURCE,
  person: { subject: "alice", username: "alice@example.com", roles: [] },
};
const LASTING = { ...ASKED, upstream: { accessToken: "a", refreshToken: "r" } };
const PASSING = { ...ASKED, upstream: { accessToken: "a" } };

function rig() {
  const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
  const ports = { ...fakePorts(), random };
  const store = memory(ports);
  const seal = seals([new TextEncoder().encode(SECRET)], ORIGIN)("row grant");
  return { ports, store, all: grants(records<Grant>(store, seal, "grant", ports.now), ports) };
}

/** A grant that exists, with its first refresh token. */
async function granted(grant: NewGrant = ASKED) {
  const made = rig();
  const id = await made.all.create(grant, IDLE_SECONDS);
  const kept = (await made.all.get(id))!;
  return { ...made, id, kept, token: refreshTokenOf(id, kept.value, 0) };
}

Deno.test("grants() keeps what was asked, and numbers its tokens from 0 (SPEC B3.2)", async () => {
  const { id, kept: { value } } = await granted(LASTING);
  const { seed, ...rest } = value;
  deepEqual(rest, {
    ...LASTING,
    generation: 0,
    rotatedAt: NOW,
    endsAt: Number.MAX_SAFE_INTEGER,
  });
  equal(/^[0-9a-f]{32}$/.test(id), true);
  equal(Uint8Array.fromBase64(seed, { alphabet: "base64url" }).length, 32);
});

Deno.test("grants() gives every grant an id and a seed of its own (SPEC B3.8)", async () => {
  const { all } = rig();
  const ids = await Promise.all(Array.from({ length: 50 }, () => all.create(ASKED, 60)));
  const seeds = await Promise.all(ids.map(async (id) => (await all.get(id))!.value.seed));
  deepEqual([new Set(ids).size, new Set(seeds).size], [50, 50]);
});

Deno.test("grants() forgets a grant that was never used after its first lifetime (SPEC B3.2)", async () => {
  const { all, ports } = rig();
  const id = await all.create(ASKED, 300);
  ports.advance(299);
  ok(await all.get(id));
  ports.advance(1);
  equal(await all.get(id), undefined);
});

const LIVES: readonly (readonly [name: string, grant: NewGrant, seconds: number])[] = [
  ["30 days without use", LASTING, IDLE_SECONDS],
  ["30 days without use where people log in here", ASKED, IDLE_SECONDS],
  ["12 hours where the provider cannot be asked again", PASSING, UNASKED_SECONDS],
];
for (const [name, grant, seconds] of LIVES) {
  Deno.test(`grants() ends after ${name} (SPEC B3.2, B3.7)`, async () => {
    const { all, ports } = rig();
    const id = await all.create(grant, 300);
    const kept = (await all.get(id))!;
    equal(await all.replace(id, kept, kept.value), true);
    ports.advance(seconds - 1);
    ok(await all.get(id));
    ports.advance(1);
    equal(await all.get(id), undefined);
  });
}

Deno.test("grants() lives on while it is used, but not past its end (SPEC B3.2, B3.7)", async () => {
  for (const [grant, lives] of [[LASTING, true], [PASSING, false]] as const) {
    const { all, ports, id } = await granted(grant);
    for (let hour = 1; hour < 12; hour++) {
      ports.advance(3600);
      const kept = (await all.get(id))!;
      equal(await all.replace(id, kept, { ...kept.value, generation: hour }), true);
    }
    ports.advance(3599);
    const last = (await all.get(id))!;
    equal(await all.replace(id, last, last.value), true);
    ports.advance(1);
    equal(await all.get(id) !== undefined, lives);
    equal(await all.replace(id, last, last.value), false);
  }
});

Deno.test("grants() sets a grant only where the one that was read still stands (SPEC B3.2)", async () => {
  const { all, id, kept } = await granted();
  const set = await Promise.all(
    [1, 2, 3].map((generation) => all.replace(id, kept, { ...kept.value, generation })),
  );
  equal(set.filter(Boolean).length, 1);
  deepEqual([await all.end(id), await all.end(id)], [true, false]);
  const ended = await all.replace(id, kept, kept.value);
  deepEqual([ended, await all.get(id)], [false, undefined]);
});

Deno.test("personOf() keeps who it is, and no claim but the groups", () => {
  const identity = {
    subject: "alice",
    issuer: "https://idp.example",
    username: "alice@example.com",
    email: "alice@example.com",
    name: "Alice",
    roles: ["admin"],
    scopes: ["mcp:read"],
    expiresAt: NOW,
    claims: { groups: ["ops"], picture: "https://idp.example/alice.png" },
  };
  const { subject, username, email, name, roles } = identity;
  deepEqual(personOf(identity), { subject, username, email, name, roles, groups: ["ops"] });
  const bare = { subject, issuer: "", username, roles, scopes: [], expiresAt: NOW };
  for (const groups of [undefined, "ops", { ops: true }]) {
    deepEqual(personOf({ ...bare, claims: { groups } }), { subject, username, roles });
  }
});

const ANY = fc.record({
  id: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => bytes.toHex()),
  seed: fc.base64String({ minLength: 4, maxLength: 64 }),
  generation: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
});

Deno.test("readRefreshToken() reads back what refreshTokenOf() wrote (SPEC B3.2)", async () => {
  const { kept: { value } } = await granted();
  fc.assert(
    fc.property(ANY, ({ id, seed, generation }) => {
      const grant = { ...value, seed };
      const token = refreshTokenOf(id, grant, generation);
      equal(/^gatehouse_r_[\w-]{70}$/.test(token), true);
      const read = readRefreshToken(token)!;
      deepEqual([read.grantId, read.generation], [id, generation]);
      equal(isGenuine(read, grant), true);
      equal(isGenuine(read, { ...value, seed: `${seed}x` }), false);
    }),
    { seed: 1, numRuns: 300 },
  );
});

Deno.test("isGenuine() takes no token in which any bit is another (SPEC B3.2)", async () => {
  const { token, kept: { value: grant } } = await granted();
  const [prefix, text] = [token.slice(0, 12), token.slice(12)];
  const bytes = Uint8Array.fromBase64(text, { alphabet: "base64url" });
  equal(bytes.length, 52);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const altered = bytes.with(bit >> 3, bytes[bit >> 3]! ^ (1 << (bit & 7)));
    const read = readRefreshToken(
      prefix + altered.toBase64({ alphabet: "base64url", omitPadding: true }),
    );
    ok(read);
    equal(isGenuine(read, grant), false, `bit ${bit}`);
  }
});

Deno.test("isGenuine() takes no token of another generation or grant for it (SPEC B3.2)", async () => {
  const { id, kept: { value: grant }, all } = await granted();
  const other = await all.create(ASKED, 60);
  const theirs = (await all.get(other))!.value;
  const first = readRefreshToken(refreshTokenOf(id, grant, 0))!;
  equal(isGenuine(first, grant), true);
  equal(isGenuine({ ...first, generation: 1 }, grant), false);
  equal(isGenuine({ ...first, grantId: other }, grant), false);
  equal(isGenuine({ ...first, grantId: other }, theirs), false);
  equal(isGenuine(readRefreshToken(refreshTokenOf(other, theirs, 0))!, grant), false);
});

Deno.test("readRefreshToken() accepts one spelling of a token (SPEC B3.2)", async () => {
  const { token } = await granted();
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. \n";
  const last = [...letters].filter((letter) => readRefreshToken(token.slice(0, -1) + letter));
  // Two bits of it say something, the others have to be zero.
  deepEqual(last.sort(), ["A", "Q", "g", "w"]);
  const others = [
    `${token}=`,
    `${token}==`,
    `${token} `,
    `${token}\n`,
    ` ${token}`,
    token.slice(0, -1),
    `${token}A`,
    token.toUpperCase(),
    `Gatehouse_r_${token.slice(12)}`,
    `gatehouse_c_${token.slice(12)}`,
    token.slice(12),
    `gatehouse_r_${"+".repeat(70)}`,
    `gatehouse_r_${"é".repeat(70)}`,
    `gatehouse_r_${"A".repeat(66)}A A=`,
    // White space that a decoder skips, so that too few bytes are left.
    `gatehouse_r_${"A".repeat(66)}    `,
    `gatehouse_r_\n\n\n\n${"A".repeat(66)}`,
  ];
  for (const other of others) equal(readRefreshToken(other), undefined, JSON.stringify(other));
});

Deno.test("readRefreshToken() never throws, and writes back what it reads (SPEC B3.2)", async () => {
  const { token } = await granted();
  const body = fc.string({ unit: "binary", minLength: 70, maxLength: 70 });
  const base64url = fc.array(
    fc.constantFrom(..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
    { minLength: 70, maxLength: 70 },
  ).map((letters) => letters.join(""));
  const anything = fc.oneof(
    fc.string({ unit: "binary", maxLength: 100 }),
    fc.oneof(body, base64url).map((text) => `gatehouse_r_${text}`),
    fc.nat(token.length).map((at) => `${token.slice(0, at)}\u{1f511}${token.slice(at)}`),
  );
  let read = 0;
  fc.assert(
    fc.property(anything, (text) => {
      const found = readRefreshToken(text);
      if (!found) return;
      read++;
      const bytes = new Uint8Array(52);
      bytes.set(Uint8Array.fromHex(found.grantId));
      new DataView(bytes.buffer).setUint32(16, found.generation);
      bytes.set(found.digest, 20);
      const written = bytes.toBase64({ alphabet: "base64url", omitPadding: true });
      equal(`gatehouse_r_${written}`, text);
    }),
    { seed: 1, numRuns: 2000 },
  );
  ok(read > 5);
});
