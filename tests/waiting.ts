/**
 * Waiting, but not for ever; and deadlines that come when a test says so.
 *
 * @module
 */

/** Waits for `promise`. @throws {Error} When it takes longer than `deadlineMs`. */
export async function within<T>(deadlineMs: number, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const error = new Error(`Cannot wait longer than ${deadlineMs} ms`);
  const timer = setTimeout(() => late.reject(error), deadlineMs);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Lets everything run that waits for nothing but its turn. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

/** Runs `body` with deadlines that come when the test says so. */
export async function withDeadlines(
  body: (deadlines: { readonly asked: number[]; pass(): void }) => Promise<void>,
): Promise<void> {
  const original = AbortSignal.timeout;
  const controller = new AbortController();
  const asked: number[] = [];
  AbortSignal.timeout = (ms) => (asked.push(ms), controller.signal);
  try {
    await body({
      asked,
      pass: () => controller.abort(new DOMException("Signal timed out.", "TimeoutError")),
    });
  } finally {
    AbortSignal.timeout = original;
  }
}

/** Never answers; lets go when the signal says so, as the host's `fetch` does. */
export function hanging({ signal }: Request): Promise<Response> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}
