import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { SECRET } from "../fakes.ts";
import type { Process } from "./process.ts";
import { HTTP_ENV, launchOf } from "./program.ts";
import { skipBecause } from "./skip.ts";
import { slowProgram } from "./slow.ts";

// How soon the process ends when its input has, in milliseconds.
const PROMPT_MS = 4000;

const { MCP_TRANSPORT: _, ...OAUTH_ENV } = HTTP_ENV;

interface Message {
  readonly jsonrpc: "2.0";
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number };
}

function modern(id: number, method: string, params: Record<string, unknown> = {}): string {
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    ...params._meta as Record<string, unknown>,
  };
  return legacy(id, method, { ...params, _meta });
}

function legacy(id: number, method: string, params: Record<string, unknown> = {}): string {
  return `${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`;
}

function notice(method: string, params: Record<string, unknown> = {}): string {
  return `${JSON.stringify({ jsonrpc: "2.0", method, params })}\n`;
}

const INITIALIZE = legacy(0, "initialize", {
  protocolVersion: "2025-11-25",
  capabilities: {},
  clientInfo: { name: "e2e", version: "1" },
});

/** Everything on stdout, which must be whole lines of JSON-RPC and nothing else. */
function messagesOf(stdout: string): Message[] {
  const lines = stdout.split("\n");
  equal(lines.pop(), "", "The last line is cut");
  const messages = lines.map((line) => JSON.parse(line) as Message);
  for (const { jsonrpc } of messages) equal(jsonrpc, "2.0");
  return messages;
}

/** Waits for the answer to `id`. */
async function answerTo(process: Process, id: number): Promise<Message> {
  await process.until("stdout", new RegExp(`^.*"id":${id}[,}].*\n`, "m"));
  return messagesOf(process.stdout()).find((message) => message.id === id)!;
}

Deno.test("program writes nothing but one line of JSON-RPC per message to stdout (SPEC D2)", async () => {
  await using process = launchOf({ env: { LOG_LEVEL: "debug" } });
  // Two messages in one write, and one in two.
  await process.write(modern(1, "server/discover") + modern(2, "tools/list"));
  const call = modern(3, "tools/call", { name: "whoami", arguments: {} });
  await process.write(call.slice(0, 30));
  await answerTo(process, 2);
  await process.write(call.slice(30) + modern(4, "no/such"));
  await answerTo(process, 4);
  await process.closeInput();
  const { code, stdout, stderr } = await process.end(PROMPT_MS);
  equal(code, 0);
  const answers = messagesOf(stdout);
  deepEqual(answers.map(({ id }) => id).sort(), [1, 2, 3, 4]);
  equal(answers.find(({ id }) => id === 4)?.error?.code, -32601);
  match(stderr, /"event":"serving"/);
});

Deno.test("program answers all that was asked before its input ended (SPEC D5)", async () => {
  await using process = launchOf({});
  await process.write(INITIALIZE + notice("notifications/initialized"));
  await process.write(legacy(1, "tools/call", { name: "whoami", arguments: {} }));
  await process.closeInput();
  const { code, stdout } = await process.end(10_000);
  equal(code, 0);
  deepEqual(messagesOf(stdout).map(({ id }) => id), [0, 1]);
});

Deno.test("program turns to the 2025 revisions when initialize follows a probe (SPEC D6)", async () => {
  await using process = launchOf({});
  await process.write(modern(1, "server/discover"));
  const discovered = await answerTo(process, 1);
  deepEqual(discovered.result?.supportedVersions, ["2026-07-28"]);
  await process.write(INITIALIZE);
  equal((await answerTo(process, 0)).result?.protocolVersion, "2025-11-25");
  await process.write(notice("notifications/initialized") + legacy(2, "tools/list"));
  equal((await answerTo(process, 2)).result?.resultType, undefined);
});

const GARBAGE = [
  "not json",
  "",
  "[]",
  "{}",
  "null",
  '"text"',
  '{"jsonrpc":"1.0","id":1,"method":"tools/list"}',
  '{"jsonrpc":"2.0","id":{},"method":"tools/list"}',
  '{"jsonrpc":"2.0","id":77,"result":{}}',
  '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":78}}',
  '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"__proto__":{"x":1}}',
  "\u0000\ufffd\u001b[2J",
  "x".repeat(1_000_000),
];

