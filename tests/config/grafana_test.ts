import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { configure } from "../../lib/config.ts";
import type { GrafanaConfig } from "../../lib/config/grafana.ts";
import type { Problem } from "../../lib/config/sources.ts";
import { SECRET } from "../fakes.ts";

type Env = Record<string, string>;

const TOKEN = "glsa_0123456789abcdef";
const URL_OF = { GRAFANA_URL: "https://grafana.example.com" };
const HTTP = { MCP_TRANSPORT: "http" };
const OAUTH = {
  ...HTTP,
  OAUTH_ENABLED: "on",
  OAUTH_PROVIDER: "keycloak",
  OIDC_ISSUER: "https://idp.example/realms/acme",
};
const CLIENT = { OIDC_CLIENT_ID: "gatehouse", OIDC_CLIENT_SECRET: "client-secret-of-this-test" };
const PROXY = { ...OAUTH, ...CLIENT, OAUTH_MODE: "proxy", JWT_SECRET: SECRET };
const HMAC = { ...HTTP, OAUTH_ENABLED: "on", OAUTH_PROVIDER: "hmac", JWT_SECRET: SECRET };

function from(env: Env, flags: Env = {}, files: Env = {}) {
  return configure({ flags, env, readFile: (path) => files[path] ?? "" });
}

function grafanaOf(env: Env, flags: Env = {}, files: Env = {}): GrafanaConfig {
  const configured = from({ ...URL_OF, ...env }, flags, files);
  ok(configured.ok, JSON.stringify(configured));
  ok(configured.config.grafana);
  return configured.config.grafana;
}

function problemsOf(env: Env): readonly Problem[] {
  const configured = from({ ...URL_OF, ...env });
  return configured.ok ? [] : configured.problems;
}

Deno.test("readGrafana() has nothing without a URL, whatever else is set", () => {
  const configured = from({
    GRAFANA_API_KEY: TOKEN,
    GRAFANA_AUTH: "exchange",
    GRAFANA_TLS_KEY_FILE: "x",
  });
  ok(configured.ok);
  equal(configured.config.grafana, undefined);
});

Deno.test("readGrafana() needs a URL and a token, and has defaults for the rest", () => {
  deepEqual(grafanaOf({ GRAFANA_SERVICE_ACCOUNT_TOKEN: TOKEN }), {
    url: new URL("https://grafana.example.com"),
    auth: "service-account",
    token: TOKEN,
    tokenHeader: "authorization",
    timeout: 30,
    tls: {},
  });
});

Deno.test("readGrafana() reads every setting, from flags too", () => {
  const all = {
    "grafana-url": "https://grafana.example.com/sub",
    "grafana-public-url": "https://example.com/grafana#",
    "grafana-auth": "exchange",
    "grafana-token": TOKEN,
    "grafana-audience": "grafana",
    "grafana-token-header": "X-JWT-Assertion",
    "grafana-org-id": "3",
    "grafana-org-claim": "org",
    "grafana-timeout": "2m",
    "grafana-tls-ca-file": "ca.pem",
    "grafana-tls-cert-file": "cert.pem",
    "grafana-tls-key-file": "key.pem",
  };
  const expected = {
    url: new URL("https://grafana.example.com/sub"),
    publicUrl: new URL("https://example.com/grafana"),
    auth: "exchange",
    token: TOKEN,
    audience: "grafana",
    tokenHeader: "x-jwt-assertion",
    orgId: "3",
    orgClaim: "org",
    timeout: 120,
    tls: { caFile: "ca.pem", certFile: "cert.pem", keyFile: "key.pem" },
  } as const;
  const env = Object.fromEntries(
    Object.entries(all).map(([flag, value]) => [flag.toUpperCase().replaceAll("-", "_"), value]),
  );
  const { GRAFANA_TOKEN: token, ...rest } = env;
  const native = { ...OAUTH, ...CLIENT };
  deepEqual(grafanaOf({ ...native, ...rest, GRAFANA_SERVICE_ACCOUNT_TOKEN: token! }), expected);
  deepEqual(grafanaOf(native, all), expected);
});

