/**
 * Percentiles of a histogram in Prometheus.
 *
 * @module
 */

import { z } from "zod";
import { type Tool, tool } from "../../pack.ts";
import { datasourceUid } from "./datasource.ts";
import { type OpenPrometheus, resultMembers } from "./prometheus_api.ts";
import { checkStep, MAX_STEP_SECONDS, readSpan, usualStep } from "./span.ts";
import { time } from "../time.ts";

const LEAST_USUAL_STEP_SECONDS = 60;

const duration = /^(?:\d{1,6}(?:ms|[smhdwy]))+$/;

/** The tool. @param now Unix seconds. */
export function prometheusHistogram(open: OpenPrometheus, now: () => number): Tool {
  return tool({
    name: "query_prometheus_histogram",
    title: "Query histogram percentile",
    description:
      "Computes a percentile of a Prometheus histogram over time, and tells the PromQL. " +
      "list_prometheus_metric_names with regex _bucket$ finds histograms.",
    annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
    input: z.strictObject({
      datasourceUid,
      metric: z.string().max(500).regex(/^[a-zA-Z_:][\w:]*$/).describe("Without _bucket"),
      percentile: z.number().min(0).max(100),
      labels: z.string().max(5000).default("").describe('As job="api", code=~"5.."'),
      rateInterval: z.string().max(32).regex(duration).default("5m"),
      startTime: time.optional(),
      endTime: time.default("now"),
      stepSeconds: z.number().int().min(1).max(MAX_STEP_SECONDS).optional().describe(
        "60, or more to fit",
      ),
    }),
    output: z.object({ ...resultMembers, query: z.string(), stepSeconds: z.number() }),
    async run({ datasourceUid, startTime, endTime, stepSeconds, ...what }, context) {
      const span = readSpan(startTime, endTime, now());
      const usual = Math.max(LEAST_USUAL_STEP_SECONDS, usualStep(span));
      const step = checkStep(span, stepSeconds ?? usual);
      const query = histogramQuery(what);
      const result = await (await open(datasourceUid, context))
        .query(query, { span, stepSeconds: step });
      return { ...result, ...hintFor(result.data), query, stepSeconds: step };
    },
  });
}

function histogramQuery(
  { metric, percentile, labels, rateInterval }: {
    readonly metric: string;
    readonly percentile: number;
    readonly labels: string;
    readonly rateInterval: string;
  },
): string {
  // 99.9 / 100 is not quite 0.999.
  const quantile = Number((percentile / 100).toPrecision(12));
  const inner = labels.trim().replace(/^\{(.*)\}$/s, "$1").trim();
  const selector = `${metric.replace(/_bucket$/, "")}_bucket${inner && `{${inner}}`}`;
  return `histogram_quantile(${quantile}, sum by (le) (rate(${selector}[${rateInterval}])))`;
}

function hintFor(
  data: readonly { readonly values?: unknown[][] | undefined }[],
): { hint?: string } {
  const isNothing = data.every(({ values = [] }) => values.every(([, value]) => value === "NaN"));
  if (!isNothing) return {};
  return {
    hint: "There are no observations. The histogram may have another name or be a native one " +
      "(without _bucket), the labels may not match, or nothing happened in this time",
  };
}
