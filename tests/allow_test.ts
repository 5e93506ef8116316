import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { allowed, type AllowRule, readAllowRule } from "../lib/allow.ts";
import type { KnownIdentity } from "../lib/identity.ts";
import { NOW } from "./fakes.ts";

const ADA: KnownIdentity = {
  subject: "5ba552d67",
  issuer: "https://idp.example",
  username: "ada",
  email: "Ada@Acme.example",
  scopes: ["ops"],
  roles: ["editor"],
  expiresAt: NOW + 600,
  claims: { sub: "5ba552d67", groups: ["ops", "on call"] },
};

/** Who asks, by what differs from Ada; `undefined` takes a member out. */
type Caller = { readonly [Name in keyof KnownIdentity]?: KnownIdentity[Name] | undefined };

const ROWS: readonly (readonly [rules: string, caller: Caller, may: boolean, why: string])[] = [
  ["", {}, true, "no rule keeps anyone out"],
  ["domain:acme.example", {}, true, "the domain fits in any case"],
  ["domain:ACME.EXAMPLE", {}, true, "the rule fits in any case"],
  ["domain:example", {}, false, "a domain is not its end"],
  ["domain:cme.example", {}, false, "a domain is not a part of it"],
  ["domain:acme.example", { email: "ada@sub.acme.example" }, false, "a subdomain is another"],
  ["domain:acme.example", { email: "ada@acme.example.evil.example" }, false, "it only begins so"],
  ["domain:acme.example", { email: '"@acme.example"@evil.example' }, false, "the last @ counts"],
  ["domain:acme.example", { email: "acme.example" }, false, "a text without @ is no address"],
  ["domain:acme.example", { email: undefined }, false, "an unverified address is none"],
  ["domain:undefined", { email: undefined }, false, "an absent address is not a word"],
  [
    "domain:acme.example",
    { email: undefined, username: "a@acme.example" },
    false,
    "a name is none",
  ],
  ["group:editor", {}, true, "a role fits"],
  ["group:ops", {}, true, "a group fits"],
  ["group:on call", {}, true, "a name may have spaces"],
  ["group:Editor", {}, false, "roles are compared to the letter"],
  ["group:editor", { roles: ["editors"] }, false, "a role is not its beginning"],
  ["group:ops", { roles: [], claims: {} }, false, "a scope is no role"],
  ["group:ops", { claims: { groups: "ops" } }, false, "a text is no list of groups"],
  ["group:ops", { claims: { groups: { ops: true } } }, false, "an object is no list of groups"],
  ["group:1", { claims: { groups: [1] } }, false, "a number is no name"],
  ["user:5ba552d67", {}, true, "the subject fits"],
  ["user:ada@acme.example", {}, true, "the address fits in any case"],
  ["user:5BA552D67", {}, false, "subjects are compared to the letter"],
  ["user:ada", {}, false, "the username is for people, not for rules"],
  ["user:ada@acme.example", { email: undefined }, false, "an unverified address is none"],
  ["user:bob,domain:acme.example", {}, true, "one rule of several is enough"],
  ["user:bob,group:admin,domain:other.example", {}, false, "none of several fits"],
];

for (const [rules, caller, may, why] of ROWS) {
  Deno.test(`allowed() ${may ? "admits" : "keeps out"} under "${rules}" when ${why} (SPEC A4.1, A4.9)`, () => {
    const list = rules.split(",").flatMap((text) => readAllowRule(text) ?? []);
    equal(list.length, rules === "" ? 0 : rules.split(",").length);
    equal(allowed(list)({ ...ADA, ...caller } as KnownIdentity), may);
  });
}

const TEXTS: readonly (readonly [text: string, rule: AllowRule | undefined])[] = [
  ["domain:acme.example", { kind: "domain", name: "acme.example" }],
  ["group:/ops/on-call", { kind: "group", name: "/ops/on-call" }],
  ["user:auth0|5fe9", { kind: "user", name: "auth0|5fe9" }],
  ["user:a:b", { kind: "user", name: "a:b" }],
  [`user:${"u".repeat(255)}`, { kind: "user", name: "u".repeat(255) }],
  [`user:${"u".repeat(256)}`, undefined],
  ["user:", undefined],
  ["user: alice", undefined],
  ["user:alice ", undefined],
  ["user", undefined],
  ["alice", undefined],
  ["role:admin", undefined],
  ["Domain:acme.example", undefined],
  [" domain:acme.example", undefined],
  ["", undefined],
];

for (const [text, rule] of TEXTS) {
  const shown = text.length > 40 ? `${text.slice(0, 8)}… of ${text.length}` : text;
  Deno.test(`readAllowRule() ${rule ? "reads" : "does not read"} "${shown}"`, () => {
    deepEqual(readAllowRule(text), rule);
  });
}

Deno.test("allowed() never throws, and admits nobody by an empty name (SPEC A4.1)", () => {
  const caller = fc.record({
    email: fc.option(fc.string(), { nil: undefined }),
    subject: fc.string({ minLength: 1 }),
    roles: fc.array(fc.string()),
    claims: fc.dictionary(fc.constantFrom("groups", "sub"), fc.jsonValue()),
  });
  const rule = fc.tuple(fc.constantFrom("domain", "group", "user"), fc.string())
    .map(([kind, name]) => readAllowRule(`${kind}:${name}`));
  fc.assert(
    fc.property(rule, caller, (read, who) => {
      if (read) equal(typeof allowed([read])({ ...ADA, ...who } as KnownIdentity), "boolean");
      equal(read?.name === "", false);
    }),
    { seed: 1, numRuns: 300 },
  );
});
