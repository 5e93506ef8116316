import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { CompactEncrypt } from "@panva/jose";
import fc from "fast-check";
import { MAX_SEALED_LENGTH, type Seals, seals } from "../lib/seal.ts";
import { NOW, ORIGIN, SECRET } from "./fakes.ts";
import { encode } from "./idp.ts";

/** Every purpose that the program has. */
const PURPOSES = [
  "client",
  "consent",
  "login",
  "development login",
  "row keys",
  "row grant",
  "row code",
  "row login",
  "row turn",
  "row assertion",
];

const bytes = (text: string) => new TextEncoder().encode(text);
const [OLD, NEW] = [bytes(SECRET), bytes([...SECRET].reverse().join(""))];
const EXPIRES = NOW + 60;

/** What `text` opens to for a purpose of a server that has `secrets`. */
function open(text: string, ofSecrets = [OLD], server = ORIGIN, purpose = "client") {
  return seals(ofSecrets, server)(purpose).open(text, NOW);
}

const seal = (value: unknown, made: Seals = seals([OLD], ORIGIN)) =>
  made("client").seal(value, EXPIRES);

for (const purpose of PURPOSES) {
  Deno.test(`seals() opens what was sealed as ${purpose} as that and nothing else (SPEC B5.6)`, async () => {
    const all = seals([OLD], ORIGIN);
    const text = await all(purpose).seal({ purpose }, EXPIRES);
    for (const slot of PURPOSES) {
      const opened = await all(slot).open(text, NOW);
      deepEqual(opened, slot === purpose ? { purpose } : undefined, slot);
    }
  });
}

Deno.test("seals() opens nothing of another server or another secret", async () => {
  const text = await seal("x");
  equal(await open(text), "x");
  for (const server of ["http://localhost:8081", `${ORIGIN}/`, "https://localhost:8080", ""]) {
    equal(await open(text, [OLD], server), undefined, server);
  }
  equal(await open(text, [NEW]), undefined);
  equal(await open(text, []), undefined);
});

Deno.test("seals() keeps name and purpose apart, however they are split", async () => {
  const text = await seals([OLD], "a")("bc").seal("x", EXPIRES);
  equal(await seals([OLD], "ab")("c").open(text, NOW), undefined);
  const quoted = await seals([OLD], 'a","b')("c").seal("x", EXPIRES);
  equal(await seals([OLD], "a")('b","c').open(quoted, NOW), undefined);
});

Deno.test("seals() opens with a previous secret and never seals with it (SPEC B3.8)", async () => {
  const before = await seal("before");
  const rotated = seals([NEW, OLD], ORIGIN);
  const after = await seal("after", rotated);
  equal(await rotated("client").open(before, NOW), "before");
  equal(await rotated("client").open(after, NOW), "after");
  equal(await open(after, [OLD]), undefined);
  equal(await open(after, [NEW]), "after");
  // On the way to it, replicas that are not rotated yet have to read what others seal.
  equal(await open(after, [OLD, NEW]), "after");
});

Deno.test("seals() takes the same secret for both", async () => {
  const text = await seal("x", seals([OLD, OLD], ORIGIN));
  equal(await open(text), "x");
});

for (
  const [name, at, opens] of [["opens a second before", -1, true], ["closes", 0, false]] as const
) {
  Deno.test(`seals() ${name} when a value expires (SPEC B3.1)`, async () => {
    const made = seals([OLD], ORIGIN)("client");
    equal(await made.open(await seal("x"), EXPIRES + at), opens ? "x" : undefined);
  });
}

Deno.test("seals() brings back any value that JSON can carry", async () => {
  const property = async (value: unknown) => deepEqual(await open(await seal(value)), value);
  // JSON has no sign on zero, and no arrays with holes.
  const value = fc.jsonValue().map((one) => JSON.parse(JSON.stringify(one)));
  await fc.assert(fc.asyncProperty(value, property), { seed: 1, numRuns: 200 });
});

Deno.test("seals() never makes one text twice, and shows nothing of the value (SPEC B3.6)", async () => {
  const texts = await Promise.all(Array.from({ length: 200 }, () => seal({ secret: "mellon" })));
  equal(new Set(texts).size, texts.length);
  equal(new Set(texts.map((text) => text.split(".")[2])).size, texts.length);
  for (const text of texts) {
    const shown = text.split(".").map((part) =>
      new TextDecoder("latin1").decode(Uint8Array.fromBase64(part, { alphabet: "base64url" }))
    );
    ok(!shown.join().includes("mellon"));
    equal(
      shown[0],
      JSON.stringify({ alg: "dir", enc: "A256GCM", kid: JSON.parse(shown[0]!).kid }),
    );
  }
});

Deno.test("seals() opens nothing in which one character is another (SPEC B5.6)", async () => {
  const text = await seal({ a: 1 });
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ ";
  const opened: string[] = [];
  for (let at = 0; at < text.length; at++) {
    for (const letter of letters) {
      if (letter === text[at]) continue;
      const altered = text.slice(0, at) + letter + text.slice(at + 1);
      if (await open(altered) !== undefined) opened.push(altered);
    }
  }
  deepEqual(opened, []);
});

