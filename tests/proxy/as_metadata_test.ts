import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { OpenIdProviderDiscoveryMetadataSchema } from "@modelcontextprotocol/sdk/shared/auth.js";
import { type Gate, newGate } from "./flow.ts";
import { newLogins } from "./logins.ts";

const SERVER = "/.well-known/oauth-authorization-server";
const OPENID = "/.well-known/openid-configuration";
const METHODS = ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"];

const get = async (gate: Gate, path: string) => await (await gate.send(path)).json();

Deno.test("the metadata says what this server is, and nothing more (SPEC B1.1, B1.2, B1.5, B1.6, B1.7)", async () => {
  const gate = await newGate();
  const { origin } = gate;
  const {
    token_endpoint_auth_signing_alg_values_supported: algorithms,
    revocation_endpoint_auth_signing_alg_values_supported: same,
    ...document
  } = await get(gate, SERVER);
  deepEqual(document, {
    issuer: origin,
    authorization_endpoint: `${origin}/oauth/authorize`,
    token_endpoint: `${origin}/oauth/token`,
    revocation_endpoint: `${origin}/oauth/revoke`,
    registration_endpoint: `${origin}/oauth/register`,
    jwks_uri: `${origin}/.well-known/jwks.json`,
    response_types_supported: ["code"],
    response_modes_supported: ["query"],
    grant_types_supported: ["authorization_code", "refresh_token"],
    token_endpoint_auth_methods_supported: METHODS,
    revocation_endpoint_auth_methods_supported: METHODS,
    code_challenge_methods_supported: ["S256"],
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: true,
  });
  deepEqual(same, algorithms);
  ok(algorithms.length > 0 && !algorithms.includes("none"));
  ok(!algorithms.some((name: string) => name.startsWith("HS")));
});

Deno.test("the metadata stands wherever a client looks for it (SPEC B1.2, B1.3)", async () => {
  const gate = await newGate();
  const server = await get(gate, SERVER);
  deepEqual(await get(gate, `${SERVER}/mcp`), server);
  const openid = await get(gate, OPENID);
  for (const path of [`${OPENID}/mcp`, `/mcp${OPENID}`]) deepEqual(await get(gate, path), openid);
  const { subject_types_supported, id_token_signing_alg_values_supported, ...same } = openid;
  deepEqual(same, server);
  deepEqual(subject_types_supported, ["public"]);
  deepEqual(id_token_signing_alg_values_supported, []);
  // What clients with a strict reader make of it.
  ok(OpenIdProviderDiscoveryMetadataSchema.safeParse(openid).success);
});

for (
  const [url, what] of [
    ["http://localhost:8080", "a port"],
    ["https://localhost", "https"],
    ["http://127.0.0.1:9999", "an address"],
  ] as const
) {
  Deno.test(`every document, answer and token names one issuer, byte for byte: ${what} (SPEC B1.4, B2.4)`, async () => {
    const gate = await newGate({ OAUTH_SERVER_URL: url });
    const client = await gate.register();
    const answer = await gate.authorize(client);
    const { body } = await gate.redeem(client, answer.get("code")!);
    const [, claims] = body.access_token.split(".");
    const resource = await get(gate, "/.well-known/oauth-protected-resource");
    const issuers = [
      ...resource.authorization_servers,
      (await get(gate, SERVER)).issuer,
      (await get(gate, OPENID)).issuer,
      answer.get("iss"),
      JSON.parse(atob(claims.replaceAll("-", "+").replaceAll("_", "/"))).iss,
    ];
    deepEqual(issuers, Array(5).fill(url));
    equal(new URL(gate.requestOf(client)).origin, url);
  });
}

Deno.test("the metadata depends on nothing that a request says (SPEC B1.4)", async () => {
  const gate = await newGate();
  const headers = {
    "x-forwarded-host": "evil.example",
    "x-forwarded-proto": "https",
    forwarded: "host=evil.example",
  };
  const text = await (await gate.send(`${SERVER}?issuer=https://evil.example`, { headers })).text();
  deepEqual(JSON.parse(text), await get(gate, SERVER));
  ok(!text.includes("evil"));
});

for (
  const [registration, dynamic, documents] of [
    ["documents,dynamic", true, true],
    ["dynamic", true, undefined],
    ["documents", undefined, true],
    ["off", undefined, undefined],
  ] as const
) {
  Deno.test(`the metadata promises no registration but what is on: ${registration} (SPEC B1.7)`, async () => {
    const gate = await newGate({ OAUTH_REGISTRATION: registration });
    const { registration_endpoint, client_id_metadata_document_supported } = await get(
      gate,
      SERVER,
    );
    equal(registration_endpoint, dynamic && `${gate.origin}/oauth/register`);
    equal(client_id_metadata_document_supported, documents);
    const { status } = await gate.send("/oauth/register", { method: "POST" });
    equal(status, dynamic ? 400 : 404);
  });
}

Deno.test("the metadata lists the scopes that can be granted, and no offline_access (SPEC B1.7, E13)", async () => {
  const gate = await newGate({
    OAUTH_SCOPES_REQUIRED: "mcp:read",
    OAUTH_TOOL_SCOPES: "whoami=mcp:write,who*=mcp:read",
  });
  deepEqual((await get(gate, SERVER)).scopes_supported, ["mcp:read", "mcp:write"]);
  // A client that goes by the resource asks for the least.
  const resource = await get(gate, "/.well-known/oauth-protected-resource");
  deepEqual(resource.scopes_supported, ["mcp:read"]);
});

Deno.test("the metadata can be read by any web page, and its key set is public (SPEC B1.9, B3.8)", async () => {
  const gate = await newGate();
  for (const path of [SERVER, OPENID, "/.well-known/jwks.json"]) {
    const response = await gate.send(path, { headers: { origin: "https://app.example" } });
    equal(response.status, 200);
    equal(response.headers.get("access-control-allow-origin"), "*");
    equal(response.headers.get("content-type"), "application/json");
  }
  const { keys } = await get(gate, "/.well-known/jwks.json");
  deepEqual(keys.map((key: object) => Object.keys(key).sort()), [
    ["alg", "crv", "kid", "kty", "use", "x", "y"],
  ]);
});

Deno.test("the metadata needs no identity provider, and tells nothing of it (SPEC B1.2, B2.4)", async () => {
  const idp = await newLogins();
  idp.up = false;
  const gate = await newGate({}, { idp });
  const text = await (await gate.send(SERVER)).text();
  ok(!text.includes("idp.example"));
  deepEqual(idp.requests, []);
});

Deno.test("every endpoint that the metadata names is there (SPEC B1.1)", async () => {
  const gate = await newGate();
  const document = await get(gate, SERVER);
  const methods = {
    authorization_endpoint: "GET",
    token_endpoint: "POST",
    revocation_endpoint: "POST",
    registration_endpoint: "POST",
    jwks_uri: "GET",
  };
  for (const [name, method] of Object.entries(methods)) {
    const { pathname, origin } = new URL(document[name]);
    equal(origin, gate.origin);
    const { status } = await gate.send(pathname, { method });
    ok(status !== 404 && status !== 405, name);
  }
  for (const path of ["/authorize", "/token", "/register"]) {
    equal((await gate.send(path)).status, 404);
  }
});
