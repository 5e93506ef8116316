import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { Exchanges } from "../../lib/mcp/exchanges.ts";
import { RESOURCE } from "../fakes.ts";
import { ERAS, eventsOf, orPending, post, settled, stage, work, workshop } from "./helpers.ts";

const OPEN = { OAUTH_ENABLED: "off" };
const ASKING = { _meta: { progressToken: 1 } };

Deno.test("Exchanges.handleMessage() cancels a 2026-07-28 call when its client goes before the answer (SPEC C2.16)", async () => {
  const shop = workshop();
  const { send } = await stage(OPEN, shop.newServer);
  const client = new AbortController();
  const answer = send("/mcp", work("2026-07-28", "a", { signal: client.signal }));
  const { context, done } = await shop.job("a");
  equal(context.signal.aborted, false);
  client.abort();
  equal((await answer).status, 499);
  await settled();
  equal(context.signal.aborted, true);
  done();
  await settled();
});

Deno.test("Exchanges.handleMessage() cancels a 2026-07-28 call when its client leaves the stream (SPEC C2.16)", async () => {
  const shop = workshop();
  const { send } = await stage(OPEN, shop.newServer);
  const answer = send("/mcp", work("2026-07-28", "a", { params: ASKING }));
  const { context, done } = await shop.job("a");
  await context.progress(1);
  await eventsOf(await answer).leave();
  await settled();
  equal(context.signal.aborted, true);
  await context.progress(2);
  done();
  await settled();
});

Deno.test("Exchanges.handleMessage() ends the stream of a 2026-07-28 call whose request aborts (SPEC C2.16)", async () => {
  const shop = workshop();
  const { send } = await stage(OPEN, shop.newServer);
  const client = new AbortController();
  const init = work("2026-07-28", "a", { params: ASKING, signal: client.signal });
  const answer = send("/mcp", init);
  const { context, done } = await shop.job("a");
  await context.progress(1);
  const events = eventsOf(await answer);
  equal((await events.message()).params.progress, 1);
  client.abort();
  const after = await orPending(events.next());
  await events.leave();
  done();
  await settled();
  equal(after, undefined);
  equal(context.signal.aborted, true);
});

Deno.test("Exchanges.handleMessage() cancels a 2026-07-28 call whose client is gone already (SPEC C2.16)", async () => {
  const shop = workshop();
  const { send } = await stage(OPEN, shop.newServer);
  const init = work("2026-07-28", "a", { signal: AbortSignal.abort() });
  const answer = send("/mcp", init);
  const status = await orPending(answer.then((response) => response.status));
  if (shop.ran.length > 0) {
    const { context, done } = await shop.job("a");
    done();
    await answer;
    equal(context.signal.aborted, true);
  }
  equal(status, 499);
});

Deno.test("Exchanges.handleMessage() leaves other calls alone when one client goes (SPEC C2.16)", async () => {
  const shop = workshop();
  const { send } = await stage(OPEN, shop.newServer);
  const client = new AbortController();
  const gone = send("/mcp", work("2026-07-28", "gone", { id: 1, signal: client.signal }));
  const stays = send("/mcp", work("2026-07-28", "stays", { id: 1 }));
  const [one, other] = [await shop.job("gone"), await shop.job("stays")];
  client.abort();
  await gone;
  await settled();
  deepEqual([one.context.signal.aborted, other.context.signal.aborted], [true, false]);
  one.done("into the void");
  other.done("heard");
  equal((await (await stays).json()).result.structuredContent.said, "heard");
});

Deno.test("Exchanges.handleMessage() lets a 2025-11-25 call run on when its client goes (SPEC C4.6)", async () => {
  const shop = workshop();
  const { send } = await stage(OPEN, shop.newServer);
  const client = new AbortController();
  const answer = send("/mcp", work("2025-11-25", "a", { signal: client.signal }));
  const streamed = send("/mcp", work("2025-11-25", "b", { params: ASKING }));
  const [a, b] = [await shop.job("a"), await shop.job("b")];
  client.abort();
  await b.context.progress(1);
  await eventsOf(await streamed).leave();
  await settled();
  deepEqual([a.context.signal.aborted, b.context.signal.aborted], [false, false]);
  await b.context.progress(2);
  a.done();
  b.done();
  equal((await answer).status, 200);
  await settled();
});

for (const era of ERAS) {
  Deno.test(`Exchanges.close() ends calls of ${era} with 503 and aborts their tools`, async () => {
    const shop = workshop();
    const { app, send } = await stage(OPEN, shop.newServer);
    const waiting = send("/mcp", work(era, "json"));
    const streaming = send("/mcp", work(era, "sse", { params: ASKING }));
    const [json, sse] = [await shop.job("json"), await shop.job("sse")];
    await sse.context.progress(1);
    const events = eventsOf(await streaming);
    await app.close();
    equal((await waiting).status, 503);
    equal((await events.rest()).length, 1);
    deepEqual([json.context.signal.aborted, sse.context.signal.aborted], [true, true]);
    json.done();
    sse.done();
    await settled();
  });

  Deno.test(`Exchanges.handleMessage() answers a call of ${era} with 503 after close`, async () => {
    const { app, send } = await stage(OPEN);
    await app.close();
    const answer = send("/mcp", post({ era, method: "tools/list" }));
    equal(await orPending(answer.then((response) => response.status)), 503);
  });

  Deno.test(`mcp().drain() lets calls of ${era} finish`, async () => {
    const shop = workshop();
    const { app, send } = await stage(OPEN, shop.newServer);
    const answer = send("/mcp", work(era, "a"));
    const { context, done } = await shop.job("a");
    await app.drain();
    equal(context.signal.aborted, false);
    done();
    equal((await answer).status, 200);
  });
}

Deno.test("mcp().drain() lets a call finish whose name came in base64", async () => {
  const shop = workshop();
  const { app, send } = await stage(OPEN, shop.newServer);
  const headers = { "mcp-name": `=?base64?${btoa("work")}?=` };
  const answer = send("/mcp", work("2026-07-28", "a", { headers }));
  const { context, done } = await shop.job("a");
  await app.drain();
  const aborted = context.signal.aborted;
  done();
  equal((await answer).status, 200);
  equal(aborted, false);
});

Deno.test("mcp() answers a subscription with 503 after drain", async () => {
  const { app, send } = await stage(OPEN);
  await app.drain();
  const params = { notifications: { toolsListChanged: true } };
  const init = post({ era: "2026-07-28", method: "subscriptions/listen", params });
  equal((await send("/mcp", init)).status, 503);
});

Deno.test("mcp() answers a call whose name came in base64 with 503 after close", async () => {
  const { app, send } = await stage(OPEN);
  await app.close();
  const headers = { "mcp-name": `=?base64?${btoa("whoami")}?=` };
  const params = { name: "whoami", arguments: {} };
  const init = post({ era: "2026-07-28", method: "tools/call", params, headers });
  equal((await send("/mcp", init)).status, 503);
});

Deno.test("Exchanges.handleMessage() answers 503 once it is closed, whoever still comes", async () => {
  const exchanges = new Exchanges({ era: "legacy" });
  await workshop().newServer().connect(exchanges);
  await exchanges.close();
  const request = new Request(RESOURCE, { method: "POST" });
  const answer = exchanges.handleMessage(
    { jsonrpc: "2.0", id: 1, method: "tools/list" },
    { request },
  );
  equal(await orPending(answer.then(({ status }) => status)), 503);
});
