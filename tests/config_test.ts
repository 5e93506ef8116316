import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { type Config, configure } from "../lib/config.ts";
import { ENVIRONMENT } from "../lib/config/settings.ts";
import type { Problem, Sources } from "../lib/config/sources.ts";
import { SECRET } from "./fakes.ts";

const OAUTH = {
  MCP_TRANSPORT: "http",
  OAUTH_ENABLED: "true",
  OAUTH_PROVIDER: "hmac",
  JWT_SECRET: SECRET,
};

function from(env: Record<string, string>, rest: Partial<Sources> = {}) {
  return configure({ flags: {}, env, readFile: () => "", ...rest });
}

function secretOf({ oauth }: Config): Uint8Array | undefined {
  return oauth?.provider.kind === "hmac" ? oauth.provider.secret : undefined;
}

function problemsOf(env: Record<string, string>, rest: Partial<Sources> = {}): readonly Problem[] {
  const configured = from(env, rest);
  return configured.ok ? [] : configured.problems;
}

Deno.test("configure() yields stdio without OAuth when nothing is set", () => {
  const configured = from({});
  ok(configured.ok);
  equal(configured.config.transport, "stdio");
  equal(configured.config.oauth, undefined);
  equal(configured.config.http.host, "127.0.0.1");
});

Deno.test("configure() takes the environment of the seeds as it is", () => {
  const configured = from({
    ...OAUTH,
    OAUTH_MODE: "native",
    OAUTH_SERVER_URL: "http://localhost:8080",
    OIDC_ISSUER: "http://localhost:8080",
    OIDC_AUDIENCE: "api://kafka-mcp-server",
    MCP_HTTP_PORT: "8080",
  });
  ok(configured.ok);
  deepEqual(configured.config.oauth?.audiences, ["api://kafka-mcp-server"]);
  equal(configured.config.oauth?.issuer, "http://localhost:8080");
});

Deno.test("configure() takes the flag before the environment before the default", () => {
  const env = { ...OAUTH, MCP_HTTP_PORT: "9001" };
  const withFlag = from(env, { flags: { port: "9002" } });
  const withEnv = from(env);
  const withDefault = from(OAUTH);
  ok(withFlag.ok && withEnv.ok && withDefault.ok);
  deepEqual(
    [withFlag, withEnv, withDefault].map(({ config }) => config.http.port),
    [9002, 9001, 8080],
  );
  equal(withFlag.config.oauth?.audiences[0], "http://localhost:9002/mcp");
});

Deno.test("configure() gives way from a command's defaults to flags and environment", () => {
  const sources = { flags: {}, env: { MCP_HTTP_PORT: "9001" }, readFile: () => "" };
  const configured = configure(sources, { port: "9003", host: "127.0.0.2" });
  ok(configured.ok);
  deepEqual([configured.config.http.port, configured.config.http.host], [9001, "127.0.0.2"]);
});

