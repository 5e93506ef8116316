import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import fc from "fast-check";
import type { Cluster, KafkaRecord } from "../../../lib/pack/kafka/cluster.ts";
import { newest } from "../../../lib/pack/kafka/consume_newest.ts";
import { MAX_READS } from "../../../lib/pack/kafka/consume_reads.ts";
import { type Contents, newCluster, record, topic } from "./cluster.ts";

const SIGNAL = new AbortController().signal;

interface Log {
  readonly start: bigint;
  readonly end: bigint;
  readonly records: readonly KafkaRecord[];
}

/** A log whose records are at these offsets and times; they have `bytes` of value each. */
function log(
  partition: number,
  end: number,
  at: readonly [offset: number, ms: number][],
  bytes = 1,
): Log {
  const records = at.map(([offset, timestampMs]) => ({
    ...record("t", partition, BigInt(offset), "x".repeat(bytes)),
    timestampMs,
  }));
  return { start: 0n, end: BigInt(end), records };
}

/** As many records as offsets, one each millisecond from `first` on. */
function full(partition: number, count: number, first = 0, bytes = 1): Log {
  return log(partition, count, Array.from({ length: count }, (_, n) => [n, first + n]), bytes);
}

function clusterOf(logs: readonly Log[], maxBytes = Infinity) {
  const contents: Contents = {
    topics: [topic("t", logs.length)],
    records: logs.flatMap(({ records }) => records),
    logs: logs.map(({ start, end }, partition) => ({ topic: "t", partition, start, end })),
  };
  const cluster = newCluster(contents);
  const read: Cluster["read"] = (from, bounds) =>
    cluster.read(from, { ...bounds, maxBytes: Math.min(maxBytes, bounds.maxBytes) });
  return { ...cluster, calls: cluster.calls, asked: cluster.asked, read };
}

async function find(logs: readonly Log[], count: number, maxBytes?: number) {
  const cluster = clusterOf(logs, maxBytes);
  const places = logs.map(({ start, end }, partition) => ({ topic: "t", partition, start, end }));
  const { records, unreached } = await newest(cluster, places, count, SIGNAL);
  const reads = cluster.calls.read ?? 0;
  return {
    at: records.map(({ partition, offset }) => `${partition}/${offset}`),
    records,
    unreached,
    reads,
  };
}

const gappy = fc.array(
  fc.array(fc.record({ gap: fc.nat(30), later: fc.nat(3) }), { maxLength: 40 }),
  { minLength: 1, maxLength: 6 },
).map((logs) =>
  logs.map((steps, partition) => {
    let [offset, ms] = [-1, 0];
    const at = steps.map(({ gap, later }): [number, number] => [offset += gap + 1, ms += later]);
    return log(partition, offset + 1 + (steps[0]?.gap ?? 0), at);
  })
);

Deno.test("newest() finds the newest there are, whatever the gaps", async () => {
  await fc.assert(fc.asyncProperty(gappy, fc.integer({ min: 1, max: 60 }), async (logs, count) => {
    const { records, unreached, reads } = await find(logs, count);
    const times = logs.flatMap((one) => one.records.map(({ timestampMs }) => timestampMs));
    const expected = times.sort((a, b) => a - b).slice(-count);
    deepEqual(records.map(({ timestampMs }) => timestampMs), expected);
    equal(new Set(records).size, records.length);
    equal(unreached, 0);
    ok(reads <= MAX_READS);
  }));
});

Deno.test("newest() takes the last of each partition, and none twice, however little a read brings", async () => {
  const maxBytes = fc.integer({ min: 1, max: 50 });
  await fc.assert(
    fc.asyncProperty(
      gappy,
      fc.integer({ min: 1, max: 60 }),
      maxBytes,
      async (logs, count, most) => {
        const { records, unreached, reads } = await find(logs, count, most);
        ok(reads <= MAX_READS);
        if (unreached === 0) {
          equal(records.length, Math.min(count, logs.flatMap((one) => one.records).length));
        }
        logs.forEach(({ records: own }, partition) => {
          const found = records.filter((one) => one.partition === partition);
          deepEqual(
            found.map(({ offset }) => offset),
            own.slice(own.length - found.length).map(({ offset }) => offset),
          );
        });
      },
    ),
  );
});

Deno.test("newest() needs one read for a few messages of ordinary partitions", async () => {
  const { at, reads } = await find([0, 1, 2].map((partition) => full(partition, 100)), 6);
  deepEqual(at, ["0/98", "1/98", "2/98", "0/99", "1/99", "2/99"]);
  equal(reads, 1);
});

