import { decodeJwt } from "@panva/jose";
import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { bearerHeader, modernCall, SECRET } from "../fakes.ts";
import { freePort, HTTP_ENV, launchOf, run, start, tokenFor } from "./program.ts";

const TOKEN_ENV = { JWT_SECRET: SECRET };

interface Row {
  readonly name: string;
  readonly args: string[];
  readonly env?: Record<string, string>;
  readonly code: 0 | 1 | 2;
  readonly stdout?: RegExp;
  readonly stderr?: readonly RegExp[];
}

const ROWS: readonly Row[] = [
  { name: "prints its version", args: ["version"], code: 0, stdout: /^\d+\.\d+\.\d+\n$/ },
  {
    name: "prints the versions it runs on when they are asked for as JSON",
    args: ["version", "--json"],
    code: 0,
    stdout: /^\{"version":"[\d.]+","deno":"[\d.]+","v8":.*\}\n$/,
  },
  { name: "lists its commands", args: ["--help"], code: 0, stdout: /Usage: gatehouse \[COMMAND\]/ },
  { name: "lists its commands", args: ["help"], code: 0, stdout: /Usage: gatehouse \[COMMAND\]/ },
  ...["serve", "dev", "token", "check", "version"].map((command): Row => ({
    name: `helps with ${command}`,
    args: [command, "--help"],
    code: 0,
    stdout: new RegExp(`Usage: gatehouse ${command} \\[FLAGS\\]\n[^]*Examples:`),
  })),
  {
    name: "helps even when the rest of the line is wrong",
    args: ["token", "-h", "--port=none"],
    env: { MCP_TRANSPORT: "pigeon" },
    code: 0,
    stdout: /Usage: gatehouse token/,
  },
  {
    name: "reports unknown flags, stray words and unreadable values all at once",
    args: ["serve", "please", "--nope", "--port=many", "--log-level=loud", "--host"],
    env: { MCP_TRANSPORT: "pigeon", MCP_SESSIONS: "perhaps", MCP_ALLOWED_ORIGINS: "x" },
    code: 2,
    stderr: [
      /^gatehouse: 8 problems\n/,
      /"please" is not a command/,
      /--nope is not a flag/,
      /--port is "many"/,
      /--host needs a value/,
      /--log-level is "loud"/,
      /MCP_TRANSPORT is "pigeon"/,
      /MCP_SESSIONS is "perhaps"/,
      /MCP_ALLOWED_ORIGINS names "x"/,
    ],
  },
  {
    name: "does not take the next flag for a missing value",
    args: ["token", "--sub", "--json"],
    env: TOKEN_ENV,
    code: 2,
    stderr: [/--sub needs a value/],
  },
  {
    name: "does not guess what a switch with an odd value means",
    args: ["version", "--json=perhaps"],
    code: 2,
    stderr: [/--json/],
  },
  {
    name: "refuses a command that it does not have",
    args: ["fly"],
    code: 2,
    stderr: [/"fly" is not a command\n +use one of serve, dev, token, check, audit, version/],
  },
  {
    name: "refuses OAuth without an issuer, naming what is missing",
    args: ["--transport=http", "--oauth-enabled"],
    code: 2,
    stderr: [/1 problem/, /OIDC_ISSUER is not set/],
  },
  {
    name: "refuses an address beyond this machine without OAuth",
    args: ["--transport=http", "--host=0.0.0.0"],
    code: 2,
    stderr: [/--host makes the server reachable from elsewhere without OAuth/],
  },
  {
    name: "keeps a weak secret out of its complaint",
    args: ["check"],
    env: { ...HTTP_ENV, JWT_SECRET: "hunter2hunter2" },
    code: 2,
    stderr: [/JWT_SECRET has 14 bytes, not 32/, /^(?![^]*hunter2)/],
  },
  {
    name: "checks a good configuration and hides its secret",
    args: ["check"],
    env: HTTP_ENV,
    code: 0,
    stdout: /^(?![^]*kR7vQ2mXw9)[^]*secret +hidden, 64 bytes\n[^]*No problems found/,
  },
  {
    name: "refuses to mint for nobody",
    args: ["token"],
    env: TOKEN_ENV,
    code: 2,
    stderr: [/--sub is missing/],
  },
  {
    name: "refuses to mint without a secret",
    args: ["token", "--sub=alice"],
    code: 2,
    stderr: [/JWT_SECRET is not set\n +use a random one/],
  },
  {
    name: "refuses to mint for longer than a day",
    args: ["token", "--sub=alice", "--ttl=25h"],
    env: TOKEN_ENV,
    code: 2,
    stderr: [/--ttl is "25h"\n.* at most 24h/],
  },
  {
    name: "refuses to mint for another provider",
    args: ["token", "--sub=alice"],
    env: { ...TOKEN_ENV, OAUTH_PROVIDER: "okta" },
    code: 2,
    stderr: [/OAUTH_PROVIDER is "okta"\n +use hmac/],
  },
  {
    name: "refuses a secret file that is not there",
    args: ["token", "--sub=alice"],
    env: { JWT_SECRET_FILE: "/no/such/file" },
    code: 2,
    stderr: [/JWT_SECRET_FILE names "\/no\/such\/file", which cannot be read \(NotFound\)/],
  },
];

