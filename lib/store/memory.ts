/**
 * A store in the memory of this process: gone when it ends, and not shared with anyone.
 *
 * It is bounded and forgets nothing before its time: when it is full, what is new is refused. To
 * make room for it, grants that people rely on would have to go.
 *
 * @module
 */

import type { Ports } from "../ports.ts";
import type { Store } from "../store.ts";
import { bounded } from "./bounds.ts";

/** How many entries are kept. */
export const MAX_ENTRIES = 100_000;

/** How long their values may be together, in characters. */
export const MAX_LENGTH = 128 * 1024 * 1024;

/** How long expired entries may stay that nobody asks for, in seconds. */
export const SWEEP_SECONDS = 60;

/** A store that knows how much it holds. */
export interface MemoryStore extends Store {
  /** How many entries it holds, some of them expired. */
  readonly size: number;
}

/** Makes an empty store. What does not fit in rejects. */
export function memory(ports: Pick<Ports, "now">): MemoryStore {
  const { now } = ports;
  const entries = new Map<string, Entry>();
  let length = 0;
  let sweptAt = now();
  // No entry expires before.
  let earliest = Infinity;

  const drop = (key: string, { value }: Entry) => {
    entries.delete(key);
    length -= value.length;
  };
  const live = (key: string): Entry | undefined => {
    const entry = entries.get(key);
    if (!entry || now() < entry.expiresAt) return entry;
    drop(key, entry);
    return undefined;
  };
  // Looks at every entry, but not in vain: a flood of refused entries costs no sweep each.
  const sweep = () => {
    if (now() < earliest) return;
    sweptAt = now();
    earliest = Infinity;
    for (const [key, entry] of entries) {
      if (entry.expiresAt <= sweptAt) drop(key, entry);
      else earliest = Math.min(earliest, entry.expiresAt);
    }
  };
  const fits = (value: string, old: Entry | undefined) =>
    (old !== undefined || entries.size < MAX_ENTRIES) &&
    length - (old?.value.length ?? 0) + value.length <= MAX_LENGTH;
  const set = (key: string, value: string, ttlSeconds: number) => {
    const old = live(key);
    if (!fits(value, old) || now() - sweptAt >= SWEEP_SECONDS) sweep();
    if (!fits(value, old)) throw new Error("Cannot store any more: the memory store is full");
    if (old) drop(key, old);
    const expiresAt = now() + ttlSeconds;
    entries.set(key, { value, expiresAt });
    length += value.length;
    earliest = Math.min(earliest, expiresAt);
  };

  // Each of these runs in one go, which is what makes it atomic.
  const store = bounded({
    get: (key) => live(key)?.value,
    put: set,
    putIfAbsent: (key, value, ttlSeconds) => {
      if (live(key)) return false;
      set(key, value, ttlSeconds);
      return true;
    },
    replace: (key, expected, value, ttlSeconds) => {
      if (live(key)?.value !== expected) return false;
      set(key, value, ttlSeconds);
      return true;
    },
    take: (key) => {
      const entry = live(key);
      if (entry) drop(key, entry);
      return entry?.value;
    },
    ready: () => true,
    close: () => entries.clear(),
  });
  return Object.defineProperty(store, "size", { get: () => entries.size }) as MemoryStore;
}

interface Entry {
  readonly value: string;
  /** Unix seconds. */
  readonly expiresAt: number;
}