const refused: readonly { name: string; env: Record<string, string>; where: RegExp }[] = [
  {
    name: "a transport that does not exist",
    env: { MCP_TRANSPORT: "sse" },
    where: /MCP_TRANSPORT/,
  },
  { name: "a port that is a word", env: { MCP_HTTP_PORT: "http" }, where: /MCP_HTTP_PORT/ },
  { name: "port 0", env: { MCP_HTTP_PORT: "0" }, where: /MCP_HTTP_PORT/ },
  { name: "a port out of range", env: { MCP_HTTP_PORT: "65536" }, where: /MCP_HTTP_PORT/ },
  { name: "a port with a space", env: { MCP_HTTP_PORT: "80 " }, where: /MCP_HTTP_PORT/ },
  { name: "a host with a path", env: { MCP_HTTP_HOST: "localhost/x" }, where: /MCP_HTTP_HOST/ },
  { name: "a misspelt switch", env: { OAUTH_ENABLED: "ture" }, where: /OAUTH_ENABLED/ },
  { name: "a switch with a space", env: { OAUTH_ENABLED: "true " }, where: /OAUTH_ENABLED/ },
  { name: "a mode that is not built", env: { ...OAUTH, OAUTH_MODE: "both" }, where: /OAUTH_MODE/ },
  {
    name: "a provider that is not built",
    env: { ...OAUTH, OAUTH_PROVIDER: "x" },
    where: /OAUTH_PROVIDER/,
  },
  {
    name: "a remote http URL",
    env: { ...OAUTH, OAUTH_SERVER_URL: "http://a.example" },
    where: /OAUTH_SERVER_URL/,
  },
  {
    name: "a URL with a path",
    env: { ...OAUTH, OAUTH_SERVER_URL: "https://a.example/x" },
    where: /OAUTH_SERVER_URL/,
  },
  {
    name: "a URL with a user",
    env: { ...OAUTH, OAUTH_SERVER_URL: "https://u@a.example" },
    where: /OAUTH_SERVER_URL/,
  },
  {
    name: "a remote http issuer",
    env: { ...OAUTH, OIDC_ISSUER: "http://idp.example" },
    where: /OIDC_ISSUER/,
  },
  {
    name: "an issuer with a query",
    env: { ...OAUTH, OIDC_ISSUER: "https://idp.example?a" },
    where: /OIDC_ISSUER/,
  },
  { name: "an empty audience", env: { ...OAUTH, OIDC_AUDIENCE: "a,,b" }, where: /OIDC_AUDIENCE/ },
  {
    name: "a scope with a quote",
    env: { ...OAUTH, OAUTH_SCOPES_REQUIRED: 'a"b' },
    where: /SCOPES_REQUIRED/,
  },
  {
    name: "a tool scope without a scope",
    env: { ...OAUTH, OAUTH_TOOL_SCOPES: "whoami=" },
    where: /TOOL_SCOPES/,
  },
  {
    name: "a chain of one scope",
    env: { ...OAUTH, OAUTH_SCOPE_HIERARCHY: "a" },
    where: /SCOPE_HIERARCHY/,
  },
  {
    name: "an origin with a path",
    env: { MCP_ALLOWED_ORIGINS: "https://a.example/" },
    where: /ALLOWED_ORIGINS/,
  },
  { name: "a wildcard origin", env: { MCP_ALLOWED_ORIGINS: "*" }, where: /ALLOWED_ORIGINS/ },
  { name: "a log level that does not exist", env: { LOG_LEVEL: "trace" }, where: /LOG_LEVEL/ },
  { name: "a log format that does not exist", env: { LOG_FORMAT: "xml" }, where: /LOG_FORMAT/ },
  {
    name: "an address beyond this machine without OAuth (SPEC C1.2)",
    env: { MCP_TRANSPORT: "http", MCP_HTTP_HOST: "0.0.0.0" },
    where: /MCP_HTTP_HOST/,
  },
  {
    name: "an issuer of another's tokens without its URL",
    env: { ...OAUTH, OAUTH_PROVIDER: "oidc" },
    where: /OIDC_ISSUER/,
  },
  {
    name: "google without the client id that its tokens name",
    env: { ...OAUTH, OAUTH_PROVIDER: "google" },
    where: /OIDC_AUDIENCE/,
  },
  {
    name: "google with an audience that does not read",
    env: { ...OAUTH, OAUTH_PROVIDER: "google", OIDC_AUDIENCE: "a,,b" },
    where: /OIDC_AUDIENCE/,
  },
  {
    name: "all tenants of Entra without saying whose people may call",
    env: {
      ...OAUTH,
      OAUTH_PROVIDER: "azure",
      OIDC_ISSUER: "https://login.microsoftonline.com/organizations/v2.0",
    },
    where: /OAUTH_TENANTS/,
  },
  {
    name: "a tenant by its domain name",
    env: {
      ...OAUTH,
      OAUTH_PROVIDER: "azure",
      OIDC_ISSUER: "https://login.microsoftonline.com/contoso.example/v2.0",
      OAUTH_TENANTS: "contoso.example",
    },
    where: /OAUTH_TENANTS/,
  },
  { name: "a rule of no kind", env: { ...OAUTH, OAUTH_ALLOW: "alice" }, where: /OAUTH_ALLOW/ },
  {
    name: "an address beyond this machine without a public URL",
    env: { ...OAUTH, MCP_HTTP_HOST: "::" },
    where: /OAUTH_SERVER_URL/,
  },
];

for (const { name, env, where } of refused) {
  Deno.test(`configure() refuses ${name}, naming the variable and the fix`, () => {
    const problems = problemsOf(env);
    equal(problems.length, 1);
    match(problems[0]!.where, where);
    ok(problems[0]!.fix.length > 5);
  });
}

Deno.test("configure() lets an address beyond this machine be served without OAuth when told so", () => {
  const configured = from({ MCP_TRANSPORT: "http", MCP_HTTP_HOST: "0.0.0.0", MCP_INSECURE: "on" });
  ok(configured.ok);
  equal(configured.config.http.loopback, false);
});

