/**
 * Server-sent events: writing them, and keeping long streams within bounds.
 *
 * @module
 */

import type { JSONRPCMessage } from "@modelcontextprotocol/server";
import { isEventStream } from "../delivery.ts";
import { type Identity, principalOf } from "../identity.ts";

/** How often a silent stream shows that it is alive, in milliseconds. */
export const KEEP_ALIVE_MS = 15_000;

/** How many long streams one caller may hold. */
export const STREAMS_PER_CALLER = 16;

/** How much may wait to be read before offers are dropped, in bytes. */
export const MAX_UNREAD_BYTES = 1024 * 1024;

/** An event stream being written. */
export interface EventStream {
  readonly response: Response;
  /** Writes one message. Does nothing once the stream has ended. */
  send(message: JSONRPCMessage): void;
  /** Writes one message, unless the client is so far behind that it can do without. */
  offer(message: JSONRPCMessage): void;
  end(): void;
}

const ENCODER = new TextEncoder();
const KEEP_ALIVE = ENCODER.encode(": keepalive\n\n");

/** Opens a stream. `onLeave` is called when the client goes away before {@linkcode EventStream.end}. */
export function eventStream(onLeave: () => void): EventStream {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start: (own) => void (controller = own),
    cancel: () => {
      stop();
      onLeave();
    },
  }, new ByteLengthQueuingStrategy({ highWaterMark: MAX_UNREAD_BYTES }));
  const timer = setInterval(() => controller?.enqueue(KEEP_ALIVE), KEEP_ALIVE_MS);
  const stop = () => {
    clearInterval(timer);
    controller = undefined;
  };
  const send = (message: JSONRPCMessage) =>
    controller?.enqueue(ENCODER.encode(`event: message\ndata: ${JSON.stringify(message)}\n\n`));
  return {
    response: new Response(body, {
      headers: {
        "content-type": "text/event-stream",
        "cache-control": "no-store, no-transform",
        "x-accel-buffering": "no",
      },
    }),
    send,
    offer: (message) => {
      if ((controller?.desiredSize ?? 0) > 0) send(message);
    },
    end: () => {
      controller?.close();
      stop();
    },
  };
}

/** Keeps streams that stay open by design within bounds. */
export interface LongStreams {
  /** How many are open or about to be. */
  readonly size: number;
  /**
   * Keeps a place for one more stream of the caller, or yields `undefined` when all are taken.
   *
   * @returns Gives the place back; call it once the stream is held, or was not opened.
   */
  reserve(identity: Identity | undefined): (() => void) | undefined;
  /**
   * Counts a response that is an event stream until it ends, and ends it when the caller's token
   * expires. Other responses pass unchanged.
   *
   * @param onEnd Called once when a counted stream ends, for whatever reason.
   */
  hold(response: Response, identity: Identity | undefined, onEnd?: () => void): Response;
}

// Timers take a 32-bit count of milliseconds.
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Starts counting. @param now Unix seconds. */
export function longStreams(now: () => number): LongStreams {
  const open = new Map<string, number>();
  let size = 0;
  const count = (principal: string, by: 1 | -1) => {
    size += by;
    const left = (open.get(principal) ?? 0) + by;
    if (left > 0) open.set(principal, left);
    else open.delete(principal);
  };
  return {
    get size() {
      return size;
    },
    reserve: (identity) => {
      const principal = principalOf(identity);
      if ((open.get(principal) ?? 0) >= STREAMS_PER_CALLER) return undefined;
      count(principal, 1);
      return () => count(principal, -1);
    },
    hold: (response, identity, onEnd) => {
      if (!response.body || !isEventStream(response)) return response;
      const principal = principalOf(identity);
      count(principal, 1);
      const left = () => identity ? identity.expiresAt - now() : Infinity;
      const body = until(response.body, left, () => {
        count(principal, -1);
        onEnd?.();
      });
      return new Response(body, response);
    },
  };
}

function until(
  source: ReadableStream<Uint8Array>,
  secondsLeft: () => number,
  onEnd: () => void,
): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  let ended = false;
  const end = () => {
    if (ended) return;
    ended = true;
    clearTimeout(timer);
    onEnd();
  };
  let close = () => {};
  let timer: ReturnType<typeof setTimeout> | undefined;
  const watch = () => {
    const leftMs = secondsLeft() * 1000;
    if (leftMs === Infinity) return;
    timer = setTimeout(() => {
      if (leftMs > LONGEST_TIMER_MS) return watch();
      reader.cancel("The token has expired").catch(() => {});
      close();
    }, Math.min(Math.max(0, leftMs), LONGEST_TIMER_MS));
  };
  watch();
  return new ReadableStream({
    start: (controller) => {
      close = () => {
        if (ended) return;
        end();
        controller.close();
      };
    },
    pull: async (controller) => {
      try {
        const { done, value } = await reader.read();
        if (done) close();
        else if (!ended) controller.enqueue(value);
      } catch (error) {
        end();
        controller.error(error);
      }
    },
    cancel: async (reason) => {
      end();
      await reader.cancel(reason);
    },
  });
}
