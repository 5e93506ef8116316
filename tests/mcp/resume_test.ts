import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { Server, SUPPORTED_PROTOCOL_VERSIONS } from "@modelcontextprotocol/server";
import { KEPT_EVENTS } from "../../lib/mcp/events.ts";
import { legacyCall, type Subject } from "../fakes.ts";
import {
  as,
  type Events,
  eventsOf,
  type Message,
  note,
  orPending,
  settled,
  stage,
  work,
  workshop,
} from "./helpers.ts";

const ON = { MCP_SESSIONS: "on" };
const ASKING = { _meta: { progressToken: "t" } };

type Headers = Record<string, string>;

async function open({ send }: Subject, headers: Headers, capabilities = {}): Promise<Headers> {
  const clientInfo = { name: "test", version: "0" };
  const hello = { protocolVersion: "2025-11-25", capabilities, clientInfo };
  const response = await send("/mcp", legacyCall("initialize", hello, headers));
  await response.text();
  const session = { "mcp-session-id": response.headers.get("mcp-session-id")! };
  return { ...session, ...headers, "mcp-protocol-version": "2025-11-25" };
}

function listen({ send }: Subject, headers: Headers, lastEventId?: string): Promise<Response> {
  const resume = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
  return send("/mcp", { headers: { accept: "text/event-stream", ...headers, ...resume } });
}

const progressOf = (message: Message) => message.params?.progress ?? message.id;

/** Starts a call that has said `count` things, and reads them. Yields the ids of its events. */
async function talking(
  program: Subject,
  shop: ReturnType<typeof workshop>,
  headers: Headers,
  key: string,
  count = 1,
): Promise<{ events: Events; ids: string[] }> {
  const response = await program.send(
    "/mcp",
    work("2025-11-25", key, { id: key, params: ASKING, headers }),
  );
  const events = eventsOf(response);
  const { context } = await shop.job(key);
  const ids = [(await events.next())!.id!];
  for (let said = 1; said <= count; said++) {
    await context.progress(said);
    ids.push((await events.next())!.id!);
  }
  return { events, ids };
}

Deno.test("sessions().serve() primes a stream with an id and no data (SPEC C4.7)", async () => {
  const shop = workshop();
  const program = await stage(ON, shop.newServer);
  const headers = await open(program, await as("alice"));
  const events = eventsOf(
    await program.send("/mcp", work("2025-11-25", "a", { headers })),
  );
  const first = await events.next();
  equal(first!.data, "");
  ok(first!.id);
  (await shop.job("a")).done();
  equal((await events.message()).id, 1);
});

Deno.test("sessions().serve() replays what a client missed on one stream, and goes on with it (SPEC C4.7)", async () => {
  const shop = workshop();
  const program = await stage(ON, shop.newServer);
  const headers = await open(program, await as("alice"));
  const one = await talking(program, shop, headers, "one", 2);
  const other = await talking(program, shop, headers, "other", 2);
  await one.events.leave();
  const job = await shop.job("one");
  await job.context.progress(3);
  const resumed = eventsOf(await listen(program, headers, one.ids[1]));
  deepEqual([progressOf(await resumed.message()), progressOf(await resumed.message())], [2, 3]);
  job.done();
  equal((await resumed.message()).id, "one");
  deepEqual(await resumed.rest(), []);
  (await shop.job("other")).done();
  equal((await other.events.message()).id, "other");
});

Deno.test("sessions().serve() replays an answer that came while the client was away (SPEC C4.6, C4.7)", async () => {
  const shop = workshop();
  const program = await stage(ON, shop.newServer);
  const headers = await open(program, await as("alice"));
  const { events, ids } = await talking(program, shop, headers, "a");
  await events.leave();
  (await shop.job("a")).done("while you were out");
  await settled();
  const [{ data }] = await eventsOf(await listen(program, headers, ids[1])).rest() as [
    { data: string },
  ];
  equal(JSON.parse(data).result.structuredContent.said, "while you were out");
});

