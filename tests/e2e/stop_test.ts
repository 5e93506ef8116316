import {
  deepStrictEqual as deepEqual,
  fail,
  match,
  ok,
  strictEqual as equal,
} from "node:assert/strict";
import { bearerHeader, legacyCall, modernCall } from "../fakes.ts";
import { within } from "./process.ts";
import { HTTP_ENV, type Program, start, tokenFor } from "./program.ts";
import { slowProgram } from "./slow.ts";

// The promise to whoever stops the process, in milliseconds.
const LONGEST_STOP_MS = 5000;

// How soon it stops when there is nothing to wait for.
const QUICK_MS = 1500;

async function tokenHeaders(program: Program): Promise<Record<string, string>> {
  return bearerHeader(await tokenFor(program.origin, "alice"));
}

async function sessionHeaders(program: Program): Promise<Record<string, string>> {
  const headers = await tokenHeaders(program);
  const clientInfo = { name: "e2e", version: "1" };
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo };
  const response = await fetch(program.endpoint, legacyCall("initialize", params, headers));
  await response.body?.cancel();
  return { ...headers, "mcp-session-id": response.headers.get("mcp-session-id")! };
}

// Status and body, or "cut": never a rejection, as it may come while the test looks elsewhere.
async function outcome(answer: Promise<Response>): Promise<string> {
  try {
    const response = await answer;
    return `${response.status} ${await response.text()}`;
  } catch (error) {
    return `cut: ${error}`;
  }
}

async function callNever(program: Program): Promise<string> {
  const params = { name: "never", arguments: {} };
  const request = modernCall("tools/call", params, await tokenHeaders(program));
  return outcome(fetch(program.endpoint, request));
}

async function expectStop(program: Program, deadlineMs: number): Promise<void> {
  const { code, signal, stderr } = await program.end(deadlineMs);
  deepEqual({ code, signal }, { code: 0, signal: null }, stderr);
  match(stderr, /"event":"stopped"/);
}

// The log line comes a moment before the listener closes.
async function expectRefusal(port: number): Promise<void> {
  const deadline = AbortSignal.timeout(2000);
  while (!deadline.aborted) {
    try {
      using _ = await Deno.connect({ hostname: "127.0.0.1", port });
    } catch (error) {
      // Anything else is a connection that stood in the queue of the listener as it closed.
      if (error instanceof Deno.errors.ConnectionRefused) return;
    }
  }
  fail("New connections are still accepted");
}

interface InFlight {
  readonly what: string;
  readonly tool: string;
  readonly call: typeof modernCall;
  readonly signal: Deno.Signal;
  readonly sessions?: "on";
}

const IN_FLIGHT: readonly InFlight[] = [
  { what: "a call of 2026-07-28", tool: "sleep", call: modernCall, signal: "SIGTERM" },
  { what: "a call of 2026-07-28", tool: "sleep", call: modernCall, signal: "SIGINT" },
  { what: "a stream of 2026-07-28", tool: "steps", call: modernCall, signal: "SIGTERM" },
  { what: "a call of 2025-11-25", tool: "sleep", call: legacyCall, signal: "SIGTERM" },
  { what: "a stream of 2025-11-25", tool: "steps", call: legacyCall, signal: "SIGTERM" },
  {
    what: "a call in a session",
    tool: "steps",
    call: legacyCall,
    signal: "SIGTERM",
    sessions: "on",
  },
];

for (const { what, tool, call, signal, sessions } of IN_FLIGHT) {
  Deno.test(`program lets ${what} finish and accepts nothing new when it gets ${signal}`, async () => {
    await using slow = await slowProgram();
    const env = { ...HTTP_ENV, ...(sessions && { MCP_SESSIONS: sessions }) };
    await using program = await start({ command: slow.command, env });
    const headers = await (sessions ? sessionHeaders(program) : tokenHeaders(program));
    const params = { name: tool, arguments: { ms: 400 }, _meta: { progressToken: "p" } };
    const answer = outcome(fetch(program.endpoint, call("tools/call", params, headers)));
    await program.until("stderr", /"event":"started"/);
    program.kill(signal);
    await program.until("stderr", /"event":"stopping"/);
    await expectRefusal(program.port);
    match(await answer, /^200 [^]*"slept":400/);
    await expectStop(program, QUICK_MS);
  });
}

