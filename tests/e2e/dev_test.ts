import { decodeJwt } from "@panva/jose";
import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { bearerHeader, modernCall, SECRET } from "../fakes.ts";
import { logIn, LOGIN_KINDS, newAccount } from "./login_clients.ts";
import { newPerson } from "./login_person.ts";
import { spawn } from "./process.ts";
import { type Program, run, start } from "./program.ts";
import { has, skipBecause } from "./skip.ts";

const PEOPLE = [
  { subject: "alice", role: "admin" },
  { subject: "bob", role: "editor" },
  { subject: "carol", role: "viewer" },
];

async function dev(env: Record<string, string> = {}): Promise<Program> {
  const program = await start({ args: ["dev"], env });
  // The last line of what is printed.
  await program.until("stdout", /Press Ctrl\+C to stop\.\n/);
  return program;
}

function tokenOf(program: Program, subject: string, role: string): string {
  const line = new RegExp(`^ +${subject} \\(${role}\\) +(\\S+)$`, "m").exec(program.stdout());
  ok(line, `${subject} has no token`);
  return line[1]!;
}

function curlLines(program: Program): string[] {
  return program.stdout().split("\n").filter((line) => line.startsWith("curl "));
}

Deno.test("main.ts dev prints tokens that answer as alice, bob and carol", async () => {
  await using program = await dev();
  for (const { subject, role } of PEOPLE) {
    const token = tokenOf(program, subject, role);
    const call = modernCall("tools/call", { name: "whoami", arguments: {} }, bearerHeader(token));
    const response = await fetch(program.endpoint, call);
    equal(response.status, 200);
    const { result } = await response.json();
    const { subject: is, roles, email } = result.structuredContent;
    deepEqual({ is, roles, email }, {
      is: subject,
      roles: [role],
      email: `${subject}@example.com`,
    });
  }
});

Deno.test("main.ts dev prints a line for Claude Code with nothing but the URL, which is all that a client needs (SPEC B2.1, B4.3)", async () => {
  await using program = await dev();
  const lines = program.stdout().split("\n").filter((line) => line.startsWith("claude "));
  deepEqual(lines, [`claude mcp add --transport http gatehouse ${program.endpoint}`]);
  const url = lines[0]!.split(" ").at(-1)!;
  for (const [index, { subject, role }] of PEOPLE.entries()) {
    const peer = await logIn(LOGIN_KINDS[index]!, url, newAccount(), newPerson({ user: subject }));
    const who = await peer.whoami();
    deepEqual([who.subject, who.roles], [subject, [role]]);
    await peer.close();
  }
});

Deno.test("main.ts dev prints the line for Claude Code with a token where nobody can log in", async () => {
  await using program = await dev({ OAUTH_MODE: "native" });
  const token = tokenOf(program, "alice", "admin");
  const line = `claude mcp add --transport http gatehouse ${program.endpoint}`;
  ok(program.stdout().includes(`\n${line} --header "Authorization: Bearer ${token}"\n`));
});

Deno.test("main.ts dev prints URLs that answer", async () => {
  await using program = await dev();
  const urls = [...program.stdout().matchAll(/^ +(?:Metadata|Health) .*$/gm)]
    .flatMap(([line]) => line.match(/http:\S+/g) ?? []);
  equal(urls.length, 3);
  for (const url of urls) {
    const response = await fetch(url);
    equal(response.status, 200, url);
    await response.body?.cancel();
  }
  ok(program.stdout().includes(`  MCP endpoint    ${program.endpoint}\n`));
});

Deno.test("main.ts dev asks for a token, and listens to this machine only (SPEC C1.2, D7)", async () => {
  await using program = await dev();
  await program.until("stderr", new RegExp(`"listen":"127\\.0\\.0\\.1:${program.port}"`));
  const response = await fetch(program.endpoint, modernCall("tools/list"));
  equal(response.status, 401);
  await response.body?.cancel();
});

