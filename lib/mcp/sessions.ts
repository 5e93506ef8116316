/**
 * Sessions of the 2025 revisions, for clients that need them (MCP 2025-11-25, Streamable HTTP).
 *
 * A session is a convenience, never a credential: each request brings its own token, and a session
 * answers only the caller who opened it. To everybody else it does not exist. Sessions live in this
 * process, so replicas need sticky routing.
 *
 * @module
 */

import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/server";
import { isEventStream } from "../delivery.ts";
import { rpcError } from "../http.ts";
import { principalOf } from "../identity.ts";
import type { Ports } from "../ports.ts";
import { type Caller, toAuthInfo } from "./caller.ts";
import { eventLog } from "./events.ts";
import type { NewServer } from "./server.ts";
import { KEEP_ALIVE_MS, type LongStreams } from "./streams.ts";

/** How many sessions may be open. */
export const MAX_SESSIONS = 1000;

/** How many sessions one caller may have; opening one more closes the caller's stalest. */
export const SESSIONS_PER_CALLER = 32;

/** After how many seconds without a request or an open GET stream a session is closed. */
export const SESSION_IDLE_SECONDS = 1800;

const ANYONE = principalOf(undefined);

const NOT_FOUND = -32001;
const UNAVAILABLE = -32000;

interface Session {
  readonly owner: string;
  readonly transport: WebStandardStreamableHTTPServerTransport;
  lastUsed: number;
  streams: number;
}

/** The open sessions of this process. */
export interface Sessions {
  /** Opens a session for an `initialize` request. */
  open(request: Request, caller: Caller, body: unknown): Promise<Response>;
  /** Serves any other request of the 2025 revisions; `body` is the parsed one of a POST. */
  serve(request: Request, caller: Caller, body?: unknown): Promise<Response>;
  /** Ends the streams that wait for news; calls at work go on. */
  drain(): void;
  /** Closes all. */
  close(): Promise<void>;
}

/** Prepares an empty set of sessions. */
export function sessions(
  newServer: NewServer,
  ports: Pick<Ports, "now" | "random" | "meter">,
  longStreams: LongStreams,
): Sessions {
  // In order of last use, stalest first.
  const known = new Map<string, Session>();
  ports.meter.watch("sessions", () => known.size);
  const end = (id: string): Promise<void> | undefined => {
    const session = known.get(id);
    known.delete(id);
    return session?.transport.close().catch(() => {});
  };
  const touch = (id: string, session: Session) => {
    session.lastUsed = ports.now();
    if (known.delete(id)) known.set(id, session);
  };
  const sweep = () => {
    const horizon = ports.now() - SESSION_IDLE_SECONDS;
    for (const [id, { lastUsed, streams }] of known) {
      if (lastUsed > horizon) return;
      if (streams === 0) void end(id);
    }
  };
  const makeRoom = (owner: string) => {
    sweep();
    // Without OAuth nobody can be told from anybody, and nobody's session makes room for another's.
    const own = owner === ANYONE ? [] : [...known].filter(([, session]) => session.owner === owner);
    if (own.length >= SESSIONS_PER_CALLER) void end(own[0]![0]);
    return known.size < MAX_SESSIONS;
  };
  return {
    async open(request, caller, body) {
      const owner = principalOf(caller.identity);
      if (!makeRoom(owner)) {
        ports.meter.limited("sessions");
        return rpcError(503, UNAVAILABLE, "No more sessions can be opened at the moment", {
          "retry-after": "60",
        });
      }
      const id = ports.random(32).toHex();
      const transport = new WebStandardStreamableHTTPServerTransport({
        sessionIdGenerator: () => id,
        eventStore: eventLog(),
        keepAliveMs: KEEP_ALIVE_MS,
        onsessionclosed: () => void known.delete(id),
      });
      // Takes its place before anything is awaited, so that no two take the same.
      known.set(id, { owner, transport, lastUsed: ports.now(), streams: 0 });
      await newServer().connect(transport);
      const response = await transport.handleRequest(request, {
        authInfo: toAuthInfo(caller),
        parsedBody: body,
      });
      if (transport.sessionId === undefined) await end(id);
      return response;
    },
    async serve(request, caller, body) {
      const id = request.headers.get("mcp-session-id");
      if (!id) {
        return rpcError(400, UNAVAILABLE, "Mcp-Session-Id is missing: send initialize first");
      }
      sweep();
      const session = known.get(id);
      if (!session || session.owner !== principalOf(caller.identity)) {
        if (session) caller.trace.log("warn", "session of another caller refused");
        return rpcError(404, NOT_FOUND, "Session not found");
      }
      touch(id, session);
      const response = await session.transport.handleRequest(request, {
        authInfo: toAuthInfo(caller),
        ...(body !== undefined && { parsedBody: body }),
      });
      if (request.method !== "GET" || !isEventStream(response)) return response;
      session.streams++;
      return longStreams.hold(response, caller.identity, () => {
        session.streams--;
        touch(id, session);
      });
    },
    drain() {
      for (const { transport } of known.values()) transport.closeStandaloneSSEStream();
    },
    async close() {
      await Promise.all([...known.keys()].map(end));
    },
  };
}
