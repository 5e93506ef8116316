import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { Server, SUPPORTED_PROTOCOL_VERSIONS } from "@modelcontextprotocol/server";
import { STREAMS_PER_CALLER } from "../../lib/mcp/streams.ts";
import { NOW } from "../fakes.ts";
import { as, eventsOf, type Message, orPending, post, settled, stage } from "./helpers.ts";

const SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId";

function lively(): Server {
  const server = new Server({ name: "lively", version: "1" }, {
    capabilities: { tools: { listChanged: true } },
    supportedProtocolVersions: ["2026-07-28", ...SUPPORTED_PROTOCOL_VERSIONS],
  });
  server.setRequestHandler("tools/list", () => ({ tools: [] }));
  return server;
}

const ALL = {
  toolsListChanged: true,
  promptsListChanged: true,
  resourcesListChanged: true,
  resourceSubscriptions: ["file:///etc/passwd"],
};

function listen(
  headers: Record<string, string>,
  id: string | number = "s",
  notifications: Record<string, unknown> | undefined = ALL,
  signal?: AbortSignal,
): RequestInit {
  const params = { ...(notifications && { notifications }) };
  const call = { era: "2026-07-28", method: "subscriptions/listen", params, id, headers } as const;
  return post({ ...call, ...(signal && { signal }) });
}

for (const id of ["s", 0, 12]) {
  Deno.test(`mcp() acknowledges subscription ${JSON.stringify(id)} first, with what it can honour (SPEC C3.3)`, async () => {
    const { send } = await stage({}, lively);
    const response = await send("/mcp", listen(await as("alice"), id));
    equal(response.status, 200);
    equal(response.headers.get("x-accel-buffering"), "no");
    const events = eventsOf(response);
    deepEqual(await events.message(), {
      jsonrpc: "2.0",
      method: "notifications/subscriptions/acknowledged",
      params: { notifications: { toolsListChanged: true }, _meta: { [SUBSCRIPTION]: id } },
    });
    equal(await orPending(events.next(), 3), "pending");
    await events.leave();
  });
}

Deno.test("mcp() ends a subscription at once when the packs have no news to tell (SPEC C3.3)", async () => {
  const { send } = await stage();
  const events = eventsOf(await send("/mcp", listen(await as("alice"))));
  deepEqual((await events.message()).params.notifications, {});
  const { id, result } = await events.message();
  equal(id, "s");
  equal(result._meta[SUBSCRIPTION], "s");
  deepEqual(await events.rest(), []);
});

Deno.test("mcp() refuses a subscription to nothing in particular (SPEC C3.3)", async () => {
  const { send } = await stage({}, lively);
  const init = post({
    era: "2026-07-28",
    method: "subscriptions/listen",
    headers: await as("alice"),
  });
  equal((await (await send("/mcp", init)).json()).error.code, -32602);
});

Deno.test("mcp().drain() ends subscriptions with a result (SPEC C3.3)", async () => {
  const { app, send } = await stage({}, lively);
  const events = eventsOf(await send("/mcp", listen(await as("alice"))));
  await events.message();
  await app.drain();
  const last: Message = await events.message();
  deepEqual([last.id, last.result._meta[SUBSCRIPTION]], ["s", "s"]);
  deepEqual(await events.rest(), []);
});

Deno.test("mcp() ends a subscription when the token expires (SPEC A4.8, C3.3)", async () => {
  const { ports, send } = await stage({}, lively);
  const alice = await as("alice", { exp: NOW + 60 });
  ports.advance(59.99);
  const response = await send("/mcp", listen(alice));
  equal(response.status, 200);
  equal((await eventsOf(response).rest()).length, 1);
});

