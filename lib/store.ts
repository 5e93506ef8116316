/**
 * Where proxy mode keeps what must outlive a request: texts under keys, each with an expiry.
 *
 * What is stored is sealed before it comes here; a store neither reads nor protects values. All
 * replicas of a server share one store, so each operation is atomic across them. Failing machinery
 * rejects, and whoever asked then refuses.
 *
 * @module
 */

/** Keeps texts for a while. */
export interface Store {
  /** The value, unless it is absent or expired. */
  get(key: string): Promise<string | undefined>;
  /** Sets a value, whatever was there. @param ttlSeconds Whole, 1 or more. */
  put(key: string, value: string, ttlSeconds: number): Promise<void>;
  /** Sets a value where there is none. @returns Whether it was set. */
  putIfAbsent(key: string, value: string, ttlSeconds: number): Promise<boolean>;
  /**
   * Sets a value where `expected` stands, byte for byte.
   *
   * @returns Whether it was set: not when the value is another, absent or expired.
   */
  replace(key: string, expected: string, value: string, ttlSeconds: number): Promise<boolean>;
  /** Removes a value and yields it: of any number of callers, one gets it. */
  take(key: string): Promise<string | undefined>;
  /** Whether it can be used now. Never rejects. */
  ready(): Promise<boolean>;
  /** Lets go of what it holds. */
  close(): Promise<void>;
}

/** Longest key, in characters; keys are printable ASCII. */
export const MAX_KEY_LENGTH = 200;

/** Longest value, in bytes of UTF-8. */
export const MAX_VALUE_BYTES = 64 * 1024;
