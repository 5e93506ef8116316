import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { bearerHeader, legacyCall, modernCall } from "../fakes.ts";
import { HTTP_ENV, type Program, start, tokenFor } from "./program.ts";
import { exchange, send } from "./raw.ts";

const LIST = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';
const SIZED = `content-length: ${LIST.length}\r\n\r\n${LIST}`;
const CHUNKED = `transfer-encoding: chunked\r\n\r\n${
  LIST.length.toString(16)
}\r\n${LIST}\r\n0\r\n\r\n`;

const MEGABYTE = "x".repeat(1_000_000);

interface Post {
  readonly target?: string;
  /** Lines with their ends. */
  readonly host?: string;
  readonly rest?: string;
}

async function poster(program: Program): Promise<(post: Post) => string> {
  const token = await tokenFor(program.origin, "alice");
  const common = `authorization: Bearer ${token}\r\ncontent-type: application/json\r\n` +
    "accept: application/json, text/event-stream\r\n";
  return ({ target = "/mcp", host = "host: localhost\r\n", rest = SIZED }) =>
    `POST ${target} HTTP/1.1\r\n${host}${common}${rest}`;
}

// What comes after an attack must work, and the attack must not have shaken anything loose.
async function expectUnharmed(program: Program): Promise<void> {
  const headers = bearerHeader(await tokenFor(program.origin, "bob"));
  const call = modernCall("tools/call", { name: "whoami", arguments: {} }, headers);
  const response = await fetch(program.endpoint, call);
  equal((await response.json()).result.structuredContent.subject, "bob");
  const { code, stderr } = await program.stop();
  equal(code, 0);
  equal(/"level":"error"|unexpected/.exec(stderr), null, stderr);
}

Deno.test("program answers 413 to a body of 10 MB, declared or not, and serves on", async () => {
  await using program = await start();
  const post = await poster(program);
  const declared = `content-length: 10000000\r\n\r\n${MEGABYTE.repeat(10)}`;
  const chunk = `${MEGABYTE.length.toString(16)}\r\n${MEGABYTE}\r\n`;
  const undeclared = `transfer-encoding: chunked\r\n\r\n${chunk.repeat(10)}0\r\n\r\n`;
  const answers = await Promise.all(
    [declared, undeclared, declared, undeclared].map((rest) =>
      exchange(program.port, post({ rest }))
    ),
  );
  deepEqual(answers.map(({ status }) => status), [413, 413, 413, 413]);
  await expectUnharmed(program);
});

Deno.test("program answers 401 before it reads a body when there is no token (SPEC A4.1)", async () => {
  await using program = await start();
  const head = "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
  // The body never comes.
  const { status } = await exchange(program.port, `${head}content-length: 1000000\r\n\r\n{`);
  equal(status, 401);
  await expectUnharmed(program);
});

const GET = "GET /healthz HTTP/1.1\r\nhost: localhost\r\n";

const MALFORMED: readonly (readonly [what: string, request: string])[] = [
  ["a header of 1 MB", `${GET}x: ${MEGABYTE}\r\n\r\n`],
  ["a token of 1 MB", `${GET}authorization: Bearer ${MEGABYTE}\r\n\r\n`],
  ["5,000 headers", `${GET}${"x: y\r\n".repeat(5000)}\r\n`],
  ["a path of 1 MB", `GET /${MEGABYTE} HTTP/1.1\r\nhost: localhost\r\n\r\n`],
  ["no HTTP at all", "GARBAGE\r\n\r\n"],
  ["bytes", "\u0016\u0003\u0001\u0000\r\n\r\n"],
  ["an unknown version", "GET /healthz HTTP/9.9\r\nhost: localhost\r\n\r\n"],
  ["a zero byte in a header", `${GET}x: a\u0000b\r\n\r\n`],
  ["a space before the colon", `${GET}x : a\r\n\r\n`],
  ["a folded header", `${GET}x: a\r\n b\r\n\r\n`],
  ["two hosts", `${GET}host: evil.example\r\n\r\n`],
];

