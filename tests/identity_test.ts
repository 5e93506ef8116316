import { notStrictEqual as notEqual, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { type Identity, principalOf, subjectOf } from "../lib/identity.ts";

function identity(over: Partial<Identity> = {}): Identity {
  return {
    subject: "alice",
    issuer: "https://idp.example",
    username: "alice@example.com",
    scopes: ["mcp:read"],
    roles: ["admin"],
    clientId: "client",
    expiresAt: 1_800_000_600,
    claims: {},
    token: "t1",
    ...over,
  };
}

const SAME: readonly (readonly [what: string, over: Partial<Identity>])[] = [
  ["tokens", { token: "t2" }],
  ["user names", { username: "bob", email: "bob@example.com", name: "Bob" }],
  ["scopes and roles", { scopes: [], roles: [] }],
  ["lifetimes", { expiresAt: 1 }],
  ["claims", { claims: { sub: "mallory" } }],
];
for (const [what, over] of SAME) {
  Deno.test(`principalOf() is the same for different ${what} (SPEC A1.3)`, () => {
    equal(principalOf(identity(over)), principalOf(identity()));
  });
}

const OTHER: readonly (readonly [what: string, over: Partial<Identity>])[] = [
  ["another subject", { subject: "bob" }],
  ["the subject in other case", { subject: "Alice" }],
  ["another issuer", { issuer: "https://idp.example/" }],
  ["another client", { clientId: "client2" }],
  ["a username like a subject", { subject: "alice@example.com" }],
  ["a subject like nobody", { subject: "anonymous", issuer: "", clientId: "" }],
];
for (const [what, over] of OTHER) {
  Deno.test(`principalOf() differs for ${what} (SPEC A1.3)`, () => {
    notEqual(principalOf(identity(over)), principalOf(identity()));
  });
}

Deno.test("principalOf() differs for no client and for nobody (SPEC A1.3)", () => {
  const { clientId: _, ...clientless } = identity();
  notEqual(principalOf(clientless), principalOf(identity()));
  notEqual(principalOf(clientless), principalOf(undefined));
  equal(principalOf(undefined), principalOf(undefined));
});

Deno.test("principalOf() never gives two callers one key, whatever their names (SPEC A1.3)", () => {
  // One text cut into three at two places, so that a key made by joining would meet itself.
  const text = fc.string({ unit: fc.constantFrom("a", "1", ":", ":"), minLength: 4, maxLength: 8 });
  const places = fc.uniqueArray(fc.nat({ max: 6 }), { minLength: 2, maxLength: 2 });
  const caller = (from: string, [a, b]: number[], gap: number) => {
    const [first, second] = [Math.min(a!, b!), Math.max(a!, b!)];
    const issuer = from.slice(0, first);
    const subject = from.slice(first + gap, second);
    return { issuer, subject, clientId: `${from.slice(second + gap)}.` };
  };
  const property = (from: string, one: number[], other: number[], gap: number) => {
    const [a, b] = [caller(from, one, gap), caller(from, other, gap)];
    const same = JSON.stringify(a) === JSON.stringify(b);
    equal(principalOf(identity(a)) === principalOf(identity(b)), same);
  };
  const gap = fc.constantFrom(0, 1);
  fc.assert(fc.property(text, places, places, gap, property), { seed: 1, numRuns: 1000 });
});

Deno.test("subjectOf() is one person's, whatever their clients and names, and no other's", () => {
  equal(subjectOf(identity({ clientId: "another", username: "another" })), subjectOf(identity()));
  equal(subjectOf(undefined), subjectOf(undefined));
  notEqual(subjectOf(identity()), subjectOf(undefined));
  notEqual(subjectOf(identity({ subject: "bob" })), subjectOf(identity()));
  notEqual(subjectOf(identity({ issuer: "https://other.example" })), subjectOf(identity()));
  const halves = { issuer: 'https://a.example","b', subject: "c" };
  notEqual(
    subjectOf(identity(halves)),
    subjectOf(identity({ issuer: "https://a.example", subject: 'b","c' })),
  );
});
