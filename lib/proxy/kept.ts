/**
 * What strangers make this server fetch, kept: for as long as it may be, in bounded number, and
 * never fetched again as fast as they ask.
 *
 * A value that has run out is gone; it does not stand in for one that cannot be had. A failure is
 * remembered for moments only, so that it is not provoked in a loop.
 *
 * @module
 */

import { LRUCache } from "lru-cache";
import type { Failure } from "./visit.ts";

/** How long a failure is remembered, in seconds. */
export const FAILURE_SECONDS = 10;

/** How long a value that has run out stands in for one that cannot be had, in seconds (RFC 5861). */
export const STALE_SECONDS = 86_400;

/** How old a value is before it is fetched again early, in seconds. */
export const COOL_DOWN_SECONDS = 60;

/** A fetched value and how many seconds it may be kept, or why there is none. */
export type Loaded<T> =
  | { readonly ok: true; readonly value: T; readonly seconds: number }
  | Failure;

/** A kept value, or why there is none. */
export type Kept<T> = { readonly ok: true; readonly value: T } | Failure;

/** Settings of {@linkcode kept}. */
export interface KeptOptions<T> {
  /** Unix seconds. */
  readonly now: () => number;
  /** How many values are kept, and as many failures. */
  readonly max: number;
  readonly load: (key: string) => Promise<Loaded<T>>;
}

/**
 * The value for `key`.
 *
 * @param key What to load it by.
 * @param fresh Whether the value at hand lacks something: it is loaded again, unless it is younger
 * than {@linkcode COOL_DOWN_SECONDS}. When that fails for good the value at hand is dropped.
 */
export type Keep<T> = (key: string, fresh?: boolean) => Promise<Kept<T>>;

/** Prepares the keeping of what `load` yields. Rejects when `load` does. */
export function kept<T>({ now, max, load }: KeptOptions<T>): Keep<T> {
  const values = new LRUCache<string, { value: T; since: number; until: number }>({ max });
  const failures = new LRUCache<string, { failure: Failure; until: number }>({ max });
  const flights = new Map<string, Promise<Kept<T>>>();

  const fetch = async (key: string, fresh: boolean): Promise<Kept<T>> => {
    const loaded = await load(key);
    const since = now();
    if (!loaded.ok) {
      failures.set(key, { failure: loaded, until: since + FAILURE_SECONDS });
      const old = values.get(key);
      if (!loaded.retryable) values.delete(key);
      else if (old && !fresh && since - old.until < STALE_SECONDS) {
        return { ok: true, value: old.value };
      }
      return loaded;
    }
    const { value, seconds } = loaded;
    values.set(key, { value, since, until: since + seconds });
    return { ok: true, value };
  };
  return (key, fresh = false) => {
    const hit = values.get(key);
    const isGood = hit !== undefined && hit.until > now() &&
      (!fresh || now() - hit.since < COOL_DOWN_SECONDS);
    if (isGood) return Promise.resolve({ ok: true, value: hit.value });
    const failed = failures.get(key);
    if (failed && failed.until > now()) {
      const isStandIn = hit && !fresh && failed.failure.retryable &&
        now() - hit.until < STALE_SECONDS;
      return Promise.resolve(isStandIn ? { ok: true, value: hit.value } : failed.failure);
    }
    const under = flights.get(key);
    if (under) return under;
    const flight = fetch(key, fresh).finally(() => flights.delete(key));
    flights.set(key, flight);
    return flight;
  };
}
