/**
 * The fetch-style vocabulary: a handler answers, a gate admits or refuses, a route table chooses.
 *
 * @module
 */

import type { Trace } from "./trace.ts";

/** Answers a request. The trace is the request's own log. */
export type Handler = (request: Request, trace: Trace) => Response | Promise<Response>;

/** Yields a value for an admitted request, or the refusal to send back. */
export type Gate<T> = (request: Request, trace: Trace) => T | Response | Promise<T | Response>;

/** Handlers of one path by HTTP method. */
export type Methods = Readonly<Partial<Record<"GET" | "POST" | "DELETE" | "OPTIONS", Handler>>>;

/** Runs `next` with what `gate` admits; otherwise sends the refusal. */
export function guard<T>(
  gate: Gate<T>,
  next: (request: Request, trace: Trace, admitted: T) => Response | Promise<Response>,
): Handler {
  return async (request, trace) => {
    const admitted = await gate(request, trace);
    return admitted instanceof Response ? admitted : next(request, trace, admitted);
  };
}

/**
 * Chooses a handler by exact path, then by method.
 *
 * `HEAD` is answered by `GET` without its body. Unknown paths get 404, known paths with another
 * method 405 with `Allow` (RFC 9110 section 15.5.6). Paths are compared as sent: no decoding, no
 * dot segments beyond what the URL parser of the host resolved, no trailing slash.
 */
export function routes(table: Iterable<readonly [path: string, methods: Methods]>): Handler {
  const paths = new Map<string, { methods: Methods; allow: string }>();
  for (const [path, methods] of table) {
    const names = Object.keys(methods).flatMap((name) => name === "GET" ? ["GET", "HEAD"] : [name]);
    paths.set(path, { methods, allow: names.join(", ") });
  }
  return async (request, trace) => {
    const route = paths.get(pathOf(request.url));
    if (!route) return plain(404, "Nothing is served at this path");
    const head = request.method === "HEAD";
    const method = head ? "GET" : request.method;
    const handler = Object.hasOwn(route.methods, method)
      ? route.methods[method as keyof Methods]
      : undefined;
    if (!handler) {
      return plain(405, `This path answers ${route.allow}`, { allow: route.allow });
    }
    const response = await handler(request, trace);
    return head ? new Response(null, response) : response;
  };
}

/** The path of an absolute URL as it stands, without building a `URL`. */
export function pathOf(url: string): string {
  const authority = url.indexOf("://") + 3;
  const start = url.indexOf("/", authority);
  if (start === -1) return "/";
  const end = url.slice(start).search(/[?#]/);
  return end === -1 ? url.slice(start) : url.slice(start, start + end);
}

/** A short text answer for people and scripts. */
export function plain(
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(`${text}\n`, {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", ...headers },
  });
}

/** A JSON-RPC error; without an id it answers no particular request. */
export function rpcError(
  status: number,
  code: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
  id: unknown = null,
): Response {
  return Response.json({ jsonrpc: "2.0", id, error: { code, message } }, { status, headers });
}

/** The media type of a body without its parameters, in lower case; empty when it is not told. */
export function mediaTypeOf({ headers }: Request): string {
  return (headers.get("content-type") ?? "").split(";")[0]!.trim().toLowerCase();
}

/** A body that was read, or why it was not. */
export type Body =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly reason: "too large" | "too slow" | "not UTF-8" | "broken" };

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/**
 * How much of a body that is too large is read all the same, and dropped, in limits: a proxy that is
 * not done with sending takes an early answer for a failure, and its client would not hear why.
 */
const READ_LIMITS = 2;

/** How long the rest of such a body may take, in milliseconds. */
const REST_MS = 1000;

/**
 * Reads a request body as strict UTF-8.
 *
 * @param limit Largest accepted size, in bytes. One that is declared to be more than twice as large is
 * refused unread.
 * @param deadlineMs How long the whole body may take.
 */
export async function readBody(request: Request, limit: number, deadlineMs: number): Promise<Body> {
  const declared = Number(request.headers.get("content-length"));
  if (declared > READ_LIMITS * limit) return { ok: false, reason: "too large" };
  if (!request.body) return { ok: true, text: "" };
  const reader = request.body.getReader();
  let late = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const give = (ms: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      late = true;
      // Ends the read that is waiting.
      reader.cancel().catch(() => {});
    }, ms);
  };
  const hurry = () => give(Math.min(REST_MS, deadlineMs));
  if (declared > limit) hurry();
  else give(deadlineMs);
  try {
    const bytes = await collect(reader, limit, hurry);
    if (bytes && !(declared > limit)) {
      return late ? { ok: false, reason: "too slow" } : decode(bytes);
    }
    reader.cancel().catch(() => {});
    return { ok: false, reason: "too large" };
  } catch {
    return { ok: false, reason: late ? "too slow" : "broken" };
  } finally {
    clearTimeout(timer);
  }
}

async function collect(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  limit: number,
  onExcess: () => void,
): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (size <= limit && size + value.byteLength > limit) onExcess();
    size += value.byteLength;
    if (size <= limit) chunks.push(value);
    else chunks.length = 0;
    if (size > READ_LIMITS * limit) return undefined;
  }
  if (size > limit) return undefined;
  if (chunks.length === 1) return chunks[0];
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

function decode(bytes: Uint8Array): Body {
  try {
    return { ok: true, text: UTF8.decode(bytes) };
  } catch {
    return { ok: false, reason: "not UTF-8" };
  }
}
