import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import type { ClientMetadata } from "../../lib/proxy/client.ts";
import {
  MAX_KEYS,
  MAX_NAME_LENGTH,
  MAX_REDIRECTS,
  MAX_REDIRECTS_LENGTH,
  readClientMetadata,
} from "../../lib/proxy/metadata.ts";
import { MAX_REDIRECT_LENGTH, redirectPolicy } from "../../lib/proxy/redirect.ts";

const CURSOR = "cursor://anysphere.cursor-mcp/oauth/callback";
const CHATGPT = "https://chatgpt.com/connector_platform_oauth_redirect";
const CODE = "http://localhost:53682/callback";
const REDIRECTS = redirectPolicy([CURSOR], "https://gate.example/oauth/callback");
const DOCUMENT = "https://chatgpt.com/oauth/client.json";
const KEYS_AT = "https://chatgpt.com/oauth/jwks.json";
const RSA = { kty: "RSA", n: "sXch", e: "AQAB" };
const EC = { kty: "EC", crv: "P-256", x: "eHg", y: "eXk", kid: "1", alg: "ES256", use: "sig" };
const OKP = { kty: "OKP", crv: "Ed25519", x: "eHg" };

const registration = (value: unknown) => readClientMetadata(value, { redirects: REDIRECTS });
const document = (value: unknown) =>
  readClientMetadata(value, { redirects: REDIRECTS, document: DOCUMENT });

/** The least a client can say, by registration and by document. */
const LEAST = { redirect_uris: [CODE] };
const LEAST_DOCUMENT = { ...LEAST, client_id: DOCUMENT, client_name: "Code" };

type Reader = typeof registration;
type Accepted = [name: string, reader: Reader, value: unknown, metadata: ClientMetadata];
const ACCEPTED: Accepted[] = [
  ["a registration with nothing but a redirect", registration, LEAST, {
    name: "localhost",
    redirectUris: [CODE],
    authMethod: "client_secret_basic",
  }],
  ["a registration of the MCP SDK for a public client", registration, {
    client_name: "Claude Code",
    redirect_uris: [CODE],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
    application_type: "native",
    scope: "mcp:read offline_access",
  }, { name: "Claude Code", redirectUris: [CODE], authMethod: "none" }],
  ["a registration like VS Code's", registration, {
    client_name: "Visual Studio Code",
    client_uri: "https://code.visualstudio.com",
    grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:x"],
    response_types: ["code", "token"],
    redirect_uris: [
      "https://insiders.vscode.dev/redirect",
      "https://vscode.dev/redirect",
      "http://127.0.0.1/",
      "http://127.0.0.1:33418/",
    ],
    token_endpoint_auth_method: "none",
    application_type: "web",
  }, {
    name: "Visual Studio Code",
    redirectUris: [
      "https://insiders.vscode.dev/redirect",
      "https://vscode.dev/redirect",
      "http://127.0.0.1/",
      "http://127.0.0.1:33418/",
    ],
    authMethod: "none",
  }],
  ["a registration by an app's own scheme, without a name", registration, {
    redirect_uris: [CURSOR],
    token_endpoint_auth_method: "client_secret_post",
  }, { name: "cursor:", redirectUris: [CURSOR], authMethod: "client_secret_post" }],
  ["a registration whose unused fields are null or of another type", registration, {
    ...LEAST,
    client_name: null,
    grant_types: null,
    jwks: null,
    jwks_uri: null,
    contacts: 1,
    logo_uri: { x: 1 },
    tos_uri: "javascript:x",
    application_type: "other",
    software_id: [],
    client_secret: "x",
    "client_name#de": 7,
    "redirect_uris ": ["javascript:x"],
  }, { name: "localhost", redirectUris: [CODE], authMethod: "client_secret_basic" }],
  ["a registration with keys of every kind", registration, {
    ...LEAST,
    token_endpoint_auth_method: "private_key_jwt",
    jwks: { keys: [{ ...RSA, x5c: ["x"], key_ops: 1 }, EC, OKP], other: 1 },
  }, {
    name: "localhost",
    redirectUris: [CODE],
    authMethod: "private_key_jwt",
    jwks: { keys: [RSA, EC, OKP] },
  }],
  ["a public client's keys, without keeping them", registration, {
    ...LEAST,
    token_endpoint_auth_method: "none",
    jwks: { keys: [EC] },
  }, { name: "localhost", redirectUris: [CODE], authMethod: "none" }],
  ["ChatGPT's document", document, {
    client_id: DOCUMENT,
    client_uri: "https://chatgpt.com/",
    redirect_uris: [CHATGPT],
    token_endpoint_auth_method: "private_key_jwt",
    token_endpoint_auth_methods_supported: ["none", "private_key_jwt"],
    token_endpoint_auth_signing_alg: "RS256",
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    client_name: "ChatGPT",
    logo_uri: "https://persistent.example/logo.png",
    jwks_uri: KEYS_AT,
  }, {
    name: "ChatGPT",
    redirectUris: [CHATGPT],
    authMethod: "private_key_jwt",
    jwksUri: KEYS_AT,
  }],
  ["a document with nothing but what it needs", document, LEAST_DOCUMENT, {
    name: "Code",
    redirectUris: [CODE],
    authMethod: "none",
  }],
  ["a document whose keys tell the method", document, { ...LEAST_DOCUMENT, jwks: { keys: [EC] } }, {
    name: "Code",
    redirectUris: [CODE],
    authMethod: "private_key_jwt",
    jwks: { keys: [EC] },
  }],
  ["a registration whose keys do not tell the method", registration, {
    ...LEAST,
    jwks_uri: KEYS_AT,
  }, { name: "localhost", redirectUris: [CODE], authMethod: "client_secret_basic" }],
];
for (const [name, reader, value, metadata] of ACCEPTED) {
  Deno.test(`readClientMetadata() accepts ${name} (SPEC B4.1, B4.3)`, () => {
    deepEqual(reader(value), { ok: true, metadata });
  });
}

