import {
  deepStrictEqual as deepEqual,
  match,
  notStrictEqual as notEqual,
  strictEqual as equal,
} from "node:assert/strict";
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from "@panva/jose";
import { SKEW_SECONDS } from "../../lib/jwt.ts";
import { MAX_FORM_BYTES } from "../../lib/proxy/form.ts";
import { NOW, ORIGIN, RESOURCE } from "../fakes.ts";
import { type Changes, type Gate, VERIFIER } from "./flow.ts";
import { audited, openGate, outcome, postForm, whoami } from "./grants_helper.ts";
import { idToken, newUpstream } from "./upstreams.ts";

const SCOPES = {
  OAUTH_SCOPES_REQUIRED: "mcp:use",
  OAUTH_TOOL_SCOPES: "who*=mcp:read,admin*=mcp:admin",
};

const REFUSED: readonly (readonly [name: string, form: Changes, outcome: string])[] = [
  ["nothing", {}, "400 invalid_request"],
  ["no grant type", { grant_type: undefined }, "400 invalid_request"],
  ["an empty grant type", { grant_type: "" }, "400 invalid_request"],
  ["the same grant type twice", {
    grant_type: ["refresh_token", "refresh_token"],
  }, "400 invalid_request"],
  ["two client ids", { grant_type: "refresh_token", client_id: ["a", "b"] }, "400 invalid_request"],
  ["two of a parameter that nobody knows", {
    grant_type: "refresh_token",
    unknown: ["a", "b"],
  }, "400 invalid_request"],
  ["client credentials", { grant_type: "client_credentials" }, "400 unsupported_grant_type"],
  ["a password", { grant_type: "password" }, "400 unsupported_grant_type"],
  ["another spelling", { grant_type: "Refresh_Token" }, "400 unsupported_grant_type"],
  ["a name of JavaScript", { grant_type: "constructor" }, "400 unsupported_grant_type"],
  ["a script", { grant_type: "<script>alert(1)</script>" }, "400 unsupported_grant_type"],
];

for (const [name, form, expected] of REFUSED) {
  Deno.test(`token() refuses ${name} (SPEC B2.5, B3.4)`, async () => {
    const gate = await openGate();
    const client = await gate.register();
    const answer = await gate.post("/oauth/token", client, form);
    equal(outcome(answer), expected);
    equal(answer.headers.get("cache-control"), "no-store");
    match(answer.headers.get("content-type")!, /^application\/json/);
    equal(answer.headers.get("access-control-allow-origin"), "*");
    equal(JSON.stringify(answer.body).includes("alert"), false);
    const [line] = audited(gate, "refused");
    equal(line?.step, "token");
  });
}

const asForm = { "content-type": "application/x-www-form-urlencoded" };
const asJson = { "content-type": "application/json" };

Deno.test("token() takes a form and nothing else (SPEC B3.4)", async () => {
  const gate = await openGate();
  const { client, tokens } = await gate.connect();
  const form = {
    client_id: client.id,
    grant_type: "refresh_token",
    refresh_token: tokens.refresh_token,
  };
  const text = new URLSearchParams(form).toString();
  const refused: readonly (readonly [body: string, headers: Record<string, string>])[] = [
    [JSON.stringify(form), asJson],
    [text, asJson],
    [text, { "content-type": "multipart/form-data; boundary=x" }],
    [text, { "content-type": "" }],
    [text.padEnd(MAX_FORM_BYTES + 1, "&"), asForm],
  ];
  for (const [body, headers] of refused) {
    equal(outcome(await postForm(gate, "/oauth/token", body, headers)), "400 invalid_request");
  }
  // Parameters in the URL would end up in logs.
  equal(outcome(await postForm(gate, `/oauth/token?${text}`, "", asForm)), "400 invalid_request");
  const charset = { "content-type": "Application/X-WWW-Form-Urlencoded; charset=UTF-8" };
  const good = await postForm(gate, "/oauth/token", text.padEnd(MAX_FORM_BYTES, "&"), charset);
  equal(outcome(good), "200");
});

