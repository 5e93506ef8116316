import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import type { Identity } from "../../lib/identity.ts";
import {
  MAX_SESSIONS,
  SESSION_IDLE_SECONDS,
  type Sessions,
  sessions,
  SESSIONS_PER_CALLER,
} from "../../lib/mcp/sessions.ts";
import { longStreams } from "../../lib/mcp/streams.ts";
import { tracer } from "../../lib/trace.ts";
import { fakePorts, legacyCall, NOW, RESOURCE } from "../fakes.ts";
import { eventsOf, settled, workshop } from "./helpers.ts";

const HELLO = {
  protocolVersion: "2025-11-25",
  capabilities: {},
  clientInfo: { name: "test", version: "0" },
};

interface Hall {
  readonly held: Sessions;
  advance(seconds: number): void;
  /** `hello` stands for the parameters of the handshake; good ones when absent. */
  open(
    subject: string | undefined,
    hello?: Record<string, unknown>,
  ): Promise<{ status: number; id: string | null; retryAfter: string | null }>;
  /** Status of a request of `subject` in the session `id`. */
  use(subject: string | undefined, id: string): Promise<number>;
  /** A stream that waits for news. */
  listen(subject: string | undefined, id: string): Promise<Response>;
}

/** Sessions without the gate before them. */
function hall(): Hall {
  const ports = fakePorts();
  const trace = tracer(ports)();
  let draws = 0;
  const random = (length: number) => {
    const bytes = new Uint8Array(length);
    new DataView(bytes.buffer).setUint32(0, ++draws);
    return bytes;
  };
  const held = sessions(workshop().newServer, { ...ports, random }, longStreams(ports.now));
  const caller = (subject: string | undefined) => {
    if (subject === undefined) return { identity: undefined, trace };
    const rest = { scopes: [], roles: [], claims: {}, token: "", expiresAt: NOW + 10 ** 6 };
    const identity: Identity = { subject, issuer: "i", username: subject, ...rest };
    return { identity, trace };
  };
  const request = (init: RequestInit) => new Request(RESOURCE, init);
  return {
    held,
    advance: ports.advance,
    async open(subject, hello = HELLO) {
      const init = legacyCall("initialize", hello);
      const body = JSON.parse(init.body as string);
      const response = await held.open(request(init), caller(subject), body);
      await response.text();
      const header = (name: string) => response.headers.get(name);
      return {
        status: response.status,
        id: header("mcp-session-id"),
        retryAfter: header("retry-after"),
      };
    },
    async use(subject, id) {
      const init = legacyCall("tools/list", {}, { "mcp-session-id": id });
      const body = JSON.parse(init.body as string);
      const response = await held.serve(request(init), caller(subject), body);
      await response.text();
      return response.status;
    },
    listen(subject, id) {
      const headers = { accept: "text/event-stream", "mcp-session-id": id };
      return held.serve(request({ headers }), caller(subject));
    },
  };
}

async function opened({ open }: Hall, subject?: string, count = 1): Promise<string[]> {
  const ids: string[] = [];
  for (let made = 0; made < count; made++) ids.push((await open(subject)).id!);
  return ids;
}

const IDLE: [seconds: number, status: number][] = [
  [0, 200],
  [SESSION_IDLE_SECONDS - 1, 200],
  [SESSION_IDLE_SECONDS, 404],
  [SESSION_IDLE_SECONDS * 10, 404],
];
for (const [seconds, status] of IDLE) {
  Deno.test(`sessions() answers ${status} after ${seconds} idle seconds (SPEC C4.3)`, async () => {
    const house = hall();
    const [id] = await opened(house, "alice");
    house.advance(seconds);
    equal(await house.use("alice", id!), status);
  });
}

Deno.test("sessions() keeps a session for as long as it is used", async () => {
  const house = hall();
  const [used, idle] = await opened(house, "alice", 2);
  for (let times = 0; times < 4; times++) {
    house.advance(SESSION_IDLE_SECONDS / 2 + 1);
    equal(await house.use("alice", used!), 200);
  }
  equal(await house.use("alice", idle!), 404);
});

Deno.test("sessions() does not take a stranger's try for use", async () => {
  const house = hall();
  const [id] = await opened(house, "alice");
  house.advance(SESSION_IDLE_SECONDS - 1);
  equal(await house.use("mallory", id!), 404);
  house.advance(1);
  equal(await house.use("alice", id!), 404);
});

Deno.test("sessions() keeps a session while a stream of it waits for news", async () => {
  const house = hall();
  const [id] = await opened(house, "alice");
  const stream = await house.listen("alice", id!);
  house.advance(SESSION_IDLE_SECONDS * 3);
  equal(await house.use("alice", id!), 200);
  await stream.body!.cancel();
});