for (const { name, args, env, code, stdout, stderr } of ROWS) {
  Deno.test(`main.ts ${args.join(" ")} ${name}`, async () => {
    const ended = await run(args, env);
    equal(ended.code, code, ended.stderr);
    if (stdout) match(ended.stdout, stdout);
    else equal(ended.stdout, "");
    if (stderr) { for (const pattern of stderr) match(ended.stderr, pattern); }
    else equal(ended.stderr, "");
  });
}

async function statusOf(endpoint: string, token: string): Promise<number> {
  const response = await fetch(endpoint, modernCall("tools/list", {}, bearerHeader(token)));
  await response.body?.cancel();
  return response.status;
}

Deno.test("main.ts token prints a token, and nothing else, that the server accepts", async () => {
  await using program = await start();
  const env = { ...TOKEN_ENV, MCP_HTTP_PORT: `${program.port}` };
  const { code, stdout, stderr } = await run(["token", "--sub=alice", "--roles=admin,ops"], env);
  deepEqual({ code, stderr }, { code: 0, stderr: "" });
  match(stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  equal(await statusOf(program.endpoint, stdout.trim()), 200);
  deepEqual(decodeJwt(stdout).roles, ["admin", "ops"]);
});

Deno.test("main.ts token prints a token response when asked for JSON", async () => {
  const args = ["token", "--sub=ci", "--scope=mcp:read,mcp:write", "--ttl=24h", "--json"];
  const { code, stdout } = await run(args, TOKEN_ENV);
  equal(code, 0);
  const { access_token, ...rest } = JSON.parse(stdout);
  deepEqual(rest, { token_type: "Bearer", expires_in: 86_400, scope: "mcp:read mcp:write" });
  const { sub, scope, exp, iat } = decodeJwt(access_token);
  deepEqual({ sub, scope, lives: exp! - iat! }, {
    sub: "ci",
    scope: "mcp:read mcp:write",
    lives: 86_400,
  });
});

Deno.test("main.ts takes the secret from the file that JWT_SECRET_FILE names", async () => {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, `${SECRET}\n`);
    const { JWT_SECRET: _, ...rest } = HTTP_ENV;
    await using program = await start({ env: { ...rest, JWT_SECRET_FILE: file } });
    const good = await tokenFor(program.origin, "alice");
    equal(await statusOf(program.endpoint, good), 200);
    const env = { JWT_SECRET_FILE: file, MCP_HTTP_PORT: `${program.port}` };
    const { stdout } = await run(["token", "--sub=alice"], env);
    equal(await statusOf(program.endpoint, stdout.trim()), 200);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("main.ts ends with status 1 and a way out when its port is taken", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const { code, stdout, stderr } = await run([], { ...HTTP_ENV, MCP_HTTP_PORT: `${port}` });
  deepEqual({ code, stdout }, { code: 1, stdout: "" });
  match(
    stderr,
    new RegExp(`Cannot listen on 127\\.0\\.0\\.1:${port}: the port is taken\\..*--port`),
  );
});

Deno.test("main.ts ends with status 1 when it cannot have its address", async () => {
  const env = { ...HTTP_ENV, MCP_HTTP_HOST: "192.0.2.1", OAUTH_SERVER_URL: "https://mcp.example" };
  const { code, stdout, stderr } = await run([], { ...env, MCP_HTTP_PORT: `${freePort()}` });
  deepEqual({ code, stdout }, { code: 1, stdout: "" });
  match(stderr, /Cannot listen on 192\.0\.2\.1:\d+: /);
});

Deno.test("main.ts lets a flag win over its variable", async () => {
  const port = freePort();
  const env = { ...HTTP_ENV, MCP_HTTP_PORT: "1" };
  await using process = launchOf({ args: [`--port=${port}`, "--log-format=text"], env });
  await process.until("stderr", new RegExp(` serving .*listen=127\\.0\\.0\\.1:${port} `));
  ok(
    (await fetch(`http://localhost:${port}/healthz`).then((response) => response.text())) ===
      "ok\n",
  );
  process.kill("SIGTERM");
  const { code, stdout } = await process.end(20_000);
  deepEqual({ code, stdout }, { code: 0, stdout: "" });
});
