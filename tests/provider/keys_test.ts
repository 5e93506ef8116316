import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import type { Verdict } from "../../lib/errors.ts";
import { COOL_DOWN_SECONDS, FRESH_SECONDS, RETRY_SECONDS } from "../../lib/provider/oidc.ts";
import { providerOf } from "../../lib/providers.ts";
import { CLAIMS, fakePorts, testConfig } from "../fakes.ts";
import { encode, type Idp, ISSUER, keyOf, newIdp, openidUrl, signWith } from "../idp.ts";
import { hanging, settled, withDeadlines, within } from "../waiting.ts";

const [OLD, NEW] = [await keyOf("old"), await keyOf("new")];
const JWKS_URI = `${ISSUER}/keys`;

/** A provider over an issuer whose only key is the old one. */
async function rig(env: Record<string, string> = {}) {
  const idp = newIdp([OLD]);
  const ports = fakePorts(idp.fetch);
  const { http, oauth } = testConfig({ OAUTH_PROVIDER: "oidc", OIDC_ISSUER: ISSUER, ...env });
  const provider = await providerOf(oauth!, http.publicUrl, ports);
  const claims = () => ({ ...CLAIMS, iss: ISSUER, iat: ports.now(), exp: ports.now() + 600 });
  return {
    idp,
    ports,
    provider,
    /** What becomes of a token signed now. */
    verify: async (key = OLD, header: Record<string, unknown> = {}) =>
      reasonOf(await provider.verify(await signWith(key, claims(), header), ports.now())),
    /** A token that names a key that nobody has. */
    stray: (kid: string) =>
      [encode({ alg: "ES256", kid, typ: "at+jwt" }), encode(claims()), encode(kid)].join("."),
  };
}

function reasonOf(verdict: Verdict): string {
  return verdict.ok ? "accepted" : verdict.refusal.reason;
}

function counts(idp: Idp): [documents: number, keys: number] {
  return [idp.count().documents, idp.count().keys];
}

Deno.test("oidc() asks for metadata and keys once, and again after 600 seconds (SPEC A4.6)", async () => {
  const { idp, ports, verify } = await rig();
  deepEqual(counts(idp), [0, 0]);
  deepEqual(
    await Promise.all(Array.from({ length: 50 }, () => verify())),
    Array(50).fill("accepted"),
  );
  deepEqual(counts(idp), [1, 1]);
  ports.advance(FRESH_SECONDS - 1);
  equal(await verify(), "accepted");
  deepEqual(counts(idp), [1, 1]);
  ports.advance(1);
  equal(await verify(), "accepted");
  await settled();
  deepEqual(counts(idp), [2, 2]);
});

Deno.test("oidc() asks nothing for a token that is refused without keys (SPEC A4.6)", async () => {
  const { idp, provider, ports } = await rig();
  const good = { ...CLAIMS, iss: ISSUER };
  for (const token of ["", "opaque", "a.b.c", await signWith(OLD, { ...good, iss: "x" })]) {
    equal((await provider.verify(token, ports.now())).ok, false);
  }
  equal(
    (await provider.verify(await signWith(OLD, good, { typ: "logout+jwt" }), ports.now())).ok,
    false,
  );
  equal(idp.count().all, 0);
});

Deno.test("oidc() looks for an unknown key once, and not again within 30 seconds (SPEC A4.6)", async () => {
  const { idp, ports, verify } = await rig();
  equal(await verify(), "accepted");
  const steps = [[0, 1], [29, 1], [1, 2], [0, 2], [29, 2], [1, 3]] as const;
  for (const [seconds, keys] of steps) {
    ports.advance(seconds);
    equal(await verify(NEW), "key");
    deepEqual(counts(idp), [1, keys]);
  }
});

