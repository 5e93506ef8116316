import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { MAX_BODY_BYTES } from "../lib/mcp/message.ts";
import { legacyCall, modernCall, subject } from "./fakes.ts";
import { as, ERAS, post } from "./mcp/helpers.ts";

const OPEN = { OAUTH_ENABLED: "off" };

const TYPES: [type: string | undefined, status: number][] = [
  ["application/json", 200],
  ["application/json; charset=utf-8", 200],
  ["Application/JSON", 200],
  ["application/json;", 200],
  [undefined, 415],
  ["text/plain", 415],
  ["text/plain; a=application/json", 415],
  ["application/x-www-form-urlencoded", 415],
  ["multipart/form-data; boundary=x", 415],
  ["application/json-rpc", 415],
  ["application/jsonp", 415],
  ["application/json, text/plain", 415],
];
for (const [type, status] of TYPES) {
  Deno.test(`mcp() answers ${status} when the content type is ${type} (SPEC C1.5)`, async () => {
    const { send } = await subject(OPEN);
    const call = legacyCall("tools/list");
    const headers = new Headers(call.headers);
    if (type === undefined) headers.delete("content-type");
    else headers.set("content-type", type);
    // As bytes, for text brings a type of its own.
    const body = new TextEncoder().encode(call.body as string);
    equal((await send("/mcp", { ...call, headers, body })).status, status);
  });
}

const ACCEPTS = ["application/json", "text/event-stream", "*/*", "text/html", ""];
for (const era of ERAS) {
  for (const accept of ACCEPTS) {
    Deno.test(`mcp() serves ${era} in JSON when Accept is "${accept}" (SPEC C1.4, C1.5)`, async () => {
      const { send } = await subject(OPEN);
      const response = await send("/mcp", post({ era, method: "tools/list", headers: { accept } }));
      equal(response.status, 200);
      equal(response.headers.get("content-type"), "application/json");
      equal((await response.json()).id, 1);
    });
  }

  const call = post({ era, method: "tools/list" }).body as string;
  const batches: [what: string, body: string][] = [
    ["an empty batch", "[]"],
    ["a batch of one", `[${call}]`],
    ["a batch of two", `[${call},${call}]`],
  ];
  for (const [what, body] of batches) {
    Deno.test(`mcp() refuses ${what} in ${era} (SPEC C1.3)`, async () => {
      const { send } = await subject(OPEN);
      const response = await send("/mcp", { ...post({ era, method: "tools/list" }), body });
      equal(response.status, 400);
      const { id, error } = await response.json();
      deepEqual([id, error.code], [null, -32600]);
    });
  }

  Deno.test(`mcp() takes a token of each ${era} request and remembers none (SPEC A1.3, C2.1)`, async () => {
    const { send } = await subject();
    const call = { era, method: "tools/list" } as const;
    equal((await send("/mcp", post({ ...call, headers: await as("alice") }))).status, 200);
    equal((await send("/mcp", post(call))).status, 401);
  });

  Deno.test(`mcp() serves ${era} at one path only (SPEC C1.3)`, async () => {
    const { send } = await subject(OPEN);
    // The page for people is there.
    equal((await send("/", post({ era, method: "tools/list" }))).status, 405);
    for (const path of ["/mcp/", "/MCP", "/mcp/x", "/sse", "/messages", "/v1/mcp"]) {
      equal((await send(path, post({ era, method: "tools/list" }))).status, 404, path);
    }
    equal((await send("/mcp?a=b#c", post({ era, method: "tools/list" }))).status, 200);
  });
}

const METHODS = ["GET", "DELETE", "HEAD", "PUT", "PATCH"];
for (const method of METHODS) {
  Deno.test(`mcp() answers 405 with Allow when the method is ${method} (SPEC C2.14, C4.1)`, async () => {
    const { send } = await subject(OPEN);
    const response = await send("/mcp", { method, headers: { accept: "text/event-stream" } });
    equal(response.status, 405);
    match(response.headers.get("allow")!, /\bPOST\b/);
  });
}

