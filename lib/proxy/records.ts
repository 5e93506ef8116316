/**
 * Rows of the store as values: sealed on the way in, opened on the way out.
 *
 * A row is bound to its key, so that whoever can write to the store cannot put one in another's
 * place. A row that does not open, as after a change of the secret, counts as absent.
 *
 * @module
 */

import type { Seal } from "../seal.ts";
import type { Store } from "../store.ts";

/** A value, and the row as it stands, for replacing exactly that. */
export interface Kept<T> {
  readonly value: T;
  readonly row: string;
}

/** The rows of one kind. */
export interface Records<T> {
  get(id: string): Promise<Kept<T> | undefined>;
  /** Sets a row, whatever was there. @param ttl Seconds. */
  put(id: string, value: T, ttl: number): Promise<void>;
  /** Sets a row where there is none. @returns Whether it was set. */
  add(id: string, value: T, ttl: number): Promise<boolean>;
  /** Sets a row where `kept` still stands. @returns Whether it was set. */
  replace(id: string, kept: Kept<T>, value: T, ttl: number): Promise<boolean>;
  /** Sets a row where one stands that does not open. @returns Whether it was set. */
  supplant(id: string, value: T, ttl: number): Promise<boolean>;
  /** Removes a row. @returns Whether this call removed it. */
  remove(id: string): Promise<boolean>;
}

/**
 * Prepares the access to rows of one kind.
 *
 * @param kind The first part of their keys.
 * @param now Unix seconds.
 */
export function records<T>(
  store: Store,
  seal: Seal,
  kind: string,
  now: () => number,
): Records<T> {
  const keyOf = (id: string) => `${kind}:${id}`;
  const close = (key: string, value: T, ttl: number) => seal.seal([key, value], now() + ttl);
  const look = async (id: string) => {
    const key = keyOf(id);
    const row = await store.get(key);
    const opened = row === undefined ? undefined : await seal.open(row, now());
    const isOurs = Array.isArray(opened) && opened[0] === key;
    return { row, opened: isOurs ? { value: opened[1] as T } : undefined };
  };
  return {
    async get(id) {
      const { row, opened } = await look(id);
      return row === undefined || !opened ? undefined : { value: opened.value, row };
    },
    async put(id, value, ttl) {
      const key = keyOf(id);
      await store.put(key, await close(key, value, ttl), ttl);
    },
    async add(id, value, ttl) {
      const key = keyOf(id);
      return await store.putIfAbsent(key, await close(key, value, ttl), ttl);
    },
    async replace(id, kept, value, ttl) {
      const key = keyOf(id);
      return await store.replace(key, kept.row, await close(key, value, ttl), ttl);
    },
    async supplant(id, value, ttl) {
      const { row, opened } = await look(id);
      const key = keyOf(id);
      return row !== undefined && !opened &&
        await store.replace(key, row, await close(key, value, ttl), ttl);
    },
    async remove(id) {
      return await store.take(keyOf(id)) !== undefined;
    },
  };
}
