import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { cli } from "../../lib/cli.ts";
import { SECRET } from "../fakes.ts";
import { type Idp, ISSUER, keyOf, newIdp } from "../idp.ts";
import { testHost } from "./host.ts";

const KEY = await keyOf("k1");
const PREVIOUS = [...SECRET].reverse().join("");
const HIDDEN = [
  "mellon-of-the-client",
  "mellon-of-the-store",
  "mellon-of-the-app-0123456789-abcdef",
];
const ENV = {
  MCP_TRANSPORT: "http",
  OAUTH_ENABLED: "on",
  OAUTH_MODE: "proxy",
  OAUTH_PROVIDER: "oidc",
  OIDC_ISSUER: ISSUER,
  OIDC_CLIENT_ID: "gatehouse",
  OIDC_CLIENT_SECRET: HIDDEN[0]!,
  JWT_SECRET: SECRET,
};

/** Runs `check` for people and for scripts, and sees that neither hears a secret. */
async function check(idp: Idp, env: Record<string, string> = {}) {
  const runs = [];
  for (const args of [["check"], ["check", "--json"]]) {
    const host = testHost({
      fetch: idp.fetch,
      fetchWith: () => idp.fetch,
      env: { ...ENV, ...env },
    });
    const code = await cli(args, host);
    const { out, err } = host.written();
    for (const secret of [...HIDDEN, SECRET, PREVIOUS]) {
      ok(!(out + err).includes(secret), out + err);
    }
    runs.push({ code, out, err });
  }
  const [people, scripts] = runs;
  deepEqual([scripts!.err, scripts!.code], ["", people!.code]);
  const { config, findings } = JSON.parse(scripts!.out) as {
    readonly config: Record<string, string>;
    readonly findings: readonly { where: string; what: string; fix: string; advice?: true }[];
  };
  for (const finding of findings) {
    for (const part of ["where", "what", "fix"] as const) {
      ok((people!.out + people!.err).includes(finding[part]));
    }
  }
  return { code: people!.code, out: people!.out, config, findings };
}

function newIssuer(): Idp {
  return newIdp([KEY]);
}

