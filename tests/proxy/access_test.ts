import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { decodeJwt, decodeProtectedHeader } from "@panva/jose";
import type { Verdict } from "../../lib/errors.ts";
import { accessTokens, GRANT_CLAIM, REMEMBER_SECONDS } from "../../lib/proxy/access.ts";
import { type Grant, grants, type NewGrant } from "../../lib/proxy/grants.ts";
import { type KeyRow, signingKeys } from "../../lib/proxy/keys.ts";
import { records } from "../../lib/proxy/records.ts";
import { seals } from "../../lib/seal.ts";
import { memory } from "../../lib/store/memory.ts";
import { fakePorts, NOW, ORIGIN, RESOURCE, SECRET } from "../fakes.ts";
import { keyOf, signWith } from "../idp.ts";

const OTHER = `${ORIGIN}/other`;
const TTL = 600;
const LIFE = 30 * 86_400;
const ALICE: NewGrant = {
  clientId: "app",
  clientName: "App",
  scopes: ["mcp:read", "mcp:write"],
  resource: RESOURCE,
  person: {
    subject: "alice",
    username: "alice@example.com",
    email: "alice@example.com",
    name: "Alice",
    roles: ["admin"],
    groups: ["ops"],
  },
};

/** A server with two resources on one host, with the same keys and grants. */
async function rig(grant: NewGrant = ALICE) {
  const ports = fakePorts();
  const store = memory(ports);
  const seal = seals([new TextEncoder().encode(SECRET)], ORIGIN);
  const rows = <T>(kind: string) => records<T>(store, seal(`row ${kind}`), kind, ports.now);
  const keys = signingKeys(rows<KeyRow>("keys"), ports);
  const family = grants(rows<Grant>("grant"), ports);
  const of = (resource: string) =>
    accessTokens({ issuer: ORIGIN, resource, ttl: TTL, keys, grants: family }, ports);
  const id = await family.create(grant, LIFE);
  const kept = (await family.get(id))!.value;
  const access = of(RESOURCE);
  return { ports, store, keys, family, of, id, kept, access, token: await access.issue(id, kept) };
}

function reasonOf(verdict: Verdict): string {
  return verdict.ok ? "none" : verdict.refusal.reason;
}

Deno.test("accessTokens() issues at+jwt tokens of one resource and one grant (SPEC B3.1, B3.6)", async () => {
  const { token, id, keys, access, kept } = await rig();
  const { kid } = await keys.current();
  deepEqual(decodeProtectedHeader(token), { alg: "ES256", kid, typ: "at+jwt" });
  const { jti, ...claims } = decodeJwt(token);
  deepEqual(claims, {
    iss: ORIGIN,
    sub: "alice",
    aud: RESOURCE,
    iat: NOW,
    exp: NOW + TTL,
    client_id: "app",
    scope: "mcp:read mcp:write",
    [GRANT_CLAIM]: id,
  });
  match(String(jti), /^[0-9a-f]{32}$/);
  ok(decodeJwt(await access.issue(id, kept)).jti !== jti);
});

Deno.test("accessTokens() says who it is by the grant, and when to ask again (SPEC B3.7)", async () => {
  const { token, access, ports } = await rig();
  ports.advance(5);
  const verdict = await access.verify(token, ports.now());
  ok(verdict.ok);
  const { claims, ...identity } = verdict.identity;
  const { groups: _, ...person } = ALICE.person;
  deepEqual(identity, {
    ...person,
    issuer: ORIGIN,
    clientId: "app",
    clientName: "App",
    scopes: ["mcp:read", "mcp:write"],
    expiresAt: NOW + TTL,
  });
  deepEqual([claims.groups, claims.aud], [["ops"], RESOURCE]);
  equal(verdict.until, NOW + 5 + REMEMBER_SECONDS);
});

Deno.test("accessTokens() has no scope where none was granted", async () => {
  const { token, access } = await rig({ ...ALICE, scopes: [] });
  const verdict = await access.verify(token, NOW);
  deepEqual(verdict.ok && verdict.identity.scopes, []);
});

