import {
  deepStrictEqual as deepEqual,
  notStrictEqual as notEqual,
  strictEqual as equal,
} from "node:assert/strict";
import type { JSONRPCMessage } from "@modelcontextprotocol/server";
import fc from "fast-check";
import { eventLog, KEPT_EVENTS, KEPT_LENGTH } from "../../lib/mcp/events.ts";

function message(id: number): JSONRPCMessage {
  return { jsonrpc: "2.0", id, result: {} };
}

type EventLog = ReturnType<typeof eventLog>;

async function replayed(log: EventLog, lastId: string): Promise<[stream: string, ids: unknown[]]> {
  const ids: unknown[] = [];
  const stream = await log.replayEventsAfter(lastId, {
    send: (_eventId, sent) => Promise.resolve(void ids.push("id" in sent ? sent.id : sent)),
  });
  return [stream, ids];
}

Deno.test("eventLog() gives each event an id of its own that names the stream (SPEC C4.7)", async () => {
  const log = eventLog();
  const [one, two, other] = [
    await log.storeEvent("a", message(1)),
    await log.storeEvent("a", message(2)),
    await log.storeEvent("b", message(3)),
  ];
  notEqual(one, two);
  equal(await log.getStreamIdForEventId!(one), "a");
  equal(await log.getStreamIdForEventId!(other), "b");
});

Deno.test("eventLog() replays what came later on the same stream, in order, and nothing else (SPEC C4.7)", async () => {
  const log = eventLog();
  const first = await log.storeEvent("a", message(1));
  await log.storeEvent("b", message(2));
  await log.storeEvent("a", message(3));
  const fourth = await log.storeEvent("a", message(4));
  deepEqual(await replayed(log, first), ["a", [3, 4]]);
  deepEqual(await replayed(log, fourth), ["a", []]);
});

Deno.test("eventLog() resumes after a priming event and never replays one (SPEC C4.7)", async () => {
  const log = eventLog();
  const priming = {} as JSONRPCMessage;
  const first = await log.storeEvent("a", priming);
  await log.storeEvent("a", priming);
  await log.storeEvent("a", message(1));
  deepEqual(await replayed(log, first), ["a", [1]]);
});

const STRANGE_IDS = ["", "a", "a_", "a_0", "a_99", "b_1", "__proto__", "constructor", " a_1"];
for (const id of STRANGE_IDS) {
  Deno.test(`eventLog() knows no stream and replays nothing when the id is "${id}" (SPEC C4.7)`, async () => {
    const log = eventLog();
    await log.storeEvent("a", message(1));
    await log.storeEvent("a", message(2));
    equal(await log.getStreamIdForEventId!(id), undefined);
    deepEqual(await replayed(log, id), ["", []]);
  });
}

Deno.test("eventLog() keeps the last events only (SPEC C4.7)", async () => {
  const log = eventLog();
  const ids: string[] = [];
  for (let count = 0; count <= KEPT_EVENTS; count++) {
    ids.push(await log.storeEvent("a", message(count)));
  }
  equal(await log.getStreamIdForEventId!(ids[0]!), undefined);
  deepEqual(await replayed(log, ids[0]!), ["", []]);
  equal(await log.getStreamIdForEventId!(ids[1]!), "a");
  const [, kept] = await replayed(log, ids[1]!);
  equal(kept.length, KEPT_EVENTS - 1);
});

Deno.test("eventLog() keeps as much as fits, however few events that is (SPEC C4.7)", async () => {
  const log = eventLog();
  const large = (id: number): JSONRPCMessage => ({
    ...message(id),
    result: { text: "x".repeat(KEPT_LENGTH / 3) },
  } as JSONRPCMessage);
  const ids: string[] = [];
  for (let count = 0; count < 4; count++) ids.push(await log.storeEvent("a", large(count)));
  const known = await Promise.all(ids.map((id) => log.getStreamIdForEventId!(id)));
  deepEqual(known, [undefined, undefined, "a", "a"]);
  const small = await log.storeEvent("a", message(9));
  deepEqual(await replayed(log, ids[3]!), ["a", [9]], "what was forgotten makes room again");
  const huge = { ...message(10), result: { text: "x".repeat(KEPT_LENGTH) } } as JSONRPCMessage;
  await log.storeEvent("a", huge);
  equal(await log.getStreamIdForEventId!(small), undefined);
  const after = await log.storeEvent("a", message(11));
  equal(await log.getStreamIdForEventId!(after), "a");
});

Deno.test("eventLog() shares nothing between sessions (SPEC C4.7)", async () => {
  const [mine, yours] = [eventLog(), eventLog()];
  const id = await mine.storeEvent("a", message(1));
  await mine.storeEvent("a", message(2));
  deepEqual(await replayed(yours, id), ["", []]);
});

Deno.test("eventLog() replays exactly the later events of the stream, whatever was stored (SPEC C4.7)", async () => {
  const streams = fc.array(fc.constantFrom("a", "b", "a_1", ""), { minLength: 1, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(streams, fc.nat(), async (stored, pick) => {
      const log = eventLog();
      const ids: string[] = [];
      for (const [index, stream] of stored.entries()) {
        ids.push(await log.storeEvent(stream, message(index)));
      }
      const at = pick % stored.length;
      const later = stored.flatMap((stream, index) =>
        index > at && stream === stored[at] ? [index] : []
      );
      deepEqual(await replayed(log, ids[at]!), [stored[at], later]);
      equal(new Set(ids).size, ids.length);
    }),
    { seed: 1, numRuns: 200 },
  );
});
