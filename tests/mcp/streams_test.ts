import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import type { Identity } from "../../lib/identity.ts";
import {
  eventStream,
  KEEP_ALIVE_MS,
  type LongStreams,
  longStreams,
  MAX_UNREAD_BYTES,
  STREAMS_PER_CALLER,
} from "../../lib/mcp/streams.ts";
import { NOW } from "../fakes.ts";
import { eventsOf, orPending, settled } from "./helpers.ts";

function caller(subject: string, expiresAt = NOW + 600): Identity {
  const issuer = "http://localhost:8080";
  const rest = { username: subject, scopes: [], roles: [], claims: {}, token: "" };
  return { subject, issuer, expiresAt, ...rest };
}

const HEADERS = { "content-type": "text/event-stream" };

interface Source {
  readonly response: Response;
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  readonly cancelled: unknown[];
}

function source(headers: Record<string, string> = HEADERS): Source {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  const cancelled: unknown[] = [];
  const body = new ReadableStream<Uint8Array>({
    start: (own) => void (controller = own),
    cancel: (reason) => void cancelled.push(reason),
  });
  return { response: new Response(body, { headers }), controller, cancelled };
}

const BYTES = new TextEncoder().encode("data: {}\n\n");

function admits(streams: LongStreams, identity: Identity | undefined): boolean {
  const release = streams.reserve(identity);
  release?.();
  return release !== undefined;
}

Deno.test("eventStream() writes each message as one event (SPEC C2.15)", async () => {
  const stream = eventStream(() => {});
  stream.send({ jsonrpc: "2.0", method: "one", params: { text: "a\nb\r\n\ndata: c" } });
  stream.send({ jsonrpc: "2.0", id: 1, result: {} });
  stream.end();
  const { headers } = stream.response;
  equal(headers.get("content-type"), "text/event-stream");
  equal(headers.get("cache-control"), "no-store, no-transform");
  equal(headers.get("x-accel-buffering"), "no");
  const events = (await eventsOf(stream.response).rest()).map(({ data }) => JSON.parse(data));
  equal(events.length, 2);
  equal(events[0].params.text, "a\nb\r\n\ndata: c");
});

Deno.test("eventStream() tells once that the client went away, and is silent from then on (SPEC C2.16)", async () => {
  let left = 0;
  const stream = eventStream(() => left++);
  await stream.response.body!.cancel();
  stream.send({ jsonrpc: "2.0", method: "late" });
  stream.end();
  equal(left, 1);
});

Deno.test("eventStream() does not take its own end for a client going away (SPEC C2.16)", async () => {
  let left = 0;
  const stream = eventStream(() => left++);
  stream.end();
  stream.end();
  await stream.response.body!.cancel();
  equal(left, 0);
});

Deno.test("eventStream() shows that it is alive until it ends (SPEC C2.15)", async () => {
  const timers = new Map<number, [tick: () => void, ms: number]>();
  const { setInterval: set, clearInterval: clear } = globalThis;
  globalThis.setInterval = ((tick: () => void, ms: number) => {
    timers.set(timers.size + 1, [tick, ms]);
    return timers.size;
  }) as unknown as typeof set;
  globalThis.clearInterval = (id) => void timers.delete(Number(id));
  try {
    const stream = eventStream(() => {});
    const [[tick, ms]] = [...timers.values()] as [[() => void, number]];
    equal(ms, KEEP_ALIVE_MS);
    tick();
    stream.end();
    equal(timers.size, 0);
    tick();
    equal(await stream.response.text(), ": keepalive\n\n");
  } finally {
    globalThis.setInterval = set;
    globalThis.clearInterval = clear;
  }
});

const ENDS: [how: string, end: (held: Response, from: Source) => unknown][] = [
  ["the server ends it", (held, { controller }) => {
    controller.close();
    return held.text();
  }],
  ["the client leaves", (held) => held.body!.cancel()],
  ["the client leaves unread", async (held) => {
    await settled();
    await held.body!.cancel();
  }],
  ["the server breaks", (held, { controller }) => {
    controller.error(new Error("broken"));
    return held.text().catch(() => {});
  }],
];
for (const [how, end] of ENDS) {
  Deno.test(`longStreams().hold() counts a stream until it ends, and ends it once, when ${how} (SPEC A4.8)`, async () => {
    const streams = longStreams(() => NOW);
    const alice = caller("alice");
    let ended = 0;
    const open = Array.from({ length: STREAMS_PER_CALLER }, () => {
      const from = source();
      return { from, held: streams.hold(from.response, alice, () => ended++) };
    });
    equal(admits(streams, alice), false);
    const [first, ...others] = open;
    await end(first!.held, first!.from);
    await settled();
    equal(ended, 1);
    equal(admits(streams, alice), true);
    const last = streams.hold(source().response, alice);
    equal(admits(streams, alice), false, "one that ended makes room for one");
    for (const { held } of [...others, { held: last }]) await held.body!.cancel();
  });
}

