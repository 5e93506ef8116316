/**
 * What a soak has seen so far.
 *
 * @module
 */

import type { Counts } from "./counts.ts";

/** How many kinds of wrongs are told apart. */
const MOST_WRONGS = 50;

/** Takes notes of what clients saw, under the names that the server counts it. */
export class Watch {
  readonly #counts = new Map<string, number>();
  readonly #done = new Map<string, number>();
  readonly #excused = new Map<string, number>();
  readonly #wrongs = new Map<string, number>();
  /** How long calls took, in milliseconds. */
  readonly latencies: number[] = [];

  /** Something that the server has to have counted as well. */
  count(series: string): void {
    add(this.#counts, series);
  }

  /** Something that a client or a stranger did, and was answered as it should be. */
  did(what: string): void {
    add(this.#done, what);
  }

  /** Something that failed as it may while the identity provider is away. */
  excused(what: string): void {
    add(this.#excused, what);
  }

  /** Something that should not have been. Numbers and ids in `what` make no kind of its own. */
  wrong(what: string): void {
    const kind = what.replaceAll(/[\w-]{20,}/g, "…").slice(0, 400);
    const isRoom = this.#wrongs.has(kind) || this.#wrongs.size < MOST_WRONGS;
    add(this.#wrongs, isRoom ? kind : "and other wrongs");
  }

  get counts(): Counts {
    return this.#counts;
  }
  get done(): Counts {
    return this.#done;
  }
  get excuses(): Counts {
    return this.#excused;
  }
  get wrongs(): Counts {
    return this.#wrongs;
  }
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
