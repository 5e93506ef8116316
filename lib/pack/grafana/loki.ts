/**
 * Querying Loki.
 *
 * @module
 */

import { z } from "zod";
import { type Tool, tool, ToolError } from "../../pack.ts";
import type { Query } from "./api.ts";
import { fitting, truncated } from "../cut.ts";
import { datasourceUid } from "./datasource.ts";
import type { Grafana } from "./grafana.ts";
import { lokiApi, nanoseconds } from "./loki_api.ts";
import { lokiLists } from "./loki_lists.ts";
import { after, answered, byStream, type Direction, entriesOf, type Entry } from "./loki_result.ts";
import { checkStep, MAX_STEP_SECONDS, readSpan, spanText } from "./span.ts";
import { time, TIME_HELP } from "../time.ts";

/** Most log lines of one call. */
export const MAX_LINES = 100;

/** The tools. */
export function loki(grafana: Grafana): Tool[] {
  const open = lokiApi(grafana);
  const { now } = grafana;
  return [
    tool({
      name: "query_loki_logs",
      title: "Query Loki",
      description:
        "Runs LogQL over the last hour or a given time: log lines, or series of a metric query. " +
        `Times: ${TIME_HELP}. list_loki_label_names finds labels; count lines with ` +
        "count_over_time() and queryType instant.",
      annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
      input: z.strictObject({
        datasourceUid,
        logql: z.string().min(1).max(10_000),
        startRfc3339: time.optional(),
        endRfc3339: time.default("now").describe("The time of an instant query"),
        limit: z.number().int().min(1).max(MAX_LINES).default(10).describe("Of lines"),
        direction: z.enum(["backward", "forward"]).default("backward").describe("Newest first"),
        queryType: z.enum(["range", "instant"]).default("range"),
        stepSeconds: z.number().int().min(1).max(MAX_STEP_SECONDS).optional().describe(
          "Of a metric query",
        ),
        format: z.enum(["full", "compact"]).default("full")
          .describe("compact: lines by stream, labels told once"),
      }),
      output: z.object({
        // Told in words: the full schema says no more, at many times the length.
        data: z.array(z.looseObject({})).describe(
          "labels, and timestamp and line, or value or values: [Unix seconds, text]",
        ),
        streams: z.array(z.looseObject({})).optional()
          .describe("Instead of data, when compact: labels, lines"),
        hint: z.string().optional(),
        truncated,
      }),
      async run({ datasourceUid, logql, limit, direction, queryType, format, ...args }, context) {
        const { stepSeconds, startRfc3339, endRfc3339 } = args;
        const isRange = queryType === "range";
        const span = readSpan(isRange ? startRfc3339 : undefined, endRfc3339, now());
        if (isRange && stepSeconds !== undefined) checkStep(span, stepSeconds);
        const query: Query = isRange
          ? {
            query: logql,
            start: nanoseconds(span.from),
            end: nanoseconds(span.to),
            // One more tells whether there are more.
            limit: limit + 1,
            direction,
            step: stepSeconds,
          }
          : { query: logql, time: nanoseconds(span.to) };
        const { data } = await (await open(datasourceUid, context))
          .get(isRange ? "/query_range" : "/query", query, answered);
        const entries = entriesOf(data, direction);
        const result = data.resultType === "streams"
          ? lines(entries, limit, direction)
          : bounded(entries, "aggregate more, or take a larger step or a shorter time range");
        return {
          ...(format === "compact" && data.resultType === "streams"
            ? { ...result, data: [], streams: byStream(result.data) }
            : result),
          ...(entries.length === 0 && {
            hint: `Nothing matches ${isRange ? spanText(span) : `at ${endRfc3339}`}. Check the ` +
              "selector with list_loki_label_values, loosen the filters, or take another time",
          }),
        };
      },
    }),
    ...lokiLists(open, now),
  ];
}

interface Bounded {
  data: Entry[];
  truncated?: string;
}

function lines(entries: readonly Entry[], limit: number, direction: Direction): Bounded {
  const from = direction === "backward" ? "endRfc3339" : "startRfc3339";
  const { data } = bounded(entries.slice(0, limit), "take a shorter time range");
  if (data.length === entries.length) return { data };
  const next = after(data.at(-1)!.timestamp!, direction);
  return { data, truncated: `More lines match: raise limit, or go on with ${from} ${next}` };
}

function bounded(entries: readonly Entry[], how: string): Bounded {
  const { items: data, truncated } = fitting(entries, how);
  if (entries.length > 0 && data.length === 0) {
    throw new ToolError(`Already one series is too long to show: ${how}`, "result too long");
  }
  return { data, ...(truncated && { truncated }) };
}
