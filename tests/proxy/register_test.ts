import {
  deepStrictEqual as deepEqual,
  match,
  notStrictEqual as notEqual,
  ok,
  strictEqual as equal,
} from "node:assert/strict";
import { hashOf, REGISTRATION_SECONDS } from "../../lib/proxy/clients.ts";
import { MAX_ID_LENGTH, MAX_REGISTRATION_BYTES } from "../../lib/proxy/register.ts";
import { seals } from "../../lib/seal.ts";
import { NOW, ORIGIN, SECRET } from "../fakes.ts";
import { REDIRECT } from "./flow.ts";
import { audited, newStore, openGate, outcome, postForm, register } from "./grants_helper.ts";

const PUBLIC = {
  client_name: "App",
  redirect_uris: [REDIRECT],
  token_endpoint_auth_method: "none",
};
const CONFIDENTIAL = { ...PUBLIC, token_endpoint_auth_method: "client_secret_post" };
const RSA = { kty: "RSA", n: "n".repeat(1360), e: "AQAB" };

Deno.test("register() answers 201 with the metadata in force (SPEC B4.3)", async () => {
  const gate = await openGate();
  const { status, headers, body } = await register(gate, {
    ...PUBLIC,
    application_type: "native",
    grant_types: ["authorization_code", "refresh_token", "implicit"],
    scope: "everything there is",
    logo_uri: "https://client.example/logo.png",
    software_statement: "unheard of",
  });
  equal(status, 201);
  equal(headers.get("cache-control"), "no-store");
  const { client_id: id, ...rest } = body;
  match(id, /^[\w-]+(\.[\w-]*){4}$/);
  deepEqual(rest, {
    client_id_issued_at: NOW,
    client_name: "App",
    redirect_uris: [REDIRECT],
    token_endpoint_auth_method: "none",
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
  });
});

Deno.test("register() gives an id that cannot be taken for a document's (SPEC B4.1)", async () => {
  const { body } = await register(await openGate(), {
    ...PUBLIC,
    client_id: "https://client.example/oauth/client.json",
  });
  equal(body.client_id.startsWith("https:"), false);
});

for (const method of ["client_secret_basic", "client_secret_post", undefined]) {
  Deno.test(`register() tells a secret once and keeps its hash for ${method ?? "no method"} (SPEC B4.3)`, async () => {
    const gate = await openGate();
    const { status, body } = await register(gate, {
      ...PUBLIC,
      token_endpoint_auth_method: method,
    });
    equal(status, 201);
    equal(body.token_endpoint_auth_method, method ?? "client_secret_basic");
    equal(body.client_secret_expires_at, NOW + REGISTRATION_SECONDS);
    match(body.client_secret, /^[\w-]{43}$/);
    const secrets = seals([new TextEncoder().encode(SECRET)], ORIGIN);
    const kept = await secrets("client").open(body.client_id, NOW) as Record<string, unknown>;
    equal(kept.secretHash, hashOf(body.client_secret));
    equal(JSON.stringify(kept).includes(body.client_secret), false);
    equal(gate.ports.lines.some((line) => line.includes(body.client_secret)), false);
  });
}

Deno.test("register() gives no secret to a client that has a key (SPEC B4.3)", async () => {
  const jwks = { keys: [{ kty: "OKP", crv: "Ed25519", x: "eA" }] };
  const key = { ...PUBLIC, token_endpoint_auth_method: "private_key_jwt", jwks };
  const { status, body } = await register(await openGate(), key);
  equal(status, 201);
  deepEqual(body.jwks, jwks);
  equal("client_secret" in body, false);
});

Deno.test("register() gives each client that asks the same an id and secret of its own (SPEC B4.3)", async () => {
  const gate = await openGate();
  const [one, other] = [await register(gate, CONFIDENTIAL), await register(gate, CONFIDENTIAL)];
  notEqual(one.body.client_id, other.body.client_id);
  notEqual(one.body.client_secret, other.body.client_secret);
  const ask = { grant_type: "refresh_token", refresh_token: "none" };
  for (const { body } of [one, other]) {
    const { client_id, client_secret } = body;
    const answer = await postForm(gate, "/oauth/token", { ...ask, client_id, client_secret });
    equal(outcome(answer), "400 invalid_grant");
  }
  const mixed = { client_id: one.body.client_id, client_secret: other.body.client_secret };
  equal(
    outcome(await postForm(gate, "/oauth/token", { ...ask, ...mixed })),
    "401 invalid_client",
  );
});

const REFUSED: readonly (readonly [name: string, body: unknown, error: string])[] = [
  ["no JSON", "{", "invalid_client_metadata"],
  ["an empty body", "", "invalid_client_metadata"],
  ["a list", [PUBLIC], "invalid_client_metadata"],
  ["null", "null", "invalid_client_metadata"],
  ["no redirect URIs", { client_name: "App" }, "invalid_redirect_uri"],
  ["a redirect URI by http", {
    ...PUBLIC,
    redirect_uris: ["http://app.example/cb"],
  }, "invalid_redirect_uri"],
  ["a script for a redirect URI", {
    ...PUBLIC,
    redirect_uris: [REDIRECT, "javascript:alert(1)"],
  }, "invalid_redirect_uri"],
  ["this server's own callback", {
    ...PUBLIC,
    redirect_uris: [`${ORIGIN}/oauth/callback`],
  }, "invalid_redirect_uri"],
  ["an unknown method", {
    ...PUBLIC,
    token_endpoint_auth_method: "tls_client_auth",
  }, "invalid_client_metadata"],
  ["no code among the grants", {
    ...PUBLIC,
    grant_types: ["client_credentials"],
  }, "invalid_client_metadata"],
  ["a private key", {
    ...PUBLIC,
    token_endpoint_auth_method: "private_key_jwt",
    jwks: { keys: [{ kty: "OKP", crv: "Ed25519", x: "eA", d: "ZA" }] },
  }, "invalid_client_metadata"],
  ["a body over the bound", {
    ...PUBLIC,
    contacts: ["x".repeat(MAX_REGISTRATION_BYTES)],
  }, "invalid_client_metadata"],
];

