import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { type Server } from "@modelcontextprotocol/server";
import fc from "fast-check";
import { as, ERAS, eventsOf, note, post, settled, stage, work, workshop } from "./helpers.ts";

const answerOf = async (response: Promise<Response>) => (await response).json();

const ASKING = { _meta: { progressToken: "t" } };

for (const era of ERAS) {
  Deno.test(`Exchanges.handleMessage() keeps callers of ${era} apart who use one id at once (SPEC C2.1)`, async () => {
    const shop = workshop();
    const { send } = await stage({}, shop.newServer);
    const [alice, bob] = [await as("alice"), await as("bob")];
    const first = send("/mcp", work(era, "a", { id: 7, headers: alice }));
    const second = send("/mcp", work(era, "b", { id: 7, headers: bob }));
    (await shop.job("b")).done("for bob");
    const early = await Promise.race([first.then(() => "alice"), second.then(() => "bob")]);
    equal(early, "bob");
    (await shop.job("a")).done("for alice");
    const [a, b] = [await answerOf(first), await answerOf(second)];
    deepEqual([a.id, b.id], [7, 7]);
    deepEqual(a.result.structuredContent, { key: "a", said: "for alice", subject: "alice" });
    deepEqual(b.result.structuredContent, { key: "b", said: "for bob", subject: "bob" });
  });

  Deno.test(`Exchanges.handleMessage() gives each of many calls of ${era} its own answer in any order (SPEC C2.1, C2.12)`, async () => {
    const shop = workshop();
    const { send } = await stage({ OAUTH_ENABLED: "off" }, shop.newServer);
    const id = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom("0", "1", "x"));
    const calls = fc.array(fc.record({ id, order: fc.nat() }), { minLength: 2, maxLength: 12 });
    let round = 0;
    await fc.assert(
      fc.asyncProperty(calls, async (drawn) => {
        round++;
        const open = drawn.map(({ id, order }, index) => {
          const key = `${round}/${index}`;
          return { id, order, key, answer: answerOf(send("/mcp", work(era, key, { id }))) };
        });
        const byOrder = open.toSorted((one, other) => one.order - other.order);
        for (const { key } of byOrder) (await shop.job(key)).done(key);
        for (const { id, key, answer } of open) {
          const { id: echoed, result } = await answer;
          equal(echoed, id);
          deepEqual(result.structuredContent, { key, said: key });
        }
      }),
      { seed: 1, numRuns: 30 },
    );
  });

  const ids = [0, 1, -1, 2 ** 53 - 1, 1 - 2 ** 53, "", "1", "ä\u0000\n", "x".repeat(256)];
  for (const id of ids) {
    const shown = JSON.stringify(id).slice(0, 20);
    Deno.test(`Exchanges.handleMessage() echoes the id ${shown} to a caller of ${era} (SPEC C2.12)`, async () => {
      const { send } = await stage({ OAUTH_ENABLED: "off" });
      equal((await answerOf(send("/mcp", post({ era, method: "tools/list", id })))).id, id);
      const unknown = await answerOf(send("/mcp", post({ era, method: "no/such", id })));
      deepEqual([unknown.id, unknown.error.code], [id, -32601]);
    });
  }

  const MODERN = { "mcp-protocol-version": "2026-07-28" };
  const cancelled = (requestId: unknown) => ({
    method: "notifications/cancelled",
    params: { requestId },
  });
  const progress = (progressToken: unknown) => ({
    method: "notifications/progress",
    params: { progressToken, progress: 1 },
  });
  const meddling: [what: string, make: (number: unknown) => RequestInit, status: number][] = [
    ["a cancellation", (number) => note(cancelled(number)), 202],
    ["a modern cancellation", (number) => note(cancelled(number), MODERN), 202],
    ["a cancellation with an id", (number) => note({ id: 5, ...cancelled(number) }), 200],
    ["progress", (number) => note(progress(number)), 202],
    ["a result", (id) => note({ id, result: {} }), 400],
    ["an error", (id) => note({ id, error: { code: -1, message: "stop" } }), 400],
  ];
  for (const [what, make, status] of meddling) {
    Deno.test(`Exchanges.handleMessage() is not moved by ${what} of another caller that names a number in use by ${era} (SPEC C2.16)`, async () => {
      const shop = workshop();
      const { send } = await stage({}, shop.newServer);
      const [alice, mallory] = [await as("alice"), await as("mallory")];
      const answer = answerOf(send("/mcp", work(era, "a", { id: 5, headers: alice })));
      const { context, done } = await shop.job("a");
      for (const number of [0, 1, 2, 3, 4, 5, "1", "5"]) {
        const init = make(number);
        const headers = { ...init.headers as Record<string, string>, ...mallory };
        equal((await send("/mcp", { ...init, headers })).status, status, `${number}`);
      }
      await settled();
      equal(context.signal.aborted, false);
      done();
      equal((await answer).result.structuredContent.said, "done");
    });
  }

  Deno.test(`Exchanges.send() brings progress only to the caller of ${era} who asked, before the result (SPEC C2.15)`, async () => {
    const shop = workshop();
    const { send } = await stage({}, shop.newServer);
    const [alice, bob] = [await as("alice"), await as("bob")];
    const toAlice = send("/mcp", work(era, "a", { id: 3, params: ASKING, headers: alice }));
    const toBob = send("/mcp", work(era, "b", { id: 3, params: ASKING, headers: bob }));
    const [a, b] = [await shop.job("a"), await shop.job("b")];
    await a.context.progress(1, 2, "of alice");
    await a.context.progress(2, 2);
    a.done();
    await b.context.progress(9);
    b.done();
    const streamed = await toAlice;
    equal(streamed.status, 200);
    equal(streamed.headers.get("content-type"), "text/event-stream");
    equal(streamed.headers.get("x-accel-buffering"), "no");
    const alices = (await eventsOf(streamed).rest()).map(({ data }) => JSON.parse(data));
    deepEqual(alices[0], {
      jsonrpc: "2.0",
      method: "notifications/progress",
      params: { progressToken: "t", progress: 1, total: 2, message: "of alice" },
    });
    deepEqual(alices[1].params, { progressToken: "t", progress: 2, total: 2 });
    equal(alices[2].id, 3);
    equal(alices[2].result.structuredContent.subject, "alice");
    equal(alices.length, 3);
    const bobs = (await eventsOf(await toBob).rest()).map(({ data }) => JSON.parse(data));
    deepEqual(bobs.map((message) => message.params?.progress ?? message.id), [9, 3]);
  });

  Deno.test(`Exchanges.send() answers a caller of ${era} in JSON when nobody asked for progress (SPEC C1.4)`, async () => {
    const shop = workshop();
    const { send } = await stage({ OAUTH_ENABLED: "off" }, shop.newServer);
    const answer = send("/mcp", work(era, "a"));
    const { context, done } = await shop.job("a");
    await context.progress(1);
    done();
    const response = await answer;
    equal(response.headers.get("content-type"), "application/json");
    equal((await response.json()).id, 1);
  });

  Deno.test(`Exchanges.send() drops what a tool says to a caller of ${era} after its result (SPEC C2.15)`, async () => {
    const shop = workshop();
    const { send } = await stage({ OAUTH_ENABLED: "off" }, shop.newServer);
    const response = send("/mcp", work(era, "a", { params: ASKING }));
    const other = send("/mcp", work(era, "b", { params: ASKING }));
    const [a, b] = [await shop.job("a"), await shop.job("b")];
    await a.context.progress(1);
    a.done();
    await settled();
    await a.context.progress(2);
    b.done();
    const events = (await eventsOf(await response).rest()).map(({ data }) => JSON.parse(data));
    deepEqual(events.map((message) => message.params?.progress ?? message.id), [1, 1]);
    equal((await other).headers.get("content-type"), "application/json");
  });

  Deno.test(`Exchanges.send() tells nobody of ${era} what is said about no request (SPEC C2.15)`, async () => {
    const shop = workshop();
    const servers: Server[] = [];
    const { send } = await stage({ OAUTH_ENABLED: "off" }, () => {
      const server = shop.newServer();
      servers.push(server);
      return server;
    });
    const response = send("/mcp", work(era, "a", { params: ASKING }));
    const { context, done } = await shop.job("a");
    await context.progress(1);
    for (const server of servers) await server.notification({ method: "notifications/news" });
    done();
    const events = (await eventsOf(await response).rest()).map(({ data }) => JSON.parse(data));
    deepEqual(events.map((message) => message.params?.progress ?? message.id), [1, 1]);
  });

  Deno.test(`Exchanges.send() refuses a tool that asks the client of ${era} (SPEC C2.15, C4.8)`, async () => {
    const shop = workshop();
    const { send } = await stage({ OAUTH_ENABLED: "off" }, () => {
      const server = shop.newServer();
      server.setRequestHandler("tools/call", async (_request, context) => {
        const params = { mode: "form", message: "Name?", requestedSchema: { type: "object" } };
        await context.mcpReq.send({ method: "elicitation/create", params } as never);
        return { content: [] };
      });
      return server;
    });
    const { error, id } = await answerOf(send("/mcp", work(era, "a", { id: 4 })));
    equal(id, 4);
    match(error.message, era === "2025-11-25" ? /set MCP_SESSIONS=on/ : /not supported/);
  });
}

Deno.test("Exchanges.send() keeps answers of one era out of the other (SPEC C5.2)", async () => {
  const shop = workshop();
  const { send } = await stage({ OAUTH_ENABLED: "off" }, shop.newServer);
  const [modern, legacy] = ERAS.map((era) => answerOf(send("/mcp", work(era, era, { id: 1 }))));
  for (const era of ERAS.toReversed()) (await shop.job(era)).done();
  const [one, other] = [await modern, await legacy];
  equal(one.result.structuredContent.key, "2026-07-28");
  equal(other.result.structuredContent.key, "2025-11-25");
  ok("resultType" in one.result);
  ok(!("resultType" in other.result));
});
