import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import type { Commit, Place } from "../../../lib/pack/kafka/cluster.ts";
import { lagOf, type Log, type LogEnds, placeKey } from "../../../lib/pack/kafka/lag.ts";

const PLACE = { topic: "orders", partition: 0 };
const commit = (offset: bigint, place: Place = PLACE): Commit => ({
  ...place,
  offset,
  metadata: undefined,
});
const ends = (start: bigint, end: bigint): LogEnds => ({ start, end });

const JUDGED: [what: string, committed: bigint | undefined, log: Log, expected: unknown][] = [
  ["within its log", 7n, ends(5n, 10n), { lag: 3n, status: "ok" }],
  ["at its log's start", 5n, ends(5n, 10n), { lag: 5n, status: "ok" }],
  ["at its log's end", 10n, ends(5n, 10n), { lag: 0n, status: "ok" }],
  ["at 0 of an empty log", 0n, ends(0n, 0n), { lag: 0n, status: "ok" }],
  ["below its log's start", 4n, ends(5n, 10n), { lag: 5n, status: "below_log_start" }],
  ["below a log that is empty", 4n, ends(9n, 9n), { lag: 0n, status: "below_log_start" }],
  ["beyond its log's end", 11n, ends(5n, 10n), { lag: 0n, status: "beyond_end" }],
  ["never", undefined, ends(5n, 10n), { lag: undefined, status: "never_committed" }],
  ["never, of an empty log", undefined, ends(0n, 0n), {
    lag: undefined,
    status: "never_committed",
  }],
  ["never, while offline", undefined, "offline", { lag: undefined, status: "never_committed" }],
  ["while offline", 7n, "offline", { lag: undefined, status: "offline" }],
  ["of a topic that is gone", 7n, "deleted", { lag: undefined, status: "deleted" }],
  ["never, of a topic that is gone", undefined, "deleted", { lag: undefined, status: "deleted" }],
];
for (const [what, committed, log, expected] of JUDGED) {
  Deno.test(`lagOf() judges a partition that was committed ${what}`, () => {
    const commits = committed === undefined ? [] : [commit(committed)];
    const { partitions: [one, ...rest] } = lagOf(commits, [PLACE], () => log);
    const end = typeof log === "string" ? undefined : log.end;
    deepEqual(one, { ...PLACE, committed, end, metadata: undefined, ...expected as object });
    equal(rest.length, 0);
  });
}

Deno.test("lagOf() takes a missing commit for neither 0 nor a part of the total", () => {
  const assigned = [PLACE, { topic: "orders", partition: 1 }];
  const { total, neverCommitted, unknown } = lagOf([commit(2n)], assigned, () => ends(0n, 10n));
  deepEqual({ total, neverCommitted, unknown }, { total: 8n, neverCommitted: 1, unknown: 0 });
});

Deno.test("lagOf() has no total when no lag is known", () => {
  const none = { total: undefined, partitions: [], neverCommitted: 0, unknown: 0 };
  deepEqual(lagOf([], [], () => "deleted"), none);
  equal(lagOf([], [PLACE], () => ends(0n, 10n)).total, undefined);
  const { total, unknown } = lagOf([commit(2n)], [], () => "deleted");
  deepEqual({ total, unknown }, { total: undefined, unknown: 1 });
});

Deno.test("lagOf() has a total of 0 when a group has read everything", () => {
  equal(lagOf([commit(10n)], [], () => ends(0n, 10n)).total, 0n);
});

Deno.test("lagOf() judges what is committed and assigned once, with what was left at the commit", () => {
  const left = { ...commit(2n), metadata: "node-1" };
  const { partitions } = lagOf([left], [PLACE, PLACE], () => ends(0n, 10n));
  deepEqual(partitions.map(({ lag, metadata }) => ({ lag, metadata })), [
    { lag: 8n, metadata: "node-1" },
  ]);
});