Deno.test("newest() gives each partition its share of what came at one time", async () => {
  const same = (partition: number) =>
    log(partition, 9, Array.from({ length: 9 }, (_, n) => [n, 7]));
  const { at } = await find([same(0), same(1), same(2)], 7);
  deepEqual(at, ["0/6", "0/7", "0/8", "1/7", "1/8", "2/7", "2/8"]);
});

Deno.test("newest() goes further back in the one partition that has all of the newest", async () => {
  const { at, reads } = await find([full(0, 500), full(1, 500, 10_000), full(2, 500)], 100);
  deepEqual(at, Array.from({ length: 100 }, (_, n) => `1/${400 + n}`));
  equal(reads, 2);
});

Deno.test("newest() looks past an old time at the end of a log", async () => {
  const { at } = await find([log(0, 3, [[0, 50], [1, 60], [2, 0]]), log(1, 1, [[0, 10]])], 2);
  deepEqual(at, ["0/0", "0/1"]);
});

Deno.test("newest() finds what lies far behind a gap, in few reads", async () => {
  const { at, unreached, reads } = await find([log(0, 1_000_000, [[3, 1], [5, 2]])], 2);
  deepEqual(at, ["0/3", "0/5"]);
  equal(unreached, 0);
  ok(reads < MAX_READS);
});

Deno.test("newest() tells when there may be more than it got to", async () => {
  const { at, unreached, reads } = await find([log(0, 100_000_000_000, [[3, 1]]), full(1, 1)], 2);
  deepEqual(at, ["1/0"]);
  equal(unreached, 1);
  equal(reads, MAX_READS);
});

Deno.test("newest() passes large messages by to get to the last ones", async () => {
  const { at, unreached } = await find([full(0, 1000, 0, 100)], 20, 250);
  equal(at.at(-1), "0/999");
  equal(unreached, 1);
  deepEqual(at, Array.from({ length: at.length }, (_, n) => `0/${1000 - at.length + n}`));
});

Deno.test("newest() keeps what it has while a read brings little or nothing", async () => {
  const cluster = clusterOf([full(0, 20)]);
  const sizes = [6, 0, 2, 2];
  const asked: bigint[] = [];
  const read: Cluster["read"] = async (from, bounds) => {
    asked.push(from[0]!.offset);
    const size = sizes.shift()!;
    return (await cluster.read(from, bounds)).map((slice) => ({
      ...slice,
      records: slice.records.slice(0, size),
      nextOffset: from[0]!.offset + BigInt(size),
    }));
  };
  const places = [{ topic: "t", partition: 0, start: 0n, end: 20n }];
  const { records } = await newest({ ...cluster, read }, places, 5, SIGNAL);
  deepEqual(asked, [10n, 16n, 16n, 18n]);
  deepEqual(records.map(({ offset }) => offset), [15n, 16n, 17n, 18n, 19n]);
});

Deno.test("newest() reads a message that is larger than a read", async () => {
  const { at } = await find([full(0, 5, 0, 1000)], 1, 10);
  deepEqual(at, ["0/4"]);
});

Deno.test("newest() asks nothing about empty partitions", async () => {
  const { at, reads } = await find([full(0, 0), full(1, 0)], 10);
  deepEqual(at, []);
  equal(reads, 0);
});

Deno.test("newest() leaves out what came after it began", async () => {
  const cluster = clusterOf([full(0, 10)]);
  const places = [{ topic: "t", partition: 0, start: 0n, end: 8n }];
  const { records } = await newest(cluster, places, 2, SIGNAL);
  deepEqual(records.map(({ offset }) => offset), [6n, 7n]);
});

Deno.test("newest() never asks below the beginning of a log", async () => {
  const cluster = newCluster({
    topics: [topic("t")],
    records: [record("t", 0, 95n), record("t", 0, 99n)],
    logs: [{ topic: "t", partition: 0, start: 95n, end: 100n }],
  });
  const places = [{ topic: "t", partition: 0, start: 95n, end: 100n }];
  const { records, unreached } = await newest(cluster, places, 10, SIGNAL);
  deepEqual(records.map(({ offset }) => offset), [95n, 99n]);
  equal(unreached, 0);
});

Deno.test("newest() stops between two reads when nobody waits any more", async () => {
  const controller = new AbortController();
  const cluster = clusterOf([log(0, 1_000_000, [[3, 1]])]);
  const read: Cluster["read"] = (...args) => {
    controller.abort(new Error("Cannot wait"));
    return cluster.read(...args);
  };
  const places = [{ topic: "t", partition: 0, start: 0n, end: 1_000_000n }];
  await rejects(newest({ ...cluster, read }, places, 5, controller.signal), /Cannot wait/);
  equal(cluster.calls.read, 1);
});