Deno.test("seals() opens nothing that was cut, prolonged or rearranged", async () => {
  const text = await seal({ a: 1 });
  const parts = text.split(".");
  for (let length = 0; length < text.length; length++) {
    equal(await open(text.slice(0, length)), undefined, `${length} characters`);
    equal(await open(text.slice(text.length - length)), undefined, `the last ${length}`);
  }
  const others = (await seal({ a: 1 })).split(".");
  const swapped = parts.map((_, at) =>
    parts.map((part, index) => index === at ? others[at] : part)
  );
  // The header is the same in both.
  for (const mixed of swapped.slice(2)) equal(await open(mixed.join(".")), undefined);
  const odd = [
    `${text}.`,
    `.${text}`,
    `${text}A`,
    parts.toReversed().join("."),
    parts.with(1, "AAAA").join("."),
    [...parts, "AAAA"].join("."),
    parts.join(".."),
    `"${text}"`,
    `${text},${text}`,
  ];
  for (const one of odd) equal(await open(one), undefined, one);
});

Deno.test("seals() takes any text without throwing, and opens none", async () => {
  const good = await seal("x");
  const part = fc.oneof(fc.string({ unit: "binary" }), fc.base64String(), fc.constant(""));
  const anything = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.array(part, { minLength: 4, maxLength: 6 }).map((parts) => parts.join(".")),
    // The right header, so that all the rest is looked at.
    fc.array(part, { minLength: 3, maxLength: 5 })
      .map((parts) => [good.split(".")[0], ...parts].join(".")),
    fc.jsonValue().map((header) => `${encode(header)}..${good.split(".").slice(2).join(".")}`),
  );
  const property = async (text: string) => equal(await open(text), undefined);
  await fc.assert(fc.asyncProperty(anything, property), { seed: 1, numRuns: 2000 });
});

const HEADERS: readonly (readonly [name: string, change: Readonly<Record<string, unknown>>])[] = [
  ["alg none", { alg: "none" }],
  ["no alg", { alg: undefined }],
  ["a wrapped key", { alg: "A256KW" }],
  ["a key wrapped by GCM", { alg: "A256GCMKW", iv: "AAAAAAAAAAAAAAAA", tag: "A".repeat(22) }],
  ["a password with two billion rounds", {
    alg: "PBES2-HS256+A128KW",
    p2s: encode("salt salt"),
    p2c: 2 ** 31 - 1,
  }],
  ["RSA", { alg: "RSA-OAEP-256" }],
  ["RSA of old", { alg: "RSA1_5" }],
  ["an ephemeral key", { alg: "ECDH-ES", epk: { kty: "EC", crv: "P-256", x: "AA", y: "AA" } }],
  ["alg as a list", { alg: ["dir"] }],
  ["another cipher", { enc: "A128GCM" }],
  ["a cipher with CBC", { enc: "A256CBC-HS512" }],
  ["no cipher", { enc: undefined }],
  ["another key's id", { kid: "00000000" }],
  ["no key id", { kid: undefined }],
  ["a key id that is a number", { kid: 0 }],
  ["the name of a prototype's member as key id", { kid: "__proto__" }],
  ["compression", { zip: "DEF" }],
  ["a critical extension", { crit: ["exp"], exp: 0 }],
  ["an empty list of critical extensions", { crit: [] }],
  ["b64", { crit: ["b64"], b64: false }],
  ["a key of its own", { jwk: { kty: "oct", k: "AAAA" }, jku: "https://a.example/keys" }],
  ["a harmless member more", { typ: "JWT" }],
];
for (const [name, change] of HEADERS) {
  Deno.test(`seals() opens nothing whose header has ${name}`, async () => {
    const [header, ...rest] = (await seal("x")).split(".");
    const given = JSON.parse(
      new TextDecoder().decode(Uint8Array.fromBase64(header!, { alphabet: "base64url" })),
    );
    const text = [encode({ ...given, ...change }), ...rest];
    equal(await open(text.join(".")), undefined);
    // A key where none belongs is one more thing that some algorithms would read.
    equal(await open(text.with(1, encode("k".repeat(40))).join(".")), undefined);
  });
}

Deno.test("seals() opens nothing that somebody else sealed under its key's id", async () => {
  const [header] = (await seal("x")).split(".");
  const { kid } = JSON.parse(
    new TextDecoder().decode(Uint8Array.fromBase64(header!, { alphabet: "base64url" })),
  );
  for (const key of [OLD.slice(0, 32), new Uint8Array(32)]) {
    const text = await new CompactEncrypt(bytes(JSON.stringify({ value: 1, expiresAt: EXPIRES })))
      .setProtectedHeader({ alg: "dir", enc: "A256GCM", kid })
      .encrypt(key);
    equal(await open(text), undefined);
  }
});

Deno.test("seals() looks at no text beyond the bound", async () => {
  const overhead = (await seal("")).length;
  const fitting = "a".repeat(Math.floor((MAX_SEALED_LENGTH - overhead) * 3 / 4));
  const text = await seal(fitting);
  ok(text.length <= MAX_SEALED_LENGTH && text.length > MAX_SEALED_LENGTH - 8);
  equal(await open(text), fitting);
  const longer = await seal(`${fitting}${"a".repeat(8)}`);
  ok(longer.length > MAX_SEALED_LENGTH);
  equal(await open(longer), undefined);
  for (const huge of [".", "A", "eyJ", `${text}.`]) {
    equal(await open(huge.repeat(10_000_000 / huge.length)), undefined);
  }
});
