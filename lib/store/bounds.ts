/**
 * What all stores have in common: what they refuse to take, and that they end.
 *
 * @module
 */

import { MAX_KEY_LENGTH, MAX_VALUE_BYTES, type Store } from "../store.ts";

/** A store that may answer at once and throw, and that is only told what is within the bounds. */
export type Machinery = {
  [Name in keyof Store]: (
    ...args: Parameters<Store[Name]>
  ) => ReturnType<Store[Name]> | Awaited<ReturnType<Store[Name]>>;
};

/**
 * Makes a store of its machinery.
 *
 * It rejects with a `RangeError` on a key that is not 1 to {@linkcode MAX_KEY_LENGTH} printable
 * ASCII characters, on a value longer than {@linkcode MAX_VALUE_BYTES} or with half a surrogate
 * pair, which UTF-8 would turn into another text, and on a lifetime that is not a whole number of
 * seconds. Once it was closed, it rejects whatever is asked.
 */
export function bounded(machinery: Machinery): Store {
  let closed: Promise<void> | undefined;
  const check = (key: string, values: readonly string[], ttlSeconds = 1) => {
    if (closed) throw new Error("Cannot use a store that is closed");
    checkKey(key);
    values.forEach(checkValue);
    checkLifetime(ttlSeconds);
  };
  return {
    async get(key) {
      check(key, []);
      return await machinery.get(key);
    },
    async put(key, value, ttlSeconds) {
      check(key, [value], ttlSeconds);
      await machinery.put(key, value, ttlSeconds);
    },
    async putIfAbsent(key, value, ttlSeconds) {
      check(key, [value], ttlSeconds);
      return await machinery.putIfAbsent(key, value, ttlSeconds);
    },
    async replace(key, expected, value, ttlSeconds) {
      check(key, [expected, value], ttlSeconds);
      return await machinery.replace(key, expected, value, ttlSeconds);
    },
    async take(key) {
      check(key, []);
      return await machinery.take(key);
    },
    async ready() {
      try {
        return !closed && await machinery.ready();
      } catch {
        return false;
      }
    },
    close: () => closed ??= (async () => await machinery.close())(),
  };
}

function checkKey(key: string): void {
  if (key.length <= MAX_KEY_LENGTH && /^[\x20-\x7e]+$/.test(key)) return;
  throw new RangeError(
    `Cannot use a key of ${key.length} characters: 1 to 200 in ASCII are allowed`,
  );
}

function checkValue(value: string): void {
  if (value.length > MAX_VALUE_BYTES || ENCODER.encode(value).length > MAX_VALUE_BYTES) {
    throw new RangeError("Cannot use a value that is longer than 64 KiB");
  }
  if (!value.isWellFormed()) throw new RangeError("Cannot use a value that is not well-formed");
}

function checkLifetime(seconds: number): void {
  if (Number.isSafeInteger(seconds) && seconds >= 1) return;
  throw new RangeError(`Cannot keep a value for ${seconds} seconds`);
}

const ENCODER = new TextEncoder();