Deno.test("sessions() counts idle time from the end of a stream", async () => {
  const house = hall();
  const [left, used] = await opened(house, "alice", 2);
  const streams = [await house.listen("alice", left!), await house.listen("alice", used!)];
  await settled();
  house.advance(SESSION_IDLE_SECONDS * 3);
  for (const { body } of streams) await body!.cancel();
  await settled();
  house.advance(SESSION_IDLE_SECONDS - 1);
  equal(await house.use("alice", used!), 200);
  house.advance(1);
  equal(await house.use("alice", left!), 404);
});

Deno.test("sessions() keeps a session whose client came back to wait for news", async () => {
  const house = hall();
  const [id] = await opened(house, "alice");
  const first = await house.listen("alice", id!);
  await settled();
  await first.body!.cancel();
  await settled();
  const again = await house.listen("alice", id!);
  house.advance(SESSION_IDLE_SECONDS * 2);
  const status = await house.use("alice", id!);
  await again.body!.cancel();
  equal(status, 200);
});

Deno.test("sessions() closes idle sessions behind one whose stream ended lately", async () => {
  const house = hall();
  const [streamed, idle] = await opened(house, "alice", 2);
  const stream = await house.listen("alice", streamed!);
  equal(await house.use("alice", idle!), 200);
  house.advance(SESSION_IDLE_SECONDS);
  await stream.body!.cancel();
  await settled();
  equal(await house.use("alice", idle!), 404);
  equal(await house.use("alice", streamed!), 200);
});

Deno.test("sessions() closes a caller's stalest session for one too many, and nobody else's", async () => {
  const house = hall();
  const [bobs] = await opened(house, "bob");
  const ids = await opened(house, "alice", SESSIONS_PER_CALLER);
  equal(await house.use("alice", ids[0]!), 200);
  const [extra] = await opened(house, "alice");
  equal(await house.use("alice", ids[1]!), 404);
  for (const id of [ids[0]!, ids[2]!, extra!]) equal(await house.use("alice", id), 200);
  equal(await house.use("bob", bobs!), 200);
});

Deno.test("sessions() lets nobody's session make room where nobody can be told apart", async () => {
  const house = hall();
  const ids = await opened(house, undefined, SESSIONS_PER_CALLER + 1);
  for (const id of ids) equal(await house.use(undefined, id), 200);
});

Deno.test("sessions() gives one caller no more when many are opened at once", async () => {
  const house = hall();
  const all = await Promise.all(
    Array.from({ length: SESSIONS_PER_CALLER + 8 }, () => house.open("alice")),
  );
  let alive = 0;
  for (const { id } of all) if (id && await house.use("alice", id) === 200) alive++;
  equal(alive, SESSIONS_PER_CALLER);
});

Deno.test("sessions() opens no more than fit, until some have ended", async () => {
  const house = hall();
  for (let count = 0; count < MAX_SESSIONS; count++) await house.open(`user-${count}`);
  deepEqual(await house.open("late"), { status: 503, id: null, retryAfter: "60" });
  house.advance(SESSION_IDLE_SECONDS);
  equal((await house.open("late")).status, 200);
});

Deno.test("sessions() keeps no place for a handshake that fails", async () => {
  const house = hall();
  for (let count = 0; count <= MAX_SESSIONS; count++) {
    equal((await house.open(`user-${count}`, {})).status, 400);
  }
  equal((await house.open("late")).status, 200);
});

Deno.test("sessions() lets a caller who has many replace one when all places are taken", async () => {
  const house = hall();
  const ids = await opened(house, "alice", SESSIONS_PER_CALLER);
  for (let count = ids.length; count < MAX_SESSIONS; count++) await house.open(`user-${count}`);
  equal((await house.open("alice")).status, 200);
  equal((await house.open("late")).status, 503);
});

Deno.test("sessions().drain() ends streams that wait for news and keeps the sessions", async () => {
  const house = hall();
  const [id] = await opened(house, "alice");
  const events = eventsOf(await house.listen("alice", id!));
  house.held.drain();
  deepEqual(await events.rest(), []);
  equal(await house.use("alice", id!), 200);
});

Deno.test("sessions().close() ends all", async () => {
  const house = hall();
  const ids = await opened(house, "alice", 3);
  const events = eventsOf(await house.listen("alice", ids[0]!));
  await house.held.close();
  deepEqual(await events.rest(), []);
  for (const id of ids) equal(await house.use("alice", id), 404);
});
