/**
 * Values that hold until a time, as many as there is room for.
 *
 * What is over is let go of, and not only when room is needed: with each value that comes, all go
 * that are over and were not used since one that is not. It has no timers, and reads no clock of
 * its own, which is why the lifetimes of `lru-cache` are not used.
 *
 * @module
 */

import { LRUCache } from "lru-cache";

/** How much room there is. */
export interface CacheRoom {
  /** How many values. Past those, the one goes that was not used for the longest time. */
  readonly max: number;
  /** How large they may be together. @default {Infinity} */
  readonly maxSize?: number;
}

/** Values by key. */
export interface Cache<V> {
  /** How many are kept, some of which may be over. */
  readonly size: number;
  /** The value, unless it is over. */
  get(key: string): V | undefined;
  /**
   * Keeps a value in place of the one before, if any; one that is over is not kept.
   *
   * @param until Unix seconds.
   * @param size Whole, 1 or more; used where the room has a `maxSize`.
   */
  set(key: string, value: V, until: number, size?: number): void;
  delete(key: string): void;
}

interface Kept<V> {
  readonly value: V;
  readonly since: number;
  readonly until: number;
}

/** Makes an empty cache. @param now Unix seconds. */
export function cache<V>({ max, maxSize }: CacheRoom, now: () => number): Cache<V> {
  const kept = new LRUCache<string, Kept<V>>({
    max,
    ...(maxSize !== undefined && { maxSize }),
  });
  // A clock that was set back would prolong what came before.
  const holds = ({ since, until }: Kept<V>, at: number) => since <= at && at < until;
  const dropLapsed = () => {
    for (const key of kept.rkeys()) {
      if (holds(kept.peek(key)!, now())) return;
      kept.delete(key);
    }
  };
  return {
    get size() {
      return kept.size;
    },
    get(key) {
      const found = kept.get(key);
      if (!found) return undefined;
      if (holds(found, now())) return found.value;
      kept.delete(key);
      return undefined;
    },
    set(key, value, until, size) {
      dropLapsed();
      const since = now();
      if (!(until > since)) kept.delete(key);
      else kept.set(key, { value, since, until }, maxSize === undefined ? {} : { size: size ?? 1 });
    },
    delete: (key) => void kept.delete(key),
  };
}
