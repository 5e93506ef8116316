import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { type Config, configure } from "../../lib/config.ts";
import { configuredClients } from "../../lib/config/clients.ts";
import type { Problem } from "../../lib/config/sources.ts";
import { redirectPolicy } from "../../lib/proxy/redirect.ts";
import { keyOf } from "../idp.ts";
import { SECRET } from "../fakes.ts";

const APP_SECRET = "mellon-of-the-app-0123456789-abcdef";
const REDIRECT = "https://app.example/cb";
const BASE = {
  MCP_TRANSPORT: "http",
  OAUTH_ENABLED: "on",
  OAUTH_MODE: "proxy",
  OAUTH_PROVIDER: "hmac",
  JWT_SECRET: SECRET,
};
const APP = { client_id: "app", client_name: "App", redirect_uris: [REDIRECT] };

type Env = Readonly<Record<string, string>>;

function configured(env: Env, files: Env = {}): Config {
  const read = configure({ flags: {}, env: { ...BASE, ...env }, readFile: (path) => files[path]! });
  ok(read.ok, JSON.stringify(read));
  return read.config;
}

function clientsOf(...clients: readonly unknown[]) {
  return configured({ OAUTH_CLIENTS: JSON.stringify(clients) }).oauth!.proxy!.clients;
}

/** The one problem of a text, which has no secret in it. */
function problemOf(text: string, env: Env = {}): Problem {
  const all = { ...BASE, ...env, OAUTH_CLIENTS: text };
  const read = configure({ flags: {}, env: all, readFile: () => "" });
  const problems = read.ok ? [] : read.problems;
  equal(problems.length, 1, JSON.stringify(problems));
  ok(!JSON.stringify(problems).includes("mellon"), JSON.stringify(problems));
  equal(problems[0]!.where, "OAUTH_CLIENTS");
  return problems[0]!;
}

Deno.test("configure() reads clients known beforehand, with and without a secret (SPEC B4.2)", async () => {
  const { jwk } = await keyOf("one");
  const clients = clientsOf(
    APP,
    { ...APP, client_id: "basic", client_secret: APP_SECRET },
    {
      client_id: "post.app_~-1",
      client_secret: APP_SECRET,
      redirect_uris: ["http://127.0.0.1/cb", "http://localhost:3000/cb"],
      token_endpoint_auth_method: "client_secret_post",
    },
    {
      ...APP,
      client_id: "key",
      token_endpoint_auth_method: "private_key_jwt",
      jwks: { keys: [jwk] },
      contacts: ["nobody"],
    },
  );
  const secretHash = createHash("sha256").update(APP_SECRET).digest("base64url");
  const common = { name: "App", redirectUris: [REDIRECT], origin: "configured" };
  const [none, basic, post, key] = clients;
  deepEqual(none, { ...common, id: "app", authMethod: "none" });
  deepEqual(basic, { ...common, id: "basic", authMethod: "client_secret_basic", secretHash });
  deepEqual(post, {
    name: "127.0.0.1",
    redirectUris: ["http://127.0.0.1/cb", "http://localhost:3000/cb"],
    origin: "configured",
    id: "post.app_~-1",
    authMethod: "client_secret_post",
    secretHash,
  });
  deepEqual([key!.authMethod, key!.jwks?.keys.length], ["private_key_jwt", 1]);
  ok(!JSON.stringify(clients).includes(APP_SECRET));
});

Deno.test("configure() reads clients from a file (SPEC B4.2)", () => {
  const { oauth } = configured({ OAUTH_CLIENTS_FILE: "/run/clients" }, {
    "/run/clients": `${JSON.stringify([APP], null, 2)}\n`,
  });
  deepEqual(oauth!.proxy!.clients.map(({ id }) => id), ["app"]);
});

Deno.test("configure() reads an empty list of clients", () => deepEqual(clientsOf(), []));

