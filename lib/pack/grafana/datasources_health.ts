/**
 * Asking data sources whether they work, several at a time.
 *
 * @module
 */

import { z } from "zod";
import { type Tool, tool, type ToolContext, ToolError } from "../../pack.ts";
import { type ApiAnswer, judge, readJson } from "./answer.ts";
import { type GrafanaApi, path } from "./api.ts";
import { datasourceUid, listSources, type Source } from "./datasource.ts";
import type { Grafana } from "./grafana.ts";

/** How many data sources are asked in one call. */
export const PAGE = 10;

const LONGEST_MESSAGE = 500;

const result = z.object({
  uid: z.string(),
  name: z.string().optional(),
  type: z.string().optional(),
  status: z.enum(["OK", "ERROR", "UNKNOWN"]),
  message: z.string().optional(),
});

type Result = z.infer<typeof result>;

const health = z.object({ status: result.shape.status, message: z.string().catch("") });

/** The tool. */
export function datasourcesHealth({ api }: Grafana): Tool {
  return tool({
    name: "check_datasources_health",
    title: "Check data sources",
    description: `Asks up to ${PAGE} data sources whether they work. UNKNOWN: they cannot tell.`,
    annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
    input: z.strictObject({
      type: z.string().max(200).optional().describe("Part of the type"),
      uids: z.array(datasourceUid).max(100).optional().describe("Goes before type"),
      offset: z.number().int().min(0).max(1e6).default(0),
    }),
    output: z.object({
      results: z.array(result),
      total: z.number(),
      healthy: z.number(),
      unhealthy: z.number(),
      hasMore: z.boolean(),
    }),
    async run({ type, uids, offset }, context) {
      const grafana = api(context);
      const wanted = select(await listSources(grafana), uids, type);
      const page = wanted.slice(offset, offset + PAGE);
      const results = await checkAll(grafana, page, context);
      const count = (status: Result["status"]) =>
        results.filter((one) => one.status === status).length;
      return {
        results,
        total: wanted.length,
        healthy: count("OK"),
        unhealthy: count("ERROR"),
        hasMore: offset + page.length < wanted.length,
      };
    },
  });
}

type Wanted = Pick<Source, "uid"> & Partial<Source>;

function select(all: readonly Source[], uids?: readonly string[], type = ""): Wanted[] {
  if (!uids) return all.filter((one) => one.type.toLowerCase().includes(type.toLowerCase()));
  return [...new Set(uids)].map((uid) => all.find((one) => one.uid === uid) ?? { uid });
}

function checkAll(
  api: GrafanaApi,
  sources: readonly Wanted[],
  context: ToolContext,
): Promise<Result[]> {
  let done = 0;
  return Promise.all(sources.map(async ({ uid, name, type }) => {
    const checked = type === undefined
      ? { status: "ERROR", message: "There is no such data source" } as const
      : await check(api, uid, context);
    await context.progress(++done, sources.length);
    return {
      uid,
      ...(name !== undefined && { name }),
      ...(type !== undefined && { type }),
      ...checked,
    };
  }));
}

async function check(
  api: GrafanaApi,
  uid: string,
  { signal }: ToolContext,
): Promise<Pick<Result, "status" | "message">> {
  try {
    const request = { path: path`/api/datasources/uid/${uid}/health` };
    const answer = await api.fetch(request);
    return readHealth(answer) ?? (readJson(judge(answer, request)), { status: "UNKNOWN" });
  } catch (error) {
    // One that cannot be asked says nothing about the others.
    if (signal.aborted || !(error instanceof ToolError)) throw error;
    return { status: "ERROR", message: error.message };
  }
}

// A data source that does not work is answered with status 400; one whose plugin has no way to
// tell, with 404, or 500 when it has no backend at all.
function readHealth({ status, bytes }: ApiAnswer): Pick<Result, "status" | "message"> | undefined {
  const value = jsonOf(bytes);
  const told = health.safeParse(value);
  if ((status === 200 || status === 400) && told.success) {
    const { status, message } = told.data;
    return { status, ...(message && { message: message.slice(0, LONGEST_MESSAGE) }) };
  }
  const hasNoCheck = status === 404 || status === 501 ||
    (value as { messageId?: unknown } | undefined)?.messageId === "plugin.unavailable";
  return hasNoCheck ? { status: "UNKNOWN", message: "Its plugin has no health check" } : undefined;
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
