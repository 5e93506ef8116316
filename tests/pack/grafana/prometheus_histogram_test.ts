import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { prometheus } from "../../../lib/pack/grafana/prometheus.ts";
import { type Answers, callTool } from "./grafana.ts";

const SOURCE = { uid: "prom", name: "Metrics", type: "prometheus", jsonData: {} };
const RANGE = "POST /api/datasources/uid/prom/resources/api/v1/query_range";
const SERIES = { metric: {}, values: [[1435781430.781, "1"], [1435781445.781, "NaN"]] };

const matrix = (result: unknown[]) => ({
  status: "success",
  data: { resultType: "matrix", result },
});
const call = (args: Record<string, unknown>, answers: Answers) =>
  callTool(prometheus, "query_prometheus_histogram", {
    datasourceUid: "prom",
    metric: "http",
    percentile: 95,
    ...args,
  }, { "GET /api/datasources/uid/prom": SOURCE, ...answers });

const HISTOGRAMS: [args: Record<string, unknown>, expr: string][] = [
  [{}, "histogram_quantile(0.95, sum by (le) (rate(http_bucket[5m])))"],
  [
    { percentile: 99.9, rateInterval: "1h30m" },
    "histogram_quantile(0.999, sum by (le) (rate(http_bucket[1h30m])))",
  ],
  [
    { labels: 'job="api"' },
    'histogram_quantile(0.95, sum by (le) (rate(http_bucket{job="api"}[5m])))',
  ],
  [
    { labels: '{job="api"}', metric: "http_bucket" },
    'histogram_quantile(0.95, sum by (le) (rate(http_bucket{job="api"}[5m])))',
  ],
];
for (const [args, expr] of HISTOGRAMS) {
  Deno.test(`query_prometheus_histogram() asks ${expr}`, async () => {
    const { asked, value } = await call(args, { [RANGE]: matrix([SERIES]) });
    equal(new URLSearchParams(asked[1]!.body).get("query"), expr);
    deepEqual([value!.query, value!.stepSeconds, value!.hint], [expr, 60, undefined]);
  });
}

Deno.test("query_prometheus_histogram() takes longer steps over a longer time", async () => {
  const { value } = await call({ startTime: "now-30d" }, { [RANGE]: matrix([SERIES]) });
  equal(value!.stepSeconds, 10_368);
});

const NOTHING = [[], [{ metric: {}, values: [[1, "NaN"], [2, "NaN"]] }]];
for (const result of NOTHING) {
  Deno.test(`query_prometheus_histogram() says why there may be nothing in ${JSON.stringify(result)}`, async () => {
    const { value } = await call({}, { [RANGE]: matrix(result) });
    match(value!.hint as string, /native/);
  });
}

const BAD_HISTOGRAMS = [
  { percentile: 101 },
  { percentile: -1 },
  { metric: "a b" },
  { metric: 'x{y="z"}' },
  { rateInterval: "5m] or x[1m" },
];
for (const args of BAD_HISTOGRAMS) {
  Deno.test(`query_prometheus_histogram() refuses ${JSON.stringify(args)}`, async () => {
    const { asked, told } = await call(args, {});
    match(told!, /bad arguments/);
    equal(asked.length, 0);
  });
}