Deno.test("longStreams().reserve() counts each caller apart (SPEC A4.8)", async () => {
  const streams = longStreams(() => NOW);
  const held = Array.from(
    { length: STREAMS_PER_CALLER },
    () => streams.hold(source().response, caller("alice")),
  );
  equal(admits(streams, caller("alice", NOW + 9)), false);
  equal(admits(streams, caller("bob")), true);
  equal(admits(streams, { ...caller("alice"), clientId: "other" }), true);
  equal(admits(streams, undefined), true);
  for (const { body } of held) await body!.cancel();
});

Deno.test("longStreams().reserve() keeps a place from before the stream is there (SPEC A4.8)", () => {
  const streams = longStreams(() => NOW);
  const alice = caller("alice");
  const places = Array.from({ length: STREAMS_PER_CALLER }, () => streams.reserve(alice));
  ok(places.every((place) => place !== undefined));
  equal(streams.reserve(alice), undefined);
  ok(admits(streams, caller("bob")));
  places[0]!();
  equal(admits(streams, alice), true);
  equal(places.length, STREAMS_PER_CALLER);
});

Deno.test("eventStream() drops offers, and never the last word, when the client falls far behind", async () => {
  const stream = eventStream(() => {});
  const text = "x".repeat(MAX_UNREAD_BYTES / 8);
  for (let count = 0; count < 100; count++) {
    stream.offer({ jsonrpc: "2.0", method: "offer", params: { text } });
  }
  stream.send({ jsonrpc: "2.0", id: 1, result: {} });
  stream.end();
  const events = (await eventsOf(stream.response).rest()).map(({ data }) => JSON.parse(data));
  deepEqual(events.map(({ id, method }) => id ?? method), [...Array(8).fill("offer"), 1]);
});

Deno.test("longStreams().hold() passes what flows, and the status and headers", async () => {
  const from = source({ ...HEADERS, "mcp-session-id": "s" });
  const held = longStreams(() => NOW).hold(from.response, undefined);
  equal(held.headers.get("mcp-session-id"), "s");
  from.controller.enqueue(BYTES);
  from.controller.close();
  equal(await held.text(), "data: {}\n\n");
});

Deno.test("longStreams().hold() leaves other responses as they are", () => {
  const streams = longStreams(() => NOW);
  const json = Response.json({});
  const empty = new Response(null, { headers: HEADERS });
  equal(streams.hold(json, undefined), json);
  equal(streams.hold(empty, undefined), empty);
});

Deno.test("longStreams().hold() tells the source that the client left", async () => {
  const from = source();
  await longStreams(() => NOW).hold(from.response, undefined).body!.cancel("gone");
  deepEqual(from.cancelled, ["gone"]);
});

const EXPIRIES: [when: string, left: number][] = [
  ["when the token expires", 0.01],
  ["at once when the token has expired and only its leeway is left", -5],
];
for (const [when, left] of EXPIRIES) {
  Deno.test(`longStreams().hold() ends a stream ${when} (SPEC A4.8)`, async () => {
    const from = source();
    let ended = 0;
    const held = longStreams(() => NOW).hold(
      from.response,
      caller("alice", NOW + left),
      () => ended++,
    );
    from.controller.enqueue(BYTES);
    equal((await eventsOf(held).rest()).length, 1);
    equal(from.cancelled.length, 1);
    equal(ended, 1);
  });
}

Deno.test("longStreams().hold() ends a stream that nobody reads when the token expires (SPEC A4.8)", async () => {
  const from = source();
  const { promise, resolve } = Promise.withResolvers<string>();
  const alice = caller("alice", NOW + 0.005);
  const held = longStreams(() => NOW).hold(from.response, alice, () => resolve("ended"));
  from.controller.enqueue(BYTES);
  from.controller.enqueue(BYTES);
  const outcome = await orPending(promise);
  await held.body!.cancel();
  equal(outcome, "ended");
});

Deno.test("longStreams().hold() waits in steps when a token lives longer than timers can wait (SPEC A4.8)", async () => {
  const days = 24 * 3600;
  const step = 2 ** 31 - 1;
  const timers: { run: () => void; ms: number }[] = [];
  const { setTimeout: set } = globalThis;
  globalThis.setTimeout = ((run: () => void, ms: number) => timers.push({ run, ms })) as never;
  let now = NOW;
  let ended = 0;
  const from = source();
  try {
    longStreams(() => now).hold(from.response, caller("alice", NOW + 60 * days), () => ended++);
    for (let rung = 0; rung < timers.length; rung++) {
      equal(ended, 0);
      now += timers[rung]!.ms / 1000;
      timers[rung]!.run();
    }
  } finally {
    globalThis.setTimeout = set;
  }
  deepEqual(timers.map(({ ms }) => Math.round(ms)), [step, step, 60 * days * 1000 - 2 * step]);
  equal(ended, 1);
  await settled();
  equal(from.cancelled.length, 1);
});
