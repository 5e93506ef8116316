import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { cli } from "../../lib/cli.ts";
import { NOW } from "../fakes.ts";
import { type Idp, ISSUER, keyOf, newIdp, openidUrl } from "../idp.ts";
import { testHost } from "./host.ts";

const KEY = await keyOf("k1");
const ENV = {
  MCP_TRANSPORT: "http",
  OAUTH_ENABLED: "on",
  OAUTH_PROVIDER: "oidc",
  OIDC_ISSUER: ISSUER,
};

interface Finding {
  readonly where: string;
  readonly what: string;
  readonly fix: string;
  readonly advice?: true;
}

/** Runs `check` against an issuer. */
async function check(idp: Idp, env: Record<string, string> = {}, args: string[] = []) {
  const host = testHost({ fetch: idp.fetch, env: { ...ENV, ...env } });
  const code = await cli(["check", ...args], host);
  return { code, ...host.written() };
}

async function checkJson(idp: Idp, env: Record<string, string> = {}) {
  const { code, out, err } = await check(idp, env, ["--json"]);
  equal(err, "");
  const report = JSON.parse(out) as {
    readonly ok: boolean;
    readonly config: Record<string, string>;
    readonly findings: readonly Finding[];
  };
  return { code, ...report };
}

Deno.test("check() finds nothing wrong with an issuer that is as configured", async () => {
  const idp = newIdp([KEY]);
  const { code, out, err } = await check(idp);
  deepEqual([code, err], [0, ""]);
  match(out, /^issuer +https:\/\/idp\.example\/tenant$/m);
  match(out, /^opaque tokens +refused$/m);
  match(out, /\nNo problems found\.\n$/);
  deepEqual(idp.count(), { documents: 1, keys: 1, all: 2 });
  const report = await checkJson(idp);
  deepEqual([report.code, report.ok, report.findings], [0, true, []]);
});

interface Row {
  readonly name: string;
  readonly change: (idp: Idp) => void;
  readonly env?: Record<string, string>;
  /** 1 for a problem, 0 for advice. */
  readonly code: 0 | 1;
  readonly finding: { readonly where: RegExp; readonly what: RegExp; readonly fix: RegExp };
}

const date = (seconds: number) => new Date((NOW + seconds) * 1000).toUTCString();
const dated = (seconds: number) => (idp: Idp) => {
  const headers = { date: date(seconds) };
  idp.answers.set(openidUrl(ISSUER), () => Response.json(idp.document, { headers }));
  idp.answers.set(`${ISSUER}/keys`, () => Response.json({ keys: idp.keys }, { headers }));
};

