import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { prometheus } from "../../../lib/pack/grafana/prometheus.ts";
import { NOW } from "../../fakes.ts";
import { type Answers, callTool } from "./grafana.ts";

const SOURCE = { uid: "prom", name: "Metrics", type: "prometheus", jsonData: {} };
const R = "/api/datasources/uid/prom/resources/api/v1";
const P = "/api/datasources/proxy/uid/prom/api/v1";

// As the documentation of Prometheus' HTTP API shows them.
const MATRIX = {
  status: "success",
  data: {
    resultType: "matrix",
    result: [{
      metric: { __name__: "up", job: "api" },
      values: [[1435781430.781, "1"], [1435781445.781, "1"]],
    }],
  },
};
const VECTOR = {
  status: "success",
  data: {
    resultType: "vector",
    result: [{ metric: { job: "api" }, value: [1435781451.781, "1"] }],
  },
};
const EMPTY = { status: "success", data: { resultType: "matrix", result: [] } };
const list = (data: unknown) => ({ status: "success", data });
const failed = (status: number, errorType: string, error: string) =>
  Response.json({ status: "error", errorType, error }, { status });

const base = { "GET /api/datasources/uid/prom": SOURCE };
const call = (name: string, args: Record<string, unknown>, answers: Answers) =>
  callTool(prometheus, name, { datasourceUid: "prom", ...args }, { ...base, ...answers });
const query = (args: Record<string, unknown>, answers: Answers) =>
  call("query_prometheus", { expr: "up", ...args }, answers);
const form = (body: string) => Object.fromEntries(new URLSearchParams(body));
const search = (path: string) => new URLSearchParams(path.split("?")[1]);

Deno.test("query_prometheus() posts a range of the last hour, in steps that fit", async () => {
  const { asked, value } = await query({}, { [`POST ${R}/query_range`]: MATRIX });
  deepEqual(asked.map(({ method, path }) => `${method} ${path}`), [
    "GET /api/datasources/uid/prom",
    `POST ${R}/query_range`,
  ]);
  deepEqual(form(asked[1]!.body), {
    query: "up",
    start: `${NOW - 3600}`,
    end: `${NOW}`,
    step: "15",
  });
  equal(asked[1]!.headers.get("authorization"), "Bearer alice-token");
  deepEqual(value, { data: MATRIX.data.result, stepSeconds: 15 });
});

Deno.test("query_prometheus() evaluates at one time", async () => {
  const args = { queryType: "instant", endTime: "now-30m", stepSeconds: 1, startTime: "now" };
  const { asked, value } = await query(args, { [`POST ${R}/query`]: VECTOR });
  deepEqual(form(asked[1]!.body), { query: "up", time: `${NOW - 1800}` });
  deepEqual(value, { data: VECTOR.data.result });
});

Deno.test("query_prometheus() asks with GET where the data source says so", async () => {
  const { asked, value } = await query(
    { expr: 'up{job="a b"}', startTime: "now-2m", stepSeconds: 60 },
    {
      "GET /api/datasources/uid/prom": { ...SOURCE, jsonData: { httpMethod: "get" } },
      [`GET ${R}/query_range`]: MATRIX,
    },
  );
  deepEqual(Object.fromEntries(search(asked[1]!.path)), {
    query: 'up{job="a b"}',
    start: `${NOW - 120}`,
    end: `${NOW}`,
    step: "60",
  });
  equal(asked[1]!.body, "");
  equal((value!.data as unknown[]).length, 1);
});

Deno.test("query_prometheus() takes the proxy with the same form when the plugin refuses", async () => {
  const { asked, value } = await query({}, {
    [`POST ${R}/query_range`]: Response.json({ message: "Unauthorized" }, { status: 401 }),
    [`POST ${P}/query_range`]: MATRIX,
  });
  equal(asked[2]!.body, asked[1]!.body);
  equal((value!.data as unknown[]).length, 1);
});

const SCALARS: [type: string, result: unknown[]][] = [
  ["scalar", [1435781451.781, "2"]],
  ["string", [1435781451.781, "foo"]],
];
for (const [resultType, result] of SCALARS) {
  Deno.test(`query_prometheus() shows a ${resultType} as one series without labels`, async () => {
    const answers = { [`POST ${R}/query`]: list({ resultType, result }) };
    const { value } = await query({ queryType: "instant" }, answers);
    deepEqual(value!.data, [{ metric: {}, value: result }]);
  });
}

Deno.test("query_prometheus() passes native histograms and warnings on", async () => {
  const histogram = [1, { count: "3", sum: "6", buckets: [[1, "1", "2", "3"]] }];
  const { value } = await query({ queryType: "instant" }, {
    [`POST ${R}/query`]: {
      ...list({ resultType: "vector", result: [{ metric: {}, histogram }] }),
      warnings: ["partial response", ...Array(20).fill("w".repeat(9000))],
    },
  });
  deepEqual(value!.data, [{ metric: {}, histogram }]);
  const warnings = value!.warnings as string[];
  deepEqual([warnings.length, warnings[0], warnings[1]!.length], [5, "partial response", 500]);
});

