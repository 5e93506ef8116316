/**
 * Any request to Grafana's API, for what no other tool does.
 *
 * @module
 */

import { z } from "zod";
import { type Tool, tool, ToolError } from "../../pack.ts";
import { judge, webPage } from "./answer.ts";
import type { ApiRequest } from "./api.ts";
import { MAX_RESULT_LENGTH, truncated } from "../cut.ts";
import type { Grafana } from "./grafana.ts";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

const endpoint = z.string().max(2000).regex(/^\/(?!\/)[^\s#\\]*$/)
  .describe("Path with query, such as /api/org");

const any = z.strictObject({
  endpoint,
  method: z.enum(METHODS).default("GET"),
  body: z.union([z.record(z.string(), z.unknown()), z.array(z.unknown()), z.string()]).optional()
    .describe("JSON, or the text of it"),
});

// What writes does not even exist then.
const reading = z.strictObject({ endpoint, method: z.literal("GET").default("GET") });

/** The tool. */
export function raw({ api, readOnly }: Grafana): Tool[] {
  return [tool({
    name: "grafana_api_request",
    title: "Call Grafana's API",
    description: readOnly
      ? "Reads any path of Grafana's HTTP API, where no other tool does."
      : "Calls any path of Grafana's HTTP API, where no other tool does.",
    annotations: {
      readOnlyHint: readOnly,
      destructiveHint: !readOnly,
      idempotentHint: readOnly,
      openWorldHint: false,
    },
    input: readOnly ? reading : any,
    output: z.object({ status: z.number(), body: z.unknown(), truncated }),
    async run({ endpoint, method, body }: z.infer<typeof any>, context) {
      if (readOnly && mayWrite(endpoint)) {
        throw new ToolError("This path may write, and this server only reads", "read only");
      }
      const request = { method, path: endpoint, ...bodyOf(method, body) };
      const { status, bytes, contentType } = judge(await api(context).fetch(request), request);
      if (/html/.test(contentType)) throw webPage();
      const text = new TextDecoder().decode(bytes);
      if (text.length > MAX_RESULT_LENGTH) {
        const truncated = `${text.length - MAX_RESULT_LENGTH} characters left out: ask for less`;
        return { status, body: text.slice(0, MAX_RESULT_LENGTH), truncated };
      }
      return { status, body: parsed(text) };
    },
  })];
}

// GETs that change things: of Grafana itself, and of whatever plugins and data sources answer.
const WRITING =
  /^\/+(?:logout|api\/(?:snapshots-delete|user\/email|plugin-proxy|plugins\/[^/]+\/resources|datasources\/(?:proxy|.*\/resources)))(?:\/|$)/i;

function mayWrite(endpoint: string): boolean {
  // As a server reads it, dot segments and encoded letters put right.
  const url = URL.parse(endpoint, "http://grafana");
  try {
    return url === null || WRITING.test(decodeURIComponent(url.pathname));
  } catch {
    return true;
  }
}

function bodyOf(method: string, body: unknown): Pick<ApiRequest, "body"> {
  if (body === undefined) return {};
  if (method === "GET") throw new ToolError("GET takes no body: use the query", "bad arguments");
  if (typeof body !== "string") return { body };
  try {
    return { body: JSON.parse(body) };
  } catch {
    throw new ToolError("The body is not JSON", "bad arguments");
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