const URLS: [text: string, href: string][] = [
  ["https://grafana.example.com", "https://grafana.example.com/"],
  ["https://grafana.example.com/", "https://grafana.example.com/"],
  ["https://example.com/grafana", "https://example.com/grafana"],
  ["https://example.com/grafana/", "https://example.com/grafana/"],
  ["http://grafana.monitoring.svc:3000", "http://grafana.monitoring.svc:3000/"],
  ["http://localhost:3000", "http://localhost:3000/"],
  ["http://[::1]:3000", "http://[::1]:3000/"],
  ["HTTPS://Grafana.Example.com", "https://grafana.example.com/"],
  // Their marks would swallow the paths that come behind.
  ["https://grafana.example.com/?", "https://grafana.example.com/"],
  ["https://grafana.example.com/sub#", "https://grafana.example.com/sub"],
  ["https://grafana.example.com/a/../b", "https://grafana.example.com/b"],
];
for (const [text, href] of URLS) {
  Deno.test(`readGrafana() takes GRAFANA_URL=${text} as ${href}`, () => {
    equal(grafanaOf({ GRAFANA_URL: text, GRAFANA_API_KEY: TOKEN }).url.href, href);
  });
}

const NO_URLS = [
  "grafana.example.com",
  "grafana.example.com:3000",
  "localhost:3000",
  "//grafana.example.com",
  "ftp://grafana.example.com",
  "file:///etc/passwd",
  "javascript:alert(1)",
  "https://",
  "https://grafana.example.com?orgId=1",
  "https://grafana.example.com/#x",
  "https://admin@grafana.example.com",
  "https://admin:hunter2@grafana.example.com",
];
for (const text of NO_URLS) {
  Deno.test(`readGrafana() refuses GRAFANA_URL=${text}, with a fix`, () => {
    const [problem, ...others] = problemsOf({ GRAFANA_URL: text, GRAFANA_API_KEY: TOKEN });
    equal(others.length, 0);
    equal(problem!.where, "GRAFANA_URL");
    ok(problem!.fix.length > 0);
    ok(!JSON.stringify(problem).includes("hunter2"));
  });
}

const DEFAULTS: [what: string, env: Env, auth: string][] = [
  ["over stdio", { GRAFANA_API_KEY: TOKEN }, "service-account"],
  ["over HTTP without OAuth", { ...HTTP, GRAFANA_API_KEY: TOKEN }, "service-account"],
  ["over stdio, whatever OAuth would be", {
    ...PROXY,
    MCP_TRANSPORT: "stdio",
    GRAFANA_API_KEY: TOKEN,
  }, "service-account"],
  ["in native mode", OAUTH, "forward"],
  ["in native mode with hmac", HMAC, "forward"],
  ["in proxy mode", PROXY, "upstream"],
  ["in proxy mode with the development login", { ...HMAC, OAUTH_MODE: "proxy" }, "assertion"],
  ["in native mode, with a token at hand", { ...OAUTH, GRAFANA_API_KEY: TOKEN }, "forward"],
  ["in proxy mode, with a token at hand", { ...PROXY, GRAFANA_API_KEY: TOKEN }, "upstream"],
];
for (const [what, env, auth] of DEFAULTS) {
  Deno.test(`readGrafana() acts by ${auth} ${what} (SPEC A5.3)`, () =>
    equal(grafanaOf(env).auth, auth));
}

const CHOSEN: [auth: string, env: Env][] = [
  ["service-account", { ...OAUTH, GRAFANA_API_KEY: TOKEN }],
  ["forward", OAUTH],
  ["assertion", { ...OAUTH, JWT_SECRET: SECRET }],
  ["assertion", PROXY],
  ["exchange", { ...OAUTH, ...CLIENT, GRAFANA_AUDIENCE: "grafana" }],
  ["exchange", { ...PROXY, GRAFANA_AUDIENCE: "grafana" }],
];
for (const [auth, env] of CHOSEN) {
  Deno.test(`readGrafana() acts by ${auth} when that is chosen in ${env.OAUTH_MODE ?? "native"} mode`, () => {
    equal(grafanaOf({ ...env, GRAFANA_AUTH: auth }).auth, auth);
  });
}

