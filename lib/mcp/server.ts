/**
 * Packs become an MCP server: schemas, documents and handlers are made here, once. What is made
 * per connection is only the SDK's `Server` around them.
 *
 * @module
 */

import {
  type CallToolRequest,
  type CallToolResult,
  type JSONObject,
  ProtocolError,
  ProtocolErrorCode,
  Server,
  type ServerContext,
  SUPPORTED_PROTOCOL_VERSIONS,
  type Tool as WireTool,
} from "@modelcontextprotocol/server";
import { z } from "zod";
import { type Pack, Shown, type Tool, type ToolContext, ToolError } from "../pack.ts";
import { type Caller, callerOf } from "./caller.ts";

/** The newest revision of MCP that is served. */
export const MODERN_REVISION = "2026-07-28";

/** Makes a server that is not connected yet. */
export type NewServer = () => Server;

/** How this program names itself to clients. */
export interface ServerInfo {
  readonly name: string;
  readonly title: string;
  readonly version: string;
}

// Everything is on the first page, so no cursor was ever given.
const LIST_PARAMS = z.object({ cursor: z.undefined("no such page").optional() });

// The list is the same for everybody and changes only with a restart.
const LIST_CACHE = { ttlMs: 60_000, cacheScope: "private" } as const;

/**
 * Prepares the servers of `packs`.
 *
 * @param direct The caller where the transport names none, as on stdio.
 * @throws {TypeError} When two tools share a name, or a tool cannot be described to clients.
 */
export function serverFactory(
  packs: readonly Pack[],
  info: ServerInfo,
  direct: Caller,
): NewServer {
  const tools = new Map<string, Tool>();
  for (const tool of packs.flatMap((pack) => pack.tools)) {
    if (!/^[\w.-]{1,128}$/.test(tool.name)) {
      throw new TypeError(`Cannot name a tool "${tool.name}"`);
    }
    if (tools.has(tool.name)) throw new TypeError(`Cannot have two tools named "${tool.name}"`);
    tools.set(tool.name, tool);
  }
  const list = { tools: [...tools.values()].map(describe) };
  const options = {
    capabilities: { tools: {} },
    supportedProtocolVersions: [MODERN_REVISION, ...SUPPORTED_PROTOCOL_VERSIONS],
    cacheHints: { "tools/list": LIST_CACHE, "server/discover": LIST_CACHE },
  };
  const onCall = (request: CallToolRequest, context: ServerContext) => {
    const tool = tools.get(request.params.name);
    if (!tool) throw new ProtocolError(ProtocolErrorCode.InvalidParams, "Unknown tool");
    return call(tool, request.params.arguments ?? {}, callerOf(context) ?? direct, context);
  };
  return () => {
    const server = new Server(info, options);
    server.setRequestHandler("tools/list", { params: LIST_PARAMS }, () => list);
    server.setRequestHandler("tools/call", onCall);
    return server;
  };
}

function describe(tool: Tool): WireTool {
  const { name, title, description, annotations } = tool;
  const input = schemaOf(tool.input, "input");
  // The SDK checks Mcp-Param-* headers only for its own registry; unchecked they would be a lie.
  if (JSON.stringify(input).includes('"x-mcp-header"')) {
    throw new TypeError(`Cannot serve tool "${name}": x-mcp-header is not supported`);
  }
  return {
    name,
    title,
    description,
    annotations,
    inputSchema: input as WireTool["inputSchema"],
    outputSchema: schemaOf(tool.output, "output") as NonNullable<WireTool["outputSchema"]>,
  };
}

/** JSON Schema 2020-12, which MCP takes for granted: saying so would only cost tokens. */
function schemaOf(type: z.ZodObject, io: "input" | "output"): Record<string, unknown> {
  const { $schema: _, ...schema } = z.toJSONSchema(type, { io });
  return schema;
}

async function call(
  tool: Tool,
  args: Readonly<Record<string, unknown>>,
  caller: Caller,
  context: ServerContext,
): Promise<CallToolResult> {
  const { trace } = caller;
  const parsed = tool.input.safeParse(args);
  if (!parsed.success) {
    trace.note({ tool: tool.name, outcome: "bad arguments" });
    return failure(`Cannot call ${tool.name}: ${explain(parsed.error)}`);
  }
  try {
    const result = await tool.run(parsed.data, contextFor(caller, context));
    trace.note({ tool: tool.name, outcome: "ok" });
    const { value, content } = result instanceof Shown ? result : asJson(result);
    return { content: [...content], structuredContent: value as JSONObject };
  } catch (error) {
    if (error instanceof ToolError) {
      trace.note({ tool: tool.name, outcome: "refused", reason: error.reason });
      return failure(error.message);
    }
    trace.note({ tool: tool.name, outcome: "failed" });
    trace.log("error", "tool failed", { tool: tool.name, error: textOf(error) });
    return failure(`${tool.name} failed; the server's log tells why under request ${trace.id}`);
  }
}

// The message of an error can be too long to be made.
function textOf(error: unknown): string {
  try {
    return String(error);
  } catch {
    return "an error that cannot be told";
  }
}

function asJson(value: Record<string, unknown>): Shown<Record<string, unknown>> {
  return new Shown(value, [{ type: "text", text: JSON.stringify(value) }]);
}

function contextFor({ identity, trace }: Caller, context: ServerContext): ToolContext {
  const { signal, _meta, notify } = context.mcpReq;
  return {
    identity,
    signal,
    log: (level, event, fields) => trace.log(level, event, fields),
    progress: async (progress, total, message) => {
      const progressToken = _meta?.progressToken;
      if (progressToken === undefined) return;
      const facts = { ...(total !== undefined && { total }), ...(message && { message }) };
      await notify({
        method: "notifications/progress",
        params: { progressToken, progress, ...facts },
      });
    },
  };
}

// Names the place and the expectation; the value itself stays with the caller.
function explain(error: z.ZodError): string {
  return error.issues.slice(0, 5).map(({ path, code, message }) => {
    const place = path.length > 0 ? `argument "${path.join(".")}"` : "arguments";
    return code === "unrecognized_keys" ? `${place} have unknown names` : `${place}: ${message}`;
  }).join("; ");
}

function failure(text: string): CallToolResult {
  return { content: [{ type: "text", text }], isError: true };
}
