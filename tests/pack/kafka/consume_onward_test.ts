import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import fc from "fast-check";
import type { Cluster, KafkaRecord } from "../../../lib/pack/kafka/cluster.ts";
import { onward, type Position } from "../../../lib/pack/kafka/consume_onward.ts";
import { MAX_READS } from "../../../lib/pack/kafka/consume_reads.ts";
import { showOnward } from "../../../lib/pack/kafka/consume_shown.ts";
import { newCluster, record, topic } from "./cluster.ts";

const SIGNAL = new AbortController().signal;

const NOTHING_LIKE_IT = { count: 10, waitMs: 0, signal: SIGNAL };

function at(partition: number, offset: bigint, end: bigint): Position {
  return { topic: "t", partition, offset, end };
}

function stamped(partition: number, offset: number, timestampMs: number, value = "v"): KafkaRecord {
  return { ...record("t", partition, BigInt(offset), value), timestampMs };
}

const nameOf = ({ partition, offset }: KafkaRecord) => `${partition}/${offset}`;

/** A cluster that first answers so many reads with nothing, and then as `cluster` does. */
function late(cluster: Cluster, empty: number) {
  const waits: number[] = [];
  const read: Cluster["read"] = async (from, bounds) => {
    waits.push(bounds.maxWaitMs);
    if (waits.length > empty) return await cluster.read(from, bounds);
    return from.map((one) => ({
      topic: one.topic,
      partition: one.partition,
      records: [],
      nextOffset: one.offset,
      endOffset: one.offset,
    }));
  };
  return { cluster: { ...cluster, read }, waits };
}

const logs = fc.array(
  fc.array(fc.record({ gap: fc.nat(3), ms: fc.nat(9) }), { maxLength: 20 }),
  { minLength: 1, maxLength: 4 },
);

Deno.test("onward() and showOnward() go through all records, each once and in order, page by page", async () => {
  const bounds = fc.record({
    count: fc.integer({ min: 1, max: 12 }),
    maxBytes: fc.integer({ min: 1, max: 8 }),
  });
  await fc.assert(fc.asyncProperty(logs, bounds, async (steps, { count, maxBytes }) => {
    const records = steps.flatMap((of, partition) => {
      let offset = -1;
      return of.map(({ gap, ms }) => stamped(partition, offset += gap + 1, ms));
    });
    const memory = newCluster({ topics: [topic("t", steps.length)], records });
    const read: Cluster["read"] = (from, { maxWaitMs }) =>
      memory.read(from, { maxBytes, maxWaitMs });
    const cluster = { ...memory, read };
    const ends = await cluster.offsets(
      steps.map((_, partition) => at(partition, 0n, 0n)),
      "latest",
    );
    let positions: readonly Position[] = ends.map(({ partition, offset }) =>
      at(partition, 0n, offset!)
    );
    const seen: string[] = [];
    while (positions.some(({ offset, end }) => offset < end)) {
      const found = await onward(cluster, positions, { count, waitMs: 0, signal: SIGNAL });
      const { messages, next } = showOnward(found, count, 100);
      ok(messages.length <= count);
      seen.push(...messages.map(({ partition, offset }) => `${partition}/${offset}`));
      positions = next;
    }
    steps.forEach((_, partition) =>
      deepEqual(
        seen.filter((name) => name.startsWith(`${partition}/`)),
        records.filter((one) => one.partition === partition).map(nameOf),
      )
    );
    equal(seen.length, records.length);
  }));
});

Deno.test("onward() puts partitions in order of time, and keeps the order of each", async () => {
  const records = [
    stamped(0, 0, 10),
    stamped(0, 1, 5),
    stamped(0, 2, 30),
    stamped(1, 0, 7),
    stamped(1, 1, 20),
  ];
  const cluster = newCluster({ topics: [topic("t", 2)], records });
  const found = await onward(cluster, [at(0, 0n, 3n), at(1, 0n, 2n)], NOTHING_LIKE_IT);
  deepEqual(found.records.map(nameOf), ["1/0", "0/0", "0/1", "1/1", "0/2"]);
  deepEqual(found.positions, [at(0, 3n, 3n), at(1, 2n, 2n)]);
});

Deno.test("onward() takes turns among partitions without times", async () => {
  const records = [0, 1].flatMap((partition) => [0, 1].map((n) => stamped(partition, n, -1)));
  const cluster = newCluster({ topics: [topic("t", 2)], records });
  const found = await onward(cluster, [at(0, 0n, 2n), at(1, 0n, 2n)], NOTHING_LIKE_IT);
  deepEqual(found.records.map(nameOf), ["0/0", "1/0", "0/1", "1/1"]);
});

