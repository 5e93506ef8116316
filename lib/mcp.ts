/**
 * The MCP endpoint: both eras of the protocol at one path (MCP 2026-07-28 and the 2025 revisions).
 *
 * It authenticates nobody: the gate in front has done so, for this request and no other. It does
 * decide, before any stream opens, whether the caller's scopes cover the tool, resource or prompt.
 *
 * @module
 */

import {
  classifyInboundRequest,
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  createMcpHandler,
  type InboundClassificationOutcome,
  isJSONRPCRequest,
  isSpecType,
  type JSONRPCRequest,
  LOG_LEVEL_META_KEY,
  PROTOCOL_VERSION_META_KEY,
  SUPPORTED_PROTOCOL_VERSIONS,
} from "@modelcontextprotocol/server";
import type { Challenges } from "./challenge.ts";
import { redeliver } from "./delivery.ts";
import { rpcError } from "./http.ts";
import { type Identity, whoOf } from "./identity.ts";
import { type Caller, toAuthInfo } from "./mcp/caller.ts";
import { Exchanges } from "./mcp/exchanges.ts";
import { type Message, readMessage } from "./mcp/message.ts";
import { addressOf } from "./mcp/resources.ts";
import { MODERN_REVISION, type NewServer } from "./mcp/server.ts";
import { sessions } from "./mcp/sessions.ts";
import { KEEP_ALIVE_MS, longStreams } from "./mcp/streams.ts";
import type { Asked } from "./mcp/work.ts";
import type { Meter } from "./meter.ts";
import type { Ports } from "./ports.ts";
import type { Missing, ToolScopes } from "./scope.ts";
import type { Trace } from "./trace.ts";

/** How many `subscriptions/listen` streams may be open over all callers. */
export const MAX_SUBSCRIPTIONS = 1024;

const INVALID_REQUEST = -32600;

/** What the caller of a tool, resource or prompt must be allowed. */
export interface Authorization {
  readonly challenges: Challenges;
  /** Scopes that every request needs; a step-up challenge repeats them. */
  readonly scopesRequired: readonly string[];
  readonly toolScopes: ToolScopes;
  readonly missing: Missing;
}

/** Settings of {@linkcode mcp}. */
export interface McpOptions {
  readonly newServer: NewServer;
  /** Absent when the server runs without OAuth. */
  readonly authorization?: Authorization;
  /** Whether clients of the 2025 revisions get sessions. */
  readonly sessions: boolean;
}

/** The endpoint. */
export interface Mcp {
  /** Answers POST, GET and DELETE. */
  handle(request: Request, trace: Trace, identity: Identity | undefined): Promise<Response>;
  /** Ends the streams that wait for news, so that only calls at work are left. */
  drain(): Promise<void>;
  /** Ends everything. */
  close(): Promise<void>;
}

/**
 * Connects the servers that will serve every request.
 *
 * Requests that are exactly right take the fast lane: one long-lived server per era. Whatever is
 * malformed, mismatched, of another revision, or a subscription goes to the SDK's own classifier and
 * entry, which judge it and find the words.
 */
export async function mcp(options: McpOptions, ports: Ports): Promise<Mcp> {
  const { newServer, authorization } = options;
  const modern = new Exchanges({ era: "modern", revision: MODERN_REVISION });
  const legacy = new Exchanges({ era: "legacy" });
  await newServer().connect(modern);
  await newServer().connect(legacy);
  const streams = longStreams(ports.now);
  ports.meter.watch("streams", () => streams.size);
  const held = options.sessions ? sessions(newServer, ports, streams) : undefined;
  const entryOptions = {
    legacy: "reject",
    keepAliveMs: KEEP_ALIVE_MS,
    maxSubscriptions: MAX_SUBSCRIPTIONS,
    onerror: ({ message }: Error) => {
      // After a colon the SDK quotes headers and bodies, whose URIs can have a query.
      ports.log("debug", "request rejected", { error: message.split(":", 1)[0] });
    },
  } as const;
  const entry = createMcpHandler(newServer, entryOptions);
  // Apart from the other, so that subscriptions can end while calls go on.
  const subscriptions = createMcpHandler(newServer, entryOptions);

  let stage: "open" | "draining" | "closed" = "open";

  async function serve(request: Request, caller: Caller, body: unknown): Promise<Response> {
    const authInfo = toAuthInfo(caller);
    const era = exactEra(request, body);
    if (era === "modern") {
      return modern.handleMessage(body as JSONRPCRequest, { request, authInfo });
    }
    if (era === "legacy") return serveLegacy(request, caller, body, "no-claim");
    const route = classify(request, body);
    if (route.kind === "legacy") return serveLegacy(request, caller, body, route.reason);
    const { identity } = caller;
    const extra = { authInfo, parsedBody: body };
    if (route.kind !== "modern" || route.message.method !== "subscriptions/listen") {
      return await redeliver(await entry.fetch(request, extra));
    }
    return await longStream(
      identity,
      (body as JSONRPCRequest).id,
      async () => streams.hold(await subscriptions.fetch(request, extra), identity),
    );
  }

  async function longStream(
    identity: Identity | undefined,
    id: unknown,
    open: () => Promise<Response>,
  ): Promise<Response> {
    if (stage !== "open") return rpcError(503, INVALID_REQUEST, "The server is stopping", {}, id);
    const release = streams.reserve(identity);
    if (!release) ports.meter.limited("streams");
    if (!release) return rpcError(429, INVALID_REQUEST, "Close a stream first", {}, id);
    try {
      return await open();
    } finally {
      release();
    }
  }

  async function serveLegacy(
    request: Request,
    caller: Caller,
    body: unknown,
    reason: string,
  ): Promise<Response> {
    if (held) {
      return reason === "initialize"
        ? await held.open(request, caller, body)
        : await held.serve(request, caller, body);
    }
    const version = request.headers.get("mcp-protocol-version");
    if (version !== null && !SUPPORTED_PROTOCOL_VERSIONS.includes(version)) {
      const supported = [MODERN_REVISION, ...SUPPORTED_PROTOCOL_VERSIONS].join(", ");
      return rpcError(400, INVALID_REQUEST, `MCP-Protocol-Version must be one of ${supported}`);
    }
    if (reason === "notification") return new Response(null, { status: 202 });
    if (reason === "response") {
      return rpcError(400, INVALID_REQUEST, "No request of this server awaits a response");
    }
    const extra = { request, authInfo: toAuthInfo(caller) };
    if (reason !== "initialize") return legacy.handleMessage(body as JSONRPCRequest, extra);
    // The handshake leaves its mark on a server, so it gets one of its own.
    const once = new Exchanges({ era: "legacy" });
    await newServer().connect(once);
    const response = await once.handleMessage(body as JSONRPCRequest, extra);
    await once.close();
    return response;
  }

  return {
    async handle(request, trace, identity) {
      const caller = { identity, trace };
      if (request.method !== "POST") {
        if (!held) return rpcError(405, INVALID_REQUEST, "Use POST", { allow: "POST, OPTIONS" });
        return request.method === "GET"
          ? await longStream(identity, null, () => held.serve(request, caller))
          : await held.serve(request, caller);
      }
      const read = await readMessage(request);
      if (stage === "closed") return rpcError(503, INVALID_REQUEST, "The server is stopping");
      if (read instanceof Response) return read;
      const { message } = read;
      if (typeof message.method === "string") trace.note({ rpc: message.method });
      const refused = authorization && stepUp(message, caller, authorization, ports.meter);
      return refused ?? serve(request, caller, message);
    },
    async drain() {
      stage = "draining";
      held?.drain();
      await subscriptions.close();
    },
    async close() {
      stage = "closed";
      const all = [entry, subscriptions, modern, legacy, ...(held ? [held] : [])];
      await Promise.all(all.map((one) => one.close()));
    },
  };
}

