import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import type { Claims } from "../../lib/jwt.ts";
import { describeIdentity, type Mapping } from "../../lib/provider/claims.ts";
import { NOW } from "../fakes.ts";

const CLAIMS: Claims = { iss: "https://idp.example", sub: "5ba552d67", exp: NOW + 600 };

const MAPPING: Mapping = {
  usernameClaims: ["email", "preferred_username"],
  rolesClaims: ["roles", "groups"],
  emailTrusted: false,
};

type Members = Readonly<Record<string, unknown>>;

interface Row {
  readonly name: string;
  readonly claims: Members;
  readonly mapping?: Partial<Mapping>;
  /** What is expected; `undefined` means that there is no such member. */
  readonly expected: Members;
}

const VERIFIED = { email: "ada@acme.example", email_verified: true };

const ROWS: readonly Row[] = [
  {
    name: "has the subject for a username when there is nothing else",
    claims: {},
    expected: {
      subject: "5ba552d67",
      issuer: "https://idp.example",
      username: "5ba552d67",
      email: undefined,
      name: undefined,
      clientId: undefined,
      scopes: [],
      roles: [],
      expiresAt: NOW + 600,
    },
  },
  {
    name: "takes the first username claim that has one",
    claims: { ...VERIFIED, preferred_username: "ada" },
    expected: { username: "ada@acme.example", email: "ada@acme.example" },
  },
  {
    name: "skips a username that is empty or no text",
    claims: { email: "", email_verified: true, preferred_username: 7 },
    expected: { username: "5ba552d67", email: undefined },
  },
  {
    name: "does not take an unverified address for a username",
    claims: { ...VERIFIED, email_verified: false, preferred_username: "ada" },
    expected: { username: "ada", email: undefined },
  },
  {
    name: "does not take an unverified address even where the operator asks for it",
    claims: { ...VERIFIED, email_verified: false },
    mapping: { usernameClaims: ["email"], emailTrusted: true },
    expected: { username: "5ba552d67", email: undefined },
  },
  {
    name: "believes a verification in words, as some issuers write it",
    claims: { ...VERIFIED, email_verified: "true" },
    expected: { email: "ada@acme.example" },
  },
  ...["false", "TRUE", "1", 1, null, [], {}].map((verified): Row => ({
    name: `does not believe the verification ${JSON.stringify(verified)}`,
    claims: { ...VERIFIED, email_verified: verified },
    mapping: { emailTrusted: true },
    expected: { email: undefined, username: "5ba552d67" },
  })),
  {
    name: "believes an address without a word about it where the issuer's are kept for it",
    claims: { email: "ada@acme.example" },
    mapping: { emailTrusted: true },
    expected: { email: "ada@acme.example" },
  },
  {
    name: "does not read inherited members for claims",
    claims: {},
    mapping: { usernameClaims: ["toString", "__proto__"], rolesClaims: ["constructor.name"] },
    expected: { username: "5ba552d67", roles: [] },
  },
  ...(["client_id", "azp", "cid", "appid"] as const).map((claim): Row => ({
    name: `takes the client from ${claim}`,
    claims: { [claim]: "s6BhdRkqt3" },
    expected: { clientId: "s6BhdRkqt3" },
  })),
  {
    name: "takes the client that RFC 9068 names first",
    claims: { client_id: "a", azp: "b", cid: "c", appid: "d" },
    expected: { clientId: "a" },
  },
  {
    name: "reads scopes as text and as a list, each once",
    claims: { scope: "a  b a", scp: ["b", "c d", 7, ""] },
    expected: { scopes: ["a", "b", "c", "d"] },
  },
  {
    name: "reads no scopes from other types",
    claims: { scope: 7, scp: { a: true } },
    expected: { scopes: [] },
  },
  {
    name: "reads roles from every path, each once",
    claims: { roles: ["a", "b"], groups: ["b", "c"] },
    expected: { roles: ["a", "b", "c"] },
  },
  {
    name: "reads one role as text",
    claims: { roles: "a b" },
    expected: { roles: ["a b"] },
  },
  {
    name: "reads no roles from other types",
    claims: { roles: [1, null, ["a"], { b: 1 }, "c"], groups: { a: true } },
    expected: { roles: ["c"] },
  },
  {
    name: "reads roles inside",
    claims: { realm_access: { roles: ["a"] }, resource_access: { x: { roles: ["b"] }, y: {} } },
    mapping: { rolesClaims: ["realm_access.roles", "resource_access.x.roles"] },
    expected: { roles: ["a", "b"] },
  },
  {
    name: "reads roles of a claim with dots in its name",
    claims: {
      "https://acme.example/roles": ["a"],
      https: { "//acme": { "example/roles": ["b"] } },
    },
    mapping: { rolesClaims: ["https://acme.example/roles"] },
    expected: { roles: ["a"] },
  },
  {
    name: "reads no roles where a path leads nowhere",
    claims: { realm_access: null, a: ["x"], b: "text" },
    mapping: { rolesClaims: ["realm_access.roles", "a.0", "b.length", "realm_access.x.y"] },
    expected: { roles: [] },
  },
];

for (const { name, claims, mapping, expected } of ROWS) {
  Deno.test(`describeIdentity() ${name} (SPEC A4.9)`, () => {
    const identity = describeIdentity({ ...CLAIMS, ...claims }, { ...MAPPING, ...mapping });
    const members = identity as unknown as Members;
    for (const [member, value] of Object.entries(expected)) deepEqual(members[member], value);
    for (const [member, value] of Object.entries(members)) ok(value !== undefined, member);
    deepEqual(identity.claims, { ...CLAIMS, ...claims });
  });
}

Deno.test("describeIdentity() never throws and keeps its types, whatever an issuer signs (SPEC A4.1)", () => {
  const names = [
    ...["email", "email_verified", "name", "preferred_username", "client_id", "azp", "cid"],
    ...["appid", "scope", "scp", "roles", "groups", "realm_access", "resource_access", "__proto__"],
  ];
  const value = fc.oneof(fc.jsonValue({ maxDepth: 4 }), fc.string(), fc.array(fc.string()));
  const path = fc.oneof(
    fc.constantFrom("roles", "realm_access.roles", "resource_access.x.roles", "*.*", "*", "."),
    fc.string(),
  );
  const mapping = fc.record({
    usernameClaims: fc.array(fc.constantFrom(...names), { maxLength: 3 }),
    rolesClaims: fc.array(path, { maxLength: 3 }),
    emailTrusted: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names), value), mapping, (claims, map) => {
      const identity = describeIdentity({ ...claims, ...CLAIMS }, map);
      const { subject, username, email, name, clientId, scopes, roles } = identity;
      equal(subject, CLAIMS.sub);
      for (const text of [username, email ?? "-", name ?? "-", clientId ?? "-"]) {
        ok(typeof text === "string" && text !== "");
      }
      for (const list of [scopes, roles]) {
        equal(new Set(list).size, list.length);
        for (const one of list) equal(typeof one, "string");
      }
      for (const scope of scopes) ok(scope !== "" && !scope.includes(" "));
      const { email_verified: verified } = claims;
      if (email !== undefined) {
        ok(verified === true || verified === "true" || verified === undefined);
      }
    }),
    { seed: 1, numRuns: 500 },
  );
});