Deno.test("query_prometheus() says when nothing matches, and in which time", async () => {
  const { value } = await query({ startTime: "0", endTime: "3600" }, {
    [`POST ${R}/query_range`]: EMPTY,
  });
  deepEqual(value!.data, []);
  match(value!.hint as string, /1970-01-01T00:00:00.000Z to 1970-01-01T01:00:00.000Z/);
  match(value!.hint as string, /list_prometheus_metric_names/);
});

const STEPS: [range: string, stepSeconds: number | undefined, step: number | undefined][] = [
  ["now-11000s", 1, 1],
  ["now-11001s", 1, undefined],
  ["now-7d", 55, 55],
  ["now-7d", 54, undefined],
  ["now-1y", undefined, 126_144],
  ["now-1s", undefined, 1],
];
for (const [startTime, stepSeconds, step] of STEPS) {
  Deno.test(`query_prometheus() ${step ? `takes steps of ${step} s` : "refuses too many points"} from ${startTime} when asked for ${stepSeconds}`, async () => {
    const answers = { [`POST ${R}/query_range`]: MATRIX };
    const { asked, told, value } = await query({
      startTime,
      ...(stepSeconds && { stepSeconds }),
    }, answers);
    equal(value?.stepSeconds, step);
    if (step) return equal(form(asked[1]!.body).step, `${step}`);
    match(told!, /11000 points per series.*stepSeconds \d+ or more/);
    equal(asked.length, 0);
  });
}

const BAD_TIMES: [args: Record<string, string>, told: RegExp][] = [
  [{ startTime: "yesterday" }, /"yesterday" is no point in time/],
  [{ endTime: "tomorrow", queryType: "instant" }, /"tomorrow" is no point in time/],
  [{ startTime: "now", endTime: "now-1h" }, /start \(now\) is after the end \(now-1h\)/],
  [{ endTime: "now+999999y" }, /further away/],
  [{ startTime: "" }, /bad arguments/],
];
for (const [args, expected] of BAD_TIMES) {
  Deno.test(`query_prometheus() refuses the time ${JSON.stringify(args)} before it asks`, async () => {
    const { asked, told } = await query(args, {});
    match(told!, expected);
    equal(asked.length, 0);
  });
}

const REFUSED: [what: string, answer: unknown, told: RegExp, requests: number][] = [
  [
    "a parse error",
    failed(400, "bad_data", "1:4: parse error"),
    /refuses this: 1:4: parse error/,
    1,
  ],
  [
    "too many samples",
    failed(422, "execution", "query processing would load too many samples"),
    /too many samples/,
    1,
  ],
  ["a query that took too long, once", failed(503, "timeout", "query timed out"), /timed out/, 1],
  [
    "a missing permission",
    Response.json({ message: "You'll need datasources:query" }, { status: 403 }),
    /datasources:query/,
    2,
  ],
  [
    "what is no Prometheus",
    { status: "success", data: { resultType: "frames" } },
    /not answer as a Prometheus/,
    1,
  ],
  [
    "a refusal with a good status",
    { status: "error", error: "x" },
    /not answer as a Prometheus/,
    1,
  ],
  [
    "a login page",
    new Response("<html>", { headers: { "content-type": "text/html" } }),
    /web page/,
    1,
  ],
  ["that Grafana is away", new TypeError("connection refused"), /cannot be reached/, 1],
  [
    "an answer that is too large",
    new Response(new Uint8Array(10 * 1024 * 1024 + 1)),
    /larger than 10 MiB/,
    1,
  ],
];
for (const [what, answer, expected, requests] of REFUSED) {
  Deno.test(`query_prometheus() tells ${what}`, async () => {
    const { asked, told } = await query({}, {
      [`POST ${R}/query_range`]: answer,
      [`POST ${P}/query_range`]: answer,
    });
    match(told!, expected);
    equal(asked.length - 1, requests);
  });
}

Deno.test("query_prometheus() asks once with GET when a query took too long", async () => {
  const { asked, told } = await query({}, {
    "GET /api/datasources/uid/prom": { ...SOURCE, jsonData: { httpMethod: "GET" } },
    [`GET ${R}/query_range`]: failed(503, "timeout", "query timed out"),
  });
  match(told!, /timed out/);
  equal(asked.length, 2);
});

const series = (count: number, points: number) =>
  list({
    resultType: "matrix",
    result: Array.from({ length: count }, (_, at) => ({
      metric: { pod: `pod-${at}` },
      values: Array.from({ length: points }, (_, at) => [1_700_000_000 + at, "0.123456789"]),
    })),
  });

Deno.test("query_prometheus() cuts a long result between series, and says what to do", async () => {
  const { value } = await query({}, { [`POST ${R}/query_range`]: series(100, 250) });
  const shown = (value!.data as unknown[]).length;
  ok(shown > 0 && shown < 100);
  ok(JSON.stringify(value).length < 210_000);
  match(value!.truncated as string, new RegExp(`^${100 - shown} of 100 left out: aggregate`));
});

Deno.test("query_prometheus() tells when already one series is too long", async () => {
  const { told } = await query({}, { [`POST ${R}/query_range`]: series(1, 11_000) });
  match(told!, /one series is too long.*larger step/);
});
