import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import type { KnownIdentity } from "../../lib/identity.ts";
import type { Claims } from "../../lib/jwt.ts";
import { describeIdentity } from "../../lib/provider/claims.ts";

const MINIMAL: Claims = { iss: "https://idp.example", sub: "u-1", exp: 1_800_000_600 };
const USERNAME = ["email", "preferred_username"];

function mappingOf(usernameClaims: readonly string[]) {
  return { usernameClaims, rolesClaims: ["roles"], emailTrusted: true };
}

function describe(claims: Readonly<Record<string, unknown>>, username = USERNAME): KnownIdentity {
  return describeIdentity({ ...MINIMAL, ...claims }, mappingOf(username));
}

Deno.test("describeIdentity() makes do with what every token has (SPEC A4.6)", () => {
  deepEqual(describe({}), {
    subject: "u-1",
    issuer: "https://idp.example",
    username: "u-1",
    scopes: [],
    roles: [],
    expiresAt: 1_800_000_600,
    claims: MINIMAL,
  });
});

Deno.test("describeIdentity() reads all that a token may have (SPEC A4.6)", () => {
  const claims = {
    email: "a@b.example",
    email_verified: true,
    name: "Alice",
    preferred_username: "alice",
    scope: "mcp:read mcp:write",
    roles: ["admin", "dev"],
    client_id: "client",
    azp: "other",
  };
  deepEqual(describe(claims), {
    subject: "u-1",
    issuer: "https://idp.example",
    username: "a@b.example",
    email: "a@b.example",
    name: "Alice",
    scopes: ["mcp:read", "mcp:write"],
    roles: ["admin", "dev"],
    clientId: "client",
    expiresAt: 1_800_000_600,
    claims: { ...MINIMAL, ...claims },
  });
});

type Member = "username" | "email" | "name" | "scopes" | "roles" | "clientId";
const ROWS: readonly (readonly [
  name: string,
  claims: Readonly<Record<string, unknown>>,
  member: Member,
  value: unknown,
])[] = [
  ["takes the best username", { email: "a@b", preferred_username: "alice" }, "username", "a@b"],
  ["takes the next username", { preferred_username: "alice" }, "username", "alice"],
  ["takes the next username", { email: "", preferred_username: "alice" }, "username", "alice"],
  ["takes the next username", { email: 1, preferred_username: "alice" }, "username", "alice"],
  ["takes the subject for want of a username", { email: ["a@b"] }, "username", "u-1"],
  ["hides an unverified e-mail", { email: "a@b", email_verified: false }, "email", undefined],
  ["hides an unverified e-mail", { email: "a@b", email_verified: "false" }, "email", undefined],
  ["names nobody by it", { email: "a@b", email_verified: false }, "username", "u-1"],
  ["names nobody by it", { email: "a@b", email_verified: "false" }, "username", "u-1"],
  ["shows a verified e-mail", { email: "a@b", email_verified: true }, "email", "a@b"],
  ["shows a verified e-mail", { email: "a@b", email_verified: "true" }, "email", "a@b"],
  ["shows an e-mail that nothing is said of", { email: "a@b" }, "email", "a@b"],
  ["ignores an e-mail that is no text", { email: { a: 1 } }, "email", undefined],
  ["ignores an empty name", { name: "" }, "name", undefined],
  ["ignores a name that is no text", { name: 1 }, "name", undefined],
  ["splits scopes at spaces", { scope: " a  b " }, "scopes", ["a", "b"]],
  ["splits scopes at nothing else", { scope: "a,b\tc\nd" }, "scopes", ["a,b\tc\nd"]],
  ["finds no scope in an empty text", { scope: "" }, "scopes", []],
  ["takes scopes in a list", { scope: ["a", 1] }, "scopes", ["a"]],
  ["ignores scopes that are null", { scope: null }, "scopes", []],
  ["leaves out roles that are no text", { roles: ["a", 1, null, ["b"]] }, "roles", ["a"]],
  ["takes a role in a text", { roles: "admin" }, "roles", ["admin"]],
  ["ignores roles in an object", { roles: { 0: "admin", length: 1 } }, "roles", []],
  ["takes azp for want of client_id", { azp: "c2" }, "clientId", "c2"],
  ["takes azp for a client_id that is no text", { client_id: 7, azp: "c2" }, "clientId", "c2"],
  ["takes azp for an empty client_id", { client_id: "", azp: "c2" }, "clientId", "c2"],
];
for (const [name, claims, member, value] of ROWS) {
  Deno.test(`describeIdentity() ${name} when claims are ${JSON.stringify(claims)} (SPEC A4.6)`, () => {
    const identity = describe(claims);
    deepEqual(identity[member], value);
    equal(Object.hasOwn(identity, member), value !== undefined);
  });
}

Deno.test("describeIdentity() takes a username from the claim it is told to (SPEC A4.6)", () => {
  const claims = { email: "a@b.example", upn: "alice@corp" };
  equal(describe(claims, ["upn"]).username, "alice@corp");
  equal(describe(claims, ["absent"]).username, "u-1");
  equal(describe(claims, []).username, "u-1");
});

for (const claim of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
  Deno.test(`describeIdentity() takes no username from ${claim}, which no token has (SPEC A4.6)`, () => {
    equal(describe({}, [claim]).username, "u-1");
  });
}

Deno.test("describeIdentity() leaves claims as they were, verified or not (SPEC A4.6)", () => {
  const claims = Object.freeze({ ...MINIMAL, email: "a@b", email_verified: false });
  equal(describeIdentity(claims, mappingOf(USERNAME)).claims, claims);
});

Deno.test("describeIdentity() yields texts and lists of texts for any claims (SPEC A4.1)", () => {
  const names = ["email", "email_verified", "name", "scope", "roles", "client_id", "azp"];
  const claims = fc.dictionary(
    fc.constantFrom(...names, "preferred_username", "__proto__"),
    fc.jsonValue({ maxDepth: 2 }),
  );
  const property = (some: Record<string, unknown>) => {
    const { username, email = "-", name = "-", clientId = "-", scopes, roles } = describe(some);
    for (const text of [username, email, name, clientId]) {
      equal(typeof text, "string");
      equal(text.length > 0, true);
    }
    for (const text of [...scopes, ...roles]) equal(typeof text, "string");
    equal(scopes.some((scope) => scope === "" || scope.includes(" ")), false);
  };
  fc.assert(fc.property(claims, property), { seed: 1, numRuns: 300 });
});
