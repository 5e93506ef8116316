/**
 * What tests of the MCP endpoint share: requests with any id, event streams read message by
 * message, and a pack whose one tool works until the test says stop.
 *
 * @module
 */

import { z } from "zod";
import { app } from "../../lib/app.ts";
import { type NewServer, serverFactory } from "../../lib/mcp/server.ts";
import { type Pack, tool, type ToolContext } from "../../lib/pack.ts";
import { whoami } from "../../lib/pack/whoami.ts";
import { tracer } from "../../lib/trace.ts";
import {
  bearerHeader,
  fakePorts,
  legacyCall,
  modernCall,
  ORIGIN,
  sign,
  type Subject,
  testConfig,
} from "../fakes.ts";

/** Both eras of the protocol, by the revision that names them. */
export const ERAS = ["2026-07-28", "2025-11-25"] as const;

/** One of {@linkcode ERAS}. */
export type Era = (typeof ERAS)[number];

/** A message of any shape, as a test looks at it. */
// deno-lint-ignore no-explicit-any
export type Message = any;

/** What {@linkcode post} sends. */
export interface Posted {
  readonly era: Era;
  readonly method: string;
  readonly params?: Record<string, unknown>;
  /** 1 when absent. */
  readonly id?: unknown;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
}

/** A request to the MCP endpoint with any id. */
export function post({ era, method, params = {}, id = 1, headers, signal }: Posted): RequestInit {
  const init = era === "2026-07-28"
    ? modernCall(method, params, headers)
    : legacyCall(method, params, headers);
  const body = JSON.stringify({ ...JSON.parse(init.body as string), id });
  return { ...init, body, ...(signal && { signal }) };
}

/** A message of the 2025 revisions that is not a request: a notification or a response. */
export function note(message: object, headers: Record<string, string> = {}): RequestInit {
  return { ...legacyCall("", {}, headers), body: JSON.stringify({ jsonrpc: "2.0", ...message }) };
}

/** The header of a token for `sub`. */
export async function as(
  sub: string,
  claims: Record<string, unknown> = {},
): Promise<Record<string, string>> {
  return bearerHeader(await sign({ sub, ...claims }));
}

/** Lets everything happen that waits for nothing but its turn. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** What `promise` yields, or `"pending"` when it takes longer. */
export async function orPending<T>(promise: Promise<T>, ms = 1000): Promise<T | "pending"> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"pending">((resolve) => {
    timer = setTimeout(() => resolve("pending"), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The real program over fake ports, like `subject` of the fakes, with ids that stay different for
 * as long as a test draws them.
 */
export async function stage(
  env: Record<string, string> = {},
  newServer?: NewServer,
): Promise<Subject> {
  let draws = 0;
  const random = (length: number) => {
    const bytes = new Uint8Array(length);
    new DataView(bytes.buffer).setUint32(0, ++draws);
    return bytes;
  };
  const ports = { ...fakePorts(), random };
  const program = await app(testConfig(env), ports, newServer);
  return {
    app: program,
    ports,
    send: (path, init = {}) => {
      const headers = new Headers(init.headers);
      if (!headers.has("host")) headers.set("host", "localhost:8080");
      return program.fetch(new Request(new URL(path, ORIGIN), { ...init, headers }));
    },
  };
}

/** One call of the tool `work`, while it runs. */
export interface Job {
  readonly context: ToolContext;
  /** Ends the call with a result. */
  done(said?: string): void;
  /** Ends the call with an exception. */
  fail(error: Error): void;
}

/** A server with the tools `work` and `whoami`. */
export interface Workshop {
  readonly newServer: NewServer;
  /** The call of `work` whose argument `key` is this, as soon as it runs. */
  job(key: string): Promise<Job>;
  /** Keys of the calls that ran, in order. */
  readonly ran: string[];
}

/** Makes a workshop. `work` answers with its key, what the test said, and who called. */
export function workshop(): Workshop {
  const slots = new Map<string, PromiseWithResolvers<Job>>();
  const slot = (key: string) => {
    const found = slots.get(key) ?? Promise.withResolvers<Job>();
    slots.set(key, found);
    return found;
  };
  const ran: string[] = [];
  const pack: Pack = {
    name: "workshop",
    tools: [tool({
      name: "work",
      title: "Work",
      description: "Works until the test says stop.",
      annotations: {},
      input: z.strictObject({ key: z.string() }),
      output: z.object({ key: z.string(), said: z.string(), subject: z.string().optional() }),
      run: ({ key }, context) => {
        const { promise, resolve, reject } = Promise.withResolvers<string>();
        ran.push(key);
        slot(key).resolve({ context, done: (said = "done") => resolve(said), fail: reject });
        const subject = context.identity?.subject;
        return promise.then((said) => ({ key, said, ...(subject !== undefined && { subject }) }));
      },
    })],
    ready: () => true,
    close: () => {},
  };
  const info = { name: "workshop", title: "Workshop", version: "1.2.3" };
  const direct = { identity: undefined, trace: tracer(fakePorts())() };
  return {
    newServer: serverFactory([pack, whoami()], info, direct, fakePorts()),
    job: (key) => slot(key).promise,
    ran,
  };
}

/** A call of the tool `work`. */
export function work(
  era: Era,
  key: string,
  rest: Omit<Posted, "era" | "method"> = {},
): RequestInit {
  const params = { name: "work", arguments: { key }, ...rest.params };
  return post({ ...rest, era, method: "tools/call", params });
}

/** One server-sent event. */
export interface SentEvent {
  readonly id?: string;
  readonly data: string;
}

/** An event stream, read event by event. */
export interface Events {
  /** The next event, or `undefined` when the stream has ended. */
  next(): Promise<SentEvent | undefined>;
  /** The JSON of the next event that carries any. */
  message(): Promise<Message>;
  /** All events up to the end. */
  rest(): Promise<SentEvent[]>;
  /** Goes away, as a client does that closes its connection. */
  leave(): Promise<void>;
}

/** After how long a silent stream fails a test instead of stopping it for good. */
const SILENCE_MS = 5000;

/** Starts to read the events of `response`. */
export function eventsOf(response: Response): Events {
  const reader = response.body!.getReader();
  const decoder = new TextDecoder();
  let text = "";
  const next = async (): Promise<SentEvent | undefined> => {
    while (true) {
      const end = text.indexOf("\n\n");
      if (end === -1) {
        const read = await orPending(reader.read(), SILENCE_MS);
        if (read === "pending") {
          throw new Error("Cannot read on: the stream neither goes on nor ends");
        }
        const { done, value } = read;
        if (done) return undefined;
        text += decoder.decode(value, { stream: true });
        continue;
      }
      const lines = text.slice(0, end).split("\n");
      text = text.slice(end + 2);
      const field = (name: string) =>
        lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      const data = field("data");
      const id = field("id");
      if (data !== undefined) return { data, ...(id !== undefined && { id }) };
    }
  };
  return {
    next,
    async message() {
      let event = await next();
      while (event?.data === "") event = await next();
      return event && JSON.parse(event.data);
    },
    async rest() {
      const events: SentEvent[] = [];
      for (let event = await next(); event; event = await next()) events.push(event);
      return events;
    },
    leave: () => reader.cancel(),
  };
}