Deno.test("sessions().serve() forgets what is further back than the log reaches (SPEC C4.7)", async () => {
  const shop = workshop();
  const program = await stage(ON, shop.newServer);
  const headers = await open(program, await as("alice"));
  const { events, ids } = await talking(program, shop, headers, "a", KEPT_EVENTS);
  await events.leave();
  equal((await listen(program, headers, ids[0])).status, 400);
  const response = await listen(program, headers, ids[1]);
  equal(response.status, 200);
  await response.body!.cancel();
  (await shop.job("a")).done();
  await settled();
});

const STRANGERS: [who: string, claims: Headers][] = [
  ["another user", { sub: "mallory" }],
  ["another client of the same user", { sub: "alice", client_id: "other" }],
];
for (const [who, claims] of STRANGERS) {
  Deno.test(`sessions().serve() lets ${who} resume nothing (SPEC C4.4, C4.7)`, async () => {
    const shop = workshop();
    const program = await stage(ON, shop.newServer);
    const mine = await open(program, await as("alice"));
    const { events, ids } = await talking(program, shop, mine, "a");
    await events.leave();
    const stranger = await as(claims.sub!, claims);
    equal((await listen(program, { ...mine, ...stranger }, ids[0])).status, 404);
    const theirs = await open(program, stranger);
    equal((await listen(program, theirs, ids[0])).status, 400);
    (await shop.job("a")).done();
    await settled();
  });
}

Deno.test("sessions().serve() resumes nothing in another session of the same caller (SPEC C4.7)", async () => {
  const shop = workshop();
  const program = await stage(ON, shop.newServer);
  const alice = await as("alice");
  const [one, other] = [await open(program, alice), await open(program, alice)];
  const { events, ids } = await talking(program, shop, one, "a");
  await events.leave();
  equal((await listen(program, other, ids[0])).status, 400);
  (await shop.job("a")).done();
  await settled();
});

Deno.test("sessions().serve() brings news to the one stream that waits for them, and only once (SPEC C4.7)", async () => {
  const servers: Server[] = [];
  const program = await stage(ON, () => {
    const server = new Server({ name: "news", version: "1" }, {
      capabilities: { tools: { listChanged: true } },
      supportedProtocolVersions: SUPPORTED_PROTOCOL_VERSIONS,
    });
    server.setRequestHandler("tools/list", () => ({ tools: [] }));
    servers.push(server);
    return server;
  });
  const [mine, theirs] = [
    await open(program, await as("alice")),
    await open(program, await as("bob")),
  ];
  const alices = eventsOf(await listen(program, mine));
  const bobs = eventsOf(await listen(program, theirs));
  equal((await listen(program, mine)).status, 409);
  await servers.at(-2)!.sendToolListChanged();
  equal((await alices.message()).method, "notifications/tools/list_changed");
  equal(await orPending(alices.next(), 3), "pending");
  equal(await orPending(bobs.next(), 3), "pending");
  await alices.leave();
  await bobs.leave();
});

Deno.test("sessions().serve() carries a tool's question to the client that called it, and the answer back (SPEC C4.8)", async () => {
  const shop = workshop();
  const program = await stage(ON, () => {
    const server = shop.newServer();
    server.setRequestHandler("tools/call", async (_request, context) => {
      const params = { mode: "form", message: "Name?", requestedSchema: { type: "object" } };
      const ask = { method: "elicitation/create", params };
      const { action } = await context.mcpReq.send(ask as never) as unknown as { action: string };
      return { content: [{ type: "text", text: action }] };
    });
    return server;
  });
  const mine = await open(program, await as("alice"), { elicitation: {} });
  const theirs = await open(program, await as("mallory"), { elicitation: {} });
  const call = legacyCall("tools/call", { name: "work", arguments: {} }, mine);
  const events = eventsOf(await program.send("/mcp", call));
  const question = await events.message();
  equal(question.method, "elicitation/create");
  const answer = (action: string) => ({ id: question.id, result: { action } });
  equal((await program.send("/mcp", note(answer("accept"), theirs))).status, 202);
  equal((await program.send("/mcp", note(answer("decline"), mine))).status, 202);
  match((await events.message()).result.content[0].text, /^decline$/);
});
