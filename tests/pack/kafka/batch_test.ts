import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { batchesOf, isAbort, MOST_HEADERS, recordsOf } from "../../../lib/pack/kafka/batch.ts";
import { TooLarge } from "../../../lib/pack/kafka/decompress.ts";
import { batch, batchOf, checked, marker } from "./batches.ts";

const MOST = 1024 * 1024;

const text = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes);

function valuesOf(bytes: Uint8Array): (string | undefined)[] {
  return [...batchesOf(bytes)].flatMap((one) =>
    [...recordsOf(one, MOST)].map(({ value }) => text(value))
  );
}

Deno.test("records of several batches are read in turn", () => {
  const bytes = Buffer.concat([
    batch(["a", "b"], { firstOffset: 5n }),
    batch(["c"], { firstOffset: 7n, compression: "gzip" }),
  ]);
  const [first, second] = [...batchesOf(bytes)];
  deepEqual([first!.firstOffset, first!.lastOffset], [5n, 6n]);
  deepEqual([second!.firstOffset, second!.lastOffset], [7n, 7n]);
  deepEqual(valuesOf(bytes), ["a", "b", "c"]);
  deepEqual(
    [...recordsOf(first!, MOST)].map(({ offset, timestampMs }) => [offset, timestampMs]),
    [[5n, 1000], [6n, 1001]],
  );
});

Deno.test("of very many headers the first are read, and all are counted", () => {
  const headers = new Map(
    Array.from({ length: MOST_HEADERS + 5 }, (_, at) => [Buffer.from(`h${at}`), Buffer.alloc(0)]),
  );
  const record = { topic: "t", value: Buffer.from("v"), timestamp: 1n };
  const [first, second] = [...batchesOf(batchOf([{ ...record, headers }, record]))]
    .flatMap((one) => [...recordsOf(one, MOST)]);
  deepEqual([first!.headers.length, first!.headers.at(-1)!.name, first!.headerCount], [
    MOST_HEADERS,
    `h${MOST_HEADERS - 1}`,
    MOST_HEADERS + 5,
  ]);
  deepEqual([text(second!.value), second!.offset, second!.headerCount], ["v", 1n, 0]);
});

Deno.test("null, empty and absent are told apart in keys, values and headers", () => {
  const headers = new Map([
    [Buffer.from("h"), Buffer.from("")],
    [Buffer.from("h"), null as never],
  ]);
  const [only] = [...batchesOf(batchOf([
    { topic: "t", key: Buffer.from(""), value: null as never, headers, timestamp: 1n },
  ]))].flatMap((one) => [...recordsOf(one, MOST)]);
  deepEqual([text(only!.key), only!.value], ["", undefined]);
  deepEqual(only!.headers.map(({ name, value }) => [name, text(value)]), [
    ["h", ""],
    ["h", undefined],
  ]);
});

Deno.test("the topic's clock counts where the topic keeps its own", () => {
  const [one] = [...batchesOf(batch(["a", "b"], { attributes: 8 }))];
  deepEqual([...recordsOf(one!, MOST)].map(({ timestampMs }) => timestampMs), [1001, 1001]);
});

Deno.test("markers are control batches, and abort or commit", () => {
  const [abort, commit] = [
    ...batchesOf(Buffer.concat([marker("abort", 0n, 7n), marker("commit", 1n, 7n)])),
  ];
  deepEqual([abort!.isControl, abort!.isTransactional, abort!.producerId], [true, true, 7n]);
  deepEqual([isAbort(abort!), isAbort(commit!)], [true, false]);
});

Deno.test("a control batch whose marker was compacted away is no abort", () => {
  const bytes = marker("abort", 0n, 7n).subarray(0, 61);
  bytes.writeInt32BE(61 - 12, 8);
  bytes.writeInt32BE(0, 57);
  equal(isAbort([...batchesOf(checked(bytes))][0]!), false);
});

Deno.test("the last batch is left out when it was cut off anywhere", () => {
  const [whole, cut] = [batch(["a"]), batch(["b"], { firstOffset: 1n })];
  for (let length = 0; length < cut.length; length++) {
    deepEqual(valuesOf(Buffer.concat([whole, cut.subarray(0, length)])), ["a"], `${length}`);
  }
});

Deno.test("a damaged batch is refused", () => {
  for (let at = 21; at < batch(["a"]).length; at++) {
    const bytes = batch(["a"]);
    bytes[at]! ^= 1;
    throws(() => valuesOf(bytes), { message: /its checksum is wrong/ });
  }
});

Deno.test("a batch whose length cannot be is refused", () => {
  for (const length of [-1, 0, 48, -2147483648]) {
    const bytes = batch(["a"]);
    bytes.writeInt32BE(length, 8);
    throws(() => valuesOf(bytes), { message: /it is damaged/ });
  }
});

Deno.test("records of before Kafka 0.11 are refused", () => {
  const bytes = batch(["a"]);
  bytes[16] = 1;
  throws(() => valuesOf(bytes), { message: "Cannot read records of format 1" });
});

Deno.test("more records than there are bytes are refused", () => {
  const bytes = batch(["a"]);
  bytes.writeInt32BE(0x7fffffff, 57);
  throws(() => valuesOf(checked(bytes)), { message: /leads beyond its batch/ });
});

Deno.test("a value that is longer than its batch, or shorter than nothing, is refused", () => {
  for (const length of [0x7e, 0x03]) {
    const bytes = batch(["abc"]);
    // Length of the record, attributes, time, offset, no key.
    equal(bytes[66], 6);
    bytes[66] = length;
    throws(() => valuesOf(checked(bytes)), { message: /leads beyond its batch/ });
  }
});

Deno.test("no length within a batch is believed", () => {
  const record = [...batch(["abc"]).subarray(61)];
  for (const at of record.keys()) {
    for (const patch of [[0xfe, 0xff, 0xff, 0xff, 0x0f], [0x03], [0xff, 0xff, 0xff, 0xff, 0xff]]) {
      const patched = Buffer.from([...record.slice(0, at), ...patch, ...record.slice(at + 1)]);
      const bytes = Buffer.concat([batch(["abc"]).subarray(0, 61), patched]);
      bytes.writeInt32BE(bytes.length - 12, 8);
      let count = 0;
      try {
        count = valuesOf(checked(bytes)).length;
      } catch (error) {
        equal((error as Error).message.startsWith("Cannot read a record"), true, String(error));
      }
      equal(count <= 1, true);
    }
  }
});

Deno.test("whatever is in a batch, reading it ends, and throws nothing but an Error", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer(), (noise, count) => {
    const bytes = Buffer.concat([batch(["a"]).subarray(0, 61), noise]);
    bytes.writeInt32BE(bytes.length - 12, 8);
    bytes.writeInt32BE(count, 57);
    try {
      valuesOf(checked(bytes));
    } catch (error) {
      equal(error instanceof Error && !(error instanceof RangeError), true, String(error));
    }
  }));
});

Deno.test("what decompresses to more than the bound is refused", () => {
  for (const compression of ["gzip", "snappy", "lz4", "zstd"] as const) {
    const [one] = [...batchesOf(batch(["\0".repeat(2 * MOST)], { compression }))];
    throws(() => [...recordsOf(one!, MOST)], TooLarge, compression);
  }
});
