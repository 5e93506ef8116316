/**
 * Calls: one or several exchanges with brokers, in bounded time, again after trouble that passes.
 *
 * @module
 */

import { ResponseError } from "@platformatic/kafka";
import type { Address, Connections, Exchange, Lane, Versions } from "./connect.ts";
import { Closed, Passing, timedOut, unsupported } from "./failures.ts";

/** Exchanges of one call. */
export interface Call {
  /** Aborts when the call's time is over, or the client closes. */
  readonly signal: AbortSignal;
  /** Asks whichever broker answers. */
  any<T>(exchange: Exchange<T>): Promise<T>;
  /** Asks one broker. */
  at<T>(address: Address, lane: Lane, exchange: Exchange<T>): Promise<T>;
  /** Learns where the brokers are, besides those of the settings. */
  learn(addresses: readonly Address[]): void;
  /** Waits. Rejects when the call's time is over. */
  pause(ms: number): Promise<void>;
}

/** Makes calls. */
export interface Calls {
  /**
   * Does the work of a call, from its beginning again after trouble that passes.
   *
   * @param moreMs What the call may take besides what every call may.
   * @throws {ToolError} When the trouble stays, or the time is over.
   */
  call<T>(work: (call: Call) => Promise<T>, moreMs?: number): Promise<T>;
  /** Ends all calls, and starts no more. */
  close(): void;
}

/** What calls are made with. */
export interface CallOptions {
  readonly brokers: readonly Address[];
  readonly timeoutMs: number;
}

/** The first pause before another attempt; each is twice as long as the one before, up to a second. */
const PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/** Brokers that are remembered besides those of the settings. */
const MOST_KNOWN = 100;

/** Prepares calls. */
export function calls(
  { brokers, timeoutMs }: CallOptions,
  connections: Connections,
  contact: (reached: boolean, reason?: string) => void,
): Calls {
  const closing = new AbortController();
  let known: readonly Address[] = [];
  let last = 0;

  const any = async <T>(exchange: Exchange<T>, signal: AbortSignal): Promise<T> => {
    const all = [...brokers, ...known];
    const first = last;
    for (let offset = 0;; offset++) {
      const at = (first + offset) % all.length;
      try {
        const answer = await connections.use(all[at]!, "ask", signal, exchange);
        last = at;
        contact(true);
        return answer;
      } catch (error) {
        if (error instanceof Passing && offset + 1 < all.length) continue;
        if (error instanceof Passing) contact(false, error.told.reason);
        throw error;
      }
    }
  };

  return {
    async call(work, moreMs = 0) {
      const over = new AbortController();
      const timer = setTimeout(() => over.abort(timedOut(timeoutMs + moreMs)), timeoutMs + moreMs);
      const signal = AbortSignal.any([over.signal, closing.signal]);
      const call: Call = {
        signal,
        any: (exchange) => any(exchange, signal),
        at: (address, lane, exchange) =>
          connections.use(address, lane, signal, exchange).catch((error) => {
            // The others elect another one in its place before long.
            throw error instanceof Passing ? new Passing(error.told) : error;
          }),
        learn: (addresses) => {
          known = addresses.slice(0, MOST_KNOWN);
        },
        pause: (ms) => pause(ms, signal),
      };
      try {
        return await patiently(() => work(call), signal);
      } finally {
        clearTimeout(timer);
        // Whatever nobody waits for any more ends.
        over.abort(new Error("Cannot go on: the call is over"));
      }
    },
    close: () => closing.abort(new Closed()),
  };
}

async function patiently<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let attempt = 1;; attempt++) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Passing)) throw error;
      if (attempt >= error.attempts) throw error.told;
      await pause(Math.min(PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS), signal).catch(() => {
        throw error.told;
      });
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const stop = () => reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  });
}

/**
 * The newest of some versions of a request that a broker understands.
 *
 * @param apis Newest first.
 * @throws {ToolError} When it understands none.
 */
export function newest<A extends { readonly key: number; readonly version: number }>(
  versions: Versions,
  apis: readonly [A, ...A[]],
): A {
  const understood = versions.get(apis[0].key) ?? { oldest: 0, newest: -1 };
  const found = apis.find(({ version }) =>
    version <= understood.newest && version >= understood.oldest
  );
  if (found) return found;
  const { oldest, newest } = understood;
  throw unsupported(`request ${apis[0].key} is understood in versions ${oldest} to ${newest}`);
}

/** An answer with all that it says, be it errors: the library throws it when any of its parts is one. */
export async function answered<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ResponseError) return error.response as T;
    throw error;
  }
}