Deno.test({
  name: "main.ts dev prints curl lines that work as they are pasted",
  ...skipBecause(has("curl") ? undefined : "curl is not installed"),
  fn: async () => {
    await using program = await dev();
    const lines = curlLines(program);
    equal(lines.length, 3);
    const answers = [];
    for (const line of lines) {
      await using shell = spawn(["sh", "-c", line]);
      const { code, stdout, stderr } = await shell.end(10_000);
      deepEqual({ code, stderr }, { code: 0, stderr: "" });
      answers.push(JSON.parse(stdout).result);
    }
    const names: string[] = answers[0].tools.map(({ name }: { name: string }) => name);
    ok(["whoami", "search_dashboards", "get_current_user"].every((name) => names.includes(name)));
    equal(answers[1].structuredContent.subject, "bob");
    match(answers[2].content[0].text, /Permissions needed: folders:create/);
  },
});

Deno.test("main.ts dev grants the required scopes to all, and the tools' scopes to the admin", async () => {
  await using program = await dev({
    OAUTH_SCOPES_REQUIRED: "mcp:read",
    OAUTH_TOOL_SCOPES: "whoami=mcp:who",
  });
  const granted = PEOPLE.map(({ subject, role }) =>
    decodeJwt(tokenOf(program, subject, role)).scope
  );
  deepEqual(granted, ["mcp:read mcp:who", "mcp:read", "mcp:read"]);
  const call = (token: string) =>
    fetch(
      program.endpoint,
      modernCall("tools/call", { name: "whoami", arguments: {} }, bearerHeader(token)),
    );
  const allowed = await call(tokenOf(program, "alice", "admin"));
  equal(allowed.status, 200);
  await allowed.body?.cancel();
  const refused = await call(tokenOf(program, "bob", "editor"));
  equal(refused.status, 403);
  await refused.body?.cancel();
});

Deno.test("main.ts dev prints what it prints once to stdout, and logs no token (SPEC A4.5)", async () => {
  await using program = await dev({ LOG_LEVEL: "debug" });
  const printed = program.stdout();
  const tokens = PEOPLE.map(({ subject, role }) => tokenOf(program, subject, role));
  for (const token of [...tokens, `${tokens[0]}x`]) {
    const response = await fetch(
      program.endpoint,
      modernCall("tools/list", {}, bearerHeader(token)),
    );
    await response.body?.cancel();
  }
  const query = await fetch(`${program.endpoint}?access_token=${tokens[0]}`, { method: "POST" });
  await query.body?.cancel();
  const { code, stdout, stderr } = await program.stop();
  equal(code, 0);
  equal(stdout, printed);
  match(stderr, /"event":"token refused"/);
  for (const part of tokens.flatMap((token) => token.split("."))) {
    equal(stderr.includes(part), false, "The log holds a part of a token");
  }
});

Deno.test("main.ts dev signs with a new secret each time, unless one is given", async () => {
  // One public URL for all, so that only the secret can make the difference.
  const env = { OAUTH_SERVER_URL: "http://localhost:1" };
  await using first = await dev(env);
  await using second = await dev(env);
  await using third = await dev({ ...env, JWT_SECRET: SECRET });
  await using fourth = await dev({ ...env, JWT_SECRET: SECRET });
  const status = async (from: Program, at: Program) => {
    const token = bearerHeader(tokenOf(from, "alice", "admin"));
    const response = await fetch(at.endpoint, modernCall("tools/list", {}, token));
    await response.body?.cancel();
    return response.status;
  };
  equal(await status(first, second), 401);
  equal(await status(third, fourth), 200);
});

Deno.test("main.ts dev refuses to run when the environment says stdio or no OAuth", async () => {
  const { code, stdout, stderr } = await run(["dev"], {
    MCP_TRANSPORT: "stdio",
    OAUTH_ENABLED: "off",
  });
  deepEqual({ code, stdout }, { code: 2, stdout: "" });
  match(stderr, /MCP_TRANSPORT is not http/);
  match(stderr, /OAUTH_ENABLED is off/);
});
