/**
 * Judging memory: whether it grows after the warm-up, whatever the garbage collector does.
 *
 * @module
 */

/** Memory at one time. */
export interface Sample {
  /** Seconds since the start. */
  readonly at: number;
  readonly mebibytes: number;
}

/** Which share of a soak warms up: code is compiled and heaps find their size. */
export const WARM_UP_SHARE = 0.3;

/** How long a soak has to be for its memory to be judged, in seconds. */
export const SHORTEST_JUDGED_SECONDS = 300;

/** What may be added to memory while a soak goes on. */
export interface Allowance {
  /** The lowest sample of so many seconds stands for them: what is above it is garbage. */
  readonly spellSeconds: number;
  /** What may be added once, in mebibytes. */
  readonly once: number;
  /** What may be added per minute, in mebibytes. */
  readonly perMinute: number;
}

/**
 * The process, for what is not V8's. How much garbage V8 lets lie before it collects it, and with it
 * the memory that it holds, wanders by tens of mebibytes, which only a longer soak tells from a leak.
 */
export const RESIDENT: Allowance = { spellSeconds: 15, once: 64, perMinute: 0.5 };

/**
 * The values that are in use, which V8 tells when it has collected all garbage: every ten seconds or
 * so at full load. What became garbage while it collected still counts, so the least of a minute does.
 * At a thousand requests in a second, 5 bytes that each of them leaves behind are more.
 */
export const VALUES: Allowance = { spellSeconds: 60, once: 3, perMinute: 0.25 };

/**
 * How much was in use after a collection of all garbage, in mebibytes, where a line of V8's
 * `--trace-gc` tells of one.
 */
export function collectedIn(line: string): number | undefined {
  const [, used] = /Mark-Compact.* -> (\d+\.\d+) \(/.exec(line) ?? [];
  return used === undefined ? undefined : Number(used);
}

/** What came of memory. */
export interface MemoryVerdict {
  readonly isJudged: boolean;
  readonly isSteady: boolean;
  /** The slope of the line through the lows, in mebibytes per minute. */
  readonly perMinute: number;
  /** The largest slope that passes. */
  readonly bound: number;
  readonly first: number;
  readonly last: number;
  readonly peak: number;
}

/** Judges the samples of a soak of `totalSeconds`. */
export function judgeMemory(
  samples: readonly Sample[],
  totalSeconds: number,
  allowance: Allowance,
): MemoryVerdict {
  const from = totalSeconds * WARM_UP_SHARE;
  const lows = lowsOf(samples.filter(({ at }) => at >= from), allowance.spellSeconds);
  const minutes = (totalSeconds - from) / 60;
  const bound = allowance.once / minutes + allowance.perMinute;
  const perMinute = slopeOf(lows) * 60;
  const isJudged = totalSeconds >= SHORTEST_JUDGED_SECONDS;
  return {
    isJudged,
    // A slope that cannot be told is none that passes.
    isSteady: !isJudged || perMinute <= bound,
    perMinute,
    bound,
    first: lows[0]?.mebibytes ?? NaN,
    last: lows.at(-1)?.mebibytes ?? NaN,
    peak: samples.reduce((most, { mebibytes }) => Math.max(most, mebibytes), 0),
  };
}

/** The lowest sample of each spell. */
export function lowsOf(samples: readonly Sample[], spellSeconds: number): readonly Sample[] {
  const spells = Map.groupBy(samples, ({ at }) => Math.floor(at / spellSeconds));
  return [...spells.values()].map((spell) =>
    spell.reduce((low, sample) => sample.mebibytes < low.mebibytes ? sample : low)
  );
}

/**
 * The slope of the line through samples, in mebibytes per second: the median of the slopes between
 * any two of them (Theil and Sen), which up to a quarter of outliers do not move. NaN for fewer
 * than two.
 */
export function slopeOf(samples: readonly Sample[]): number {
  const slopes = samples.flatMap((one, nth) =>
    samples.slice(nth + 1).map((other) => (other.mebibytes - one.mebibytes) / (other.at - one.at))
  ).sort((a, b) => a - b);
  const middle = slopes.length / 2;
  return slopes.length === 0
    ? NaN
    : (slopes[Math.ceil(middle) - 1]! + slopes[Math.floor(middle)]!) / 2;
}
