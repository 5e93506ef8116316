import { ok, strictEqual as equal } from "node:assert/strict";
import { CompactSign, SignJWT } from "@panva/jose";
import { ASSERTION_TYPE, LONGEST_ASSERTION_SECONDS } from "../../lib/proxy/assertion.ts";
import { MAX_ID_LENGTH } from "../../lib/proxy/register.ts";
import { SKEW_SECONDS } from "../../lib/jwt.ts";
import { NOW, ORIGIN, RESOURCE } from "../fakes.ts";
import { encode, keyOf, signWith } from "../idp.ts";
import type { Changes, Gate } from "./flow.ts";
import { audited, later, newStore, openGate, outcome, postForm } from "./grants_helper.ts";
import {
  asserted,
  assertionOf,
  claimsOf,
  type KeyClient,
  type Members,
  registerKey,
} from "./key_client.ts";
import { PUBLIC as ADDRESS } from "./visits.ts";

const GOOD = "400 invalid_grant";
const NOT_GOOD = "401 invalid_client";
const JWKS_URI = "https://client.example/keys";
const TOKEN_URL = `${ORIGIN}/oauth/token`;

const tell = async (gate: Gate, form: Changes) =>
  outcome(
    await postForm(gate, "/oauth/token", {
      grant_type: "refresh_token",
      refresh_token: "none",
      ...form,
    }),
  );

const CLAIMS: readonly (readonly [name: string, claims: Members, isGood: boolean])[] = [
  ["the issuer as audience", {}, true],
  ["the token endpoint as audience", { aud: TOKEN_URL }, true],
  ["a list of audiences with the issuer", { aud: ["https://other.example", ORIGIN] }, true],
  ["no audience", { aud: undefined }, false],
  ["another audience", { aud: "https://other.example" }, false],
  ["the issuer with a slash as audience", { aud: `${ORIGIN}/` }, false],
  ["the resource as audience", { aud: RESOURCE }, false],
  ["no issuer", { iss: undefined }, false],
  ["another issuer", { iss: "other" }, false],
  ["another subject", { sub: "other" }, false],
  ["no jti", { jti: undefined }, false],
  ["no expiry", { exp: undefined }, false],
  ["an expiry that is text", { exp: String(NOW + 60) }, false],
  ["an expiry within the skew", { exp: NOW - SKEW_SECONDS + 1 }, true],
  ["an expiry past the skew", { exp: NOW - SKEW_SECONDS }, false],
  ["the latest expiry", { exp: NOW + LONGEST_ASSERTION_SECONDS }, true],
  ["too late an expiry", { exp: NOW + LONGEST_ASSERTION_SECONDS + 1 }, false],
  ["an expiry with a fraction", { exp: NOW + 0.5 }, true],
  ["a start within the skew", { nbf: NOW + SKEW_SECONDS }, true],
  ["a start past the skew", { nbf: NOW + SKEW_SECONDS + 1 }, false],
];

for (const [name, claims, isGood] of CLAIMS) {
  Deno.test(`assertions() ${isGood ? "accept" : "refuse"} ${name} (SPEC B1.1)`, async () => {
    const gate = await openGate();
    const client = await registerKey(gate);
    const form = { client_id: client.id, ...await assertionOf(client, claims) };
    equal(await tell(gate, form), isGood ? GOOD : NOT_GOOD);
  });
}

Deno.test("assertions() name the client when nothing else does (SPEC B1.1)", async () => {
  const gate = await openGate();
  equal(await tell(gate, await assertionOf(await registerKey(gate))), GOOD);
});

/** Assertions that nobody with the client's key made. */
const FORGED: Readonly<Record<string, (client: KeyClient) => Promise<string>>> = {
  "alg none": (client) =>
    Promise.resolve(`${encode({ alg: "none" })}.${encode(claimsOf(client))}.`),
  "HS256 under the public key": (client) =>
    new SignJWT({ ...claimsOf(client) })
      .setProtectedHeader({ alg: "HS256", kid: "client" })
      .sign(new TextEncoder().encode(JSON.stringify(client.key.jwk))),
  "HS256 under an empty secret of the client": (client) =>
    new SignJWT({ ...claimsOf(client) })
      .setProtectedHeader({ alg: "HS256" })
      .sign(new TextEncoder().encode(client.id)),
  "another key under the same kid": async (client) => {
    const other = { ...await keyOf("another client"), kid: "client" };
    return await signWith(other, claimsOf(client), { typ: "JWT" });
  },
  "another key in the header": async (client) => {
    const other = await keyOf("another client");
    return await signWith(other, claimsOf(client), { kid: undefined, jwk: other.jwk });
  },
  "an unknown kid": (client) => signWith(client.key, claimsOf(client), { kid: "unknown" }),
  "altered claims": async (client) => {
    const [header, , signature] = (await signWith(client.key, claimsOf(client))).split(".");
    return [header, encode(claimsOf(client, { jti: "two" })), signature].join(".");
  },
  "no claims": async (client) => {
    const { privateKey } = client.key;
    const text = new TextEncoder().encode("[]");
    return await new CompactSign(text).setProtectedHeader({ alg: "ES256" }).sign(privateKey);
  },
  "two parts": async (client) =>
    (await signWith(client.key, claimsOf(client))).split(".").slice(0, 2).join("."),
  "more than 16 KiB": (client) =>
    signWith(client.key, claimsOf(client, { filler: "x".repeat(16 * 1024) })),
};