Deno.test("mcp() ends GET of a session when the token expires (SPEC A4.8)", async () => {
  const { ports, send } = await stage({ MCP_SESSIONS: "on" });
  const alice = await as("alice", { exp: NOW + 60 });
  const hello = { protocolVersion: "2025-11-25", capabilities: {} };
  const clientInfo = { name: "test", version: "0" };
  const opened = await send(
    "/mcp",
    post({
      era: "2025-11-25",
      method: "initialize",
      params: { ...hello, clientInfo },
      headers: alice,
    }),
  );
  await opened.text();
  ports.advance(59.99);
  const session = { "mcp-session-id": opened.headers.get("mcp-session-id")! };
  const headers = { accept: "text/event-stream", ...session, ...alice };
  const events = eventsOf(await send("/mcp", { headers }));
  deepEqual(await events.rest(), []);
});

Deno.test("mcp() gives one caller so many subscriptions and no more (SPEC C3.3)", async () => {
  const { send } = await stage({}, lively);
  const [alice, bob] = [await as("alice"), await as("bob")];
  const open = [];
  for (let count = 0; count < STREAMS_PER_CALLER; count++) {
    const response = await send("/mcp", listen(alice, count));
    equal(response.status, 200);
    open.push(eventsOf(response));
    equal((await open.at(-1)!.message()).params._meta[SUBSCRIPTION], count);
  }
  await settled();
  equal((await send("/mcp", listen(alice))).status, 429);
  equal((await send("/mcp", listen(await as("alice", { exp: NOW + 99 })))).status, 429);
  const bobs = eventsOf(await send("/mcp", listen(bob)));
  equal((await bobs.message()).method, "notifications/subscriptions/acknowledged");
  await open.pop()!.leave();
  await settled();
  const freed = await send("/mcp", listen(alice));
  equal(freed.status, 200);
  const more = await send("/mcp", listen(alice));
  for (const events of [...open, bobs, eventsOf(freed), eventsOf(more)]) await events.leave();
  equal(more.status, 429, "one place, not more");
});

Deno.test("mcp() gives one caller no more subscriptions when many are asked for at once (SPEC C3.3)", async () => {
  const { send } = await stage({}, lively);
  const alice = await as("alice");
  await (await send("/mcp", post({ era: "2026-07-28", method: "tools/list", headers: alice })))
    .text();
  const asked = Array.from({ length: STREAMS_PER_CALLER * 2 }, (_, id) => listen(alice, id));
  const responses = await Promise.all(asked.map((init) => send("/mcp", init)));
  for (const { body } of responses) await body!.cancel();
  const served = responses.filter(({ status }) => status === 200).length;
  equal(served, STREAMS_PER_CALLER);
});

Deno.test("mcp() names the subscription that it refuses (SPEC C2.12)", async () => {
  const { send } = await stage({}, lively);
  const alice = await as("alice");
  const open = [];
  for (let count = 0; count < STREAMS_PER_CALLER; count++) {
    open.push(eventsOf(await send("/mcp", listen(alice, count))));
  }
  const refused = await send("/mcp", listen(alice, "late"));
  for (const events of open) await events.leave();
  equal(refused.status, 429);
  equal((await refused.json()).id, "late");
});

Deno.test("mcp() counts no other call against the subscriptions of a caller", async () => {
  const { send } = await stage({}, lively);
  const alice = await as("alice");
  const open = [];
  for (let count = 0; count < STREAMS_PER_CALLER; count++) {
    open.push(eventsOf(await send("/mcp", listen(alice, count))));
  }
  const call = post({ era: "2026-07-28", method: "tools/list", headers: alice });
  equal((await send("/mcp", call)).status, 200);
  for (const events of open) await events.leave();
});

Deno.test("mcp() frees the place of a client whose request aborts (SPEC C2.16)", async () => {
  const { send } = await stage({}, lively);
  const alice = await as("alice");
  const client = new AbortController();
  for (let count = 0; count < STREAMS_PER_CALLER; count++) {
    const response = await send("/mcp", listen(alice, count, ALL, client.signal));
    void response.text().catch(() => {});
  }
  equal((await send("/mcp", listen(alice))).status, 429);
  client.abort();
  await settled();
  const again = await send("/mcp", listen(alice));
  equal(again.status, 200);
  await again.body!.cancel();
});
