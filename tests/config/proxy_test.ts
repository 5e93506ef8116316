import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { configure } from "../../lib/config.ts";
import type { ProxyConfig } from "../../lib/config/proxy.ts";
import type { Problem } from "../../lib/config/sources.ts";
import { SECRET } from "../fakes.ts";

const PREVIOUS = [...SECRET].reverse().join("");
const PASSWORD = "mellon-of-the-store";
const CALLBACK = "https://mcp.example.com/oauth/callback";
const BASE = {
  MCP_TRANSPORT: "http",
  OAUTH_ENABLED: "on",
  OAUTH_MODE: "proxy",
  OAUTH_PROVIDER: "oidc",
  OAUTH_SERVER_URL: "https://mcp.example.com",
  OIDC_ISSUER: "https://idp.example",
  OIDC_CLIENT_ID: "gatehouse",
  JWT_SECRET: SECRET,
};
const HMAC = {
  MCP_TRANSPORT: "http",
  OAUTH_ENABLED: "on",
  OAUTH_MODE: "proxy",
  OAUTH_PROVIDER: "hmac",
  JWT_SECRET: SECRET,
};

type Env = Readonly<Record<string, string>>;

function from(env: Env, files: Env = {}) {
  return configure({ flags: {}, env, readFile: (path) => files[path] ?? "" });
}

function proxyOf(env: Env, files?: Env): ProxyConfig {
  const configured = from(env, files);
  ok(configured.ok, JSON.stringify(configured));
  ok(configured.config.oauth?.proxy);
  return configured.config.oauth.proxy;
}

function problemsOf(env: Env, files?: Env): readonly Problem[] {
  const configured = from(env, files);
  return configured.ok ? [] : configured.problems;
}

