import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { ProtocolError } from "@modelcontextprotocol/server";
import { modernCall, NOW, type Subject } from "../fakes.ts";
import { as, eventsOf, type Message, note, stage, work, workshop } from "./helpers.ts";

const OPEN = { OAUTH_ENABLED: "off" };
const VERSION = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES = "io.modelcontextprotocol/clientCapabilities";
const SERVER_INFO = "io.modelcontextprotocol/serverInfo";
const WHOAMI = { name: "whoami", arguments: {} };

/** A call whose headers and `_meta` are changed; `undefined` takes one out. */
function changed(
  init: RequestInit,
  headers: Record<string, string | undefined> = {},
  meta?: Record<string, unknown> | null,
): RequestInit {
  const sent = new Headers(init.headers);
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) sent.delete(name);
    else sent.set(name, value);
  }
  const body = JSON.parse(init.body as string);
  if (meta === null) delete body.params._meta;
  else body.params._meta = { ...body.params._meta, ...meta };
  return { ...init, headers: sent, body: JSON.stringify(body) };
}

async function answer({ send }: Subject, init: RequestInit): Promise<[status: number, Message]> {
  const response = await send("/mcp", init);
  return [response.status, await response.json()];
}

const call = modernCall("tools/call", WHOAMI);
const base64 = (text: string) => `=?base64?${btoa(text)}?=`;

const MISMATCHES: [what: string, headers: Record<string, string | undefined>][] = [
  ["MCP-Protocol-Version is missing", { "mcp-protocol-version": undefined }],
  ["MCP-Protocol-Version names another revision", { "mcp-protocol-version": "2025-11-25" }],
  ["Mcp-Method is missing", { "mcp-method": undefined }],
  ["Mcp-Method names another method", { "mcp-method": "tools/list" }],
  ["Mcp-Method differs in case", { "mcp-method": "Tools/Call" }],
  ["Mcp-Name is missing", { "mcp-name": undefined }],
  ["Mcp-Name names another tool", { "mcp-name": "other" }],
  ["Mcp-Name differs in case", { "mcp-name": "WhoAmI" }],
  ["Mcp-Name is sent twice", { "mcp-name": "whoami, whoami" }],
  ["Mcp-Name is no Base64", { "mcp-name": "=?base64?!!!!?=" }],
  ["Mcp-Name is no UTF-8 in Base64", { "mcp-name": "=?base64?/w==?=" }],
  ["Mcp-Name names another tool in Base64", { "mcp-name": base64("other") }],
];
for (const [what, headers] of MISMATCHES) {
  Deno.test(`mcp() answers 400 HeaderMismatch when ${what} (SPEC C2.3, C2.4)`, async () => {
    const program = await stage(OPEN);
    const [status, { id, error }] = await answer(program, changed(call, headers));
    deepEqual([status, id, error.code], [400, 1, -32020]);
  });
}

const SPELLINGS: [what: string, headers: Record<string, string>][] = [
  ["in Base64", { "mcp-name": base64("whoami") }],
  ["plainly", {}],
  ["with white space around", { "mcp-name": "  whoami " }],
];
for (const [what, headers] of SPELLINGS) {
  Deno.test(`mcp() serves a call whose Mcp-Name is written ${what} (SPEC C2.4)`, async () => {
    const program = await stage(OPEN);
    const [status, { result }] = await answer(program, changed(call, headers));
    equal(status, 200);
    equal(result.structuredContent.authenticated, false);
    equal(result.resultType, "complete");
  });
}

for (const what of ["plainly", "in Base64"]) {
  Deno.test(`mcp() lets a call finish whose token expires meanwhile when Mcp-Name is written ${what}`, async () => {
    const shop = workshop();
    const { ports, send } = await stage({}, shop.newServer);
    const token = await as("alice", { exp: NOW + 60 });
    ports.advance(59.99);
    const params = { _meta: { progressToken: 1 } };
    const name = what === "in Base64" ? { "mcp-name": base64("work") } : {};
    const response = send(
      "/mcp",
      work("2026-07-28", "a", { params, headers: { ...token, ...name } }),
    );
    const { context, done } = await shop.job("a");
    await context.progress(1);
    const events = eventsOf(await response);
    await new Promise((resolve) => setTimeout(resolve, 15));
    done();
    equal((await events.message()).params.progress, 1);
    equal((await events.message())?.result.structuredContent.said, "done");
  });
}

for (const version of ["2027-01-01", "2026-07-29", "2025-11-25", "1999-01-01", "latest", ""]) {
  Deno.test(`mcp() answers 400 with the revisions it knows when asked for "${version}" (SPEC C2.8)`, async () => {
    const program = await stage(OPEN);
    const init = changed(call, { "mcp-protocol-version": version }, { [VERSION]: version });
    const [status, { id, error }] = await answer(program, init);
    deepEqual([status, id, error.code], [400, 1, -32022]);
    deepEqual(error.data, { supported: ["2026-07-28"], requested: version });
  });
}

const ENVELOPES: [what: string, meta: Record<string, unknown> | null][] = [
  ["there is no _meta", null],
  ["the revision is missing", { [VERSION]: undefined }],
  ["the revision is no text", { [VERSION]: 20260728 }],
  ["the capabilities are missing", { [CAPABILITIES]: undefined }],
  ["the capabilities are no object", { [CAPABILITIES]: "all" }],
];
for (const [what, meta] of ENVELOPES) {
  Deno.test(`mcp() answers 400 invalid params when ${what} (SPEC C2.2)`, async () => {
    const program = await stage(OPEN);
    const [status, { id, error }] = await answer(program, changed(call, {}, meta));
    deepEqual([status, id, error.code], [400, 1, -32602]);
  });
}

