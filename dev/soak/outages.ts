/**
 * When the identity provider was away, and what that excuses.
 *
 * @module
 */

/** How long after it answers again what it did may still be felt, in milliseconds. */
export const GRACE_MS = 2_000;

interface Outage {
  readonly from: number;
  to: number;
}

/** The times at which the identity provider could not be asked. All times are of one clock, in milliseconds. */
export class Outages {
  readonly #all: Outage[] = [];

  /** How many there were. */
  get count(): number {
    return this.#all.length;
  }

  /** Whether it is away. */
  get isOne(): boolean {
    return this.#all.at(-1)?.to === Infinity;
  }

  /** It goes away. To be called before it does. */
  begin(now: number): void {
    this.#all.push({ from: now, to: Infinity });
  }

  /** It answers again. */
  end(now: number): void {
    this.#all.at(-1)!.to = now;
  }

  /** Whether something that took from `from` to `to` may have failed because of one. */
  excuses(from: number, to: number): boolean {
    return this.#all.some((outage) => from <= outage.to + GRACE_MS && to >= outage.from);
  }
}

/** When outages begin and how long they are, in seconds from the start. */
export interface Planned {
  readonly at: number;
  readonly seconds: number;
}

/**
 * Spreads outages of 10 to 20 seconds over a soak, one in two minutes, with time to recover after
 * each. A soak that is too short for that has one, of a quarter of its time.
 */
export function planned(totalSeconds: number): readonly Planned[] {
  const count = Math.max(1, Math.floor(totalSeconds / 120));
  const spell = totalSeconds / count;
  return Array.from({ length: count }, (_, nth) => ({
    at: (nth + 0.4) * spell,
    seconds: Math.min(10 + 10 * nth / Math.max(1, count - 1), spell / 4),
  }));
}