Deno.test("accessTokens() takes no token of another resource on the same host (CVE-2025-69196, SPEC B2.6, E2)", async () => {
  const { of, family, token, access } = await rig();
  const other = of(OTHER);
  const theirs = await family.create({ ...ALICE, resource: OTHER }, LIFE);
  const foreign = await other.issue(theirs, (await family.get(theirs))!.value);
  // What a token is for is up to the grant, whoever issues it.
  equal(decodeJwt(await access.issue(theirs, (await family.get(theirs))!.value)).aud, OTHER);
  equal(reasonOf(await access.verify(token, NOW)), "none");
  equal(reasonOf(await other.verify(foreign, NOW)), "none");
  equal(reasonOf(await access.verify(foreign, NOW)), "audience");
  equal(reasonOf(await other.verify(token, NOW)), "audience");
  for (const near of [`${RESOURCE}/`, ORIGIN, `${ORIGIN}/mcp2`, RESOURCE.toUpperCase()]) {
    equal(reasonOf(await of(near).verify(token, NOW)), "audience", near);
  }
});

Deno.test("accessTokens() takes no token whose grant has ended, and none of no grant (SPEC B3.2, B3.7)", async () => {
  const { token, access, family, id, kept } = await rig();
  const orphan = await access.issue("f".repeat(32), kept);
  equal(reasonOf(await access.verify(orphan, NOW)), "grant");
  await family.end(id);
  equal(reasonOf(await access.verify(token, NOW)), "grant");
});

Deno.test("accessTokens() takes no token past its life (SPEC B3.1)", async () => {
  const { token, access } = await rig();
  // The skew that any token gets.
  equal(reasonOf(await access.verify(token, NOW + TTL + 29)), "none");
  equal(reasonOf(await access.verify(token, NOW + TTL + 30)), "expired");
});

const FORGED: readonly (readonly [
  reason: string,
  claims: Readonly<Record<string, unknown>>,
  header?: Readonly<Record<string, unknown>>,
])[] = [
  ["none", {}],
  ["none", {}, { typ: "application/at+jwt" }],
  ["type", {}, { typ: "dpop+jwt" }],
  ["type", {}, { typ: "secevent+jwt" }],
  ["type", {}, { typ: "JWT" }],
  ["type", {}, { typ: "JOSE" }],
  ["use", { typ: "ID" }, {}],
  ["id token", { nonce: "n" }, {}],
  ["issuer", { iss: `${ORIGIN}/` }],
  ["issuer", { iss: undefined }],
  ["audience", { aud: undefined }],
  ["audience", { aud: [OTHER] }],
  ["claim", { exp: undefined }],
  ["grant", { [GRANT_CLAIM]: undefined }],
  ["grant", { [GRANT_CLAIM]: 1 }],
  ["grant", { [GRANT_CLAIM]: ["a"] }],
  ["grant", { [GRANT_CLAIM]: "" }],
  ["grant", { [GRANT_CLAIM]: "unknown" }],
];
for (const [reason, change, header] of FORGED) {
  const what = JSON.stringify({ ...header, ...change }, (_, value) => value ?? "absent");
  Deno.test(`accessTokens() finds ${reason} wrong with a token of its own with ${what} (SPEC E2)`, async () => {
    const { keys, access, token } = await rig();
    const { kid, key } = await keys.current();
    const claims = { ...decodeJwt(token), ...change };
    const own = { kid, alg: "ES256", privateKey: key, jwk: {} };
    equal(reasonOf(await access.verify(await signWith(own, claims, header), NOW)), reason);
  });
}

Deno.test("accessTokens() takes no token that another key signed under its key's id (SPEC E2)", async () => {
  const { keys, access, token } = await rig();
  const { kid } = await keys.current();
  const claims = decodeJwt(token);
  equal(
    reasonOf(await access.verify(await signWith(await keyOf("x"), claims, { kid }), NOW)),
    "signature",
  );
  equal(reasonOf(await access.verify(await signWith(await keyOf("x"), claims), NOW)), "key");
  const bare = await signWith(await keyOf("x"), claims, { kid: undefined });
  equal(reasonOf(await access.verify(bare, NOW)), "key");
  equal(
    reasonOf(await access.verify(await signWith(await keyOf("x", "EdDSA"), claims), NOW)),
    "algorithm",
  );
});

Deno.test("accessTokens() rejects when it cannot tell whether a grant stands (SPEC B3.7)", async () => {
  const { token, access, store } = await rig();
  await store.close();
  await rejects(access.verify(token, NOW), /^Error: Cannot use a store that is closed$/);
});
