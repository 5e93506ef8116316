/**
 * Querying Prometheus.
 *
 * @module
 */

import { z } from "zod";
import { type Tool, tool } from "../../pack.ts";
import { datasourceUid } from "./datasource.ts";
import type { Grafana } from "./grafana.ts";
import { prometheusApi, resultMembers } from "./prometheus_api.ts";
import { prometheusHistogram } from "./prometheus_histogram.ts";
import { prometheusLists } from "./prometheus_lists.ts";
import { checkStep, MAX_STEP_SECONDS, readSpan, spanText, usualStep } from "./span.ts";
import { time, TIME_HELP, timeMs } from "../time.ts";

/** The tools. */
export function prometheus(grafana: Grafana): Tool[] {
  const open = prometheusApi(grafana);
  const { now } = grafana;
  return [
    tool({
      name: "query_prometheus",
      title: "Query Prometheus",
      description:
        `Evaluates PromQL at endTime (instant) or over a time range. Times: ${TIME_HELP}. ` +
        "list_prometheus_metric_names finds metrics.",
      annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
      input: z.strictObject({
        datasourceUid,
        expr: z.string().min(1).max(10_000).describe("PromQL"),
        startTime: time.optional().describe("Of a range; an hour before the end when absent"),
        endTime: time.default("now"),
        stepSeconds: z.number().int().min(1).max(MAX_STEP_SECONDS).optional()
          .describe("Of a range; chosen to fit when absent"),
        queryType: z.enum(["range", "instant"]).default("range"),
      }),
      output: z.object({ ...resultMembers, stepSeconds: z.number().optional() }),
      async run({ datasourceUid, expr, startTime, endTime, stepSeconds, queryType }, context) {
        if (queryType === "instant") {
          const at = timeMs(endTime, now());
          const result = await (await open(datasourceUid, context)).query(expr, { at });
          return { ...result, ...hintFor(result.data, `at ${endTime}`) };
        }
        const span = readSpan(startTime, endTime, now());
        const step = checkStep(span, stepSeconds ?? usualStep(span));
        const result = await (await open(datasourceUid, context))
          .query(expr, { span, stepSeconds: step });
        return {
          ...result,
          ...hintFor(result.data, spanText(span)),
          stepSeconds: step,
        };
      },
    }),
    prometheusHistogram(open, now),
    ...prometheusLists(open, now),
  ];
}

function hintFor(data: readonly unknown[], when: string): { hint?: string } {
  if (data.length > 0) return {};
  return {
    hint: `Nothing matches ${when}. Check the metric with list_prometheus_metric_names, the ` +
      "labels with list_prometheus_label_values, or take another time",
  };
}
