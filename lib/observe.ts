/**
 * What every request has, whatever answers it: a log of its own, common headers on the answer, a
 * plain 500 where the program crashed, and a plain 503 where too many are open.
 *
 * @module
 */

import { LRUCache } from "lru-cache";
import type { HttpConfig } from "./config.ts";
import { crowd } from "./crowd.ts";
import { forwarded } from "./forwarded.ts";
import { type Handler, pathOf, plain } from "./http.ts";
import { clientOf } from "./limit.ts";
import type { Ports } from "./ports.ts";
import { tracer } from "./trace.ts";

// Pages bring their own policies, which are as strict as a page can be.
const DEFAULT_HEADERS: readonly (readonly [string, string])[] = [
  ["x-content-type-options", "nosniff"],
  ["content-security-policy", "default-src 'none'; frame-ancestors 'none'"],
  ["referrer-policy", "no-referrer"],
  ["cache-control", "no-store"],
];

/**
 * How many requests may be open at once, and how many of one client's address or IPv6 /64. An answer
 * that nobody reads is open, and a few connections of HTTP/2 carry thousands of them.
 *
 * What anybody may ask has room of its own, so that strangers take none from callers.
 */
export const ROOMS = {
  callers: { most: 4000, mostOfEach: 1000 },
  strangers: { most: 1000, mostOfEach: 100 },
} as const;

/** How many addresses are known without being read again. */
const READ_ADDRESSES = 1000;

/** Asked by whoever restarts what does not answer; a crowd would only come again. */
const SPARED = "/healthz";

/** The paths that something is served at. */
export interface Paths {
  readonly served: ReadonlySet<string>;
  /** Those whose answers are in the room of callers. */
  readonly callers: ReadonlySet<string>;
}

/**
 * Gives each request its trace and each response its common headers; turns a crash into a 500, and
 * where as many are open as {@linkcode ROOMS} allow, a request into a 503, or a 429 if its own
 * address has that many.
 */
export function observe(
  next: Handler,
  ports: Ports,
  { publicUrl, trustedProxies }: HttpConfig,
  { served, callers }: Paths,
): (request: Request, remote?: string, completed?: Promise<void>) => Promise<Response> {
  const { meter, spans, elapsedMs } = ports;
  const open = tracer(ports);
  const addressOf = forwarded(trustedProxies);
  const secure = publicUrl.protocol === "https:";
  // Reading an address takes longer than much else that a request needs.
  const clients = new LRUCache<string, string>({ max: READ_ADDRESSES, memoMethod: clientOf });
  const rooms = { callers: crowd(ROOMS.callers), strangers: crowd(ROOMS.strangers) };
  return async (request, remote = "", completed = Promise.resolve()) => {
    const started = elapsedMs();
    const path = pathOf(request.url);
    if (served.has(path)) spans.route(request.method, path);
    const from = addressOf(remote, request.headers.get("x-forwarded-for"));
    const trace = open(from, completed);
    const client = clients.memo(from);
    const room = callers.has(path) ? rooms.callers : rooms.strangers;
    const crowded = room.enter(client);
    const leave = () => {
      if (!crowded) room.leave(client);
    };
    completed.then(leave, leave);
    let response: Response;
    try {
      response = !crowded || path === SPARED ? await next(request, trace) : TURN_AWAY[crowded]();
    } catch (error) {
      trace.log("error", "request failed", { error: String(error) });
      response = plain(500, `Something went wrong; the log tells what under request ${trace.id}`);
    }
    if (crowded === "share taken") meter.limited("open");
    const { headers, status } = response;
    headers.set("x-request-id", trace.id);
    for (const [name, value] of DEFAULT_HEADERS) if (!headers.has(name)) headers.set(name, value);
    if (secure) headers.set("strict-transport-security", "max-age=31536000");
    meter.request(path, request.method, status, (elapsedMs() - started) / 1000);
    const address = trace.address || undefined;
    trace.close("info", "request", { method: request.method, path, status, address });
    return response;
  };
}

const TURN_AWAY = {
  "full": () => later(503, "Too many requests are open; try again in a moment"),
  "share taken": () => later(429, "Too many requests of this address are open; close some"),
};

function later(status: number, text: string): Response {
  return plain(status, text, { "retry-after": "5" });
}