for (const clientInfo of [undefined, { name: "admin", version: "9" }]) {
  Deno.test(`mcp() serves a client that calls itself ${clientInfo?.name} like any other (SPEC C2.2)`, async () => {
    const program = await stage(OPEN);
    const meta = { "io.modelcontextprotocol/clientInfo": clientInfo };
    const [status, { result }] = await answer(program, changed(call, {}, meta));
    deepEqual([status, result.structuredContent.authenticated], [200, false]);
  });
}

const UNKNOWN = [
  ...["initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"],
  ...["no/such", "tools/", "Tools/List", "__proto__", "constructor", "", "notifications/cancelled"],
  ...["prompts/list", "resources/list", "completion/complete", "sampling/createMessage"],
];
for (const method of UNKNOWN) {
  Deno.test(`mcp() answers 404 when the method is "${method}" (SPEC C2.9)`, async () => {
    const program = await stage(OPEN);
    const params = { protocolVersion: "2025-11-25", capabilities: {}, level: "debug" };
    const clientInfo = { name: "test", version: "0" };
    const init = modernCall(method, { ...params, clientInfo, uri: "file:///" });
    const [status, { id, error }] = await answer(program, init);
    deepEqual([status, id, error.code], [404, 1, -32601]);
  });
}

Deno.test("mcp() describes itself to server/discover, and says how long that holds (SPEC C2.11, C2.13, C3.1)", async () => {
  const program = await stage();
  const headers = await as("alice");
  const [status, { result }] = await answer(program, modernCall("server/discover", {}, headers));
  equal(status, 200);
  deepEqual(result.supportedVersions, ["2026-07-28"]);
  deepEqual(result.capabilities, { tools: {} });
  equal(result.resultType, "complete");
  ok(Number.isInteger(result.ttlMs) && result.ttlMs >= 0);
  equal(result.cacheScope, "private");
  equal(result._meta[SERVER_INFO].name, "gatehouse");
});

Deno.test("mcp() lists tools with their cache hints, the same for everybody and every time (SPEC C2.18, C3.1, C3.2)", async () => {
  const program = await stage();
  const lists: Message[] = [];
  for (const sub of ["alice", "bob", "alice"]) {
    const init = modernCall("tools/list", {}, await as(sub, { scope: sub }));
    lists.push((await answer(program, init))[1].result);
  }
  const [first] = lists;
  for (const list of lists) deepEqual(list, first);
  ok(Number.isInteger(first.ttlMs) && first.ttlMs >= 0);
  equal(first.cacheScope, "private");
  equal(first.resultType, "complete");
  match(first._meta[SERVER_INFO].version, /^\d+\.\d+\.\d+/);
  ok(!("nextCursor" in first));
});

Deno.test("mcp() refuses a cursor that it never gave (SPEC C2.18)", async () => {
  const program = await stage(OPEN);
  const [, { error }] = await answer(program, modernCall("tools/list", { cursor: "abc" }));
  equal(error?.code, -32602);
});

Deno.test("mcp() answers invalid params when a cursor is no text (SPEC C2.18)", async () => {
  const program = await stage(OPEN);
  const [, { error }] = await answer(program, modernCall("tools/list", { cursor: 5 }));
  equal(error?.code, -32602);
});

Deno.test("mcp() ignores and never mints a session (SPEC C2.14)", async () => {
  const { send } = await stage(OPEN);
  const headers = { "mcp-session-id": "abc", "last-event-id": "1" };
  const response = await send("/mcp", changed(call, headers));
  equal(response.status, 200);
  equal(response.headers.get("mcp-session-id"), null);
});

const NOTES: [what: string, headers: Record<string, string>, status: number][] = [
  ["a notification", {}, 202],
  ["a notification with its method", { "mcp-method": "notifications/cancelled" }, 202],
  ["a notification with another method", { "mcp-method": "tools/call" }, 400],
];
for (const [what, headers, status] of NOTES) {
  Deno.test(`mcp() answers ${status} to ${what} (SPEC C1.4)`, async () => {
    const { send } = await stage(OPEN);
    const message = { method: "notifications/cancelled", params: { requestId: 1 } };
    const modern = { "mcp-protocol-version": "2026-07-28", ...headers };
    const response = await send("/mcp", note(message, modern));
    equal(response.status, status);
    equal((await response.text()) === "", status === 202);
  });
}

Deno.test("mcp() takes no response from a client (SPEC C2.15)", async () => {
  const program = await stage(OPEN);
  const init = note({ id: 1, result: {} }, { "mcp-protocol-version": "2026-07-28" });
  equal((await answer(program, init))[0], 400);
});

const LEGACY_CODES: [code: number, sent: number][] = [[-32002, -32602], [-32042, -32603]];
for (const [code, sent] of LEGACY_CODES) {
  Deno.test(`mcp() turns the error ${code} of a server into ${sent} (SPEC C2.12)`, async () => {
    const shop = workshop();
    const program = await stage(OPEN, () => {
      const server = shop.newServer();
      server.setRequestHandler("tools/call", () => {
        throw new ProtocolError(code, "of old", { elicitations: [] });
      });
      return server;
    });
    equal((await answer(program, call))[1].error.code, sent);
  });
}

Deno.test("mcp() keeps the log of a tool from the client (SPEC C2.17)", async () => {
  const shop = workshop();
  const { ports, send } = await stage(OPEN, shop.newServer);
  const response = send(
    "/mcp",
    work("2026-07-28", "a", { params: { _meta: { progressToken: 1 } } }),
  );
  const { context, done } = await shop.job("a");
  context.log("info", "thinking", { about: "numbers" });
  done();
  ok(!(await (await response).text()).includes("thinking"));
  ok(ports.lines.some((line) => line.includes("thinking")));
});
