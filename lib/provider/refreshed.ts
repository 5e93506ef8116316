/**
 * A value that comes from elsewhere and is kept: fresh for a while, renewed behind the scenes, and
 * used on when its source is down.
 *
 * @module
 */

/** Settings of {@linkcode refreshed}. */
export interface RefreshOptions {
  /** Unix seconds. */
  readonly now: () => number;
  /** After how many seconds a value is renewed. */
  readonly freshSeconds: number;
  /** How many seconds lie between two attempts at least, however often a renewal is asked for. */
  readonly coolDownSeconds: number;
  /** The same, while there is no value yet. */
  readonly retrySeconds: number;
  /** Hears of failed attempts. */
  readonly onError: (error: unknown) => void;
}

/** A kept value. */
export interface Refreshed<T> {
  /** The value, be it stale. Rejects when there never was one and it cannot be had now. */
  get(): Promise<T>;
  /**
   * The value after an attempt to renew it, or the one at hand within the cool-down. Rejects when
   * the last attempt failed, so that nobody takes a stale value for the latest.
   */
  renew(): Promise<T>;
}

/** Prepares the keeping of what `load` yields. Nothing is loaded before it is asked for. */
export function refreshed<T>(load: () => Promise<T>, options: RefreshOptions): Refreshed<T> {
  const { now, freshSeconds, coolDownSeconds, retrySeconds, onError } = options;
  let kept: { value: T; since: number } | undefined;
  let flight: Promise<T> | undefined;
  let lastAttempt = -Infinity;
  let lastError: unknown;

  const attempt = (): Promise<T> => {
    if (flight) return flight;
    lastAttempt = now();
    flight = load().then((value) => {
      kept = { value, since: now() };
      lastError = undefined;
      return value;
    }, (error) => {
      lastError = error;
      onError(error);
      throw error;
    }).finally(() => flight = undefined);
    return flight;
  };
  const isCoolingDown = () => now() - lastAttempt < (kept ? coolDownSeconds : retrySeconds);

  const get = (): Promise<T> => {
    if (!kept) return flight ?? (isCoolingDown() ? Promise.reject(lastError) : attempt());
    // A failure is known to `onError` already, and the value at hand is good enough.
    if (now() - kept.since >= freshSeconds && !isCoolingDown()) attempt().catch(() => {});
    return Promise.resolve(kept.value);
  };
  return {
    get,
    renew: () => {
      if (flight || !isCoolingDown()) return attempt();
      return lastError === undefined ? get() : Promise.reject(lastError);
    },
  };
}
