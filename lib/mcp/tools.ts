/**
 * Tools of packs: how they are described, and how they are called.
 *
 * @module
 */

import {
  type CallToolRequest,
  type CallToolResult,
  type JSONObject,
  ProtocolError,
  ProtocolErrorCode,
  type ServerContext,
  type Tool as WireTool,
} from "@modelcontextprotocol/server";
import { z } from "zod";
import type { Meter } from "../meter.ts";
import { type Result, Shown, type Tool } from "../pack.ts";
import { byName } from "./names.ts";
import type { Work } from "./work.ts";

/**
 * Prepares tools.
 *
 * @throws {TypeError} When two share a name, or one cannot be described to clients.
 */
export function toolHandlers(all: readonly Tool[], work: Work, meter: Meter) {
  const tools = byName("tool", all);
  return {
    list: { tools: all.map(describe) },
    async call({ params }: CallToolRequest, context: ServerContext): Promise<CallToolResult> {
      const tool = tools.get(params.name);
      if (!tool) {
        meter.called("tool", params.name, "unknown");
        throw new ProtocolError(ProtocolErrorCode.InvalidParams, "Unknown tool");
      }
      const given = { input: tool.input, args: params.arguments ?? {}, context };
      const outcome = await work(
        { kind: "tool", name: tool.name },
        given,
        async (...all) => resultOf(await tool.run(...all)),
      );
      if (outcome.ok) return outcome.value;
      return { content: [{ type: "text", text: outcome.text }], isError: true };
    },
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

function resultOf(result: Result<Record<string, unknown>>): CallToolResult {
  const { value, content } = result instanceof Shown ? result : asJson(result);
  return { content: [...content], structuredContent: value as JSONObject };
}

function asJson(value: Record<string, unknown>): Shown<Record<string, unknown>> {
  return new Shown(value, [{ type: "text", text: JSON.stringify(value) }]);
}
