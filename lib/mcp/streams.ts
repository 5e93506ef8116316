/**
 * Server-sent events: writing them, and keeping long streams within bounds.
 *
 * @module
 */

import type { JSONRPCMessage } from "@modelcontextprotocol/server";
import { type Identity, principalOf } from "../identity.ts";

/** How often a silent stream shows that it is alive, in milliseconds. */
export const KEEP_ALIVE_MS = 15_000;

/** How many long streams one caller may hold. */
export const STREAMS_PER_CALLER = 16;

/** An event stream being written. */
export interface EventStream {
  readonly response: Response;
  /** Writes one message. Does nothing once the stream has ended. */
  send(message: JSONRPCMessage): void;
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
  });
  const timer = setInterval(() => controller?.enqueue(KEEP_ALIVE), KEEP_ALIVE_MS);
  const stop = () => {
    clearInterval(timer);
    controller = undefined;
  };
  return {
    response: new Response(body, {
      headers: {
        "content-type": "text/event-stream",
        "cache-control": "no-store, no-transform",
        "x-accel-buffering": "no",
      },
    }),
    send: (message) =>
      controller?.enqueue(ENCODER.encode(`event: message\ndata: ${JSON.stringify(message)}\n\n`)),
    end: () => {
      controller?.close();
      stop();
    },
  };
}

/** Whether a response is an event stream. */
export function isEventStream(response: Response): boolean {
  return response.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
}

/** Keeps streams that stay open by design within bounds. */
export interface LongStreams {
  /** Whether the caller may open one more. */
  admits(identity: Identity | undefined): boolean;
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
  const count = (principal: string, by: 1 | -1) => {
    const left = (open.get(principal) ?? 0) + by;
    if (left > 0) open.set(principal, left);
    else open.delete(principal);
  };
  return {
    admits: (identity) => (open.get(principalOf(identity)) ?? 0) < STREAMS_PER_CALLER,
    hold: (response, identity, onEnd) => {
      if (!response.body || !isEventStream(response)) return response;
      const principal = principalOf(identity);
      count(principal, 1);
      const leftMs = identity ? (identity.expiresAt - now()) * 1000 : Infinity;
      const body = until(response.body, leftMs, () => {
        count(principal, -1);
        onEnd?.();
      });
      return new Response(body, response);
    },
  };
}

function until(
  source: ReadableStream<Uint8Array>,
  leftMs: number,
  onEnd: () => void,
): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  // Cancelling the source makes the pending read report the end, which closes this side.
  const expire = () => void reader.cancel("The token has expired");
  const timer = leftMs > LONGEST_TIMER_MS ? undefined : setTimeout(expire, Math.max(0, leftMs));
  const end = () => {
    clearTimeout(timer);
    onEnd();
  };
  return new ReadableStream({
    pull: async (controller) => {
      const { done, value } = await reader.read();
      if (value) controller.enqueue(value);
      if (!done) return;
      end();
      controller.close();
    },
    cancel: async (reason) => {
      end();
      await reader.cancel(reason);
    },
  });
}