for (const [name, forge] of Object.entries(FORGED)) {
  Deno.test(`assertions() refuse ${name} (SPEC B1.1)`, async () => {
    const gate = await openGate();
    const client = await registerKey(gate);
    equal(await tell(gate, { client_id: client.id, ...asserted(await forge(client)) }), NOT_GOOD);
    ok(!gate.ports.lines.some((line) => line.includes("request failed")));
    equal(await tell(gate, await assertionOf(client)), GOOD);
  });
}

Deno.test("assertions() refuse the key of another client (SPEC B1.1)", async () => {
  const gate = await openGate();
  const one = await registerKey(gate, "client");
  const other = await registerKey(gate, "another client");
  equal(await tell(gate, await assertionOf({ ...one, key: other.key })), NOT_GOOD);
  const stolen = { client_id: one.id, ...await assertionOf(other) };
  equal(await tell(gate, stolen), NOT_GOOD);
});

for (const alg of ["ES256", "ES384", "RS256", "PS256", "EdDSA", "Ed25519"]) {
  Deno.test(`assertions() accept ${alg}, as the metadata says (SPEC B1.7)`, async () => {
    const gate = await openGate();
    const said = await (await gate.send("/.well-known/oauth-authorization-server")).json();
    ok(said.token_endpoint_auth_signing_alg_values_supported.includes(alg));
    ok(said.token_endpoint_auth_methods_supported.includes("private_key_jwt"));
    const key = await keyOf(`by ${alg}`, alg);
    const client = await registerKey(gate, "client", { jwks: { keys: [key.jwk] } });
    equal(await tell(gate, await assertionOf({ ...client, key })), GOOD);
  });
}

Deno.test("assertions() refuse an algorithm that the metadata does not name (SPEC B1.7)", async () => {
  const gate = await openGate();
  const key = await keyOf("by RS512", "RS512");
  const { alg: _, ...jwk } = key.jwk;
  const client = await registerKey(gate, "client", { jwks: { keys: [jwk] } });
  equal(await tell(gate, await assertionOf({ ...client, key })), NOT_GOOD);
});

Deno.test("assertions() count once, even when the request was in vain (SPEC B1.1)", async () => {
  const gate = await openGate();
  const client = await registerKey(gate);
  const form = await assertionOf(client);
  equal(await tell(gate, form), GOOD);
  equal(await tell(gate, form), NOT_GOOD);
  equal(audited(gate, "refused").at(-1)?.reason, "the assertion was used already");
  const again = await signWith(client.key, claimsOf(client, { exp: NOW + 50 }), { typ: "JWT" });
  equal(await tell(gate, asserted(again)), NOT_GOOD);
  equal(await tell(gate, await assertionOf(client, { jti: "two" })), GOOD);
  const other = await registerKey(gate, "another client");
  equal(await tell(gate, await assertionOf(other)), GOOD);
});

Deno.test("assertions() in vain store nothing, so strangers with keys cannot fill the store (SPEC B1.1)", async () => {
  await using shared = await newStore();
  const gate = await shared.open();
  const client = await registerKey(gate);
  const before = shared.rows().length;
  for (let nth = 0; nth < 20; nth++) {
    equal(await tell(gate, await assertionOf(client, { jti: `${nth}` })), GOOD);
  }
  equal(shared.rows().length, before);
});

Deno.test("assertions() count once for as long as they are valid (SPEC B1.1)", async () => {
  const gate = await openGate();
  const client = await registerKey(gate);
  const form = await assertionOf(client, { exp: NOW + LONGEST_ASSERTION_SECONDS });
  equal(await tell(gate, form), GOOD);
  await later(gate, LONGEST_ASSERTION_SECONDS + SKEW_SECONDS - 1);
  equal(await tell(gate, form), NOT_GOOD);
  equal(audited(gate, "refused").at(-1)?.reason, "the assertion was used already");
  gate.ports.advance(1);
  equal(await tell(gate, form), NOT_GOOD);
  equal(audited(gate, "refused").at(-1)?.reason, "the assertion is refused: ERR_JWT_EXPIRED");
});

