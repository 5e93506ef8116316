/**
 * Reading the one JSON-RPC message of a request body, within bounds.
 *
 * What a message may hold is bounded before the SDK looks at it: checking a hostile message against
 * a schema can cost a thousand times what sending it does.
 *
 * @module
 */

import { isJsonContentType } from "@modelcontextprotocol/server";
import { readBody, rpcError } from "../http.ts";

/** Largest request body, in bytes. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** Largest `initialize` body, in characters: sessions remember parts of it. */
export const MAX_HANDSHAKE_LENGTH = 64 * 1024;

/** How long a request body may take to arrive, in milliseconds. */
export const BODY_DEADLINE_MS = 30_000;

/** How deep a message may be nested. */
export const MAX_DEPTH = 64;

/** How many values a message may hold outside the arguments of a tool or prompt. */
export const MAX_ENVELOPE_VALUES = 2_000;

/** How many values the arguments of a tool or prompt may hold. */
export const MAX_ARGUMENT_VALUES = 100_000;

/** How long an id may be, in characters. */
export const MAX_ID_LENGTH = 256;

const PARSE_ERROR = -32700;
const INVALID_REQUEST = -32600;

/** A JSON object that may turn out to be a JSON-RPC message. */
export interface Message {
  readonly id?: unknown;
  readonly method?: unknown;
  readonly params?: {
    readonly name?: unknown;
    readonly uri?: unknown;
    readonly arguments?: unknown;
  };
}

/** Reads the message, or answers what is wrong with it. */
export async function readMessage(request: Request): Promise<{ message: Message } | Response> {
  if (!isJsonContentType(request.headers.get("content-type"))) {
    return rpcError(415, INVALID_REQUEST, "Content-Type must be application/json");
  }
  const body = await readBody(request, MAX_BODY_BYTES, BODY_DEADLINE_MS);
  if (!body.ok) return BODY_ANSWERS[body.reason]();
  let message: unknown;
  try {
    message = JSON.parse(body.text);
  } catch {
    return rpcError(400, PARSE_ERROR, "The body is not JSON");
  }
  if (typeof message !== "object" || message === null || Array.isArray(message)) {
    return rpcError(400, INVALID_REQUEST, "The body must be one JSON-RPC message, not a batch");
  }
  const excess = excessOf(message, body.text.length);
  return excess ? rpcError(400, INVALID_REQUEST, excess) : { message };
}

const CLOSE = { connection: "close" };

const BODY_ANSWERS = {
  "too large": () =>
    rpcError(413, INVALID_REQUEST, `The body is larger than ${MAX_BODY_BYTES} bytes`, CLOSE),
  "too slow": () => rpcError(408, INVALID_REQUEST, "The body took too long to arrive", CLOSE),
  "not UTF-8": () => rpcError(400, PARSE_ERROR, "The body is not UTF-8"),
  // Nobody hears this but a client that is sending while the server stops.
  "broken": () =>
    rpcError(503, PARSE_ERROR, "The body broke off; try again", { "retry-after": "1" }),
};

function excessOf(message: Message, length: number): string | undefined {
  const { id, method, params } = message;
  if (typeof id === "string" && id.length > MAX_ID_LENGTH) {
    return `The id is longer than ${MAX_ID_LENGTH} characters`;
  }
  if (method === "initialize" && length > MAX_HANDSHAKE_LENGTH) {
    return `The message is longer than ${MAX_HANDSHAKE_LENGTH} characters`;
  }
  const args = typeof params === "object" ? params?.arguments : undefined;
  return excessIn(message, args, MAX_ENVELOPE_VALUES) ??
    excessIn(args, undefined, MAX_ARGUMENT_VALUES);
}

// Walks level by level, not by recursion, which the depth of a message could exhaust.
function excessIn(root: unknown, except: unknown, limit: number): string | undefined {
  let level: unknown[] = [root];
  let count = 0;
  for (let depth = 0; level.length > 0; depth++) {
    count += level.length;
    if (depth > MAX_DEPTH) return `The message is nested deeper than ${MAX_DEPTH} levels`;
    if (count > limit) return `The message holds more than ${limit} values`;
    const next: unknown[] = [];
    for (const value of level) {
      if (typeof value !== "object" || value === null || value === except) continue;
      for (const inner of Object.values(value)) next.push(inner);
    }
    level = next;
  }
  return undefined;
}
