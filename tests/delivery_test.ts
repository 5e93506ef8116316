import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { deliver, isEventStream, redeliver, WHOLE_BYTES } from "../lib/delivery.ts";
import { ROOMS } from "../lib/observe.ts";
import { legacyCall, modernCall, sign, subject } from "./fakes.ts";
import { document, pack, serve } from "./mcp/shelf.ts";
import { askUnread } from "./unread.ts";

/** What {@linkcode deliver} makes of bodies, by whether they are given to the host whole. */
const BODIES: readonly (readonly [what: string, body: string, isWhole: boolean])[] = [
  ["nothing", "", true],
  ["a short text", "short", true],
  ["a text of just so many bytes", "x".repeat(WHOLE_BYTES), true],
  ["a text of one byte more", "x".repeat(WHOLE_BYTES + 1), false],
  ["a text with more bytes than units", "€".repeat(WHOLE_BYTES / 2), false],
  ["a long text", "€".repeat(WHOLE_BYTES * 100), false],
];
for (const [what, body, isWhole] of BODIES) {
  for (const form of ["text", "bytes"] as const) {
    Deno.test(`deliver() delivers ${what} unchanged, given as ${form}`, async () => {
      const given = form === "text" ? body : new TextEncoder().encode(body);
      const headers = { "content-type": "text/plain", "x-own": "kept" };
      const response = deliver(given, { status: 201, headers });
      const length = isWhole ? null : `${new TextEncoder().encode(body).length}`;
      equal(response.headers.get("content-length"), length);
      equal(response.headers.get("x-own"), "kept");
      equal(response.status, 201);
      equal(await response.text(), body);
    });
  }
}

Deno.test("redeliver() changes nothing that is seen of an answer", async () => {
  const headers = { "content-type": "application/json", "x-own": "kept" };
  for (const body of ["short", "long".repeat(WHOLE_BYTES), null]) {
    const response = await redeliver(new Response(body, { status: 202, headers }));
    deepEqual([response.status, response.headers.get("x-own")], [202, "kept"]);
    equal(await response.text(), body ?? "");
  }
});

Deno.test("redeliver() does not wait for a stream of events", async () => {
  const headers = { "content-type": "text/event-stream" };
  const endless = new Response(new ReadableStream(), { headers });
  equal(await redeliver(endless), endless);
});

const TYPES: readonly (readonly [type: string | undefined, expected: boolean])[] = [
  ["text/event-stream", true],
  ["text/event-stream; charset=utf-8", true],
  ["application/json", false],
  [undefined, false],
];
for (const [type, expected] of TYPES) {
  Deno.test(`isEventStream() is ${expected} when the type is ${type}`, () => {
    equal(
      isEventStream(new Response(null, type ? { headers: { "content-type": type } } : {})),
      expected,
    );
  });
}

/** A server on loopback. Its address is what `remote` says. */
async function serving(env: Record<string, string> = {}) {
  const { app } = await subject(env);
  let remote = "192.0.2.1";
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request, { completed }) => app.fetch(request, remote, completed),
  );
  return {
    app,
    from: (address: string) => remote = address,
    port: server.addr.port,
    origin: `http://localhost:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

// The host settled `completed` of answers that nobody had read, so that they counted for nothing.
Deno.test("answers that clients of HTTP/2 do not read are open, and take no room from callers (SPEC B4.3)", async () => {
  await using server = await serving();
  const { most, mostOfEach } = ROOMS.strangers;
  const status = async (path: string) => {
    const response = await fetch(`${server.origin}${path}`);
    await response.body?.cancel();
    return response.status;
  };
  using connections = new DisposableStack();
  for (let nth = 1; nth <= most / mostOfEach; nth++) {
    server.from(`192.0.2.${nth}`);
    equal(await status("/"), 200);
    const connection = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    connections.use(connection);
    await askUnread(connection, "/", mostOfEach);
    equal(await status("/"), nth < most / mostOfEach ? 429 : 503);
  }
  server.from("198.51.100.1");
  equal(await status("/"), 503);
  deepEqual([await status("/readyz"), await status("/mcp")], [200, 401]);
  connections.dispose();
  while (await status("/") !== 200) await new Promise((resolve) => setTimeout(resolve, 5));
});

const TOKEN = { authorization: `Bearer ${await sign()}` };
const URI = "shelf://large";

/** Large answers of every kind that the program gives. */
const LARGE: readonly (readonly [what: string, path: string, init: RequestInit])[] = [
  ["the page", "/", { headers: { accept: "text/html" } }],
  ["a document", "/mcp", modernCall("resources/read", { uri: URI }, TOKEN)],
  [
    "a document whose name only the SDK can read",
    "/mcp",
    modernCall("resources/read", { uri: URI }, { ...TOKEN, "mcp-name": `=?base64?${btoa(URI)}?=` }),
  ],
  ["a document, asked for as of old", "/mcp", legacyCall("resources/read", { uri: URI }, TOKEN)],
];
for (const [what, path, init] of LARGE) {
  Deno.test(`${what} is delivered with its length`, async () => {
    const large = document(URI, { read: () => ({ text: "x".repeat(WHOLE_BYTES) }) });
    const { send } = await subject({}, serve(pack({ resources: [large] })));
    const response = await send(path, init);
    equal(response.status, 200);
    const length = response.headers.get("content-length");
    equal(`${(await response.bytes()).length}`, length);
    ok(Number(length) > WHOLE_BYTES);
  });
}