const MISFITS: [what: string, env: Env, told: [where: string, what: RegExp, fix: RegExp][]][] = [
  ["no token without OAuth", {}, [
    [
      "GRAFANA_SERVICE_ACCOUNT_TOKEN",
      /is not set/,
      /set it, or set MCP_TRANSPORT=http and OAUTH_ENABLED=on$/,
    ],
  ]],
  ["no token by choice", { ...OAUTH, GRAFANA_AUTH: "service-account" }, [
    ["GRAFANA_SERVICE_ACCOUNT_TOKEN", /is not set/, /choose another GRAFANA_AUTH/],
  ]],
  ...["forward", "exchange", "upstream", "assertion"].map((auth): typeof MISFITS[number] => [
    `${auth} without callers`,
    { ...HTTP, GRAFANA_AUTH: auth, GRAFANA_API_KEY: TOKEN },
    [["GRAFANA_AUTH", new RegExp(`is ${auth}, which needs callers`), /and OAUTH_ENABLED=on; or/]],
  ]),
  ["forward in proxy mode", { ...PROXY, GRAFANA_AUTH: "forward" }, [
    ["GRAFANA_AUTH", /callers have tokens for this server alone/, /choose upstream, exchange/],
  ]],
  ["upstream in native mode", { ...OAUTH, GRAFANA_AUTH: "upstream" }, [
    ["GRAFANA_AUTH", /is upstream, and this server logs nobody in/, /set OAUTH_MODE=proxy/],
  ]],
  ["upstream with the development login", {
    ...HMAC,
    OAUTH_MODE: "proxy",
    GRAFANA_AUTH: "upstream",
  }, [
    ["GRAFANA_AUTH", /is upstream/, /with an identity provider/],
  ]],
  ["assertion without a secret", { ...OAUTH, GRAFANA_AUTH: "assertion" }, [
    ["JWT_SECRET", /is not set, and statements about callers/, /openssl rand/],
  ]],
  ["exchange with nothing", { ...OAUTH, GRAFANA_AUTH: "exchange" }, [
    ["OIDC_CLIENT_ID", /OIDC_CLIENT_SECRET/, /register this server/],
    ["GRAFANA_AUDIENCE", /is not set/, /what Grafana is called at the identity provider/],
  ]],
  [
    "exchange with tokens of its own",
    { ...HMAC, GRAFANA_AUTH: "exchange", GRAFANA_AUDIENCE: "g" },
    [
      ["OIDC_CLIENT_ID", /is not set/, /register this server/],
    ],
  ],
  ["a way that does not exist", { ...OAUTH, GRAFANA_AUTH: "Forward" }, [
    [
      "GRAFANA_AUTH",
      /is "Forward"/,
      /use forward or exchange or upstream or assertion or service-account/,
    ],
  ]],
  ["forward over stdio", { ...OAUTH, MCP_TRANSPORT: "stdio", GRAFANA_AUTH: "forward" }, [
    ["GRAFANA_AUTH", /over HTTP with OAuth alone/, /^set MCP_TRANSPORT=http and OAUTH_ENABLED=on/],
  ]],
  ["a claim of the organization that no caller has", { ...PROXY, GRAFANA_ORG_CLAIM: "org" }, [
    ["GRAFANA_ORG_CLAIM", /in proxy mode callers have tokens of this server/, /GRAFANA_ORG_ID/],
  ]],
  ["an organization that is a name", { ...OAUTH, GRAFANA_ORG_ID: "main" }, [
    ["GRAFANA_ORG_ID", /is "main"/, /use a number/],
  ]],
  ["a header that is none", { ...OAUTH, GRAFANA_TOKEN_HEADER: "X JWT:" }, [
    ["GRAFANA_TOKEN_HEADER", /is "X JWT:"/, /such as X-JWT-Assertion/],
  ]],
  ["a time too short", { ...OAUTH, GRAFANA_TIMEOUT: "0" }, [
    ["GRAFANA_TIMEOUT", /is "0"/, /1s to 5m/],
  ]],
  ["a time too long", { ...OAUTH, GRAFANA_TIMEOUT: "6m" }, [
    ["GRAFANA_TIMEOUT", /is "6m"/, /1s to 5m/],
  ]],
  ["a certificate without a key", { ...OAUTH, GRAFANA_TLS_CERT_FILE: "c.pem" }, [
    ["GRAFANA_TLS_KEY_FILE", /other half of the client certificate/, /set both or neither/],
  ]],
  ["a key without a certificate", { ...OAUTH, GRAFANA_TLS_KEY_FILE: "k.pem" }, [
    ["GRAFANA_TLS_CERT_FILE", /other half of the client certificate/, /set both or neither/],
  ]],
];
for (const [what, env, told] of MISFITS) {
  Deno.test(`readGrafana() refuses ${what}, naming variable and fix`, () => {
    const problems = problemsOf(env);
    deepEqual(problems.map(({ where }) => where), told.map(([where]) => where));
    for (const [at, [, is, fix]] of told.entries()) {
      match(problems[at]!.what, is);
      match(problems[at]!.fix, fix);
    }
  });
}