/** The one problem of `env`. */
function problemOf(env: Env): Problem {
  const problems = problemsOf(env);
  equal(problems.length, 1, JSON.stringify(problems));
  ok(problems[0]!.fix.length > 5);
  return problems[0]!;
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("configure() reads proxy mode with its defaults (SPEC B3.1, B4.3)", () => {
  const { secrets, ...rest } = proxyOf(BASE);
  deepEqual(secrets.map(text), [SECRET]);
  deepEqual(rest, {
    store: "memory:",
    redirects: { custom: [], ownCallback: CALLBACK },
    clients: [],
    registration: ["documents", "dynamic"],
    roleScopes: [],
    accessTtl: 600,
    client: { id: "gatehouse" },
  });
});

Deno.test("configure() has no proxy part in native mode", () => {
  for (const mode of ["native", ""]) {
    const { JWT_SECRET: _, OIDC_CLIENT_ID: __, ...rest } = BASE;
    const configured = from({ ...rest, OAUTH_MODE: mode });
    ok(configured.ok, JSON.stringify(configured));
    equal(configured.config.oauth!.proxy, undefined);
  }
});

Deno.test("configure() tells of everything that proxy mode lacks at once", () => {
  const problems = problemsOf({
    MCP_TRANSPORT: "http",
    OAUTH_ENABLED: "on",
    OAUTH_MODE: "proxy",
    OAUTH_PROVIDER: "oidc",
    STORE_URL: "postgres://localhost",
    OAUTH_CLIENTS: "{}",
    OAUTH_REGISTRATION: "maybe",
    OAUTH_REDIRECT_URIS: "javascript:alert(1)",
    OAUTH_ACCESS_TTL: "1d",
    MCP_TRUSTED_PROXIES: "all",
  });
  deepEqual(problems.map(({ where }) => where).sort(), [
    "JWT_SECRET",
    "MCP_TRUSTED_PROXIES",
    "OAUTH_ACCESS_TTL",
    "OAUTH_CLIENTS",
    "OAUTH_REDIRECT_URIS",
    "OAUTH_REGISTRATION",
    "OIDC_CLIENT_ID",
    "OIDC_ISSUER",
    "STORE_URL",
  ]);
  for (const { what, fix } of problems) ok(what.length > 2 && fix.length > 5);
});

for (
  const [name, fix] of [["JWT_SECRET", /openssl rand/], ["OIDC_CLIENT_ID", /the id that/]] as const
) {
  Deno.test(`configure() demands ${name} in proxy mode (SPEC B3.6, B5.7)`, () => {
    const problem = problemOf({ ...BASE, [name]: "" });
    equal(problem.where, name);
    match(problem.fix, fix);
  });
}

Deno.test("configure() takes a client with and without a secret (SPEC B5.7)", () => {
  deepEqual(proxyOf({ ...BASE, OIDC_CLIENT_SECRET: "s" }).client, { id: "gatehouse", secret: "s" });
  const file = { ...BASE, OIDC_CLIENT_SECRET_FILE: "/run/s" };
  equal(proxyOf(file, { "/run/s": "from a file\n" }).client?.secret, "from a file");
});

Deno.test("configure() asks of Google in proxy mode for no audience, and of all for no second client", () => {
  const google = { ...BASE, OAUTH_PROVIDER: "google", OIDC_ISSUER: "", OIDC_CLIENT_SECRET: "s" };
  equal(proxyOf(google).client?.id, "gatehouse");
  const configured = from(google);
  // It is for logins, not for asking about tokens.
  ok(configured.ok && configured.config.oauth?.provider.kind === "google");
  equal(configured.config.oauth.provider.client, undefined);
});

Deno.test("configure() needs no client for the development login, but a secret", () => {
  const { client, secrets } = proxyOf({ ...HMAC, OIDC_CLIENT_ID: "ignored" });
  deepEqual([client, secrets.map(text)], [undefined, [SECRET]]);
  const problem = problemOf({ ...HMAC, JWT_SECRET: "" });
  equal(problem.where, "JWT_SECRET");
});

const REACHABLE: readonly (readonly [name: string, env: Env, allowed: boolean])[] = [
  ["localhost", {}, true],
  ["[::1]", { MCP_HTTP_HOST: "::1", OAUTH_SERVER_URL: "http://[::1]:8080" }, true],
  ["127.0.0.2", { MCP_HTTP_HOST: "127.0.0.2" }, true],
  ["all addresses", {
    MCP_HTTP_HOST: "0.0.0.0",
    OAUTH_SERVER_URL: "http://localhost:8080",
  }, false],
  [
    "all addresses of IPv6",
    { MCP_HTTP_HOST: "::", OAUTH_SERVER_URL: "http://localhost:8080" },
    false,
  ],
  ["a proxy in front of this machine", { OAUTH_SERVER_URL: "https://mcp.example.com" }, false],
  ["an address of the network", {
    MCP_HTTP_HOST: "192.168.1.7",
    OAUTH_SERVER_URL: "https://mcp.example.com",
  }, false],
  ["all addresses, insecure or not", {
    MCP_HTTP_HOST: "0.0.0.0",
    OAUTH_SERVER_URL: "http://localhost:8080",
    MCP_INSECURE: "on",
  }, false],
];
for (const [name, env, allowed] of REACHABLE) {
  Deno.test(`configure() ${allowed ? "serves" : "refuses to serve"} the development login at ${name} (SPEC E1)`, () => {
    if (allowed) return void proxyOf({ ...HMAC, ...env });
    const problem = problemOf({ ...HMAC, ...env });
    equal(problem.where, "OAUTH_PROVIDER");
    match(problem.what, /asks for no password/);
    match(problem.fix, /identity provider/);
  });
}

Deno.test("configure() reads the previous secret, also from a file (SPEC B3.8)", () => {
  const secrets = (env: Env, files?: Env) => proxyOf({ ...BASE, ...env }, files).secrets.map(text);
  deepEqual(secrets({ JWT_SECRET_PREVIOUS: PREVIOUS }), [SECRET, PREVIOUS]);
  deepEqual(secrets({ JWT_SECRET_PREVIOUS_FILE: "/p" }, { "/p": `${PREVIOUS}\n` }), [
    SECRET,
    PREVIOUS,
  ]);
  deepEqual(secrets({ JWT_SECRET_PREVIOUS: "" }), [SECRET]);
});

for (const name of ["JWT_SECRET", "JWT_SECRET_PREVIOUS"]) {
  Deno.test(`configure() refuses a ${name} that is easy to guess without repeating it (SPEC B3.8)`, () => {
    for (const weak of ["mellon-too-short", "hunter2!".repeat(8)]) {
      const problem = problemOf({ ...BASE, [name]: weak });
      equal(problem.where, name);
      ok(!JSON.stringify(problem).includes(weak));
    }
  });
}

for (
  const url of [
    "memory:",
    "sqlite:store.db",
    "sqlite:/var/lib/gatehouse/store.db",
    "redis://127.0.0.1",
    `redis://user:${PASSWORD}@redis.example:6379/2`,
    `rediss://:${PASSWORD}@redis.example`,
  ]
) {
  Deno.test(`configure() takes the store ${url.replace(PASSWORD, "...")}`, () => {
    equal(proxyOf({ ...BASE, STORE_URL: url }).store, url);
    equal(proxyOf({ ...BASE, STORE_URL_FILE: "/u" }, { "/u": `${url}\n` }).store, url);
  });
}

for (
  const url of [
    "memory",
    "memory:x",
    "sqlite:",
    "sqlite3:store.db",
    "redis:",
    "redis://",
    "REDIS://127.0.0.1",
    `redis:user:${PASSWORD}@redis.example`,
    `http://user:${PASSWORD}@redis.example`,
    `postgres://user:${PASSWORD}@db.example`,
    `user:${PASSWORD}@redis.example`,
  ]
) {
  Deno.test(`configure() refuses the store ${url.replace(PASSWORD, "...")} without repeating it`, () => {
    const problem = problemOf({ ...BASE, STORE_URL: url });
    deepEqual([problem.where, problem.what], ["STORE_URL", "names no store"]);
    match(problem.fix, /memory:, sqlite:PATH or redis:/);
    ok(!JSON.stringify(problem).includes(PASSWORD));
  });
}

const REDIRECTS:
  readonly (readonly [name: string, list: string, https: unknown, custom: string[]])[] = [
    ["https URIs, which close it to others", "https://a.example/cb, https://b.example/cb", [
      "https://a.example/cb",
      "https://b.example/cb",
    ], []],
    ["an app's scheme, which closes nothing", "cursor://anysphere/cb", undefined, [
      "cursor://anysphere/cb",
    ]],
    ["its own callback, which counts as none", CALLBACK, undefined, []],
    ["its own callback and another", `${CALLBACK},https://a.example/cb`, [
      "https://a.example/cb",
    ], []],
    ["loopback, which needs no entry", "http://127.0.0.1/cb", undefined, []],
  ];
for (const [name, list, https, custom] of REDIRECTS) {
  Deno.test(`configure() understands redirect URIs: ${name} (SPEC B2.2, B2.3)`, () => {
    deepEqual(proxyOf({ ...BASE, OAUTH_REDIRECT_URIS: list }).redirects, {
      ...(https !== undefined && { https }),
      custom,
      ownCallback: CALLBACK,
    });
  });
}

for (
  const uri of [
    "javascript:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "vbscript:x",
    "blob:https://a.example/x",
    "http://a.example/cb",
    "https://a.example/*#f",
    "https://user@a.example/cb",
    "https://a.example/../cb",
    "/cb",
    "a.example",
    "https://a.example/cb,,",
  ]
) {
  Deno.test(`configure() refuses the redirect URI ${uri} (SPEC B2.2)`, () => {
    equal(problemOf({ ...BASE, OAUTH_REDIRECT_URIS: uri }).where, "OAUTH_REDIRECT_URIS");
  });
}