Deno.test("token() refuses a form that is no UTF-8 (SPEC B3.4)", async () => {
  const gate = await openGate();
  const body = new Uint8Array([0x61, 0x3d, 0xff]);
  const answer = await gate.send("/oauth/token", { method: "POST", headers: asForm, body });
  equal((await answer.json()).error, "invalid_request");
});

Deno.test("token() answers what OAuth 2.1 wants, and has nothing of it stored (SPEC B3.1, B3.4)", async () => {
  const gate = await openGate();
  const client = await gate.register();
  const { status, headers, body } = await gate.redeem(client, await gate.code(client));
  equal(status, 200);
  equal(headers.get("cache-control"), "no-store");
  equal(headers.get("pragma"), "no-cache");
  match(headers.get("content-type")!, /^application\/json/);
  equal(body.token_type, "Bearer");
  equal(body.expires_in, 600);
  match(body.refresh_token, /^gatehouse_r_[\w-]{70}$/);
});

async function claimsOf(gate: Gate, accessToken: string) {
  const jwks = await (await gate.send("/.well-known/jwks.json")).json();
  const { payload } = await jwtVerify(accessToken, createLocalJWKSet(jwks), {
    algorithms: ["ES256"],
    typ: "at+jwt",
    issuer: ORIGIN,
    audience: RESOURCE,
    currentDate: new Date(gate.ports.now() * 1000),
  });
  return payload;
}

Deno.test("token() gives a signed token of its own for the resource (RFC 9068) (SPEC B1.4, B2.6, B3.6, B3.8)", async () => {
  const gate = await openGate(SCOPES);
  const { client, tokens } = await gate.connect(undefined, { scope: "mcp:use mcp:read" });
  equal(decodeProtectedHeader(tokens.access_token).typ, "at+jwt");
  const { jti, grant_id, ...claims } = await claimsOf(gate, tokens.access_token);
  match(String(jti), /^[0-9a-f]{32}$/);
  match(String(grant_id), /^[0-9a-f]{32}$/);
  deepEqual(claims, {
    iss: ORIGIN,
    sub: "alice",
    aud: RESOURCE,
    client_id: client.id,
    scope: "mcp:use mcp:read",
    iat: NOW,
    exp: NOW + 600,
  });
  const again = (await gate.refresh(client, tokens.refresh_token)).body.access_token;
  const next = await claimsOf(gate, again);
  notEqual(next.jti, jti);
  equal(next.grant_id, grant_id);
});

for (const seconds of [60, 600, 3600]) {
  Deno.test(`an access token works for ${seconds} seconds, and no refresh prolongs it (SPEC B3.1)`, async () => {
    const gate = await openGate({ OAUTH_ACCESS_TTL: `${seconds}s` });
    const { client, tokens } = await gate.connect();
    equal(tokens.expires_in, seconds);
    gate.ports.advance(seconds + SKEW_SECONDS - 1);
    const next = await gate.refresh(client, tokens.refresh_token);
    equal((await whoami(gate, tokens.access_token)).status, 200);
    gate.ports.advance(1);
    equal((await whoami(gate, tokens.access_token)).status, 401);
    equal((await whoami(gate, next.body.access_token)).status, 200);
  });
}

const ASKED: readonly (readonly [scope: string | undefined, granted: string])[] = [
  [undefined, "mcp:use"],
  ["", "mcp:use"],
  ["mcp:use", "mcp:use"],
  ["mcp:read", "mcp:read"],
  ["mcp:read unknown offline_access mcp:use", "mcp:use mcp:read"],
  ["unknown", "mcp:use"],
  ["MCP:READ", "mcp:use"],
  ["mcp:use mcp:read mcp:admin", "mcp:use mcp:read mcp:admin"],
];