const weak: readonly { name: string; secret: string }[] = [
  { name: "31 bytes", secret: SECRET.slice(0, 31) },
  { name: "one letter", secret: "a".repeat(64) },
  { name: "a short word repeated", secret: "hunter2!".repeat(8) },
  { name: "a placeholder", secret: "your-256-bit-secret-goes-right-here-ok" },
  { name: "changeme", secret: "changeme-changeme-0123456789-abcdef!" },
  { name: "few different bytes", secret: "abcabdabeabcabdabeacbadbaebcabdabeab" },
];

for (const { name, secret } of weak) {
  Deno.test(`configure() refuses a secret of ${name} without repeating it`, () => {
    const problems = problemsOf({ ...OAUTH, JWT_SECRET: secret });
    equal(problems.length, 1);
    match(problems[0]!.where, /JWT_SECRET/);
    equal(JSON.stringify(problems).includes(secret), false);
  });
}

Deno.test("configure() reads a secret from a file and forgives its last newline", () => {
  const { JWT_SECRET: _, ...rest } = OAUTH;
  const configured = from({ ...rest, JWT_SECRET_FILE: "/run/secret" }, {
    readFile: (path) => path === "/run/secret" ? `${SECRET}\n` : "",
  });
  ok(configured.ok);
  equal(secretOf(configured.config)?.length, SECRET.length);
});

Deno.test("configure() names a secret file that cannot be read", () => {
  const { JWT_SECRET: _, ...rest } = OAUTH;
  const problems = problemsOf({ ...rest, JWT_SECRET_FILE: "/nowhere" }, {
    readFile: () => {
      throw new Deno.errors.NotFound();
    },
  });
  match(problems[0]!.where, /JWT_SECRET_FILE/);
  match(problems[0]!.what, /NotFound/);
});

Deno.test("configure() refuses aliases that disagree and takes those that agree", () => {
  const issuer = "https://idp.example";
  const disagree = problemsOf({ ...OAUTH, OIDC_ISSUER: issuer, OAUTH_ISSUER: `${issuer}/` });
  equal(disagree.length, 1);
  match(disagree[0]!.where, /OIDC_ISSUER and OAUTH_ISSUER/);
  deepEqual(problemsOf({ ...OAUTH, OIDC_ISSUER: issuer, OAUTH_ISSUER: issuer }), []);
});

Deno.test("configure() reports every problem at once", () => {
  const problems = problemsOf({
    MCP_TRANSPORT: "http",
    OAUTH_ENABLED: "on",
    MCP_HTTP_PORT: "x",
    LOG_LEVEL: "loud",
  });
  const places = problems.map(({ where }) => where).sort();
  deepEqual(places, ["LOG_LEVEL", "MCP_HTTP_PORT", "OIDC_ISSUER"]);
});

Deno.test("configure() never throws and never fails open, whatever the environment holds", () => {
  const value = fc.oneof(fc.string(), fc.constantFrom("true", "http", "0.0.0.0", "hmac", SECRET));
  const environment = fc.dictionary(fc.constantFrom(...ENVIRONMENT), value);
  fc.assert(
    fc.property(environment, (env) => {
      const configured = from(env);
      if (!configured.ok) {
        ok(configured.problems.length > 0);
        return;
      }
      const { config } = configured;
      const isOn = ["true", "on", "yes", "1"].includes((env.OAUTH_ENABLED ?? "").toLowerCase());
      equal(config.oauth !== undefined, isOn);
      if (config.oauth?.provider.kind === "hmac") ok(secretOf(config)!.length >= 32);
      if (config.oauth) ok(config.oauth.issuer !== "" && config.oauth.audiences.length > 0);
      if (config.transport === "http" && !config.http.loopback) ok(isOn || env.MCP_INSECURE);
    }),
    { seed: 1, numRuns: 500 },
  );
});

Deno.test("configure() takes rows of scopes over URIs of resources", () => {
  const OAUTH_TOOL_SCOPES = "kafka-mcp://*=kafka:read, kafka-mcp://health-check=kafka:health";
  const configured = from({ ...OAUTH, OAUTH_TOOL_SCOPES });
  ok(configured.ok);
  deepEqual(configured.config.oauth?.toolScopes, [
    { glob: "kafka-mcp://*", scope: "kafka:read" },
    { glob: "kafka-mcp://health-check", scope: "kafka:health" },
  ]);
});