const MALFORMED_BODIES: readonly (readonly [what: string, rest: string])[] = [
  ["a length that is no number", `content-length: abc\r\n\r\n${LIST}`],
  ["a negative length", `content-length: -1\r\n\r\n${LIST}`],
  ["two lengths", `content-length: 5\r\n${SIZED}`],
  ["an unknown transfer encoding", `transfer-encoding: gzip\r\n\r\n${LIST}`],
  ["a chunk without a size", `transfer-encoding: chunked\r\n\r\nzz\r\n${LIST}\r\n0\r\n\r\n`],
];

Deno.test("program refuses malformed HTTP and serves on", async (test) => {
  await using program = await start();
  const post = await poster(program);
  const rows = [...MALFORMED, ...MALFORMED_BODIES.map(([what, rest]) => [what, post({ rest })])];
  for (const [what, request] of rows) {
    await test.step(what!, async () => {
      const { status } = await exchange(program.port, request!);
      // Or the connection ends without a word.
      ok(status === undefined || status >= 400, `${status}`);
    });
  }
  await expectUnharmed(program);
});

const HOSTS: readonly (readonly [what: string, status: number, post: Post])[] = [
  ["localhost with a port", 200, { host: "host: localhost:1\r\n" }],
  ["another host", 403, { host: "host: evil.example\r\n" }],
  ["an empty host", 403, { host: "host:\r\n" }],
  ["a host that ends in ours", 403, { host: "host: evil-localhost\r\n" }],
  ["a host with a path", 400, { host: "host: localhost/healthz\r\n" }],
  ["a host with a query", 400, { host: "host: localhost?\r\n" }],
  ["a host with a fragment", 400, { host: "host: localhost#\r\n" }],
  ["a host with a user", 400, { host: "host: localhost@evil.example\r\n" }],
  ["a list of hosts", 400, { host: "host: localhost, evil.example\r\n" }],
  ["a whole URL", 200, { target: "http://localhost/mcp" }],
  ["a whole URL, and another host", 403, {
    target: "http://localhost/mcp",
    host: "host: evil.example\r\n",
  }],
  ["a whole URL of another host", 403, { target: "http://evil.example/mcp", host: "" }],
  // RFC 9112 section 3.2.2: the target counts, not the header.
  ["a whole URL of another host, and ours", 403, { target: "http://evil.example/mcp" }],
  ["a path with dot segments", 404, { target: "/x/../mcp" }],
  ["an encoded path", 404, { target: "/%6dcp" }],
  ["a path of two slashes", 404, { target: "//evil.example/mcp" }],
];

Deno.test("program believes no host but its own (SPEC C1.1)", async (test) => {
  await using program = await start();
  const post = await poster(program);
  for (const [what, expected, row] of HOSTS) {
    await test.step(what, async () => {
      equal((await exchange(program.port, post(row))).status, expected);
    });
  }
  await expectUnharmed(program);
});

Deno.test("program answers a body without a length, and none for a length without a body", async () => {
  await using program = await start();
  const post = await poster(program);
  const chunked = await exchange(program.port, post({ rest: CHUNKED }));
  equal(chunked.status, 200);
  match(chunked.body, /"whoami"/);
  // Without a length there is no body; what follows the head is another request, and not one.
  const missing = await exchange(program.port, post({ rest: `\r\n${LIST}` }));
  equal(missing.status, 400);
  match(missing.body, /"code":-32700/);
  await expectUnharmed(program);
});

Deno.test("program refuses a length besides chunks, or reads the chunks alone", async () => {
  await using program = await start();
  const post = await poster(program);
  const { status, body } = await exchange(
    program.port,
    post({ rest: `content-length: 5\r\n${CHUNKED}` }),
  );
  ok(status === 400 || (status === 200 && body.includes('"whoami"')), `${status} ${body}`);
  await expectUnharmed(program);
});