Deno.test("lagOf() tells most lag first, unknown lag last, else by topic and number", () => {
  const places = [
    { topic: "b", partition: 10 },
    { topic: "b", partition: 9 },
    { topic: "a", partition: 0 },
    { topic: "a", partition: 1 },
    { topic: "a", partition: 2 },
    { topic: "c", partition: 0 },
  ];
  const offsets = [5n, 5n, 5n, 10n, undefined, 0n];
  const commits = places.flatMap((place, at) => {
    const offset = offsets[at];
    return offset === undefined ? [] : [commit(offset, place)];
  });
  const { partitions } = lagOf(commits, places, () => ends(0n, 10n));
  deepEqual(partitions.map(placeKey), ["c/0", "a/0", "b/9", "b/10", "a/1", "a/2"]);
});

Deno.test("lagOf() keeps sums that numbers could not hold", () => {
  const big = 2n ** 60n + 1n;
  const commits = [commit(0n), commit(0n, { topic: "orders", partition: 1 })];
  equal(lagOf(commits, [], () => ends(0n, big)).total, 2n * big);
});

const aPlace = fc.record({
  topic: fc.constantFrom("a", "a-1", "b"),
  partition: fc.integer({ min: 0, max: 12 }),
});
const anOffset = fc.bigInt({ min: 0n, max: 20n });
const someCommits = fc.uniqueArray(
  fc.record({ place: aPlace, offset: anOffset }).map(({ place, offset }) => commit(offset, place)),
  { selector: placeKey },
);
const aLog: fc.Arbitrary<Log> = fc.oneof(
  fc.constantFrom<Log>("offline", "deleted"),
  fc.tuple(anOffset, anOffset).map(([a, b]) => a < b ? ends(a, b) : ends(b, a)),
);
const someLogs = fc.array(aLog, { minLength: 39, maxLength: 39 }).map((logs) => (place: Place) =>
  logs[["a", "a-1", "b"].indexOf(place.topic) * 13 + place.partition]!
);

Deno.test("lagOf() counts the offsets that are kept and not yet read, whatever is given", () => {
  fc.assert(fc.property(someCommits, fc.array(aPlace), someLogs, (commits, assigned, logOf) => {
    for (const one of lagOf(commits, assigned, logOf).partitions) {
      const log = logOf(one);
      if (one.committed === undefined || typeof log === "string") {
        equal(one.lag, undefined);
        continue;
      }
      let unread = 0n;
      for (let at = log.start; at < log.end; at++) if (at >= one.committed) unread++;
      equal(one.lag, unread);
    }
  }));
});

Deno.test("lagOf() tells each partition once, and every one is known, never committed or unknown", () => {
  fc.assert(fc.property(someCommits, fc.array(aPlace), someLogs, (commits, assigned, logOf) => {
    const { partitions, total, neverCommitted, unknown } = lagOf(commits, assigned, logOf);
    const given = new Set([...commits, ...assigned].map(placeKey));
    deepEqual(partitions.map(placeKey).sort(), [...given].sort());
    const known = partitions.flatMap(({ lag }) => lag ?? []);
    equal(known.length + neverCommitted + unknown, partitions.length);
    equal(total, known.length === 0 ? undefined : known.reduce((a, b) => a + b, 0n));
    for (const { committed, topic, partition } of partitions) {
      const own = commits.find((one) => one.topic === topic && one.partition === partition);
      equal(committed, own?.offset);
    }
  }));
});

Deno.test("lagOf() never tells a smaller lag before a larger, nor a known one after an unknown", () => {
  fc.assert(fc.property(someCommits, fc.array(aPlace), someLogs, (commits, assigned, logOf) => {
    const lags = lagOf(commits, assigned, logOf).partitions.map(({ lag }) => lag ?? -1n);
    ok(lags.every((lag, at) => at === 0 || lags[at - 1]! >= lag));
  }));
});

Deno.test("lagOf() does not depend on the order of what it is given", () => {
  fc.assert(fc.property(someCommits, fc.array(aPlace), someLogs, (commits, assigned, logOf) => {
    deepEqual(
      lagOf(commits.toReversed(), assigned.toReversed(), logOf),
      lagOf(commits, assigned, logOf),
    );
  }));
});