Deno.test("assertions() count once across replicas, of ten at once too (SPEC B1.1)", async () => {
  await using store = await newStore();
  const one = await store.open();
  const other = await store.open({}, { ports: one.ports });
  const client = await registerKey(one);
  const code = await one.code(client);
  const { body } = await one.redeem(client, code, await assertionOf(client, { jti: "first" }));
  const form = { refresh_token: body.refresh_token, ...await assertionOf(client) };
  const all = await Promise.all(
    Array.from({ length: 10 }, (_, index) => tell(index % 2 ? one : other, form)),
  );
  equal(all.filter((one) => one === NOT_GOOD).length, 9);
  equal(all.filter((one) => one.startsWith("200")).length, 1);
});

Deno.test("assertions() do not count as bearer of anything else (SPEC A4.6)", async () => {
  const gate = await openGate();
  const client = await registerKey(gate);
  const { client_assertion } = await assertionOf(client, { aud: RESOURCE, client_id: client.id });
  const answer = await gate.send("/mcp", {
    method: "POST",
    headers: { authorization: `Bearer ${client_assertion}`, "content-type": "application/json" },
    body: "{}",
  });
  await answer.body?.cancel();
  equal(answer.status, 401);
  const grant = { grant_type: ASSERTION_TYPE, ...await assertionOf(client), refresh_token: "" };
  equal(await tell(gate, grant), "400 unsupported_grant_type");
});

/** A host whose key set can be changed. */
async function keyHost() {
  const host = { status: 200, keys: [(await keyOf("client")).jwk] as unknown[], asked: 0 };
  const fetchAt = () => {
    host.asked++;
    return Promise.resolve(Response.json({ keys: host.keys }, { status: host.status }));
  };
  const strangers = { resolve: () => Promise.resolve([ADDRESS]), fetchAt };
  const gate = await openGate({}, { strangers });
  const client = await registerKey(gate, "client", { jwks: undefined, jwks_uri: JWKS_URI });
  return { host, gate, client };
}

Deno.test("assertions() are judged by the keys at jwks_uri, which may change (SPEC B1.1)", async () => {
  const { host, gate, client } = await keyHost();
  equal(await tell(gate, await assertionOf(client)), GOOD);
  equal(await tell(gate, await assertionOf(client, { jti: "two" })), GOOD);
  equal(host.asked, 1);
  const next = await keyOf("next key");
  host.keys = [next.jwk];
  await later(gate, 60);
  const late = { exp: NOW + 120 };
  equal(
    await tell(gate, await assertionOf({ ...client, key: next }, { ...late, jti: "three" })),
    GOOD,
  );
  equal(await tell(gate, await assertionOf(client, { ...late, jti: "four" })), NOT_GOOD);
});

Deno.test("assertions() can be tried again when the keys cannot be had at the moment (SPEC B1.1)", async () => {
  const { host, gate, client } = await keyHost();
  host.status = 503;
  const form = await assertionOf(client);
  equal(await tell(gate, form), "503 temporarily_unavailable");
  host.status = 200;
  gate.ports.advance(10);
  equal(await tell(gate, form), GOOD);
});

Deno.test("assertions() are refused when there are no keys at jwks_uri (SPEC B1.1)", async () => {
  const { host, gate, client } = await keyHost();
  host.status = 404;
  equal(await tell(gate, await assertionOf(client)), NOT_GOOD);
});

const BROKEN: Readonly<Record<string, Record<string, string>>> = {
  "is not on its curve": { kty: "EC", crv: "P-256", x: "AA", y: "AA" },
  "is an RSA key of nonsense": { kty: "RSA", n: "AA", e: "AQAB" },
  "is too short": { kty: "RSA", n: `${"v".repeat(170)}w`, e: "AQAB" },
};

for (const [name, jwk] of Object.entries(BROKEN)) {
  Deno.test(`assertions() are refused when the registered key ${name} (SPEC B1.1)`, async () => {
    const gate = await openGate();
    const alg = jwk.kty === "RSA" ? "RS256" : "ES256";
    const key = await keyOf(`by ${alg}`, alg);
    const client = await registerKey(gate, "client", { jwks: { keys: [jwk] } });
    const form = await assertionOf({ ...client, key }, {}, { kid: undefined });
    equal(await tell(gate, form), NOT_GOOD);
  });
}

Deno.test("assertions() of the client with the longest id that can be registered are accepted (SPEC B1.1, B4.3)", async () => {
  const gate = await openGate();
  const redirect_uris = ["a", "b"].map((one) => `https://app.example/${one.repeat(480)}`);
  const client = await registerKey(gate, "client", {
    client_name: "n".repeat(90),
    redirect_uris,
    jwks: { keys: [(await keyOf("client")).jwk, (await keyOf("by RS256", "RS256")).jwk] },
  });
  ok(client.id.length > MAX_ID_LENGTH * 0.9, String(client.id.length));
  equal(await tell(gate, { client_id: client.id, ...await assertionOf(client) }), GOOD);
});
