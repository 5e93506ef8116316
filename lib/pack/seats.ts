/**
 * Seats, of which there are few: who comes first sits first.
 *
 * @module
 */

/** Some seats, and who waits for one. */
export interface Seats {
  free: number;
  readonly waiting: (() => void)[];
}

/** Waits for a seat, which is to be given back. @throws The signal's reason, when that aborts. */
export async function seat(seats: Seats, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (seats.free > 0 && seats.waiting.length === 0) {
    seats.free--;
    return;
  }
  const called = Promise.withResolvers<void>();
  const call = () => {
    seats.free--;
    called.resolve();
  };
  const leave = () => {
    const at = seats.waiting.indexOf(call);
    if (at < 0) return;
    seats.waiting.splice(at, 1);
    called.reject(signal.reason);
  };
  seats.waiting.push(call);
  signal.addEventListener("abort", leave, { once: true });
  await called.promise.finally(() => signal.removeEventListener("abort", leave));
}

/** Gives a seat back. */
export function unseat(seats: Seats): void {
  seats.free++;
  seats.waiting.shift()?.();
}
