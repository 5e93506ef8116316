import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { type Server, SUPPORTED_PROTOCOL_VERSIONS } from "@modelcontextprotocol/server";
import { legacyCall } from "../fakes.ts";
import { as, note, settled, stage, work, workshop } from "./helpers.ts";

const OPEN = { OAUTH_ENABLED: "off" };
const WHOAMI = { name: "whoami", arguments: {} };

function hello(protocolVersion: string, capabilities = {}): Record<string, unknown> {
  return { protocolVersion, capabilities, clientInfo: { name: "test", version: "0" } };
}

const NEGOTIATED: [asked: string, given: string][] = [
  ...SUPPORTED_PROTOCOL_VERSIONS.map((version): [string, string] => [version, version]),
  ["2026-07-28", "2025-11-25"],
  ["1999-01-01", "2025-11-25"],
  ["latest", "2025-11-25"],
];
for (const [asked, given] of NEGOTIATED) {
  Deno.test(`mcp() agrees on ${given} when initialize asks for ${asked} (SPEC C4.2)`, async () => {
    const { send } = await stage(OPEN);
    const response = await send("/mcp", legacyCall("initialize", hello(asked)));
    equal(response.status, 200);
    equal(response.headers.get("mcp-session-id"), null);
    const { result } = await response.json();
    equal(result.protocolVersion, given);
    deepEqual(result.capabilities, { tools: {} });
    equal(result.serverInfo.name, "gatehouse");
  });
}

Deno.test("mcp() keeps what a client said in its handshake from every other request (SPEC C2.1, C4.4)", async () => {
  const shop = workshop();
  const servers: Server[] = [];
  const { send } = await stage({}, () => {
    const server = shop.newServer();
    server.setRequestHandler("tools/call", () => {
      const seen = {
        capabilities: server.getClientCapabilities(),
        client: server.getClientVersion(),
      };
      return { content: [{ type: "text", text: JSON.stringify(seen) }] };
    });
    servers.push(server);
    return server;
  });
  const alice = await as("alice");
  await send("/mcp", legacyCall("initialize", hello("2025-11-25", { elicitation: {} }), alice));
  for (const headers of [alice, await as("bob")]) {
    const response = await send("/mcp", legacyCall("tools/call", WHOAMI, headers));
    equal((await response.json()).result.content[0].text, "{}");
  }
  equal(servers.at(-1)!.transport, undefined, "the server of the handshake is let go");
});

Deno.test("mcp() serves a client of 2025 without handshake or session (SPEC C5.1)", async () => {
  const { send } = await stage(OPEN);
  const list = await send("/mcp", legacyCall("tools/list"));
  equal(list.headers.get("mcp-session-id"), null);
  deepEqual((await list.json()).result.tools.map(({ name }: { name: string }) => name), ["whoami"]);
  const call = await send("/mcp", legacyCall("tools/call", WHOAMI));
  equal((await call.json()).result.structuredContent.authenticated, false);
});

Deno.test("mcp() sends nothing of 2026-07-28 to a client of 2025 (SPEC C5.2)", async () => {
  const { send } = await stage(OPEN);
  for (const init of [legacyCall("tools/list"), legacyCall("tools/call", WHOAMI)]) {
    const { result } = await (await send("/mcp", init)).json();
    for (const name of ["resultType", "ttlMs", "cacheScope", "_meta"]) ok(!(name in result), name);
  }
});

const UNKNOWN = [
  ...["no/such", "", "__proto__", "constructor", "server/discover", "subscriptions/listen"],
  ...[
    "logging/setLevel",
    "prompts/list",
    "resources/list",
    "resources/read",
    "completion/complete",
  ],
  ...["tasks/list", "tasks/get"],
];
for (const method of UNKNOWN) {
  Deno.test(`mcp() answers a client of 2025 in band when the method is "${method}" (SPEC C5.2, C4.2)`, async () => {
    const { send } = await stage(OPEN);
    const response = await send("/mcp", legacyCall(method, { level: "debug", uri: "file:///" }));
    equal(response.status, 200);
    equal((await response.json()).error.code, -32601);
  });
}

const HEADERS: [version: string | undefined, status: number][] = [
  ...SUPPORTED_PROTOCOL_VERSIONS.map((version): [string, number] => [version, 200]),
  [undefined, 200],
  ["2024-01-01", 400],
  ["2025-11-25, 2025-11-25", 400],
  ["", 400],
  ["2026-07-28", 400],
];
for (const [version, status] of HEADERS) {
  Deno.test(`mcp() answers ${status} when MCP-Protocol-Version of a client of 2025 is ${version} (SPEC C4.5, C5.1)`, async () => {
    const { send } = await stage(OPEN);
    const headers = version === undefined ? {} : { "mcp-protocol-version": version };
    const response = await send("/mcp", legacyCall("tools/list", {}, headers));
    equal(response.status, status);
    const { error } = await response.json();
    if (status === 400 && version !== "2026-07-28") match(error.message, /2025-11-25/);
  });
}

const POSTED: [what: string, message: object, status: number][] = [
  ["a notification", { method: "notifications/initialized" }, 202],
  ["a notification that nobody knows", { method: "no/such" }, 202],
  ["a result", { id: 1, result: {} }, 400],
  ["an error", { id: 1, error: { code: 1, message: "no" } }, 400],
];
for (const [what, message, status] of POSTED) {
  Deno.test(`mcp() answers ${status} when a client of 2025 posts ${what} (SPEC C1.4)`, async () => {
    const { send } = await stage(OPEN);
    const response = await send("/mcp", note(message));
    equal(response.status, status);
    equal((await response.text()) === "", status === 202);
  });
}

Deno.test("mcp() answers a ping of 2025 (SPEC C4.2)", async () => {
  const { send } = await stage(OPEN);
  deepEqual((await (await send("/mcp", legacyCall("ping"))).json()).result, {});
});

for (const method of ["GET", "DELETE"]) {
  Deno.test(`mcp() has no ${method} when sessions are off, whoever asks (SPEC C4.1)`, async () => {
    const { send } = await stage();
    const headers = { accept: "text/event-stream", "mcp-session-id": "a", ...await as("alice") };
    const response = await send("/mcp", { method, headers });
    equal(response.status, 405);
    deepEqual(response.headers.get("allow")!.split(", ").toSorted(), ["OPTIONS", "POST"]);
  });
}

Deno.test("mcp() answers initialize while other calls run, and leaves them running (SPEC C4.6)", async () => {
  const shop = workshop();
  const { send } = await stage(OPEN, shop.newServer);
  const answer = send("/mcp", work("2025-11-25", "a", { id: 1 }));
  const { context, done } = await shop.job("a");
  await (await send("/mcp", legacyCall("initialize", hello("2025-06-18")))).text();
  await settled();
  equal(context.signal.aborted, false);
  done();
  equal((await (await answer).json()).result.structuredContent.key, "a");
});

for (const path of ["/sse", "/message", "/messages", "/messages/"]) {
  Deno.test(`app() has no endpoint of the 2024 transport at ${path} (SPEC C4.10)`, async () => {
    const { send } = await stage(OPEN);
    equal((await send(path)).status, 404);
    equal((await send(path, legacyCall("initialize"))).status, 404);
  });
}