Deno.test("onward() reads nothing where there is nothing, and does not wait unasked", async () => {
  const cluster = newCluster({ topics: [topic("t")] });
  deepEqual(await onward(cluster, [at(0, 0n, 0n)], NOTHING_LIKE_IT), {
    records: [],
    positions: [at(0, 0n, 0n)],
  });
  deepEqual(cluster.calls, {});
});

Deno.test("onward() waits for a first record, in steps, and no longer than it may", async () => {
  const { cluster, waits } = late(newCluster({ topics: [topic("t")] }), Infinity);
  const found = await onward(cluster, [at(0, 0n, 0n)], { ...NOTHING_LIKE_IT, waitMs: 2500 });
  deepEqual(found.records, []);
  deepEqual(waits, [1000, 1000, 500]);
});

Deno.test("onward() answers as soon as a first record is there", async () => {
  const full = newCluster({ topics: [topic("t")], records: [stamped(0, 0, 1)] });
  const { cluster, waits } = late(full, 2);
  const found = await onward(cluster, [at(0, 0n, 0n)], { ...NOTHING_LIKE_IT, waitMs: 30_000 });
  deepEqual(found.records.map(nameOf), ["0/0"]);
  deepEqual(found.positions, [at(0, 1n, 1n)]);
  equal(waits.length, 3);
});

Deno.test("onward() does not wait for more where there is something", async () => {
  const cluster = newCluster({ topics: [topic("t")], records: [stamped(0, 0, 1)] });
  await onward(cluster, [at(0, 0n, 1n)], { ...NOTHING_LIKE_IT, waitMs: 30_000 });
  equal(cluster.calls.read, 1);
});

Deno.test("onward() reads on where there is more, until it has as many as asked for", async () => {
  const memory = newCluster({
    topics: [topic("t", 2)],
    records: [stamped(0, 0, 1), ...Array.from({ length: 9 }, (_, n) => stamped(1, n, n))],
  });
  const read: Cluster["read"] = (from, { maxWaitMs }) =>
    memory.read(from, { maxBytes: 2, maxWaitMs });
  const from = [at(0, 0n, 1n), at(1, 0n, 9n)];
  const rest = { count: 4, waitMs: 0, signal: SIGNAL };
  const { records, positions } = await onward({ ...memory, read }, from, rest);
  equal(records.length, 4);
  deepEqual(positions, [at(0, 1n, 1n), at(1, 3n, 9n)]);
  const asked = memory.asked.map(([, places]) =>
    (places as Position[]).map(({ partition }) => partition)
  );
  deepEqual(asked, [[0, 1], [1]]);
});

Deno.test("onward() stops waiting when nobody waits any more", async () => {
  const controller = new AbortController();
  const { cluster, waits } = late(newCluster({ topics: [topic("t")] }), Infinity);
  const read: Cluster["read"] = (...args) => {
    controller.abort(new Error("Cannot wait"));
    return cluster.read(...args);
  };
  const rest = { count: 1, waitMs: 30_000, signal: controller.signal };
  await rejects(onward({ ...cluster, read }, [at(0, 0n, 0n)], rest), /Cannot wait/);
  equal(waits.length, 1);
});

Deno.test("onward() reads a bounded number of times where nothing comes", async () => {
  const { cluster, waits } = late(newCluster({ topics: [topic("t")] }), Infinity);
  const read: Cluster["read"] = async (from, bounds) =>
    (await cluster.read(from, bounds)).map((slice) => ({ ...slice, endOffset: 9n }));
  const found = await onward({ ...cluster, read }, [at(0, 0n, 9n)], NOTHING_LIKE_IT);
  equal(waits.length, MAX_READS);
  const { messages, next, notes } = showOnward(found, 10, 100);
  deepEqual([messages, next], [[], [at(0, 0n, 9n)]]);
  deepEqual(notes, [`not all was read in ${MAX_READS} reads: go on with next`]);
});

Deno.test("onward() gets past records that were aborted", async () => {
  const cluster = newCluster({
    topics: [topic("t")],
    logs: [{ topic: "t", partition: 0, end: 5n }],
  });
  const found = await onward(cluster, [at(0, 0n, 5n)], NOTHING_LIKE_IT);
  deepEqual(found, { records: [], positions: [at(0, 5n, 5n)] });
});

Deno.test("onward() takes a great many small records at once", async () => {
  const records = Array.from({ length: 200_000 }, (_, n) => stamped(0, n, n, ""));
  const slice = { topic: "t", partition: 0, records, nextOffset: 200_000n, endOffset: 200_000n };
  const cluster = { ...newCluster(), read: () => Promise.resolve([slice]) };
  const found = await onward(cluster, [at(0, 0n, 200_000n)], NOTHING_LIKE_IT);
  equal(found.records.length, 200_000);
});
