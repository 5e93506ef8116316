import { deepStrictEqual as deepEqual, rejects, strictEqual as equal } from "node:assert/strict";
import type { JWK } from "@panva/jose";
import type { Client } from "../../lib/proxy/client.ts";
import { clientKeys } from "../../lib/proxy/client_keys.ts";
import type { KeysFound } from "../../lib/proxy/documents.ts";
import { ASSERTION_TYPE } from "../../lib/proxy/assertion.ts";
import { keysMade, NOW, ORIGIN, subject } from "../fakes.ts";
import { keyOf, type SigningKey, signWith } from "../idp.ts";

const CLIENT: Client = {
  id: "https://app.example/client",
  name: "App",
  origin: "document",
  redirectUris: ["https://app.example/cb"],
  authMethod: "private_key_jwt",
  jwksUri: "https://app.example/keys",
};

const [ONE, TWO] = [await keyOf("one"), await keyOf("two")];
const EDDSA = await keyOf("ed", "EdDSA");

/** The look-up over a client whose keys are `found`. */
function lookUp(found: KeysFound) {
  const asked: unknown[] = [];
  const keys = (client: Client, kid?: string) => {
    asked.push([client.id, kid]);
    return Promise.resolve(found);
  };
  return { find: clientKeys({ keys }), asked };
}

const published = (...keys: readonly (SigningKey | JWK)[]): KeysFound => ({
  ok: true,
  keys: keys.map((key) => "jwk" in key ? key.jwk as JWK : key as JWK),
});

async function xOf(found: KeysFound, header: { alg: string; kid?: string }) {
  const key = await lookUp(found).find(CLIENT, header);
  return key && (await crypto.subtle.exportKey("jwk", key)).x;
}

Deno.test("clientKeys() finds the key that a header names, and asks for it by name (SPEC B4.1)", async () => {
  const { find, asked } = lookUp(published(ONE, TWO));
  const key = await find(CLIENT, { alg: "ES256", kid: "two" });
  deepEqual([key?.type, (await crypto.subtle.exportKey("jwk", key!)).x], ["public", TWO.jwk.x]);
  deepEqual(asked, [[CLIENT.id, "two"]]);
});

Deno.test("clientKeys() finds the one key that fits where the header names none (SPEC B4.1)", async () => {
  equal(await xOf(published(ONE), { alg: "ES256" }), ONE.jwk.x);
  equal(await xOf(published(ONE, EDDSA), { alg: "EdDSA" }), EDDSA.jwk.x);
  const { kid: _, ...bare } = ONE.jwk;
  equal(await xOf(published(bare), { alg: "ES256" }), ONE.jwk.x);
});

const NONE: readonly (readonly [string, KeysFound, { alg: string; kid?: string }])[] = [
  ["no key has the name", published(ONE), { alg: "ES256", kid: "two" }],
  ["there are no keys", published(), { alg: "ES256" }],
  ["several fit", published(ONE, TWO), { alg: "ES256" }],
  ["the key is of another algorithm", published(ONE), { alg: "EdDSA", kid: "one" }],
  ["the key is for encryption", published({ ...ONE.jwk, use: "enc" }), { alg: "ES256" }],
  ["the algorithm has no key", published(ONE), { alg: "none" }],
  ["the algorithm is symmetric", published(ONE), { alg: "HS256", kid: "one" }],
  ["the client has no keys", { ok: false, reason: "no keys", retryable: false }, { alg: "ES256" }],
];
for (const [name, found, header] of NONE) {
  Deno.test(`clientKeys() finds no key when ${name} (SPEC B4.1)`, async () => {
    equal(await lookUp(found).find(CLIENT, header), undefined);
  });
}

Deno.test("clientKeys() rejects when the keys cannot be had at the moment (SPEC B4.1)", async () => {
  const { find } = lookUp({ ok: false, reason: "connection refused", retryable: true });
  await rejects(
    find(CLIENT, { alg: "ES256" }),
    /^Error: Cannot fetch the client's keys: connection refused$/,
  );
});

const BROKEN: readonly (readonly [name: string, alg: string, jwk: JWK])[] = [
  ["without coordinates", "ES256", { kty: "EC", crv: "P-256" }],
  ["whose coordinates are no base64url", "ES256", { kty: "EC", crv: "P-256", x: "!!", y: "AA" }],
  ["on no curve", "ES256", { kty: "EC", crv: "zzz", x: "AA", y: "AA" }],
  ["of too few bytes", "EdDSA", { kty: "OKP", crv: "Ed25519", x: "AA" }],
  ["for agreement", "EdDSA", { kty: "OKP", crv: "X25519", x: "A".repeat(43) }],
  ["whose modulus is no base64url", "RS256", { kty: "RSA", n: "!!", e: "AQAB" }],
  ["whose modulus has one byte", "RS256", { kty: "RSA", n: "_w", e: "AQAB" }],
  ["whose modulus has 1024 bits", "PS256", { kty: "RSA", n: "_".repeat(171), e: "AQAB" }],
];
for (const [name, alg, jwk] of BROKEN) {
  Deno.test(`clientKeys() finds no key in one ${name} (SPEC B4.1)`, async () => {
    equal(await lookUp(published(jwk)).find(CLIENT, { alg }), undefined);
  });
}

Deno.test("clientKeys() takes a modulus of 2048 bits (SPEC B4.1)", async () => {
  equal(
    (await lookUp(published(await keyOf("rsa", "RS256"))).find(CLIENT, { alg: "RS256" }))?.type,
    "public",
  );
});

Deno.test("The token endpoint refuses a client whose registered key is none, and does not break (SPEC B3.4, B4.3)", async () => {
  const { app, send, ports } = await subject({ OAUTH_MODE: "proxy" });
  await keysMade(app);
  for (const [name, alg, jwk] of BROKEN) {
    const registered = await send("/oauth/register", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        redirect_uris: ["https://app.example/cb"],
        token_endpoint_auth_method: "private_key_jwt",
        jwks: { keys: [jwk] },
      }),
    });
    // Some of them are told at once.
    if (registered.status === 400) continue;
    const { client_id: id } = await registered.json();
    const claims = { iss: id, sub: id, aud: ORIGIN, jti: name, exp: NOW + 60 };
    const signer = await keyOf("rsa", alg);
    const response = await send("/oauth/token", {
      method: "POST",
      body: new URLSearchParams({
        grant_type: "refresh_token",
        refresh_token: "x",
        client_assertion_type: ASSERTION_TYPE,
        client_assertion: await signWith(signer, claims, { kid: undefined, typ: undefined }),
      }),
    });
    deepEqual([response.status, (await response.json()).error], [401, "invalid_client"], name);
  }
  equal(ports.lines.some((line) => line.includes("request failed")), false);
});