const ROWS: readonly Row[] = [
  {
    name: "an issuer that has a slash after its name, with the line to set",
    change: (idp) => idp.document.issuer = `${ISSUER}/`,
    code: 1,
    finding: {
      where: /^OIDC_ISSUER$/,
      what:
        /is "https:\/\/idp\.example\/tenant", and the issuer calls itself "https:\/\/idp\.example\/tenant\/"/,
      fix: /^set OIDC_ISSUER=https:\/\/idp\.example\/tenant\/$/,
    },
  },
  {
    name: "an issuer that cannot be reached",
    change: (idp) => idp.up = false,
    code: 1,
    finding: {
      where: /^OIDC_ISSUER$/,
      what:
        /cannot be used: Cannot fetch https:\/\/idp\.example\/tenant\/.+: error sending request/,
      fix: /without \/\.well-known/,
    },
  },
  {
    name: "an address where there is no issuer",
    change: (idp) => idp.answers.set(openidUrl(ISSUER), () => new Response(null, { status: 404 })),
    code: 1,
    finding: { where: /^OIDC_ISSUER$/, what: /404 at its OpenID location/, fix: /./ },
  },
  {
    name: "a page where the metadata should be",
    change: (idp) => idp.answers.set(openidUrl(ISSUER), () => new Response("<!doctype html>")),
    code: 1,
    finding: { where: /^OIDC_ISSUER$/, what: /no JSON object/, fix: /./ },
  },
  {
    name: "keys that cannot be reached",
    change: (idp) =>
      idp.answers.set(`${ISSUER}/keys`, () => Promise.reject(new TypeError("connection refused"))),
    code: 1,
    finding: {
      where: /^https:\/\/idp\.example\/tenant\/keys$/,
      what: /gives no keys: .*connection refused/,
      fix: /let this server reach it/,
    },
  },
  {
    name: "an issuer that publishes no key",
    change: (idp) => idp.keys = [],
    code: 1,
    finding: { where: /keys$/, what: /no public key is published/, fix: /./ },
  },
  {
    name: "a clock that is 31 seconds ahead of the issuer's",
    change: dated(-31),
    code: 1,
    finding: { where: /clock/, what: /is 31 seconds ahead of the issuer's/, fix: /synchronise/ },
  },
  {
    name: "a clock that is an hour behind the issuer's",
    change: dated(3600),
    code: 1,
    finding: { where: /clock/, what: /is 3600 seconds behind the issuer's/, fix: /synchronise/ },
  },
  {
    name: "an issuer that says nothing of PKCE, as advice",
    change: (idp) => delete idp.document.code_challenge_methods_supported,
    code: 0,
    finding: { where: /metadata/, what: /PKCE with S256/, fix: /./ },
  },
  {
    name: "an issuer that has plain PKCE only, as advice",
    change: (idp) => idp.document.code_challenge_methods_supported = ["plain"],
    code: 0,
    finding: { where: /metadata/, what: /PKCE with S256/, fix: /./ },
  },
  {
    name: "a client for asking at an issuer that cannot be asked",
    change: () => {},
    env: { OIDC_CLIENT_ID: "gatehouse", OIDC_CLIENT_SECRET: "its secret" },
    code: 0,
    finding: { where: /OIDC_CLIENT_ID|metadata/, what: /introspection/, fix: /./ },
  },
];

for (const { name, change, env, code, finding } of ROWS) {
  Deno.test(`check() tells of ${name}`, async () => {
    const idp = newIdp([KEY]);
    change(idp);
    const people = await check(idp, env);
    const report = await checkJson(idp, env);
    deepEqual([people.code, report.code, report.ok], [code, code, code === 0]);
    equal(report.findings.length, 1);
    const [found] = report.findings;
    for (const part of ["where", "what", "fix"] as const) {
      match(found![part], finding[part]);
      equal((people.out + people.err).includes(found![part]), true);
    }
    equal(found!.advice, code === 0 ? true : undefined);
    equal((people.out + people.err + JSON.stringify(report)).includes("its secret"), false);
  });
}

Deno.test("check() does not call advice a problem", async () => {
  const idp = newIdp([KEY]);
  delete idp.document.code_challenge_methods_supported;
  const { code, out, err } = await check(idp);
  equal(code, 0);
  equal(/\d+ problem/.test(out + err), false);
});

for (const seconds of [-30, 30]) {
  Deno.test(`check() bears with a clock that is ${seconds} seconds off`, async () => {
    const idp = newIdp([KEY]);
    dated(seconds)(idp);
    deepEqual((await checkJson(idp)).findings, []);
  });
}

Deno.test("check() tells of everything at once", async () => {
  const idp = newIdp([KEY]);
  dated(120)(idp);
  idp.keys = [];
  delete idp.document.code_challenge_methods_supported;
  const { code, findings } = await checkJson(idp);
  equal(code, 1);
  deepEqual(findings.map(({ advice }) => advice), [undefined, undefined, true]);
});

Deno.test("check() expects of Entra's shared issuers the name that they have", async () => {
  const env = {
    OAUTH_PROVIDER: "azure",
    OIDC_ISSUER: "https://login.microsoftonline.com/common/v2.0",
    OAUTH_TENANTS: "8eaef023-2b34-4da1-9baa-8bc8c9d6a490",
  };
  const idp = newIdp([KEY], env.OIDC_ISSUER);
  idp.document.issuer = "https://login.microsoftonline.com/{tenantid}/v2.0";
  const { code, findings, config } = await checkJson(idp, env);
  deepEqual([code, findings], [0, []]);
  equal(config.tenants, "8eaef023-2b34-4da1-9baa-8bc8c9d6a490");
});

Deno.test("check() names the tenant's own issuer when a domain stands for it", async () => {
  const env = {
    OAUTH_PROVIDER: "azure",
    OIDC_ISSUER: "https://login.microsoftonline.com/contoso.example/v2.0",
  };
  const idp = newIdp([KEY], env.OIDC_ISSUER);
  const own = "https://login.microsoftonline.com/8eaef023-2b34-4da1-9baa-8bc8c9d6a490/v2.0";
  idp.document.issuer = own;
  const { code, findings } = await checkJson(idp, env);
  deepEqual([code, findings[0]?.fix], [1, `set OIDC_ISSUER=${own}`]);
});

Deno.test("check() looks for Google where Google is", async () => {
  const google = "https://accounts.google.com";
  const idp = newIdp([KEY], google);
  const env = { OAUTH_PROVIDER: "google", OIDC_ISSUER: "", OIDC_AUDIENCE: "1-web" };
  deepEqual([(await checkJson(idp, env)).findings, idp.count().all], [[], 2]);
});

Deno.test("check() hides the client's secret and says what it is for", async () => {
  const idp = newIdp([KEY]);
  idp.document.introspection_endpoint = `${ISSUER}/introspect`;
  const env = { OIDC_CLIENT_ID: "gatehouse", OIDC_CLIENT_SECRET: "its secret" };
  const { code, out, err } = await check(idp, env);
  deepEqual([code, err], [0, ""]);
  match(out, /^opaque tokens +asked about as gatehouse, secret hidden$/m);
  equal(out.includes("its secret"), false);
});