const EVERYTHING: [what: string, init: RequestInit][] = [
  ["a call of 2026-07-28", modernCall("tools/list")],
  ["a subscription", modernCall("subscriptions/listen", { notifications: {} })],
  ["server/discover", modernCall("server/discover")],
  ["a call of 2025-11-25", legacyCall("tools/list")],
  ["initialize", legacyCall("initialize")],
  ["a notification", { ...legacyCall(""), body: '{"jsonrpc":"2.0","method":"a"}' }],
  ["a batch", { ...legacyCall(""), body: "[]" }],
  ["bad JSON", { ...legacyCall(""), body: "{" }],
  ["text", { method: "POST", body: "hello" }],
  ["GET", { method: "GET" }],
  ["DELETE", { method: "DELETE" }],
  ["HEAD", { method: "HEAD" }],
];
for (const sessions of ["off", "on"]) {
  for (const [what, init] of EVERYTHING) {
    Deno.test(`mcp() is not reached by ${what} without a token when sessions are ${sessions} (SPEC C5.2, A3.2)`, async () => {
      const { send, ports } = await subject({ MCP_SESSIONS: sessions });
      const response = await send("/mcp", init);
      equal(response.status, 401);
      const challenge = 'Bearer resource_metadata="http://localhost:8080/' +
        '.well-known/oauth-protected-resource/mcp"';
      equal(response.headers.get("www-authenticate"), challenge);
      ok(!ports.lines.join("").includes('"rpc"'));
    });
  }
}

function sized(bytes: number): Uint8Array<ArrayBuffer> {
  const call = new TextEncoder().encode(legacyCall("tools/list").body as string);
  const body = new Uint8Array(bytes).fill(0x20);
  body.set(call);
  return body;
}

function inPieces(body: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array> {
  const piece = 64 * 1024;
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= body.length) return controller.close();
      controller.enqueue(body.subarray(at, at += piece));
    },
  });
}

const SIZES: [bytes: number, status: number][] = [
  [MAX_BODY_BYTES, 200],
  [MAX_BODY_BYTES + 1, 413],
];
for (const [bytes, status] of SIZES) {
  Deno.test(`mcp() answers ${status} when the body has ${bytes} bytes and says so (SPEC C1.5)`, async () => {
    const { send } = await subject(OPEN);
    const call = legacyCall("tools/list", {}, { "content-length": String(bytes) });
    equal((await send("/mcp", { ...call, body: sized(bytes) })).status, status);
  });

  Deno.test(`mcp() answers ${status} when the body has ${bytes} bytes and does not say so (SPEC C1.5)`, async () => {
    const { send } = await subject(OPEN);
    const call = { ...legacyCall("tools/list"), body: inPieces(sized(bytes)) };
    const response = await send("/mcp", call);
    equal(response.status, status);
    equal((await response.json()).error?.code, status === 413 ? -32600 : undefined);
  });
}

Deno.test("mcp() does not read a body that is declared far too large (SPEC C1.5)", async () => {
  const { send } = await subject(OPEN);
  let read = 0;
  const body = new ReadableStream({ pull: () => void read++ }, { highWaterMark: 0 });
  const headers = { "content-length": String(2 * MAX_BODY_BYTES + 1) };
  equal((await send("/mcp", { ...legacyCall("tools/list", {}, headers), body })).status, 413);
  equal(read, 0);
});

Deno.test("mcp() answers every refusal of its own with a JSON-RPC error (SPEC C1.4, C5.2)", async () => {
  const { send } = await subject(OPEN);
  const refused: RequestInit[] = [
    { method: "GET" },
    { ...legacyCall("a"), body: "{" },
    { ...legacyCall("a"), body: "[]" },
    { ...legacyCall("a"), headers: { "content-type": "text/plain" } },
    legacyCall("a", {}, { "mcp-protocol-version": "1999-01-01" }),
    modernCall("a", {}, { "mcp-method": "b" }),
    modernCall("no/such"),
  ];
  for (const init of refused) {
    const response = await send("/mcp", init);
    ok(response.status >= 400 && response.status < 500);
    const { jsonrpc, error } = await response.json();
    equal(jsonrpc, "2.0");
    equal(typeof error.code, "number");
    equal(typeof error.message, "string");
  }
});
