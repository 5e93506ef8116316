import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { MAX_RESULT_LENGTH } from "../../../lib/pack/cut.ts";
import { MAX_VALUE_BYTES, message, messageOf } from "../../../lib/pack/kafka/consume_message.ts";
import { showNewest, showOnward } from "../../../lib/pack/kafka/consume_shown.ts";
import { record } from "./cluster.ts";

const AT = record("orders", 1, 7n, "né");

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** The longest in JSON that a record can be: everything in it is escaped, and in abundance. */
const WORST = {
  ...record("t".repeat(249), 2 ** 31 - 1, 2n ** 53n - 1n),
  timestampMs: 8.64e15,
  key: bytesOf('"'.repeat(100_000)),
  value: bytesOf('"'.repeat(1_000_000)),
  headers: Array.from({ length: 100 }, () => ({
    name: "\0".repeat(10_000),
    value: bytesOf('"'.repeat(10_000)),
  })),
};

Deno.test("messageOf() names the encoding of all that is there", () => {
  deepEqual(
    messageOf({
      ...AT,
      timestampMs: 1_767_225_600_123,
      key: new Uint8Array([0]),
      headers: [{ name: "h", value: bytesOf("1") }, { name: "h", value: new Uint8Array([255]) }],
    }, 100),
    {
      topic: "orders",
      partition: 1,
      offset: 7,
      timestamp: "2026-01-01T00:00:00.123Z",
      key: "AA==",
      key_encoding: "base64",
      value: "né",
      value_encoding: "text",
      headers: [
        { name: "h", value: "1", encoding: "text" },
        { name: "h", value: "/w==", encoding: "base64" },
      ],
    },
  );
});

Deno.test("messageOf() tells no key, no value and no header's value from empty ones", () => {
  const empty = new Uint8Array();
  const some = { ...AT, key: empty, value: empty, headers: [{ name: "", value: empty }] };
  const { key, value, headers } = messageOf(some, 100);
  deepEqual([key, value, headers], ["", "", [{ name: "", value: "", encoding: "text" }]]);
  const none = { ...AT, value: undefined, headers: [{ name: "h", value: undefined }] };
  const shown = messageOf(none, 100);
  deepEqual([shown.key, shown.value, shown.headers], [null, null, [{ name: "h", value: null }]]);
  ok(!("key_encoding" in shown) && !("value_encoding" in shown));
});

for (const timestampMs of [-1, 1.7e18, NaN]) {
  Deno.test(`messageOf() leaves out a time of ${timestampMs}`, () => {
    ok(!("timestamp" in messageOf({ ...AT, timestampMs }, 100)));
  });
}

Deno.test("messageOf() cuts a value, and tells its size", () => {
  const { value, value_truncated, value_bytes, value_encoding } = messageOf(AT, 2);
  deepEqual([value, value_truncated, value_bytes, value_encoding], ["n", true, 3, "text"]);
});

Deno.test("messageOf() counts headers that were not read", () => {
  const headers = [{ name: "h", value: undefined }];
  const shown = messageOf({ ...AT, headers, headerCount: 3 }, 100);
  deepEqual([shown.headers!.length, shown.headers_truncated], [
    1,
    "2 of 3 left out: they are too long",
  ]);
  ok(!("headers_truncated" in messageOf({ ...AT, headers, headerCount: 1 }, 100)));
});

Deno.test("messageOf() cuts keys and headers, and tells their sizes", () => {
  const { key, key_truncated, key_bytes, headers, headers_truncated } = messageOf(WORST, 100);
  deepEqual([key!.length, key_truncated, key_bytes], [4096, true, 100_000]);
  deepEqual(
    [headers![0]!.name.length, headers![0]!.truncated, headers![0]!.bytes],
    [256, true, 10_000],
  );
  equal(headers_truncated, `${100 - headers!.length} of 100 left out: they are too long`);
});