Deno.test("oidc() is not made to ask by a flood of unknown keys (SPEC A4.6)", async () => {
  const { idp, ports, provider, verify, stray } = await rig();
  for (let wave = 0; wave < 3; wave++) {
    const flood = Array.from(
      { length: 1000 },
      (_, at) => provider.verify(stray(`kid ${wave} ${at}`), ports.now()),
    );
    deepEqual(new Set((await Promise.all(flood)).map(reasonOf)), new Set(["key"]));
    equal(await verify(), "accepted");
    deepEqual(counts(idp), [1, 1 + wave]);
    ports.advance(COOL_DOWN_SECONDS);
  }
});

Deno.test("oidc() accepts a new key at once, and the old one as long as it is published (SPEC A4.6)", async () => {
  const { idp, ports, verify } = await rig();
  equal(await verify(), "accepted");
  ports.advance(COOL_DOWN_SECONDS);
  idp.keys = [OLD.jwk, NEW.jwk];
  deepEqual([await verify(NEW), await verify(OLD)], ["accepted", "accepted"]);
  deepEqual(counts(idp), [1, 2]);
  ports.advance(COOL_DOWN_SECONDS);
  idp.keys = [NEW.jwk];
  ports.advance(FRESH_SECONDS);
  await verify(NEW);
  await settled();
  deepEqual([await verify(NEW), await verify(OLD)], ["accepted", "key"]);
});

Deno.test("oidc() takes a key that replaces the old one without overlap (SPEC A4.6)", async () => {
  const { idp, ports, verify } = await rig();
  equal(await verify(), "accepted");
  idp.keys = [NEW.jwk];
  equal(await verify(OLD), "accepted");
  ports.advance(COOL_DOWN_SECONDS);
  deepEqual([await verify(NEW), await verify(OLD)], ["accepted", "key"]);
  deepEqual(counts(idp), [1, 2]);
});

Deno.test("oidc() follows its issuer to another address of the keys", async () => {
  const { idp, ports, verify } = await rig();
  equal(await verify(), "accepted");
  idp.document.jwks_uri = "https://keys.example/jwks";
  idp.keys = [NEW.jwk];
  ports.advance(FRESH_SECONDS);
  await verify(OLD);
  await settled();
  ports.advance(FRESH_SECONDS);
  await verify(OLD);
  await settled();
  equal(await verify(NEW), "accepted");
  equal(idp.requests.at(-1), "GET https://keys.example/jwks");
});

Deno.test("oidc() cannot judge before its issuer was reached, and recovers by itself (SPEC A3.1)", async () => {
  const { idp, ports, verify } = await rig();
  idp.up = false;
  await rejects(verify(), /Cannot fetch https:\/\/idp\.example\/tenant/);
  ports.advance(RETRY_SECONDS - 1);
  await rejects(verify(), /Cannot fetch/);
  equal(idp.count().all, 1);
  idp.up = true;
  await rejects(verify(), /Cannot fetch/);
  ports.advance(1);
  equal(await verify(), "accepted");
  match(
    ports.lines[0]!,
    /"level":"warn","event":"issuer not found","issuer":"https:\/\/idp.example/,
  );
});

Deno.test("oidc() goes on with the keys it has for as long as its issuer is down", async () => {
  const { idp, ports, provider, verify } = await rig();
  equal(await verify(), "accepted");
  idp.up = false;
  for (let hour = 0; hour < 48; hour++) {
    ports.advance(3600);
    equal(await verify(), "accepted");
    await settled();
  }
  equal((await provider.metadata()).openid.issuer, ISSUER);
  ok(idp.count().all <= 2 + 2 * 48 + 1, `${idp.count().all} requests`);
  match(ports.lines.at(-1)!, /"event":"(keys not fetched|issuer not found)"/);
});

Deno.test("oidc() does not refuse a token whose key it could not look for (SPEC A3.1)", async () => {
  const { idp, ports, verify } = await rig();
  equal(await verify(), "accepted");
  idp.keys = [OLD.jwk, NEW.jwk];
  idp.up = false;
  ports.advance(COOL_DOWN_SECONDS);
  await rejects(verify(NEW), Error);
  await rejects(verify(NEW), Error);
  equal(await verify(OLD), "accepted");
  idp.up = true;
  ports.advance(COOL_DOWN_SECONDS);
  equal(await verify(NEW), "accepted");
});