function stepUp(
  message: Message,
  { identity, trace }: Caller,
  { challenges, scopesRequired, toolScopes, missing }: Authorization,
  meter: Meter,
): Response | undefined {
  const asked = askedBy(message);
  if (!asked) return undefined;
  const own = toolScopes(asked.name);
  const lacking = missing(own, identity?.scopes ?? []);
  if (lacking.length === 0) return undefined;
  trace.note({ [asked.kind]: asked.name, outcome: "scope refused" });
  meter.called(asked.kind, asked.name, "scope refused");
  const needed = [...new Set([...scopesRequired, ...own])];
  trace.log("warn", "scope refused", { needed, lacking });
  trace.audit("scope refused", { ...whoOf(identity), ...asked, needed, lacking });
  return challenges.refuse("insufficient_scope", needed);
}

/** What a message asks of a pack, if anything. */
function askedBy({ method, params }: Message): Asked | undefined {
  const { name, uri } = params ?? {};
  if (method === "resources/read") {
    return typeof uri === "string" ? { kind: "resource", name: addressOf(uri) } : undefined;
  }
  if (typeof name !== "string") return undefined;
  if (method === "tools/call") return { kind: "tool", name };
  return method === "prompts/get" ? { kind: "prompt", name } : undefined;
}

function classify(request: Request, body: unknown): InboundClassificationOutcome {
  const header = (name: string) => request.headers.get(name) ?? undefined;
  return classifyInboundRequest(
    {
      httpMethod: "POST",
      body,
      protocolVersionHeader: header("mcp-protocol-version"),
      mcpMethodHeader: header("mcp-method"),
      mcpNameHeader: header("mcp-name"),
    } as Parameters<typeof classifyInboundRequest>[0],
  );
}

const NAMED_BY: Readonly<Record<string, "name" | "uri">> = {
  "tools/call": "name",
  "prompts/get": "name",
  "resources/read": "uri",
};

// The era of a request that is exactly right: headers and body agree to the letter on a revision,
// method and name that are served. `undefined` for everything that needs a judge. The SDK's classifier
// would say the same, but it first tries each message as two kinds of response, and what those
// failures leave behind costs more than all the rest of it.
function exactEra({ headers }: Request, message: unknown): "modern" | "legacy" | undefined {
  if (!isJSONRPCRequest(message)) return undefined;
  const { method, params } = message;
  const meta = params?._meta ?? {};
  const version = headers.get("mcp-protocol-version");
  if (!(PROTOCOL_VERSION_META_KEY in meta)) {
    const isLegacy = version === null || SUPPORTED_PROTOCOL_VERSIONS.includes(version);
    return isLegacy && method !== "initialize" ? "legacy" : undefined;
  }
  const named = Object.hasOwn(NAMED_BY, method) ? NAMED_BY[method]! : undefined;
  const isModern = method !== "subscriptions/listen" &&
    version === MODERN_REVISION && meta[PROTOCOL_VERSION_META_KEY] === MODERN_REVISION &&
    headers.get("mcp-method") === method &&
    (named === undefined || headers.get("mcp-name") === params?.[named]) &&
    isEnvelope(meta);
  return isModern ? "modern" : undefined;
}

function isEnvelope(meta: Readonly<Record<string, unknown>>): boolean {
  const { [CLIENT_INFO_META_KEY]: info, [LOG_LEVEL_META_KEY]: level } = meta;
  return isSpecType.ClientCapabilities(meta[CLIENT_CAPABILITIES_META_KEY]) &&
    (info === undefined || isSpecType.Implementation(info)) &&
    (level === undefined || isSpecType.LoggingLevel(level));
}