for (
  const text of [
    "[",
    "mellon",
    "null",
    "{}",
    '"mellon"',
    "[null]",
    "[[]]",
    '["mellon"]',
    '[{"client_id":"app","client_secret":"mellon"',
    `${JSON.stringify([APP])} mellon`,
  ]
) {
  Deno.test(`configure() refuses clients that are no list of objects: ${text.slice(0, 20)} (SPEC B4.2)`, () => {
    const { what, fix } = problemOf(text);
    equal(what, "is not a JSON list of objects");
    match(fix, /^write \[\{"client_id"/);
  });
}

const REFUSED: readonly (readonly [name: string, change: Record<string, unknown>, what: RegExp])[] =
  [
    ["no id", { client_id: undefined }, /client_id is not/],
    ["an empty id", { client_id: "" }, /client_id is not/],
    ["an id that is a number", { client_id: 1 }, /client_id is not/],
    ["an id with a space", { client_id: "my mellon" }, /client_id is not/],
    [
      "an id that could be a document's",
      { client_id: "https://mellon.example/" },
      /client_id is not/,
    ],
    ["an id that is too long", { client_id: "a".repeat(101) }, /client_id is not/],
    ["no redirect URIs", { redirect_uris: undefined }, /redirect_uris is not a list/],
    ["a redirect URI to another scheme", { redirect_uris: ["mellon://cb"] }, /redirect_uris\[0\]/],
    ["a dangerous redirect URI", { redirect_uris: [REDIRECT, "javascript:mellon"] }, /uris\[1\]/],
    ["this server's own callback", {
      redirect_uris: ["http://localhost:8080/oauth/callback"],
    }, /is this server's own callback/],
    ["a method that is unknown", { token_endpoint_auth_method: "mellon" }, /token_endpoint_auth/],
    ["a method that needs a secret", {
      token_endpoint_auth_method: "client_secret_post",
    }, /client_secret is missing/],
    ["a secret without use", {
      client_secret: APP_SECRET,
      token_endpoint_auth_method: "none",
    }, /client_secret is of no use/],
    ["a short secret", { client_secret: "mellon-".repeat(4) }, /fewer than 32 characters/],
    ["an empty secret", { client_secret: "" }, /fewer than 32 characters/],
    ["a secret that is null", { client_secret: null }, /fewer than 32 characters/],
    ["a secret that is a list", { client_secret: [APP_SECRET] }, /fewer than 32 characters/],
    ["keys that are missing", { token_endpoint_auth_method: "private_key_jwt" }, /jwks/],
    ["a private key", {
      token_endpoint_auth_method: "private_key_jwt",
      jwks: { keys: [{ kty: "OKP", crv: "Ed25519", x: "mellon", d: "mellon" }] },
    }, /is not only public/],
    ["a blank name", { client_name: "\u200b" }, /client_name is blank/],
  ];
for (const [name, change, what] of REFUSED) {
  Deno.test(`configure() refuses a client with ${name}, by its place and without its values (SPEC B4.2)`, () => {
    const problem = problemOf(JSON.stringify([APP, { ...APP, client_id: "second", ...change }]));
    match(problem.what, /^entry 2: /);
    match(problem.what, what);
    ok(problem.fix.length > 5);
  });
}

Deno.test("configure() refuses two clients of one id (SPEC B4.2)", () => {
  const { what, fix } = problemOf(JSON.stringify([APP, { ...APP, client_id: "b" }, APP]));
  deepEqual([what, fix], ["entry 3: its client_id is taken", "give each its own"]);
});

Deno.test("configure() holds clients to the redirect URIs that the operator lists (SPEC B2.2, B4.2)", () => {
  const rule = { OAUTH_REDIRECT_URIS: "https://other.example/cb" };
  match(problemOf(JSON.stringify([APP]), rule).what, /is not one that the operator allows/);
  const own = [{ ...APP, redirect_uris: ["cursor://anysphere/cb"] }];
  const env = { OAUTH_CLIENTS: JSON.stringify(own), OAUTH_REDIRECT_URIS: "cursor://anysphere/cb" };
  equal(configured(env).oauth!.proxy!.clients.length, 1);
});

Deno.test("configuredClients() takes any text without throwing, and echoes none of it (SPEC B4.2)", () => {
  const read = configuredClients(redirectPolicy([], "https://mcp.example.com/oauth/callback"));
  const marked = fc.string().map((text) => `mellon${text}`);
  const value = fc.oneof(marked, fc.constantFrom(null, 1, [], {}, ["mellon"], "app", [REDIRECT]));
  const name = fc.constantFrom(
    "client_id",
    "client_secret",
    "client_name",
    "redirect_uris",
    "token_endpoint_auth_method",
    "jwks",
    "grant_types",
    "__proto__",
  );
  const texts = fc.oneof(
    marked,
    fc.array(fc.dictionary(name, value)).map((list) => JSON.stringify(list)),
    fc.dictionary(name, value).map((change) => JSON.stringify([{ ...APP, ...change }])),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const result = read(text);
      if (!("value" in result)) ok(!(result.what + result.fix).includes("mellon"));
    }),
    { seed: 1, numRuns: 1000 },
  );
});

type Row = readonly [text: string, read: unknown];

/** Reads one variable by a table: what it stands for, or `undefined` when it is refused. */
function table(name: string, of: (config: Config) => unknown, rows: readonly Row[]): void {
  for (const [text, expected] of rows) {
    const verb = expected === undefined ? "refuses" : "takes";
    Deno.test(`configure() ${verb} ${name}=${text} (SPEC B3.1, B4.3)`, () => {
      const read = configure({ flags: {}, env: { ...BASE, [name]: text }, readFile: () => "" });
      if (expected !== undefined) return deepEqual(read.ok && of(read.config), expected);
      const problems = read.ok ? [] : read.problems;
      deepEqual(problems.map(({ where }) => where), [name]);
      match(problems[0]!.fix, /^use /);
    });
  }
}

table("OAUTH_REGISTRATION", ({ oauth }) => oauth!.proxy!.registration, [
  ["documents", ["documents"]],
  ["dynamic", ["dynamic"]],
  ["documents, dynamic", ["documents", "dynamic"]],
  ["off", []],
  ["NO", []],
  ["on", undefined],
  ["documents,", undefined],
  ["documents,off", undefined],
  ["Dynamic", undefined],
]);

table("OAUTH_ACCESS_TTL", ({ oauth }) => oauth!.proxy!.accessTtl, [
  ["60", 60],
  ["60s", 60],
  ["1m", 60],
  ["3600", 3600],
  ["1h", 3600],
  ["59", undefined],
  ["3601", undefined],
  ["61m", undefined],
  ["0", undefined],
  ["-600", undefined],
  ["10.5m", undefined],
  ["1d", undefined],
  ["1e3", undefined],
]);

table("OAUTH_ROLE_SCOPES", ({ oauth }) => oauth!.proxy!.roleScopes, [
  ["admin=mcp:write", [{ role: "admin", scope: "mcp:write" }]],
  ["a b=x, c=y=z", [{ role: "a b", scope: "x" }, { role: "c", scope: "y=z" }]],
]);

Deno.test("configure() refuses rows of OAUTH_ROLE_SCOPES without a role or scope, and offline_access (SPEC E13)", () => {
  for (const row of ["admin", "=x", "admin=", "admin=offline_access", 'admin="']) {
    const read = configure({
      flags: {},
      env: { ...BASE, OAUTH_ROLE_SCOPES: row },
      readFile: () => "",
    });
    deepEqual(read.ok ? [] : read.problems.map(({ where }) => where), ["OAUTH_ROLE_SCOPES"]);
  }
});

Deno.test("configure() takes no MCP_TRUSTED_PROXIES before the development login", () => {
  const env = { ...BASE, OAUTH_MODE: "proxy", MCP_TRUSTED_PROXIES: "127.0.0.1" };
  const open = configure({ flags: {}, env, readFile: () => "" });
  deepEqual(open.ok ? [] : open.problems.map(({ where }) => where), ["OAUTH_PROVIDER"]);
});