const BROKEN: readonly (readonly [name: string, answer: () => Response])[] = [
  ["a page", () => new Response("<!doctype html>")],
  ["no keys", () => Response.json({ keys: [] })],
  ["a secret", () => Response.json({ keys: [{ kty: "oct", k: "AA" }] })],
  ["a redirect", () => Response.redirect("https://evil.example/keys")],
  ["an endless list", () => new Response(" ".repeat(600 * 1024))],
  ["a failure", () => new Response(null, { status: 503 })],
];

for (const [name, answer] of BROKEN) {
  Deno.test(`oidc() keeps its keys when the issuer answers with ${name} (SPEC A4.6)`, async () => {
    const { idp, ports, verify } = await rig();
    equal(await verify(), "accepted");
    idp.answers.set(JWKS_URI, answer);
    for (const seconds of [FRESH_SECONDS, COOL_DOWN_SECONDS, COOL_DOWN_SECONDS]) {
      ports.advance(seconds);
      equal(await verify(), "accepted");
      await settled();
    }
    equal(ports.lines.filter((line) => line.includes("keys not fetched")).length, 3);
    equal(idp.requests.some((one) => one.includes("evil")), false);
  });
}

Deno.test("oidc() has everyone wait for keys together, and nobody for longer than the deadline", async () => {
  await withDeadlines(async ({ asked, pass }) => {
    const { idp, ports, verify } = await rig();
    idp.answers.set(JWKS_URI, hanging);
    const waiting = Array.from({ length: 100 }, () => verify().catch((error) => error.message));
    while (counts(idp).at(-1) === 0) await settled();
    deepEqual(counts(idp), [1, 1]);
    pass();
    const found = new Set(await within(1000, Promise.all(waiting)));
    deepEqual([...found], [
      "Cannot fetch https://idp.example/tenant/keys: no answer within 5 seconds",
    ]);
    deepEqual(asked, [5000, 5000]);
    deepEqual(counts(idp), [1, 1]);
    equal(ports.lines.length, 1);
  });
});

Deno.test("oidc() does not wait for a renewal that hangs", async () => {
  const { idp, ports, verify } = await rig();
  equal(await verify(), "accepted");
  await withDeadlines(async ({ pass }) => {
    idp.answers.set(JWKS_URI, hanging);
    ports.advance(FRESH_SECONDS);
    equal(await within(1000, verify()), "accepted");
    ports.advance(3600);
    equal(await within(1000, verify()), "accepted");
    pass();
    await settled();
  });
  idp.answers.delete(JWKS_URI);
  ports.advance(COOL_DOWN_SECONDS);
  equal(await verify(), "accepted");
});

Deno.test("oidc() is not confused by a key set in which several keys fit", async () => {
  const { idp, ports, verify } = await rig();
  idp.keys = [OLD.jwk, NEW.jwk];
  deepEqual([await verify(OLD), await verify(NEW)], ["accepted", "accepted"]);
  equal(await verify(OLD, { kid: undefined }), "key");
  idp.keys = [OLD.jwk, { ...NEW.jwk, kid: OLD.kid }];
  ports.advance(COOL_DOWN_SECONDS);
  equal(await verify(NEW, { kid: "another" }), "key");
  equal(await verify(OLD), "key");
});

Deno.test("oidc() passes the issuer's documents on as they are (SPEC B1.4)", async () => {
  const { idp, provider } = await rig();
  idp.document["x-vendor"] = [{ a: 1 }];
  idp.keys = [OLD.jwk, { kty: "oct", k: "c2VjcmV0" }];
  const { authorizationServer, openid, jwks } = await provider.metadata();
  deepEqual([authorizationServer, openid, jwks], [idp.document, idp.document, { keys: [OLD.jwk] }]);
  idp.answers.set(openidUrl(ISSUER), () => new Response(null, { status: 500 }));
  deepEqual((await provider.metadata()).openid, idp.document);
});
