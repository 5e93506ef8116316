import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { configure, type HttpConfig, resourceOf } from "../../lib/config.ts";
import type { Problem } from "../../lib/config/sources.ts";
import { certificates, withoutCertificates } from "../certificates.ts";
import { skipBecause } from "../e2e/skip.ts";
import { SECRET } from "../fakes.ts";

type Env = Readonly<Record<string, string>>;

function read(env: Env, files: Env = {}) {
  const base = { MCP_TRANSPORT: "http", OAUTH_ENABLED: "on", OAUTH_PROVIDER: "hmac" };
  const all = { ...base, JWT_SECRET: SECRET, ...env };
  return configure({ flags: {}, env: all, readFile: (path) => files[path] ?? "" });
}

function httpOf(env: Env, files?: Env): HttpConfig {
  const configured = read(env, files);
  ok(configured.ok, JSON.stringify(configured));
  return configured.config.http;
}

function problemsOf(env: Env): readonly Problem[] {
  const configured = read(env);
  return configured.ok ? [] : configured.problems;
}

const PAIR = { MCP_TLS_CERT_FILE: "cert.pem", MCP_TLS_KEY_FILE: "key.pem" };

const tls = skipBecause(withoutCertificates);

Deno.test("configure() serves plain HTTP when nothing else is said", () => {
  equal(httpOf({}).tls, undefined);
  equal(resourceOf(httpOf({})).href, "http://localhost:8080/mcp");
});

Deno.test({
  name: "configure() takes https for the public URL when there is a certificate",
  ...tls,
  async fn() {
    await using made = await certificates("DNS:localhost");
    const files = { "cert.pem": made.cert, "key.pem": made.key };
    deepEqual(httpOf(PAIR, files).tls, { certFile: "cert.pem", keyFile: "key.pem" });
    equal(
      resourceOf(httpOf({ ...PAIR, MCP_HTTP_PORT: "8443" }, files)).href,
      "https://localhost:8443/mcp",
    );
    const env = { ...PAIR, OAUTH_SERVER_URL: "https://mcp.example.com" };
    equal(resourceOf(httpOf(env, files)).href, "https://mcp.example.com/mcp");
  },
});

Deno.test("configure() refuses files that are no certificate", () => {
  deepEqual(problemsOf(PAIR).map(({ where }) => where), ["MCP_TLS_CERT_FILE"]);
});

for (const [given, missing] of [Object.keys(PAIR), Object.keys(PAIR).reverse()]) {
  Deno.test(`configure() refuses ${given} without ${missing}`, () => {
    const problems = problemsOf({ [given!]: "a.pem" });
    deepEqual(problems.map(({ where }) => where), [missing]);
    match(problems[0]!.what, /certificate to serve with/);
  });
}

Deno.test("configure() takes addresses and blocks of trusted proxies, none by default", () => {
  deepEqual(httpOf({}).trustedProxies, []);
  const env = { MCP_TRUSTED_PROXIES: "10.0.0.0/8, 127.0.0.1,fd00::/8" };
  deepEqual(httpOf(env).trustedProxies, ["10.0.0.0/8", "127.0.0.1", "fd00::/8"]);
});

for (const text of ["all", "on", "*", "10.0.0.0/8,", "0.0.0.0/0", "::/0", "proxy.example", "-1"]) {
  Deno.test(`configure() refuses MCP_TRUSTED_PROXIES=${text}`, () => {
    deepEqual(problemsOf({ MCP_TRUSTED_PROXIES: text }).map(({ where }) => where), [
      "MCP_TRUSTED_PROXIES",
    ]);
  });
}

for (const count of ["0", "1", "2", "10"]) {
  Deno.test(`configure() says that MCP_TRUSTED_PROXIES=${count} is no count any more`, () => {
    const [problem, ...others] = problemsOf({ MCP_TRUSTED_PROXIES: count });
    deepEqual(others, []);
    match(problem!.what, /counts are not understood/);
    match(problem!.fix, /addresses and CIDR blocks/);
  });
}
