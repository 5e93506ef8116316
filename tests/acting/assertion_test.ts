import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from "@panva/jose";
import { assertion, LIFETIME_SECONDS } from "../../lib/acting/assertion.ts";
import { ToolError } from "../../lib/pack.ts";
import { type KeyRow, signingKeys } from "../../lib/proxy/keys.ts";
import { records } from "../../lib/proxy/records.ts";
import { seals } from "../../lib/seal.ts";
import { memory } from "../../lib/store/memory.ts";
import { fakePorts, NOW, ORIGIN, SECRET } from "../fakes.ts";
import { person } from "./people.ts";

const AUDIENCE = "https://grafana.example";

function stage() {
  const ports = fakePorts();
  const seal = seals([new TextEncoder().encode(SECRET)], ORIGIN)("row keys");
  const keys = signingKeys(records<KeyRow>(memory(ports), seal, "keys", ports.now), ports);
  const acting = assertion({ issuer: ORIGIN, audience: AUDIENCE, key: keys.current }, ports);
  return { acting, keys, ports };
}

const ALICE = person("alice", { email: "alice@example.com", name: "Alice", roles: ["admin", "x"] });

Deno.test("assertion() states who the caller is, signed with a key that is published (SPEC A5.3)", async () => {
  const { acting, keys } = stage();
  const { token, of } = await acting.credentialFor(ALICE);
  equal(of, "caller");
  const set = createLocalJWKSet(await keys.document() as never);
  const { payload, protectedHeader } = await jwtVerify(token, set, {
    issuer: ORIGIN,
    audience: AUDIENCE,
    algorithms: ["ES256"],
    currentDate: new Date(NOW * 1000),
  });
  const { kid, ...header } = protectedHeader;
  deepEqual(header, { alg: "ES256", typ: "JWT" });
  equal(kid, (await keys.current()).kid);
  const { jti, ...claims } = payload;
  match32(jti);
  deepEqual(claims, {
    iss: ORIGIN,
    sub: "alice",
    aud: AUDIENCE,
    iat: NOW,
    exp: NOW + LIFETIME_SECONDS,
    preferred_username: "alice@example.com",
    email: "alice@example.com",
    name: "Alice",
    roles: ["admin", "x"],
  });
});

function match32(jti: unknown): void {
  ok(typeof jti === "string" && /^[0-9a-f]{32}$/.test(jti));
}

Deno.test("assertion() says nothing that it does not know, and nothing of the caller's token", async () => {
  const { acting } = stage();
  const bob = person("bob", { claims: { secret: "claim" } });
  const { token } = await acting.credentialFor(bob);
  deepEqual(Object.keys(decodeJwt(token)).sort(), [
    "aud",
    "exp",
    "iat",
    "iss",
    "jti",
    "preferred_username",
    "roles",
    "sub",
  ]);
  ok(!JSON.stringify(decodeJwt(token)).includes(bob.token));
});

const LIVES: [left: number, lives: number][] = [
  [600, LIFETIME_SECONDS],
  [LIFETIME_SECONDS, LIFETIME_SECONDS],
  [LIFETIME_SECONDS - 1, LIFETIME_SECONDS - 1],
  [5, 5],
  [-20, -20],
];
for (const [left, lives] of LIVES) {
  Deno.test(`assertion() lives for ${lives} seconds when the caller's token has ${left} left, never past it`, async () => {
    const { acting } = stage();
    const { token } = await acting.credentialFor({ ...ALICE, expiresAt: NOW + left });
    equal(decodeJwt(token).exp, NOW + lives);
  });
}

Deno.test("assertion() states it anew before the statement ends, with an id of its own", async () => {
  const { acting, keys, ports } = stage();
  const first = await acting.credentialFor(ALICE);
  equal((await acting.credentialFor(ALICE)).token, first.token);
  ports.advance(LIFETIME_SECONDS - 10);
  const second = decodeJwt((await acting.credentialFor(ALICE)).token);
  equal(second.iat, NOW + LIFETIME_SECONDS - 10);
  ok(second.jti !== decodeJwt(first.token).jti);
  // Waits for the keys, which are looked up again in the background.
  equal(await keys.find({ alg: "ES256", kid: "of nobody" }), undefined);
});

Deno.test("assertion() states it anew after the service refused it", async () => {
  const { acting } = stage();
  const first = await acting.credentialFor(ALICE);
  equal(acting.forget(ALICE, first), true);
  ok((await acting.credentialFor(ALICE)).token !== first.token);
});

Deno.test("assertion() states nothing of nobody, and one caller is never another", async () => {
  const { acting } = stage();
  await rejects(acting.credentialFor(undefined), ToolError);
  const people = Array.from({ length: 20 }, (_, at) => person(`user-${at}`));
  const tokens = await Promise.all([...people, ...people].map((one) => acting.credentialFor(one)));
  deepEqual(
    tokens.map(({ token }) => decodeJwt(token).sub),
    [...people, ...people].map(({ subject }) => subject),
  );
});

Deno.test("assertion() fails as machinery does when there is no key", async () => {
  const down = new Error("Cannot load the signing keys");
  const acting = assertion(
    { issuer: ORIGIN, audience: AUDIENCE, key: () => Promise.reject(down) },
    fakePorts(),
  );
  await rejects(acting.credentialFor(ALICE), down);
});

Deno.test("assertion() names the key that signed", async () => {
  const { acting, keys } = stage();
  const { token } = await acting.credentialFor(ALICE);
  const { keys: published } = await keys.document() as { keys: { kid: string; d?: string }[] };
  deepEqual(published.map(({ kid }) => kid), [decodeProtectedHeader(token).kid]);
  equal(published[0]!.d, undefined);
});
