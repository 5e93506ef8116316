/**
 * The MCP endpoint: both eras of the protocol at one path (MCP 2026-07-28 and the 2025 revisions).
 *
 * It authenticates nobody: the gate in front has done so, for this request and no other. It does
 * decide, before any stream opens, whether the caller's scopes cover the tool being called.
 *
 * @module
 */

import {
  classifyInboundRequest,
  createMcpHandler,
  type InboundClassificationOutcome,
  isJsonContentType,
  type JSONRPCRequest,
  SUPPORTED_PROTOCOL_VERSIONS,
} from "@modelcontextprotocol/server";
import type { Challenges } from "./challenge.ts";
import { readBody, rpcError } from "./http.ts";
import type { Identity } from "./identity.ts";
import { type Caller, toAuthInfo } from "./mcp/caller.ts";
import { Exchanges } from "./mcp/exchanges.ts";
import { MODERN_REVISION, type NewServer } from "./mcp/server.ts";
import { sessions } from "./mcp/sessions.ts";
import { KEEP_ALIVE_MS, longStreams } from "./mcp/streams.ts";
import type { Ports } from "./ports.ts";
import type { Missing, ToolScopes } from "./scope.ts";
import type { Trace } from "./trace.ts";

/** Largest request body, in bytes. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** How long a request body may take to arrive, in milliseconds. */
export const BODY_DEADLINE_MS = 30_000;

/** How many `subscriptions/listen` streams may be open over all callers. */
export const MAX_SUBSCRIPTIONS = 1024;

const PARSE_ERROR = -32700;
const INVALID_REQUEST = -32600;

/** What the caller of a tool must be allowed. */
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
 * malformed, mismatched, of another revision, or a subscription goes to the SDK's own entry, which
 * judges it and finds the words.
 */
export async function mcp(options: McpOptions, ports: Ports): Promise<Mcp> {
  const { newServer, authorization } = options;
  const modern = new Exchanges({ era: "modern", revision: MODERN_REVISION });
  const legacy = new Exchanges({ era: "legacy" });
  await newServer().connect(modern);
  await newServer().connect(legacy);
  const streams = longStreams(ports.now);
  const held = options.sessions ? sessions(newServer, ports, streams) : undefined;
  const entry = createMcpHandler(newServer, {
    legacy: "reject",
    keepAliveMs: KEEP_ALIVE_MS,
    maxSubscriptions: MAX_SUBSCRIPTIONS,
    onerror: (error) => ports.log("debug", "request rejected", { error: error.message }),
  });

  async function serve(request: Request, caller: Caller, body: unknown): Promise<Response> {
    const route = classify(request, body);
    if (route.kind === "legacy") return serveLegacy(request, caller, body, route.reason);
    const authInfo = toAuthInfo(caller);
    if (isExact(request, route)) {
      return modern.handleMessage(route.message, { request, authInfo });
    }
    const isListen = route.kind === "modern" && route.message.method === "subscriptions/listen";
    if (isListen && !streams.admits(caller.identity)) {
      return rpcError(429, INVALID_REQUEST, "Too many open streams: close one first");
    }
    return streams.hold(
      await entry.fetch(request, { authInfo, parsedBody: body }),
      caller.identity,
    );
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
        if (request.method === "GET" && !streams.admits(identity)) {
          return rpcError(429, INVALID_REQUEST, "Too many open streams: close one first");
        }
        return held.serve(request, caller);
      }
      const read = await readMessage(request);
      if (read instanceof Response) return read;
      const { message } = read;
      trace.note({ rpc: message.method });
      return (authorization && stepUp(message, caller, authorization)) ??
        serve(request, caller, message);
    },
    async drain() {
      held?.drain();
      await entry.close();
    },
    async close() {
      await Promise.all([entry.close(), held?.close(), modern.close(), legacy.close()]);
    },
  };
}

interface Message {
  readonly method?: string;
  readonly params?: { readonly name?: unknown };
}

async function readMessage(request: Request): Promise<{ message: Message } | Response> {
  if (!isJsonContentType(request.headers.get("content-type"))) {
    return rpcError(415, INVALID_REQUEST, "Content-Type must be application/json");
  }
  const body = await readBody(request, MAX_BODY_BYTES, BODY_DEADLINE_MS);
  if (!body.ok) return BODY_ANSWERS[body.reason]();
  try {
    const message: unknown = JSON.parse(body.text);
    if (typeof message === "object" && message !== null && !Array.isArray(message)) {
      return { message };
    }
    return rpcError(400, INVALID_REQUEST, "The body must be one JSON-RPC message, not a batch");
  } catch {
    return rpcError(400, PARSE_ERROR, "The body is not JSON");
  }
}

const BODY_ANSWERS = {
  "too large": () =>
    rpcError(413, INVALID_REQUEST, `The body is larger than ${MAX_BODY_BYTES} bytes`),
  "too slow": () => rpcError(408, INVALID_REQUEST, "The body took too long to arrive"),
  "not UTF-8": () => rpcError(400, PARSE_ERROR, "The body is not UTF-8"),
  "broken": () => rpcError(400, PARSE_ERROR, "The body could not be read"),
};

function stepUp(
  { method, params }: Message,
  { identity, trace }: Caller,
  { challenges, scopesRequired, toolScopes, missing }: Authorization,
): Response | undefined {
  if (method !== "tools/call" || typeof params?.name !== "string") return undefined;
  const own = toolScopes(params.name);
  const lacking = missing(own, identity?.scopes ?? []);
  if (lacking.length === 0) return undefined;
  trace.note({ tool: params.name, outcome: "scope refused" });
  const needed = [...new Set([...scopesRequired, ...own])];
  trace.log("warn", "scope refused", { needed, lacking });
  return challenges.refuse("insufficient_scope", needed);
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

type ModernRequest = Extract<InboundClassificationOutcome, { kind: "modern" }> & {
  readonly message: JSONRPCRequest;
};

const NAMED_BY: Readonly<Record<string, "name" | "uri">> = {
  "tools/call": "name",
  "prompts/get": "name",
  "resources/read": "uri",
};

// Whether headers and body agree to the letter on a revision, method and name that are served.
function isExact(request: Request, route: InboundClassificationOutcome): route is ModernRequest {
  if (route.kind !== "modern" || route.messageKind !== "request") return false;
  const { method, params } = route.message;
  if (method === "subscriptions/listen") return false;
  if (route.classification.revision !== MODERN_REVISION) return false;
  if (request.headers.get("mcp-protocol-version") !== MODERN_REVISION) return false;
  if (request.headers.get("mcp-method") !== method) return false;
  const named = Object.hasOwn(NAMED_BY, method) ? NAMED_BY[method]! : undefined;
  return named === undefined || request.headers.get("mcp-name") === params?.[named];
}