Deno.test("readGrafana() takes the token under its old name, and from a file", () => {
  equal(grafanaOf({ GRAFANA_API_KEY: TOKEN }).token, TOKEN);
  equal(grafanaOf({ GRAFANA_API_KEY: TOKEN, GRAFANA_SERVICE_ACCOUNT_TOKEN: TOKEN }).token, TOKEN);
  const files = { "/run/token": `${TOKEN}\n` };
  equal(grafanaOf({ GRAFANA_SERVICE_ACCOUNT_TOKEN_FILE: "/run/token" }, {}, files).token, TOKEN);
});

Deno.test("readGrafana() refuses two tokens that differ, and names both variables but neither token", () => {
  const problems = problemsOf({
    GRAFANA_API_KEY: TOKEN,
    GRAFANA_SERVICE_ACCOUNT_TOKEN: "glsa_another",
  });
  deepEqual(problems.map(({ where, fix }) => [where, fix]), [
    ["GRAFANA_SERVICE_ACCOUNT_TOKEN and GRAFANA_API_KEY", "unset GRAFANA_API_KEY"],
  ]);
  ok(!JSON.stringify(problems).includes("glsa_"));
});

for (const token of ["glsa_a\nb", "glsa_a b", " glsa_ab", "glsa_ab\r\n", "glsa_→", "glsa_\0"]) {
  Deno.test(`readGrafana() refuses the token ${JSON.stringify(token)}, which no header takes, without a word of it`, () => {
    const [problem, ...others] = problemsOf({ GRAFANA_SERVICE_ACCOUNT_TOKEN: token });
    equal(problem!.where, "GRAFANA_SERVICE_ACCOUNT_TOKEN");
    ok(!JSON.stringify([problem, others]).includes("glsa_"));
  });
}

Deno.test("configure() leaves out what writes when it is told to", () => {
  const of = (env: Env, flags: Env = {}) => {
    const configured = from({ ...URL_OF, GRAFANA_API_KEY: TOKEN, ...env }, flags);
    ok(configured.ok);
    return configured.config.readOnly;
  };
  deepEqual([
    of({}),
    of({ MCP_READ_ONLY: "on" }),
    of({}, { "read-only": "true" }),
    of({ MCP_READ_ONLY: "on" }, { "read-only": "false" }),
  ], [false, true, true, false]);
  const wrong = problemsOf({ GRAFANA_API_KEY: TOKEN, MCP_READ_ONLY: "maybe" });
  equal(wrong[0]!.where, "MCP_READ_ONLY");
});