async function newFolder() {
  const path = await Deno.makeTempDir({ prefix: "gatehouse-check-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

Deno.test("check() describes proxy mode, and hides what is secret (SPEC B4.2)", async () => {
  await using folder = await newFolder();
  const idp = newIssuer();
  const { code, config, findings, out } = await check(idp, {
    STORE_URL: `sqlite:${folder.path}/store.db`,
    JWT_SECRET_PREVIOUS: PREVIOUS,
    OAUTH_REGISTRATION: "documents",
    OAUTH_REDIRECT_URIS: "https://app.example/cb,cursor://anysphere/cb",
    OAUTH_ACCESS_TTL: "5m",
    OAUTH_CLIENTS: JSON.stringify([
      { client_id: "app", client_secret: HIDDEN[2], redirect_uris: ["https://app.example/cb"] },
    ]),
  });
  deepEqual([code, findings], [0, []]);
  const of = (...names: string[]) => names.map((name) => config[name]);
  deepEqual(of("oauth", "issuer", "logins"), [
    "proxy, oidc",
    "http://localhost:8080",
    `${ISSUER} as gatehouse, secret hidden`,
  ]);
  deepEqual(of("secret", "store", "clients", "registration", "redirects", "access tokens"), [
    `hidden, ${SECRET.length} bytes; the previous one still opens`,
    `sqlite:${folder.path}/store.db`,
    "1 configured",
    "documents",
    "this computer, https://app.example/cb, cursor://anysphere/cb",
    "live 300 seconds",
  ]);
  // What native mode has and this has not.
  deepEqual(of("audiences", "opaque tokens"), [undefined, undefined]);
  match(out, /^registration {6}documents$/m);
  // Keys are not needed: ID tokens come straight from the issuer.
  deepEqual(idp.count(), { documents: 2, keys: 0, all: 2 });
});

Deno.test("check() describes proxy mode as it is by default", async () => {
  const { OIDC_CLIENT_SECRET: _, ...env } = ENV;
  const idp = newIssuer();
  idp.document.token_endpoint_auth_methods_supported = ["none"];
  const { config } = await check(idp, { ...env, OIDC_CLIENT_SECRET: "" });
  const names = ["logins", "secret", "store", "clients", "registration", "redirects"];
  deepEqual([...names, "access tokens"].map((name) => config[name]), [
    `${ISSUER} as gatehouse, without a secret`,
    `hidden, ${SECRET.length} bytes`,
    "memory:",
    "none configured",
    "documents, dynamic",
    "this computer, any https URI, no scheme of an app",
    "live 600 seconds",
  ]);
  equal((await check(idp, { OAUTH_REGISTRATION: "off" })).config.registration, "off");
});

const HMAC = {
  OAUTH_PROVIDER: "hmac",
  OIDC_ISSUER: "",
  OIDC_CLIENT_ID: "",
  OIDC_CLIENT_SECRET: "",
};

Deno.test("check() describes the development login, asks nobody, and has no advice on it", async () => {
  const idp = newIssuer();
  const { code, config, findings } = await check(idp, HMAC);
  deepEqual([code, findings, idp.count().all], [0, [], 0]);
  deepEqual([config.oauth, config.logins], [
    "proxy, hmac",
    "here, by name and without a password",
  ]);
});

interface Row {
  readonly name: string;
  readonly change?: (idp: Idp) => void;
  readonly env?: Record<string, string>;
  /** 1 for a problem, 0 for advice. */
  readonly code: 0 | 1;
  readonly where: RegExp;
  readonly what: RegExp;
}

const methods = (...list: string[]) => (idp: Idp) => {
  idp.document.token_endpoint_auth_methods_supported = list;
};

const ROWS: readonly Row[] = [
  {
    name: "an issuer that cannot be reached",
    change: (idp) => idp.up = false,
    code: 1,
    where: /^OIDC_ISSUER$/,
    what: /cannot be used: .*connection refused/,
  },
  {
    name: "an issuer where nobody can log in",
    change: (idp) => delete idp.document.authorization_endpoint,
    code: 1,
    where: /^OIDC_ISSUER$/,
    what: /without authorization endpoint/,
  },
  {
    name: "an issuer that gives no tokens",
    change: (idp) => delete idp.document.token_endpoint,
    code: 1,
    where: /^OIDC_ISSUER$/,
    what: /without token endpoint/,
  },
  {
    name: "an issuer without PKCE, as advice on this server's own logins",
    change: (idp) => delete idp.document.code_challenge_methods_supported,
    code: 0,
    where: /metadata/,
    what: /PKCE with S256, by which this server/,
  },
  {
    name: "an issuer that takes no secret as this server sends it",
    change: methods("private_key_jwt", "tls_client_auth"),
    code: 1,
    where: /^OIDC_CLIENT_SECRET$/,
    what: /private_key_jwt, tls_client_auth/,
  },
  {
    name: "a secret that is missing, as advice",
    env: { OIDC_CLIENT_SECRET: "" },
    code: 0,
    where: /^OIDC_CLIENT_SECRET$/,
    what: /is not set/,
  },
  {
    name: "a store that forgets, as advice",
    env: { STORE_URL: "" },
    code: 0,
    where: /^STORE_URL$/,
    what: /is memory:/,
  },
  {
    name: "a store whose folder cannot be",
    env: { STORE_URL: "sqlite:/dev/null/store.db" },
    code: 1,
    where: /^STORE_URL$/,
    what: /cannot be used: Cannot open the store \/dev\/null\/store\.db/,
  },
  {
    name: "a store that does not answer",
    env: { STORE_URL: `redis://user:${HIDDEN[1]}@127.0.0.1:1/2` },
    code: 1,
    where: /^STORE_URL$/,
    what: /does not answer/,
  },
  {
    name: "a store whose URL is none",
    env: { STORE_URL: `redis://user:${HIDDEN[1]}@127.0.0.1:1/two` },
    code: 1,
    where: /^STORE_URL$/,
    what: /cannot be used: it is no URL/,
  },
  {
    name: "a store whose password is not encoded",
    env: { STORE_URL: `redis://user:12/${HIDDEN[1]}@127.0.0.1` },
    code: 1,
    where: /^STORE_URL$/,
    what: /cannot be used: it is no URL/,
  },
];
for (const { name, change, env, code, where, what } of ROWS) {
  Deno.test(`check() tells in proxy mode of ${name}`, async () => {
    await using folder = await newFolder();
    const idp = newIssuer();
    change?.(idp);
    const report = await check(idp, { STORE_URL: `sqlite:${folder.path}/store.db`, ...env });
    equal(report.findings.length, 1, JSON.stringify(report.findings));
    const [found] = report.findings;
    match(found!.where, where);
    match(found!.what, what);
    ok(found!.fix.length > 10);
    deepEqual([report.code, found!.advice], [code, code === 0 ? true : undefined]);
  });
}

for (const list of [["client_secret_post"], ["none", "client_secret_basic"]]) {
  Deno.test(`check() is content with a secret at an issuer that takes ${list}`, async () => {
    const idp = newIssuer();
    methods(...list)(idp);
    deepEqual((await check(idp)).findings.map(({ where }) => where), ["STORE_URL"]);
  });
}

const STORES: readonly (readonly [url: string, shown: string])[] = [
  ["redis://127.0.0.1:1", "redis://127.0.0.1:1"],
  ["redis://127.0.0.1:1/3", "redis://127.0.0.1:1/3"],
  [`redis://:${HIDDEN[1]}@127.0.0.1:1`, "redis://127.0.0.1:1, user and password hidden"],
  [`redis://${HIDDEN[1]}@127.0.0.1:1`, "redis://127.0.0.1:1, user and password hidden"],
  [`redis://a:12/${HIDDEN[1]}@127.0.0.1`, "redis:, the rest hidden"],
  [`redis://a:12#${HIDDEN[1]}@127.0.0.1`, "redis:, the rest hidden"],
  [`redis://a:12?${HIDDEN[1]}@127.0.0.1`, "redis:, the rest hidden"],
  [`rediss://a:b c${HIDDEN[1]}`, "rediss:, the rest hidden"],
];
for (const [url, shown] of STORES) {
  Deno.test(`check() shows ${shown} for ${url.replace(HIDDEN[1]!, "...")}`, async () => {
    equal((await check(newIssuer(), { ...HMAC, STORE_URL: url })).config.store, shown);
  });
}