const long = (length: number) => "https://client.example/".padEnd(length, "a");

type Refused = [description: string, value: unknown, reader?: Reader];
const REDIRECT_ROWS: Refused[] = [
  ["redirect_uris is not a list of strings", {}],
  ["redirect_uris is not a list of strings", { redirect_uris: CODE }],
  ["redirect_uris is not a list of strings", { redirect_uris: [CODE, 1] }],
  ["redirect_uris is not a list of strings", { redirect_uris: { 0: CODE, length: 1 } }],
  ["redirect_uris is empty", { redirect_uris: [] }],
  ["redirect_uris has more than 10 entries", { redirect_uris: Array(11).fill(CODE) }],
  ["redirect_uris[1] has a fragment", { redirect_uris: [CODE, `${CODE}#`] }],
  ["redirect_uris[0] is not one that the operator allows", { redirect_uris: ["cursor://x"] }],
  ["redirect_uris[0] is http, but not to loopback", { redirect_uris: ["http://x/"] }, document],
  [
    "redirect_uris is longer than 2048 characters together",
    { redirect_uris: [512, 512, 512, 489, 24].map(long) },
  ],
];

const keys = (...list: unknown[]) => ({ ...LEAST, jwks: { keys: list } });
const PRIVATE = "jwks.keys[0] is not only public";
const UNSOUND = "jwks.keys[0] lacks a member, or has one that is no short string";
const METADATA_ROWS: Refused[] = [
  ...[undefined, null, 7, "x", [], [LEAST]].map(
    (value): Refused => ["The metadata is not a JSON object", value],
  ),
  ["client_name is not a string", { ...LEAST, client_name: 7 }],
  ["client_name is blank", { ...LEAST, client_name: "" }],
  ["client_name is blank", { ...LEAST, client_name: " \u200b\u202e\u3164\u2800\t" }],
  ["client_name is longer than 100 characters", { ...LEAST, client_name: "a".repeat(101) }],
  ["grant_types is not a list of strings", { ...LEAST, grant_types: "authorization_code" }],
  ["grant_types lacks authorization_code", { ...LEAST, grant_types: ["client_credentials"] }],
  ["grant_types lacks authorization_code", { ...LEAST, grant_types: [] }],
  ["response_types is not a list of strings", { ...LEAST, response_types: [7] }],
  ["response_types lacks code", { ...LEAST, response_types: ["token", "code token"] }],
  ...["client_secret_jwt", "None", "", 7, ["none"], "toString"].map((method): Refused => [
    "token_endpoint_auth_method is not a supported one",
    { ...LEAST, token_endpoint_auth_method: method },
  ]),
  [
    "token_endpoint_auth_method needs jwks or jwks_uri",
    { ...LEAST, token_endpoint_auth_method: "private_key_jwt" },
  ],
  [
    "token_endpoint_auth_method needs jwks or jwks_uri",
    { ...LEAST_DOCUMENT, token_endpoint_auth_method: "private_key_jwt" },
    document,
  ],
  ["jwks and jwks_uri exclude each other", { ...keys(EC), jwks_uri: KEYS_AT }],
  ...[7, "", "http://localhost/jwks", "HTTPS://x.example/", "https://x.example/#", "cursor://x"]
    .map((uri): Refused => ["jwks_uri is not a plain https URL", { ...LEAST, jwks_uri: uri }]),
  ["jwks_uri is not a plain https URL", { ...LEAST, jwks_uri: "https://a@x.example/" }],
  ["jwks_uri is not a plain https URL", { ...LEAST, jwks_uri: long(MAX_REDIRECT_LENGTH + 1) }],
  ...[7, [], {}, { keys: {} }, { keys: [] }, { keys: Array(11).fill(EC) }].map(
    (jwks): Refused => ["jwks is not a set of 1 to 10 keys", { ...LEAST, jwks }],
  ),
  ...["d", "p", "q", "dp", "dq", "qi", "oth", "k"].map(
    (name): Refused => [PRIVATE, keys({ ...RSA, [name]: "eA" })],
  ),
  [PRIVATE, { ...keys({ ...EC, d: 7 }), token_endpoint_auth_method: "none" }],
  [PRIVATE, keys({ kty: "oct", k: "eA" })],
  ...[7, null, [], {}, { kty: "oct" }, { kty: "toString" }, { kty: 7 }].map(
    (key): Refused => ["jwks.keys[0] is of no supported type", keys(key)],
  ),
  ["jwks.keys[1] is of no supported type", keys(EC, 7)],
  ...[
    { ...RSA, e: undefined },
    { ...RSA, n: 7 },
    { ...RSA, n: "a".repeat(1401) },
    { ...EC, y: null },
    { ...EC, kid: 7 },
    { ...OKP, x: "" },
    { ...OKP, alg: {} },
  ].map((key): Refused => [UNSOUND, keys(key)]),
  ...[undefined, null, 7, "", `${DOCUMENT}/`, "https://ChatGPT.com/oauth/client.json"].map(
    (id): Refused => [
      "client_id is not the URL of the document",
      { ...LEAST_DOCUMENT, client_id: id },
      document,
    ],
  ),
  ["client_name is missing", { ...LEAST, client_id: DOCUMENT }, document],
  ["client_name is missing", { ...LEAST_DOCUMENT, client_name: null }, document],
  ...["client_secret", "client_secret_expires_at", "client_secret#x"].map((name): Refused => [
    "client_secret has no place in a document",
    { ...LEAST_DOCUMENT, [name]: 0 },
    document,
  ]),
  ...["client_secret_basic", "client_secret_post"].map((method): Refused => [
    "token_endpoint_auth_method needs a secret, which a document cannot have",
    { ...LEAST_DOCUMENT, token_endpoint_auth_method: method },
    document,
  ]),
];