for (const [scope, granted] of ASKED) {
  Deno.test(`token() says that "${granted}" was granted where "${scope}" was asked for (SPEC B3.5, E13)`, async () => {
    const gate = await openGate(SCOPES);
    const { tokens } = await gate.connect(undefined, { scope });
    equal(tokens.scope, granted);
    const { scope: carried } = await claimsOf(gate, tokens.access_token);
    equal(carried, granted);
    equal(typeof tokens.refresh_token, "string");
  });
}

Deno.test("token() grants a person no more than they may grant (SPEC B3.5)", async () => {
  const gate = await openGate(SCOPES);
  const { tokens } = await gate.connect(undefined, { scope: "mcp:use mcp:admin" }, { as: "bob" });
  equal(tokens.scope, "mcp:use");
});

Deno.test("a token with fewer scopes is taken for what it can do (SPEC E13)", async () => {
  const gate = await openGate(SCOPES);
  const { tokens } = await gate.connect(undefined, { scope: "mcp:use" });
  const answer = await whoami(gate, tokens.access_token);
  equal(answer.status, 403);
  match(answer.headers.get("www-authenticate")!, /error="insufficient_scope"/);
});

Deno.test("no token of the provider, and none of another server, is accepted (SPEC B3.6, E2)", async () => {
  const idp = await newUpstream();
  const gate = await openGate({}, { idp });
  const { tokens } = await gate.connect();
  equal((await whoami(gate, tokens.access_token)).status, 200);
  const elsewhere = await openGate({ OAUTH_SERVER_URL: "http://localhost:9090" });
  const { tokens: others } = await elsewhere.connect();
  const foreign = [
    "upstream access",
    await idToken(),
    await idToken({ aud: RESOURCE, scope: "mcp:read" }),
    others.access_token,
    tokens.refresh_token,
  ];
  for (const token of foreign) equal((await whoami(gate, token)).status, 401);
});

Deno.test("a token works at this resource only, not at another of the same name (CVE-2025-69196) (SPEC B2.6, E2)", async () => {
  const gate = await openGate();
  const client = await gate.register();
  const { url } = await gate.ask(client, { resource: `${ORIGIN}/other` });
  equal(new URL(url).searchParams.get("error"), "invalid_target");
  const code = await gate.code(client, { resource: undefined });
  const { body } = await gate.redeem(client, code, { code_verifier: VERIFIER });
  equal((await claimsOf(gate, body.access_token)).aud, RESOURCE);
});

Deno.test("the token endpoint is for any web page, by POST only (SPEC B1.9)", async () => {
  const gate = await openGate();
  const preflight = await gate.send("/oauth/token", {
    method: "OPTIONS",
    headers: {
      origin: "https://inspector.example",
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization",
    },
  });
  equal(preflight.status, 204);
  equal(preflight.headers.get("access-control-allow-origin"), "*");
  match(preflight.headers.get("access-control-allow-headers")!, /authorization/);
  for (const method of ["GET", "PUT", "DELETE"]) {
    const answer = await gate.send("/oauth/token", { method });
    await answer.body?.cancel();
    equal(answer.status, 405);
  }
});

Deno.test("token requests are limited by address, and wait as told helps (SPEC B3.4)", async () => {
  const gate = await openGate();
  const ask = async (address: string) => {
    const answer = await gate.send("/oauth/token", { method: "POST", headers: asForm }, address);
    await answer.body?.cancel();
    return answer;
  };
  for (let count = 0; count < 300; count++) equal((await ask("192.0.2.1")).status, 400);
  const refused = await ask("192.0.2.1");
  equal(refused.status, 429);
  equal(refused.headers.get("cache-control"), "no-store");
  equal((await ask("192.0.2.2")).status, 400);
  gate.ports.advance(Number(refused.headers.get("retry-after")));
  equal((await ask("192.0.2.1")).status, 400);
});