for (const [name, body, error] of REFUSED) {
  Deno.test(`register() refuses ${name} (SPEC B4.3)`, async () => {
    const answer = await register(await openGate(), body);
    equal(outcome(answer), `400 ${error}`);
    equal(answer.headers.get("cache-control"), "no-store");
    equal("client_id" in answer.body, false);
    equal(JSON.stringify(answer.body).includes("app.example"), false);
  });
}

for (const type of ["application/x-www-form-urlencoded", "text/plain", "application/json5", ""]) {
  Deno.test(`register() refuses the content type "${type}" (SPEC B4.3)`, async () => {
    const answer = await register(await openGate(), PUBLIC, { type });
    equal(outcome(answer), "400 invalid_client_metadata");
  });
}

Deno.test("register() takes JSON with a charset, in any case (SPEC B4.3)", async () => {
  const type = "Application/JSON; charset=UTF-8";
  equal((await register(await openGate(), PUBLIC, { type })).status, 201);
});

Deno.test("register() refuses metadata whose id would not fit into a URL (SPEC B4.3)", async () => {
  const gate = await openGate();
  const withKeys = (count: number) => ({
    ...PUBLIC,
    token_endpoint_auth_method: "private_key_jwt",
    jwks: { keys: Array(count).fill(RSA) },
  });
  const fits = await register(gate, withKeys(1));
  equal(fits.status, 201);
  ok(fits.body.client_id.length <= MAX_ID_LENGTH);
  equal(outcome(await register(gate, withKeys(3))), "400 invalid_client_metadata");
});

Deno.test("register() audits who registered, and what was refused why (SPEC B4.3)", async () => {
  const gate = await openGate();
  await register(gate, PUBLIC);
  await register(gate, { ...PUBLIC, redirect_uris: [] });
  const [good, bad] = audited(gate);
  equal(good?.event, "registered");
  equal(good?.step, "registration");
  equal(good?.client, "App");
  deepEqual(good?.redirects, [REDIRECT]);
  equal(bad?.event, "refused");
  equal(bad?.reason, "redirect_uris is empty");
});

Deno.test("the registration endpoint is for any web page, by POST only (SPEC B1.9)", async () => {
  const gate = await openGate();
  const preflight = await gate.send("/oauth/register", {
    method: "OPTIONS",
    headers: {
      origin: "https://inspector.example",
      "access-control-request-method": "POST",
      "access-control-request-headers": "content-type,mcp-protocol-version",
    },
  });
  equal(preflight.status, 204);
  equal(preflight.headers.get("access-control-allow-origin"), "*");
  equal(preflight.headers.get("access-control-allow-methods"), "POST");
  match(
    preflight.headers.get("access-control-allow-headers")!,
    /content-type.*mcp-protocol-version/,
  );
  equal(preflight.headers.has("access-control-allow-credentials"), false);
  for (const body of [PUBLIC, {}]) {
    const { headers } = await register(gate, body);
    equal(headers.get("access-control-allow-origin"), "*");
    equal(headers.has("access-control-allow-credentials"), false);
  }
  const read = await gate.send("/oauth/register");
  await read.body?.cancel();
  equal(read.status, 405);
  equal(read.headers.get("allow"), "POST, OPTIONS");
});

Deno.test("registrations are limited by address, and wait as told helps (SPEC B4.3)", async () => {
  const gate = await openGate();
  const from = (address: string) => register(gate, PUBLIC, { address });
  for (let count = 0; count < 30; count++) equal((await from("192.0.2.1")).status, 201);
  const refused = await from("192.0.2.1");
  equal(outcome(refused), "429 slow_down");
  equal(refused.headers.get("cache-control"), "no-store");
  equal((await from("192.0.2.2")).status, 201);
  const seconds = Number(refused.headers.get("retry-after"));
  gate.ports.advance(seconds - 1);
  equal((await from("192.0.2.1")).status, 429);
  gate.ports.advance(1);
  equal((await from("192.0.2.1")).status, 201);
});

Deno.test("strangers cannot fill the store by anything they ask (SPEC B4.3)", async () => {
  await using store = await newStore();
  const gate = await store.open();
  const before = store.rows();
  deepEqual(before.map(({ key }) => key), ["keys:signing"]);
  const codes = ["gatehouse_c_" + "A".repeat(43), "nonsense"];
  for (let index = 0; index < 1000; index++) {
    const address = `10.${index >> 8}.${index & 255}.1`;
    const { status, body } = await register(gate, CONFIDENTIAL, { address });
    equal(status, 201);
    const asked = await gate.send(gate.requestOf({ id: body.client_id }), {}, address);
    await asked.body?.cancel();
    equal(asked.status, 200);
    if (index % 50 > 0) continue;
    const { client_id, client_secret } = body;
    for (
      const form of [
        ...codes.map((code) => ({ grant_type: "authorization_code", code })),
        { grant_type: "refresh_token", refresh_token: "gatehouse_r_" + "A".repeat(70) },
      ]
    ) await postForm(gate, "/oauth/token", { ...form, client_id, client_secret });
    await postForm(gate, "/oauth/revoke", { token: codes[0], client_id, client_secret });
    const back = await gate.send(`/oauth/callback?code=c&state=${client_id}`, {}, address);
    await back.body?.cancel();
    gate.ports.advance(1);
  }
  deepEqual(store.rows(), before);
});
