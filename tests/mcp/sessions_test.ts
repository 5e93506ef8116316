import {
  deepStrictEqual as deepEqual,
  match,
  notStrictEqual as notEqual,
  ok,
  strictEqual as equal,
} from "node:assert/strict";
import { legacyCall, NOW, type Subject } from "../fakes.ts";
import { as, eventsOf, note, post, settled, stage, work, workshop } from "./helpers.ts";

const ON = { MCP_SESSIONS: "on" };
const LONG = { exp: NOW + 100_000 };

type Headers = Record<string, string>;

const HELLO = {
  protocolVersion: "2025-11-25",
  capabilities: {},
  clientInfo: { name: "test", version: "0" },
};

/** Opens a session and returns its header. */
async function open({ send }: Subject, headers: Headers): Promise<Headers> {
  const response = await send("/mcp", legacyCall("initialize", HELLO, headers));
  equal(response.status, 200);
  const id = response.headers.get("mcp-session-id")!;
  await response.text();
  return { "mcp-session-id": id };
}

const list = (headers: Headers) => legacyCall("tools/list", {}, headers);
const get = (headers: Headers) => ({
  method: "GET",
  headers: { accept: "text/event-stream", ...headers },
});
const end = (headers: Headers) => ({ method: "DELETE", headers });

Deno.test("sessions().open() names the session by a long visible id, another each time (SPEC C4.3)", async () => {
  const program = await stage(ON);
  const alice = await as("alice");
  const one = await open(program, alice);
  const other = await open(program, alice);
  match(one["mcp-session-id"]!, /^[\x21-\x7e]{32,}$/);
  notEqual(one["mcp-session-id"], other["mcp-session-id"]);
});

const UNOPENED: [what: string, init: (token: Headers) => RequestInit, status: number][] = [
  ["the handshake is malformed", (token) => legacyCall("initialize", {}, token), 400],
  [
    "the client accepts no event stream",
    (token) => legacyCall("initialize", HELLO, { ...token, accept: "application/json" }),
    406,
  ],
  ["there is no token", () => legacyCall("initialize", HELLO), 401],
  [
    "the call is one of 2026-07-28",
    (token) => post({ era: "2026-07-28", method: "tools/list", headers: token }),
    200,
  ],
];
for (const [what, init, status] of UNOPENED) {
  Deno.test(`sessions().open() is not reached, or opens nothing, when ${what} (SPEC C4.3, C2.14)`, async () => {
    const { send } = await stage(ON);
    const response = await send("/mcp", init(await as("alice")));
    equal(response.status, status);
    equal(response.headers.get("mcp-session-id"), null);
    await response.body?.cancel();
  });
}

const REQUESTS: [what: string, make: (headers: Headers) => RequestInit, served: number][] = [
  ["a request", list, 200],
  ["a notification", (headers) => note({ method: "notifications/initialized" }, headers), 202],
  ["a response", (headers) => note({ id: 1, result: {} }, headers), 202],
  ["GET", get, 200],
  ["DELETE", end, 200],
];
const STRANGERS: [who: string, claims: Headers][] = [
  ["another user", { sub: "mallory", client_id: "app" }],
  ["another client of the same user", { sub: "alice", client_id: "other" }],
  ["a client of the same user that has no name", { sub: "alice" }],
  ["a user whose name runs into the client's", { sub: "alice3:app" }],
];

for (const [what, make, served] of REQUESTS) {
  for (const [who, claims] of STRANGERS) {
    Deno.test(`sessions().serve() answers ${what} of ${who} as if the session did not exist (SPEC C4.4, E6)`, async () => {
      const program = await stage(ON);
      const alice = await as("alice", { client_id: "app" });
      const session = await open(program, alice);
      const stranger = await as(claims.sub!, claims);
      const refused = await program.send("/mcp", make({ ...session, ...stranger }));
      const unknown = await program.send("/mcp", make({ "mcp-session-id": "none", ...stranger }));
      equal(refused.status, 404);
      deepEqual(shape(refused), shape(unknown));
      equal(await refused.text(), await unknown.text());
      const mine = await program.send("/mcp", make({ ...session, ...alice }));
      equal(mine.status, served);
      await mine.body?.cancel();
    });
  }

  Deno.test(`sessions().serve() answers ${what} without a session with 400 (SPEC C4.3)`, async () => {
    const { send } = await stage(ON);
    equal((await send("/mcp", make(await as("alice")))).status, 400);
  });

  Deno.test(`sessions().serve() asks ${what} for a token that lives, although the session does (SPEC C4.4, A1.3)`, async () => {
    const program = await stage(ON);
    const session = await open(program, await as("alice"));
    equal((await program.send("/mcp", make(session))).status, 401);
    program.ports.advance(700);
    equal((await program.send("/mcp", make({ ...session, ...await as("alice") }))).status, 401);
    const renewed = await as("alice", LONG);
    const response = await program.send("/mcp", make({ ...session, ...renewed }));
    equal(response.status, served);
    await response.body?.cancel();
  });

  Deno.test(`sessions().serve() answers ${what} with 404 once the session has ended (SPEC C4.3)`, async () => {
    const program = await stage(ON);
    const alice = await as("alice");
    const session = await open(program, alice);
    equal((await program.send("/mcp", end({ ...session, ...alice }))).status, 200);
    equal((await program.send("/mcp", make({ ...session, ...alice }))).status, 404);
  });
}

