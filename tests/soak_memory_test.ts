import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import {
  collectedIn,
  judgeMemory,
  lowsOf,
  RESIDENT,
  type Sample,
  SHORTEST_JUDGED_SECONDS,
  slopeOf,
  VALUES,
} from "../dev/soak/memory.ts";

/** Samples of ten minutes, one in two seconds. */
function samplesOf(mebibytesAt: (minutes: number, nth: number) => number): readonly Sample[] {
  return Array.from({ length: 300 }, (_, nth) => ({
    at: nth * 2,
    mebibytes: mebibytesAt(nth / 30, nth),
  }));
}

/** What a garbage collector leaves and takes, in mebibytes. */
const sawtooth = (nth: number) => (nth % 7) * 10;

const MEMORIES: readonly (readonly [string, readonly Sample[], boolean])[] = [
  ["stays", samplesOf(() => 200), true],
  ["stays under garbage", samplesOf((_, nth) => 200 + sawtooth(nth)), true],
  [
    "grows while it warms up",
    samplesOf((m, nth) => 100 + 60 * Math.min(m, 3) + sawtooth(nth)),
    true,
  ],
  ["shrinks", samplesOf((m, nth) => 300 - 10 * m + sawtooth(nth)), true],
  ["jumps for a moment", samplesOf((m) => m > 6 && m < 6.6 ? 900 : 200), true],
  ["grows within the bound", samplesOf((m) => 200 + 2 * m), true],
  ["grows past the bound", samplesOf((m) => 200 + 12 * m), false],
  [
    "grows past the bound under garbage",
    samplesOf((m, nth) => 200 + 12 * m + sawtooth(nth)),
    false,
  ],
  ["grows late", samplesOf((m) => 200 + 30 * Math.max(0, m - 5)), false],
  ["was never read", [], false],
  ["was read once", [{ at: 500, mebibytes: 200 }], false],
];

for (const [how, samples, isSteady] of MEMORIES) {
  Deno.test(`judgeMemory() ${isSteady ? "passes" : "fails"} memory that ${how}`, () => {
    const verdict = judgeMemory(samples, 600, RESIDENT);
    equal(verdict.isJudged, true);
    equal(verdict.isSteady, isSteady, `${verdict.perMinute} of ${verdict.bound}`);
  });
}

Deno.test("judgeMemory() sees values that stay behind under what became garbage meanwhile", () => {
  const judged = (grown: number) =>
    judgeMemory(samplesOf((m, nth) => 30 + grown * m + nth % 4), 600, VALUES).isSteady;
  equal(judged(0), true);
  equal(judged(0.5), true);
  equal(judged(0.8), false);
});

Deno.test("collectedIn() reads what V8 says after a collection of all garbage, and no other line", () => {
  const line = (what: string) =>
    `[8636:0x55f11514d000]   232892 ms: ${what} 112.4 (171.1) -> 29.2 (167.8) MB, pooled: 3.2 MB, 8.84 / 0.00 ms`;
  equal(collectedIn(line("Mark-Compact")), 29.2);
  equal(collectedIn(line("Incremental Mark-Compact")), 29.2);
  equal(collectedIn(line("Mark-Compact (reduce)")), 29.2);
  equal(collectedIn(line("Scavenge")), undefined);
  equal(collectedIn("Mark-Compact"), undefined);
});

Deno.test("judgeMemory() does not judge a soak that is too short, and says so", () => {
  const leak = samplesOf((m) => 200 + 500 * m);
  const { isJudged, isSteady } = judgeMemory(leak, SHORTEST_JUDGED_SECONDS - 1, RESIDENT);
  deepEqual([isJudged, isSteady], [false, true]);
  equal(judgeMemory(leak, SHORTEST_JUDGED_SECONDS, RESIDENT).isSteady, false);
});

Deno.test("slopeOf() is that of the line, whatever a quarter of the samples say", () => {
  const line = Array.from({ length: 20 }, (_, at) => ({ at, mebibytes: 5 + 3 * at }));
  equal(slopeOf(line), 3);
  equal(slopeOf(line.map((one) => one.at % 5 === 2 ? { ...one, mebibytes: 1e6 } : one)), 3);
  equal(slopeOf(line.toReversed()), 3);
  equal(slopeOf([{ at: 0, mebibytes: 1 }, { at: 2, mebibytes: 2 }]), 0.5);
  ok(Number.isNaN(slopeOf(line.slice(0, 1))));
});

Deno.test("lowsOf() keeps the lowest of each spell", () => {
  const samples = [[0, 9], [2, 4], [14, 8], [15, 7], [29, 3], [31, 5]];
  deepEqual(
    lowsOf(samples.map(([at, mebibytes]) => ({ at: at!, mebibytes: mebibytes! })), 15)
      .map(({ at }) => at),
    [2, 29, 31],
  );
});