Deno.test("program lives on when lines are garbage (SPEC D2)", async () => {
  await using process = launchOf({ env: { LOG_LEVEL: "debug" } });
  await process.write(`${GARBAGE.join("\n")}\n`);
  await process.write(modern(9, "tools/list"));
  ok((await answerTo(process, 9)).result);
  messagesOf(process.stdout());
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`program ends with status 0 when it gets ${signal} on stdio (SPEC D5)`, async () => {
    await using process = launchOf({});
    await process.write(INITIALIZE);
    await answerTo(process, 0);
    process.kill(signal);
    deepEqual((await process.end(PROMPT_MS)).code, 0);
  });
}

Deno.test("program ends when its input does, though a call is at work (SPEC D5)", async () => {
  await using slow = await slowProgram();
  await using process = launchOf({ command: slow.command });
  await process.write(modern(1, "tools/call", { name: "sleep", arguments: { ms: 60_000 } }));
  await process.until("stderr", /"event":"started"/);
  await process.closeInput();
  const { code, stdout, stderr } = await process.end(PROMPT_MS);
  equal(code, 0);
  match(stderr, /"event":"aborted"/);
  deepEqual(messagesOf(stdout), []);
});

Deno.test("program ends when a line is longer than it will read (SPEC D5)", async () => {
  await using process = launchOf({});
  const endless = "x".repeat(12_000_000);
  // Nobody takes the rest once the program has had enough.
  const sending = process.write(endless).catch(() => {});
  await process.end(30_000);
  await sending;
});

Deno.test({
  name: "program ends when nobody reads its output any more (SPEC D5)",
  ...skipBecause(
    Deno.version.deno.startsWith("2.7.") ? "Deno 2.7 does not tell of a closed pipe" : undefined,
  ),
  fn: async () => {
    await using process = launchOf({});
    await process.write(modern(1, "tools/list"));
    await answerTo(process, 1);
    await process.leaveOutput();
    await process.write(modern(2, "tools/list"));
    await process.end(20_000);
  },
});

for (const [era, say] of [["2026-07-28", modern], ["2025-11-25", legacy]] as const) {
  Deno.test(`program stops a cancelled call and says no more about it on stdio at ${era} (SPEC D3, D4)`, async () => {
    await using slow = await slowProgram();
    await using process = launchOf({ command: slow.command });
    if (say === legacy) {
      await process.write(INITIALIZE + notice("notifications/initialized"));
      await answerTo(process, 0);
    }
    const params = { name: "steps", arguments: { ms: 60_000 }, _meta: { progressToken: "p" } };
    await process.write(say(1, "tools/call", params));
    await process.until("stderr", /"event":"started"/);
    await process.write(notice("notifications/cancelled", { requestId: 1 }));
    await process.until("stderr", /"event":"aborted"/);
    await process.write(say(2, "tools/call", { name: "sleep", arguments: { ms: 1 } }));
    await answerTo(process, 2);
    const messages = messagesOf(process.stdout());
    deepEqual(messages.filter(({ id, method }) => id === 1 || (id !== undefined && method)), []);
    equal(messages.filter(({ method }) => method === "notifications/progress").length, 1);
  });
}

Deno.test("program acknowledges each subscription first, under its own id, on stdio (SPEC D4)", async () => {
  await using process = launchOf({});
  await process.write(modern(1, "tools/list"));
  await answerTo(process, 1);
  const filter = { notifications: { toolsListChanged: true } };
  await process.write(modern(5, "subscriptions/listen", filter));
  await process.write(modern(6, "subscriptions/listen", filter));
  await process.write(modern(7, "tools/list"));
  await answerTo(process, 7);
  const acknowledged = messagesOf(process.stdout())
    .filter(({ method }) => method === "notifications/subscriptions/acknowledged")
    .map(({ params }) => (params?._meta as Record<string, unknown>)[SUBSCRIPTION_ID]);
  deepEqual(acknowledged, [5, 6]);
});

const SUBSCRIPTION_ID = "io.modelcontextprotocol/subscriptionId";

Deno.test("program ignores OAuth settings on stdio, and warns (SPEC D1, D2)", async () => {
  await using process = launchOf({ env: OAUTH_ENV });
  await process.write(modern(1, "tools/call", { name: "whoami", arguments: {} }));
  const { result } = await answerTo(process, 1);
  deepEqual(result?.structuredContent, { authenticated: false, roles: [], scopes: [] });
  await process.until("stderr", /"level":"warn","event":"OAuth is not used on stdio"/);
  equal(process.stderr().includes(SECRET), false);
});
