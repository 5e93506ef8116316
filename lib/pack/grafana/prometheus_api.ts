/**
 * The HTTP API of Prometheus, behind Grafana.
 *
 * @see {@link https://prometheus.io/docs/prometheus/latest/querying/api/}
 *
 * @module
 */

import { z } from "zod";
import { type ToolContext, ToolError } from "../../pack.ts";
import type { Query } from "./api.ts";
import { fitting, truncated } from "../cut.ts";
import { sourcesOf } from "./datasource.ts";
import { sourceWays } from "./datasource_path.ts";
import type { Grafana } from "./grafana.ts";
import { items, members, shaped } from "./items.ts";
import type { Span } from "./span.ts";

/** One series of a result. A point is its time in Unix seconds, and its value as text. */
const series = z.object({
  metric: members(z.string()),
  value: z.array(z.unknown()).optional(),
  values: items(z.array(z.unknown())).optional(),
  histogram: z.array(z.unknown()).optional(),
  histograms: items(z.array(z.unknown())).optional(),
});

/** What the result of a query has. */
export const resultMembers = {
  // Told in words: the full schema says no more, at many times the length.
  data: z.array(z.looseObject({})).describe("metric, and value or values: [Unix seconds, text]"),
  warnings: z.array(z.string()).optional(),
  hint: z.string().optional(),
  truncated,
};

/** A result. */
export interface PrometheusResult {
  data: z.infer<typeof series>[];
  warnings?: string[];
  truncated?: string;
}

/** When to evaluate: at one time, in Unix milliseconds, or in steps of seconds over a span. */
export type When =
  | { readonly at: number }
  | { readonly span: Span; readonly stepSeconds: number };

/** One Prometheus, as one caller. */
export interface Prometheus {
  /** Evaluates an expression. */
  query(expr: string, when: When): Promise<PrometheusResult>;
  /** Gets what is below `/api/v1`. */
  get<T>(path: string, query: Query, shape: z.ZodType<T>): Promise<T>;
}

/** Finds a Prometheus. @returns Rejects with {@linkcode ToolError} when it is none. */
export type OpenPrometheus = (uid: string, context: ToolContext) => Promise<Prometheus>;

const MAX_WARNINGS = 5;
const LONGEST_WARNING = 500;

const envelope = z.object({
  status: z.literal("success"),
  data: z.unknown(),
  warnings: items(z.string()).nullish(),
});

const evaluated = z.discriminatedUnion("resultType", [
  z.object({ resultType: z.enum(["matrix", "vector"]), result: items(series) }),
  z.object({ resultType: z.enum(["scalar", "string"]), result: z.array(z.unknown()) }),
]);

/** Prepares finding them. */
export function prometheusApi({ api, now }: Grafana): OpenPrometheus {
  const open = sourcesOf({
    name: "Prometheus",
    // Those of Amazon, Azure and VictoriaMetrics have plugins of their own, and the same API.
    type: /prometheus|^victoriametrics-metrics-/,
    example: "prometheus",
  }, now);
  const ask = sourceWays("resources");
  return async (uid, context) => {
    const client = api(context);
    const { httpMethod } = await open(client, uid, context);
    const answerTo = async (path: string, request: { query?: Query; form?: Query }) => {
      const paths = { resources: path, proxy: path };
      const method = request.form ? "POST" : "GET";
      // A query that took too long is not asked again.
      const idempotent = !/\/query(_range)?$/.test(path);
      return read(envelope, await ask(client, { uid, paths, method, idempotent, ...request }));
    };
    return {
      async query(expr, when) {
        const asked = { query: expr, ...timesOf(when) };
        const isGet = httpMethod?.toUpperCase() === "GET";
        const { data, warnings } = await answerTo(
          "at" in when ? "/api/v1/query" : "/api/v1/query_range",
          isGet ? { query: asked } : { form: asked },
        );
        return { ...bounded(seriesOf(read(evaluated, data))), ...toldWarnings(warnings) };
      },
      async get(path, query, shape) {
        return read(shape, (await answerTo(`/api/v1${path}`, { query })).data);
      },
    };
  };
}

function timesOf(when: When): Query {
  return "at" in when
    ? { time: when.at / 1000 }
    : { start: when.span.from / 1000, end: when.span.to / 1000, step: when.stepSeconds };
}

function seriesOf(got: z.infer<typeof evaluated>): z.infer<typeof series>[] {
  return got.resultType === "matrix" || got.resultType === "vector"
    ? got.result
    : [{ metric: {}, value: got.result }];
}

function bounded(all: z.infer<typeof series>[]): PrometheusResult {
  const how = "aggregate, as with sum by or topk, or take a larger step or a shorter time range";
  const { items: data, truncated } = fitting(all, how);
  if (all.length > 0 && data.length === 0) {
    throw new ToolError(`Already one series is too long to show: ${how}`, "result too long");
  }
  return { data, ...(truncated && { truncated }) };
}

function toldWarnings(warnings: readonly string[] | null | undefined): { warnings?: string[] } {
  if (!warnings || warnings.length === 0) return {};
  return {
    warnings: warnings.slice(0, MAX_WARNINGS).map((one) => one.slice(0, LONGEST_WARNING)),
  };
}

function read<T>(shape: z.ZodType<T>, value: unknown): T {
  return shaped(
    shape,
    value,
    "The data source does not answer as a Prometheus does. Its URL in Grafana may be wrong",
  );
}