Deno.test("program answers a request whose body was on its way, or asks to try again, when it gets SIGTERM", async () => {
  await using program = await start();
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: program.port });
  const { body, headers } = modernCall("tools/call", { name: "whoami", arguments: {} }, {
    ...await tokenHeaders(program),
    host: "localhost",
    connection: "close",
    expect: "100-continue",
  });
  const lines = Object.entries(headers as Record<string, string>).map(([k, v]) => `${k}: ${v}\r\n`);
  const length = `content-length: ${(body as string).length}\r\n\r\n`;
  const encoder = new TextEncoder();
  await connection.write(encoder.encode(`POST /mcp HTTP/1.1\r\n${lines.join("")}${length}`));
  // The interim answer tells that the program is at this request and waits for its body.
  const interim = new Uint8Array(64);
  await within(QUICK_MS, connection.read(interim));
  match(new TextDecoder().decode(interim), /^HTTP\/1\.1 100 /);
  await connection.write(encoder.encode((body as string).slice(0, -20)));
  program.kill("SIGTERM");
  await program.until("stderr", /"event":"stopping"/);
  await connection.write(encoder.encode((body as string).slice(-20)));
  const response = await within(QUICK_MS, new Response(connection.readable).text());
  match(response, /"subject":"alice"|^HTTP\/1\.1 503 /);
  await expectStop(program, QUICK_MS);
});

Deno.test("program answers 503 to a call that never ends when the grace period is over", async () => {
  await using slow = await slowProgram();
  await using program = await start({ command: slow.command });
  const answer = callNever(program);
  await program.until("stderr", /"event":"started"/);
  const asked = performance.now();
  program.kill("SIGTERM");
  await expectStop(program, LONGEST_STOP_MS + 500);
  const took = performance.now() - asked;
  ok(took > 3000 && took < LONGEST_STOP_MS, `${took} ms`);
  match(await within(1000, answer), /^503 /);
});

Deno.test("program ends at once with status 1 when it is asked to stop a second time", async () => {
  await using slow = await slowProgram();
  await using program = await start({ command: slow.command });
  const answer = callNever(program);
  await program.until("stderr", /"event":"started"/);
  program.kill("SIGTERM");
  await program.until("stderr", /"event":"stopping"/);
  // One press may arrive twice, through a task runner; another press comes later.
  program.kill("SIGTERM");
  await new Promise((resolve) => setTimeout(resolve, 400));
  program.kill("SIGTERM");
  equal((await program.end(QUICK_MS)).code, 1);
  await within(1000, answer);
});

const LISTEN = { notifications: { toolsListChanged: true } };

Deno.test("program does not wait for a subscriptions/listen stream when it stops", async () => {
  await using program = await start();
  const request = modernCall("subscriptions/listen", LISTEN, await tokenHeaders(program));
  const response = await fetch(program.endpoint, request);
  match(response.headers.get("content-type")!, /^text\/event-stream/);
  const text = response.text();
  program.kill("SIGTERM");
  await expectStop(program, QUICK_MS);
  match(await within(1000, text), /notifications\/subscriptions\/acknowledged/);
});

Deno.test("program does not wait for a GET stream of a session when it stops", async () => {
  await using program = await start({ env: { ...HTTP_ENV, MCP_SESSIONS: "on" } });
  const headers = { ...await sessionHeaders(program), accept: "text/event-stream" };
  const response = await fetch(program.endpoint, { headers });
  equal(response.status, 200);
  const text = response.text();
  program.kill("SIGTERM");
  await expectStop(program, QUICK_MS);
  await within(1000, text);
});

Deno.test("program does not wait for idle connections when it stops", async () => {
  await using program = await start();
  using silent = await Deno.connect({ hostname: "127.0.0.1", port: program.port });
  using kept = await Deno.connect({ hostname: "127.0.0.1", port: program.port });
  await kept.write(new TextEncoder().encode("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  const buffer = new Uint8Array(1024);
  const read = await kept.read(buffer);
  match(new TextDecoder().decode(buffer.subarray(0, read ?? 0)), /^HTTP\/1\.1 200/);
  program.kill("SIGTERM");
  await expectStop(program, QUICK_MS);
  equal(await silent.read(buffer).catch(() => null), null);
});