Deno.test("program answers pipelined requests in their order", async () => {
  await using program = await start();
  const post = await poster(program);
  const second = post({ rest: `connection: close\r\n${SIZED.replace('"id":1', '"id":2')}` });
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: program.port });
  await send(connection, post({}) + second);
  const text = await new Response(connection.readable).text();
  deepEqual([...text.matchAll(/"id":(\d)/g)].map(([, id]) => id), ["1", "2"]);
});

Deno.test("program serves others while 100 bodies do not come to their end", async () => {
  await using program = await start();
  const post = await poster(program);
  const open = await Promise.all(
    Array.from({ length: 100 }, () => Deno.connect({ hostname: "127.0.0.1", port: program.port })),
  );
  try {
    const half = post({}).slice(0, -20);
    await Promise.all(open.map((connection) => send(connection, half)));
    const { status } = await exchange(program.port, post({}));
    equal(status, 200);
  } finally {
    for (const connection of open) connection.close();
  }
  await expectUnharmed(program);
});

interface Crowd {
  readonly tokens: readonly string[];
  readonly expected: readonly { id: number; subject: string; roles: string[] }[];
}

async function crowd(program: Program, size: number): Promise<Crowd> {
  const subjects = Array.from({ length: size }, (_, index) => `caller-${index}`);
  const roleOf = (subject: string) => [`role of ${subject}`];
  return {
    tokens: await Promise.all(
      subjects.map((subject) => tokenFor(program.origin, subject, { roles: roleOf(subject) })),
    ),
    // All under one request id.
    expected: subjects.map((subject) => ({ id: 1, subject, roles: roleOf(subject) })),
  };
}

async function whoami(program: Program, request: RequestInit): Promise<Crowd["expected"][number]> {
  const response = await fetch(program.endpoint, request);
  const text = await response.text();
  // A JSON body, or an event stream that holds one.
  const { id, result } = JSON.parse(/^(?:data: )?(\{.*\})$/m.exec(text)![1]!);
  const { subject, roles } = result.structuredContent;
  return { id, subject, roles };
}

const WHOAMI = { name: "whoami", arguments: {} };

Deno.test("program answers 1,000 callers at once, each as themselves (SPEC A1.3)", async () => {
  await using program = await start();
  const { tokens, expected } = await crowd(program, 1000);
  const answers = await Promise.all(tokens.map((token, index) => {
    const call = index % 2 === 0 ? legacyCall : modernCall;
    return whoami(program, call("tools/call", WHOAMI, bearerHeader(token)));
  }));
  deepEqual(answers, expected);
});

Deno.test("program answers 300 sessions at once, each to its owner alone (SPEC C4.4)", async () => {
  await using program = await start({ env: { ...HTTP_ENV, MCP_SESSIONS: "on" } });
  const { tokens, expected } = await crowd(program, 300);
  const params = {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "e2e", version: "1" },
  };
  const sessions = await Promise.all(tokens.map(async (token) => {
    const opened = await fetch(
      program.endpoint,
      legacyCall("initialize", params, bearerHeader(token)),
    );
    await opened.body?.cancel();
    return { "mcp-session-id": opened.headers.get("mcp-session-id")! };
  }));
  equal(new Set(sessions.map((session) => session["mcp-session-id"])).size, 300);
  const call = (token: string, session: Record<string, string>) =>
    legacyCall("tools/call", WHOAMI, { ...bearerHeader(token), ...session });
  deepEqual(
    await Promise.all(
      tokens.map((token, index) => whoami(program, call(token, sessions[index]!))),
    ),
    expected,
  );
  const strangers = await Promise.all(tokens.map(async (token, index) => {
    const other = sessions[(index + 1) % sessions.length]!;
    const response = await fetch(program.endpoint, call(token, other));
    await response.body?.cancel();
    return response.status;
  }));
  deepEqual(new Set(strangers), new Set([404]));
});
