import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Fetched } from "../../../lib/pack/kafka/fetch.ts";
import {
  MOST_BATCH_BYTES,
  MOST_GROWN_BYTES,
  PART_BYTES,
  sizeOf,
  sliceOf,
} from "../../../lib/pack/kafka/slice.ts";
import { batch, batchOf, checked, marker } from "./batches.ts";

const plenty = () => ({ bytes: 1024 * 1024, grown: MOST_GROWN_BYTES, isFresh: true });

function fetched(parts: readonly Buffer[], aborted: Fetched["aborted"] = []): Fetched {
  return {
    topic: "orders",
    partition: 0,
    errorCode: 0,
    lastStableOffset: 100n,
    aborted,
    bytes: Buffer.concat(parts),
  };
}

function read(answer: Fetched, from = 0n, budget = plenty()) {
  const { records, nextOffset } = sliceOf(answer, from, budget);
  return [records.map(({ value }) => new TextDecoder().decode(value)), nextOffset];
}

const transactional = (values: string[], firstOffset: bigint, producerId: bigint) =>
  batch(values, { firstOffset, producerId, attributes: 16 });

Deno.test("records below the offset that was asked for are left out", () => {
  const answer = fetched([batch(["a", "b", "c"], { firstOffset: 5n, compression: "gzip" })]);
  deepEqual(read(answer, 7n), [["c"], 8n]);
  deepEqual(read(answer, 8n), [[], 8n]);
  deepEqual(read(fetched([]), 3n), [[], 3n]);
});

Deno.test("of two aborted transactions of one producer, both are left out", () => {
  const answer = fetched([
    transactional(["no 1"], 0n, 7n),
    marker("abort", 1n, 7n),
    transactional(["yes"], 2n, 7n),
    marker("commit", 3n, 7n),
    transactional(["no 2"], 4n, 7n),
    marker("abort", 5n, 7n),
  ], [{ producerId: 7n, firstOffset: 4n }, { producerId: 7n, firstOffset: 0n }]);
  deepEqual(read(answer), [["yes"], 6n]);
});

Deno.test("an aborted transaction takes nothing else with it", () => {
  const answer = fetched([
    transactional(["no"], 0n, 7n),
    transactional(["other"], 1n, 8n),
    batch(["plain"], { firstOffset: 2n, producerId: 7n }),
    marker("abort", 3n, 7n),
    marker("commit", 4n, 8n),
  ], [{ producerId: 7n, firstOffset: 0n }]);
  deepEqual(read(answer), [["other", "plain"], 5n]);
});

Deno.test("an abort counts in a batch that ends before the offset that was asked for", () => {
  const answer = fetched([
    transactional(["no"], 0n, 7n),
    marker("abort", 1n, 7n),
    transactional(["yes"], 2n, 7n),
  ], [{ producerId: 7n, firstOffset: 0n }]);
  deepEqual(read(answer, 2n), [["yes"], 3n]);
});

Deno.test("the budget is kept over several answers, but for the first record of all", () => {
  const answer = fetched([batch(["aaaa", "bbbb", "cccc"])]);
  const budget = { ...plenty(), bytes: 2 * (4 + PART_BYTES) };
  deepEqual(read(answer, 0n, budget), [["aaaa", "bbbb"], 2n]);
  deepEqual(read(answer, 2n, budget), [[], 2n]);
  deepEqual(read(answer, 2n, { ...plenty(), bytes: 1 }), [["cccc"], 3n]);
});

Deno.test("many records that hold nothing do not fill the memory", () => {
  const answer = fetched([batch(Array(10_000).fill(""), { compression: "gzip" })]);
  const budget = { ...plenty(), bytes: 1000 * PART_BYTES };
  equal(sliceOf(answer, 0n, budget).nextOffset, 1000n);
  equal(sliceOf(answer, 9_999n, plenty()).records.length, 1);
});

Deno.test("headers that hold nothing do not fill the memory", () => {
  const headers = new Map(Array.from({ length: 500 }, () => [Buffer.alloc(0), Buffer.alloc(0)]));
  const made = { topic: "orders", value: Buffer.alloc(0), headers, timestamp: 1n };
  const answer = fetched([batchOf([made, made, made])]);
  equal(sliceOf(answer, 0n, { ...plenty(), bytes: 1100 * PART_BYTES }).nextOffset, 2n);
});

Deno.test("what one read grows to is bounded over all batches and partitions", () => {
  const large = (firstOffset: bigint) =>
    batch(["\0".repeat(MOST_BATCH_BYTES - 1024)], { firstOffset, compression: "zstd" });
  const budget = { bytes: Infinity, grown: MOST_GROWN_BYTES, isFresh: true };
  const answer = fetched([large(0n), large(1n), large(2n), large(3n)]);
  equal(sliceOf(answer, 0n, budget).nextOffset, 3n);
  equal(sliceOf(fetched([large(0n)]), 0n, budget).nextOffset, 0n);
});

Deno.test("a batch too large is refused when it is first, and waits its turn otherwise", () => {
  const bomb = batch(["\0".repeat(MOST_BATCH_BYTES + 1)], { firstOffset: 1n, compression: "zstd" });
  const answer = fetched([batch(["a"]), bomb]);
  deepEqual(read(answer), [["a"], 1n]);
  throws(() => read(answer, 1n), {
    message: 'The records of partition 0 of "orders" from offset 1 to 1 are compressed, and ' +
      "larger than 32 MiB together. Read on from offset 2",
  });
});

Deno.test("a damaged batch is no large one", () => {
  const damaged = batch(["a"], { firstOffset: 1n });
  damaged.writeInt32BE(2, 57);
  const answer = fetched([batch(["a"]), checked(damaged)]);
  throws(() => read(answer), { message: /leads beyond its batch/ });
});

Deno.test("what is kept is a copy, and no view into the answer", () => {
  const { records } = sliceOf(fetched([batch(["abc"])]), 0n, plenty());
  equal(records[0]!.value!.buffer.byteLength, 3);
  equal(records[0]!.value!.constructor, Uint8Array);
});

Deno.test("the size of a record counts its key, value and headers", () => {
  const headers = [{ name: "ab", value: new Uint8Array(3) }, { name: "c", value: undefined }];
  equal(sizeOf({ key: new Uint8Array(4), value: new Uint8Array(5), headers }), 15);
  equal(sizeOf({ value: undefined, headers: [] }), 0);
});