const ROWS = [
  ["invalid_redirect_uri", REDIRECT_ROWS],
  ["invalid_client_metadata", METADATA_ROWS],
] as const;
for (const [error, rows] of ROWS) {
  for (const [index, [description, value, reader = registration]] of rows.entries()) {
    Deno.test(`readClientMetadata() refuses ${error} ${index}: ${description} (SPEC B4.1, B4.3)`, () => {
      deepEqual(reader(value), { ok: false, problem: { error, description } });
    });
  }
}

Deno.test("readClientMetadata() accepts what stands at its bounds (SPEC B4.3)", () => {
  const uris = [512, 512, 512, 512].map(long);
  equal(uris.join("").length, MAX_REDIRECTS_LENGTH);
  ok(registration({ redirect_uris: uris }).ok);
  ok(registration({ redirect_uris: Array(MAX_REDIRECTS).fill(CODE) }).ok);
  ok(registration({ ...LEAST, client_name: ` ${"😀".repeat(MAX_NAME_LENGTH)} ` }).ok);
  ok(registration(keys(...Array(MAX_KEYS).fill(EC))).ok);
  ok(registration(keys({ ...RSA, n: "a".repeat(1400) })).ok);
  ok(registration({ ...LEAST, jwks_uri: long(MAX_REDIRECT_LENGTH) }).ok);
});

const NAMES: [told: string, shown: string][] = [
  [" My\tclient \n", "My client"],
  ["Évasion 日本 العربية 😀", "Évasion 日本 العربية 😀"],
  ["\u202egnp.exe\u202c", "gnp.exe"],
  ["\u2066Chat\u200bGPT\u2069\u00ad\u2060", "ChatGPT"],
  ["A\u0000\u0007\u001bB\u0085C\u007f", "ABC"],
  ["A \u200b B\u2028\u2029C", "A B C"],
  ["A\u3164\u115f\u034fB\u{e0041}\u{e000}\ud800", "AB"],
  ["<b>&amp;", "<b>&amp;"],
];
for (const [told, shown] of NAMES) {
  Deno.test(`readClientMetadata() shows ${JSON.stringify(told)} as ${shown} (SPEC B5.3)`, () => {
    const read = registration({ ...LEAST, client_name: told });
    equal(read.ok && read.metadata.name, shown);
  });
}

Deno.test("readClientMetadata() cuts a long host where it does not matter (SPEC B4.1)", () => {
  const host = `chatgpt.com.${"a.".repeat(60)}evil.example`;
  const read = registration({ redirect_uris: [`https://${host}/`] });
  ok(read.ok && read.metadata.name.endsWith(".evil.example"));
  equal(read.metadata.name.length, MAX_NAME_LENGTH);
});
