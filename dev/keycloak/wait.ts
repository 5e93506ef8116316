/**
 * Waiting with a bound.
 *
 * @module
 */

const PAUSE_MS = 250;

/** Waits for `promise`, but no longer than `ms` milliseconds. */
export async function within(ms: number, promise: Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, ms);
  await Promise.race([promise, late.promise]).finally(() => clearTimeout(timer));
}

/**
 * Tries until `attempt` yields something.
 *
 * @param what What is waited for, for the message.
 * @throws {Error} When `ms` milliseconds have passed, or as soon as `attempt` throws.
 */
export async function until<T>(
  what: string,
  ms: number,
  attempt: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const deadline = performance.now() + ms;
  while (true) {
    const found = await attempt();
    if (found) return found;
    if (performance.now() > deadline) {
      throw new Error(`Cannot wait longer than ${ms / 1000} s until ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