Deno.test("messageOf() makes a name of whole characters", () => {
  const name = `${"x".repeat(255)}🎉`;
  const { headers } = messageOf({ ...AT, headers: [{ name, value: undefined }] }, 100);
  ok(headers![0]!.name.isWellFormed());
  equal(headers![0]!.truncated, true);
});

Deno.test("messageOf() makes what the tool announces, of any record", () => {
  const bytes = fc.option(fc.uint8Array(), { nil: undefined });
  const records = fc.record({
    key: bytes,
    value: bytes,
    timestampMs: fc.double(),
    headers: fc.array(fc.record({ name: fc.string({ unit: "binary" }), value: bytes })),
  });
  fc.assert(fc.property(records, fc.integer({ min: 1, max: 20 }), (parts, most) => {
    const shown = messageOf({ ...AT, ...parts }, most);
    deepEqual(message.parse(shown), shown);
  }));
});

const POSITIONS = Array.from({ length: 100 }, (_, n) => ({
  topic: "t".repeat(249),
  partition: 2 ** 31 - 1 - n,
  offset: 2n ** 53n - 1n,
  end: 2n ** 53n - 1n,
}));

/** How long a result is whose positions are as long as they can be. */
function lengthOf(messages: readonly unknown[], notes: readonly string[]): number {
  const next = POSITIONS.map((one) => ({
    ...one,
    offset: Number(one.offset),
    end: Number(one.end),
  }));
  return JSON.stringify({ messages, next, truncated: notes.join("; ") }).length;
}

Deno.test("showNewest() and showOnward() show even the largest of messages", () => {
  for (const records of [[WORST], [WORST, WORST, WORST]]) {
    const newest = showNewest({ records, unreached: 7 }, POSITIONS, MAX_VALUE_BYTES);
    const onward = showOnward({ records, positions: POSITIONS }, 10, MAX_VALUE_BYTES);
    for (const { messages, notes } of [newest, onward]) {
      equal(messages.length, 1);
      equal(messages[0]!.value_bytes, 1_000_000);
      ok(lengthOf(messages, notes) + 300 < MAX_RESULT_LENGTH);
    }
  }
});

const MANY = Array.from({ length: 50 }, (_, n) => record("t", 0, BigInt(n), "x".repeat(9000)));

Deno.test("showNewest() leaves out the older ones of what does not fit, and says so", () => {
  const { messages, next, notes } = showNewest({ records: MANY, unreached: 0 }, POSITIONS, 10_000);
  ok(messages.length > 10 && messages.length < 50);
  equal(messages.at(-1)!.offset, 49);
  equal(messages[0]!.offset, 50 - messages.length);
  deepEqual(notes, [
    `${50 - messages.length} of 50 left out: the older ones; take a smaller max_value_bytes`,
  ]);
  equal(next, POSITIONS);
  ok(lengthOf(messages, notes) < MAX_RESULT_LENGTH);
});

Deno.test("showOnward() goes on with the first of what does not fit", () => {
  const positions = [{ topic: "t", partition: 0, offset: 50n, end: 60n }];
  const { messages, next, notes } = showOnward({ records: MANY, positions }, 50, 10_000);
  ok(messages.length > 10 && messages.length < 50);
  equal(messages[0]!.offset, 0);
  deepEqual(next, [{ ...positions[0]!, offset: BigInt(messages.length) }]);
  deepEqual(notes, [`${50 - messages.length} of 50 left out: go on with next`]);
});

Deno.test("showOnward() shows no more than were asked for, and goes on after them", () => {
  const positions = [{ topic: "t", partition: 0, offset: 50n, end: 50n }];
  const { messages, next, notes } = showOnward({ records: MANY, positions }, 3, 100);
  deepEqual(messages.map(({ offset }) => offset), [0, 1, 2]);
  deepEqual(next, [{ ...positions[0]!, offset: 3n }]);
  deepEqual(notes, []);
});
