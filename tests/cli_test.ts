import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { decodeJwt } from "@panva/jose";
import { cli } from "../lib/cli.ts";
import { SETTING_ROWS } from "../lib/config/settings.ts";
import { NOW, SECRET } from "./fakes.ts";
import { testHost } from "./cli/host.ts";

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(args: string[], env: Record<string, string> = {}): Promise<Run> {
  const taken = () => {
    throw new Deno.errors.AddrInUse("taken");
  };
  const host = testHost({
    random: (length) => new Uint8Array(length).map((_, index) => index * 31 % 256),
    env,
    runtime: { deno: "2" },
    listen: taken,
    listenTls: taken,
  });
  const code = await cli(args, host);
  return { code, ...host.written() };
}

const COMMANDS = ["serve", "dev", "token", "check", "audit", "version"];

Deno.test("cli() lists every command in its help", async () => {
  for (const flag of ["--help", "-h", "help"]) {
    const { code, out, err } = await run([flag]);
    deepEqual([code, err], [0, ""]);
    for (const command of COMMANDS) match(out, new RegExp(`^  ${command} `, "m"));
  }
});

for (const command of COMMANDS) {
  Deno.test(`cli() explains ${command} with an example`, async () => {
    const { code, out } = await run([command, "--help"]);
    equal(code, 0);
    match(out, new RegExp(`gatehouse ${command}`));
    match(out, /Examples:/);
  });
}

Deno.test("cli() explains every setting under serve", async () => {
  const { out } = await run(["serve", "--help"]);
  for (const [, { flag, env }] of SETTING_ROWS) {
    ok(out.includes(`--${flag}`));
    for (const name of env) ok(out.includes(name));
  }
});

const misuses: readonly { name: string; args: string[]; says: RegExp[] }[] = [
  { name: "an unknown command", args: ["serv"], says: [/"serv" is not a command/] },
  { name: "an unknown flag", args: ["serve", "--prot=1"], says: [/--prot is not a flag/] },
  { name: "a flag of another command", args: ["serve", "--sub=a"], says: [/--sub is not a flag/] },
  { name: "a missing value", args: ["serve", "--port"], says: [/--port needs a value/] },
  {
    name: "a value for a switch that is none",
    args: ["--sessions=maybe"],
    says: [/--sessions is/],
  },
  { name: "a flag given twice", args: ["--port=1", "--port=2"], says: [/--port is given twice/] },
  {
    name: "several mistakes",
    args: ["serve", "x", "--y", "--port=z"],
    says: [/"x"/, /--y/, /--port/, /3 problems/],
  },
];

for (const { name, args, says } of misuses) {
  Deno.test(`cli() exits with 2 on ${name}`, async () => {
    const { code, out, err } = await run(args);
    deepEqual([code, out], [2, ""]);
    for (const text of says) match(err, text);
  });
}

Deno.test("cli() prints the version whatever else is configured wrongly", async () => {
  const { code, out } = await run(["version"], { MCP_HTTP_PORT: "x" });
  equal(code, 0);
  match(out, /^\d+\.\d+\.\d+\n$/);
  const { out: json } = await run(["version", "--json"]);
  equal(JSON.parse(json).deno, "2");
});

const WITH_SECRET = { JWT_SECRET: SECRET };

Deno.test("cli() mints a token that says what the flags say", async () => {
  const { code, out, err } = await run([
    "token",
    "--sub=alice",
    "--email=alice@example.com",
    "--name=Alice",
    "--roles=admin,editor",
    "--scope=mcp:read mcp:write",
    "--audience=a,b",
    "--issuer=https://idp.example",
    "--ttl=15m",
  ], WITH_SECRET);
  deepEqual([code, err], [0, ""]);
  const { jti, ...claims } = decodeJwt(out.trim());
  ok(jti);
  deepEqual(claims, {
    client_id: "gatehouse-token",
    email: "alice@example.com",
    email_verified: true,
    name: "Alice",
    roles: ["admin", "editor"],
    scope: "mcp:read mcp:write",
    iss: "https://idp.example",
    sub: "alice",
    aud: ["a", "b"],
    iat: NOW,
    exp: NOW + 900,
  });
});

Deno.test("cli() prints a token response with --json", async () => {
  const { out } = await run(["token", "--sub", "ci", "--ttl", "8h", "--json"], WITH_SECRET);
  const response = JSON.parse(out);
  deepEqual([response.token_type, response.expires_in], ["Bearer", 28800]);
  equal(decodeJwt(response.access_token).aud, "http://localhost:8080/mcp");
});

const tokenMisuses: readonly { name: string; args: string[]; env: Record<string, string> }[] = [
  { name: "no subject", args: [], env: WITH_SECRET },
  { name: "a lifetime over 24 hours", args: ["--sub=a", "--ttl=25h"], env: WITH_SECRET },
  { name: "a lifetime of nothing", args: ["--sub=a", "--ttl=0"], env: WITH_SECRET },
  { name: "a lifetime that does not read", args: ["--sub=a", "--ttl=1d"], env: WITH_SECRET },
  { name: "no secret", args: ["--sub=a"], env: {} },
  { name: "another provider", args: ["--sub=a"], env: { ...WITH_SECRET, OAUTH_PROVIDER: "okta" } },
];

for (const { name, args, env } of tokenMisuses) {
  Deno.test(`cli() mints nothing with ${name}`, async () => {
    const { code, out, err } = await run(["token", ...args], env);
    deepEqual([code, out], [2, ""]);
    match(err, /1 problem/);
  });
}

const OAUTH = {
  MCP_TRANSPORT: "http",
  OAUTH_ENABLED: "on",
  OAUTH_PROVIDER: "hmac",
  ...WITH_SECRET,
};

Deno.test("cli() checks a configuration and hides the secret", async () => {
  const people = await run(["check"], OAUTH);
  const script = await run(["check", "--json"], OAUTH);
  deepEqual([people.code, script.code], [0, 0]);
  match(people.out, /secret +hidden, 64 bytes/);
  equal(JSON.parse(script.out).ok, true);
  equal((people.out + script.out + people.err + script.err).includes(SECRET), false);
});

Deno.test("cli() exits with 1 when the port is taken, and says what to do", async () => {
  const { code, err } = await run(["serve"], OAUTH);
  equal(code, 1);
  match(err, /Cannot listen on 127\.0\.0\.1:8080: the port is taken\..*--port/);
});

Deno.test("cli() refuses dev on stdio or without OAuth", async () => {
  const { code, err } = await run(["dev"], { MCP_TRANSPORT: "stdio", OAUTH_ENABLED: "off" });
  equal(code, 2);
  match(err, /MCP_TRANSPORT is not http/);
  match(err, /OAUTH_ENABLED is off/);
});