function shape({ status, headers }: Response): unknown {
  return [status, [...headers].filter(([name]) => name !== "x-request-id")];
}

Deno.test("sessions().serve() knows no caller apart when there is no OAuth", async () => {
  const program = await stage({ ...ON, OAUTH_ENABLED: "off" });
  const session = await open(program, {});
  equal((await program.send("/mcp", list(session))).status, 200);
});

Deno.test("sessions().serve() ends the streams of a session that is deleted (SPEC C4.3)", async () => {
  const program = await stage(ON);
  const alice = await as("alice");
  const headers = { ...await open(program, alice), ...alice };
  const events = eventsOf(await program.send("/mcp", get(headers)));
  await program.send("/mcp", end(headers));
  deepEqual(await events.rest(), []);
});

Deno.test("sessions().serve() answers an unknown method in band, for 404 says that the session is gone (SPEC C5.2)", async () => {
  const program = await stage(ON);
  const alice = await as("alice");
  const headers = { ...await open(program, alice), ...alice };
  const response = await program.send("/mcp", legacyCall("no/such", {}, headers));
  equal(response.status, 200);
  equal((await eventsOf(response).message()).error.code, -32601);
});

const VERSIONS: [version: string | undefined, status: number][] = [
  ["2025-11-25", 200],
  ["2025-03-26", 200],
  [undefined, 200],
  ["1999-01-01", 400],
  ["2026-07-28", 400],
];
for (const [version, status] of VERSIONS) {
  Deno.test(`sessions().serve() answers ${status} when MCP-Protocol-Version is ${version} (SPEC C4.5)`, async () => {
    const program = await stage(ON);
    const alice = await as("alice");
    const session = await open(program, alice);
    const named = version === undefined ? {} : { "mcp-protocol-version": version };
    const response = await program.send("/mcp", list({ ...session, ...alice, ...named }));
    equal(response.status, status);
    await response.body?.cancel();
  });
}

Deno.test("sessions().serve() serves 2026-07-28 beside sessions, and ignores what a session would be (SPEC C2.14, C5.1)", async () => {
  const { send } = await stage(ON);
  const headers = { ...await as("alice"), "mcp-session-id": "none", "last-event-id": "none" };
  const response = await send("/mcp", post({ era: "2026-07-28", method: "tools/list", headers }));
  equal(response.status, 200);
  equal(response.headers.get("mcp-session-id"), null);
  ok((await response.json()).result.tools.length > 0);
});

Deno.test("sessions().serve() cancels a call for its own session only, and not when the client leaves (SPEC C4.6)", async () => {
  const shop = workshop();
  const program = await stage(ON, shop.newServer);
  const alice = await as("alice");
  const [one, other] = [await open(program, alice), await open(program, alice)];
  const call = (key: string, session: Headers) =>
    program.send("/mcp", work("2025-11-25", key, { id: 9, headers: { ...session, ...alice } }));
  const responses = [await call("a", one), await call("b", other)];
  const [a, b] = [await shop.job("a"), await shop.job("b")];
  for (const { body } of responses) await body!.cancel();
  await settled();
  deepEqual([a.context.signal.aborted, b.context.signal.aborted], [false, false]);
  const stop = { method: "notifications/cancelled", params: { requestId: 9 } };
  await program.send("/mcp", note(stop, { ...one, ...alice }));
  await settled();
  deepEqual([a.context.signal.aborted, b.context.signal.aborted], [true, false]);
  a.done();
  b.done();
  await settled();
});
