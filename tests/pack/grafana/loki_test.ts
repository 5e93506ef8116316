import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { loki } from "../../../lib/pack/grafana/loki.ts";
import { NOW } from "../../fakes.ts";
import { type Answers, callTool } from "./grafana.ts";

const P = "/api/datasources/proxy/uid/logs/loki/api/v1";
const R = "/api/datasources/uid/logs/resources";
const base = { "GET /api/datasources/uid/logs": { uid: "logs", name: "Logs", type: "loki" } };
const call = (name: string, args: Record<string, unknown>, answers: Answers) =>
  callTool(loki, name, { datasourceUid: "logs", ...args }, { ...base, ...answers });
const query = (args: Record<string, unknown>, answers: Answers) =>
  call("query_loki_logs", { logql: '{app="a"} |= "x"', ...args }, answers);
const search = (path: string) => Object.fromEntries(new URLSearchParams(path.split("?")[1]));
const ns = (seconds: number) => `${seconds}000000000`;
const at = (offset: number, nanos = "000000000") => `${NOW + offset}${nanos}`;

// As the documentation of Loki's HTTP API shows them.
const streams = (result: unknown[]) => ({
  status: "success",
  data: { resultType: "streams", encodingFlags: ["categorize-labels"], result, stats: {} },
});
const LINES = streams([
  {
    stream: { app: "a", pod: "1" },
    values: [
      [at(-10, "123456789"), "newest", {
        structuredMetadata: { trace: "t1" },
        parsed: { level: "error" },
      }],
      [at(-40), "oldest", {}],
    ],
  },
  { stream: { app: "a", pod: "2" }, values: [[at(-20), "middle", { structuredMetadata: {} }]] },
]);
const texts = (value: Record<string, unknown> | undefined) =>
  (value!.data as { line: string }[]).map(({ line }) => line);

Deno.test("query_loki_logs() asks for the last hour, with labels told apart", async () => {
  const { asked, value } = await query({}, { [`GET ${P}/query_range`]: LINES });
  deepEqual(search(asked[1]!.path), {
    query: '{app="a"} |= "x"',
    start: ns(NOW - 3600),
    end: ns(NOW),
    limit: "11",
    direction: "backward",
  });
  equal(asked[1]!.headers.get("x-loki-response-encoding-flags"), "categorize-labels");
  equal(asked[1]!.headers.get("authorization"), "Bearer alice-token");
  deepEqual((value!.data as unknown[])[0], {
    timestamp: "2027-01-15T07:59:50.123456789Z",
    line: "newest",
    labels: { app: "a", pod: "1" },
    structuredMetadata: { trace: "t1" },
    parsed: { level: "error" },
  });
  deepEqual((value!.data as unknown[])[1], {
    timestamp: "2027-01-15T07:59:40.000000000Z",
    line: "middle",
    labels: { app: "a", pod: "2" },
  });
  deepEqual([value!.truncated, value!.hint, value!.streams], [undefined, undefined, undefined]);
});

const ORDERS: [direction: string, limit: number, lines: string[], next: string | undefined][] = [
  ["backward", 3, ["newest", "middle", "oldest"], undefined],
  ["backward", 1, ["newest"], "endRfc3339 2027-01-15T07:59:50.124Z"],
  ["backward", 2, ["newest", "middle"], "endRfc3339 2027-01-15T07:59:40.001Z"],
  ["forward", 3, ["oldest", "middle", "newest"], undefined],
  ["forward", 2, ["oldest", "middle"], "startRfc3339 2027-01-15T07:59:40.000Z"],
];
for (const [direction, limit, expected, next] of ORDERS) {
  Deno.test(`query_loki_logs() orders lines of all streams ${direction}, and cuts after ${limit}`, async () => {
    const { value } = await query({ direction, limit }, { [`GET ${P}/query_range`]: LINES });
    deepEqual(texts(value), expected);
    equal((value!.truncated as string | undefined)?.split(" go on with ")[1], next);
  });
}

Deno.test("query_loki_logs() tells labels once per stream when compact", async () => {
  const { value } = await query({ format: "compact", limit: 2 }, {
    [`GET ${P}/query_range`]: LINES,
  });
  deepEqual(value!.data, []);
  deepEqual(value!.streams, [
    {
      labels: { app: "a", pod: "1" },
      lines: [{ timestamp: "2027-01-15T07:59:50.123456789Z", line: "newest" }],
    },
    {
      labels: { app: "a", pod: "2" },
      lines: [{ timestamp: "2027-01-15T07:59:40.000000000Z", line: "middle" }],
    },
  ]);
  match(value!.truncated as string, /More lines match/);
});

Deno.test("query_loki_logs() reads the lines of a Loki before 3, which tells no more than lines", async () => {
  const old = streams([{ stream: { app: "a" }, values: [[at(-1), "line"]] }]);
  const { value } = await query({}, { [`GET ${P}/query_range`]: old });
  deepEqual(texts(value), ["line"]);
});

Deno.test("query_loki_logs() shortens a long line, and keeps the result within bounds", async () => {
  const long = streams([{
    stream: {},
    values: Array.from({ length: 100 }, (_, index) => [at(-index), "é".repeat(6000)]),
  }]);
  const { value } = await query({ limit: 100 }, { [`GET ${P}/query_range`]: long });
  match(texts(value)[0]!, /^é{5000}… \(1000 more characters\)$/);
  ok(texts(value).length < 100);
  match(value!.truncated as string, /More lines match/);
});

const METRIC = {
  status: "success",
  data: {
    resultType: "matrix",
    result: [{ metric: { level: "error" }, values: [[1800000000, "3"], [1800000060, "NaN"]] }],
  },
};

Deno.test("query_loki_logs() shows series of a metric query, in steps", async () => {
  const { asked, value } = await query({ stepSeconds: 60, format: "compact" }, {
    [`GET ${P}/query_range`]: METRIC,
  });
  equal(search(asked[1]!.path).step, "60");
  deepEqual(value!.data, [{ labels: { level: "error" }, values: METRIC.data.result[0]!.values }]);
});

const INSTANT: [type: string, result: unknown[], data: unknown[]][] = [
  ["vector", [{ metric: { a: "b" }, value: [1800000000, "7"] }], [
    { labels: { a: "b" }, value: [1800000000, "7"] },
  ]],
  ["scalar", [1800000000, "2"], [{ labels: {}, value: [1800000000, "2"] }]],
];
for (const [resultType, result, data] of INSTANT) {
  Deno.test(`query_loki_logs() evaluates a ${resultType} at one time, whatever the start`, async () => {
    const args = {
      queryType: "instant",
      endRfc3339: "now-1h",
      startRfc3339: "now",
      stepSeconds: 1,
    };
    const answers = { [`GET ${P}/query`]: { status: "success", data: { resultType, result } } };
    const { asked, value } = await query(args, answers);
    deepEqual(search(asked[1]!.path), { query: '{app="a"} |= "x"', time: ns(NOW - 3600) });
    deepEqual(value!.data, data);
  });
}

Deno.test("query_loki_logs() says when nothing matches, and in which time", async () => {
  const { value } = await query({ endRfc3339: "1970-01-02T00:00:00Z" }, {
    [`GET ${P}/query_range`]: streams([]),
  });
  match(value!.hint as string, /from 1970-01-01T23:00:00.000Z to 1970-01-02T00:00:00.000Z/);
});

const text = (status: number, body: string) =>
  new Response(body, { status, headers: { "content-type": "text/plain; charset=utf-8" } });
const REFUSED: [what: string, answer: unknown, told: RegExp][] = [
  [
    "a parse error",
    text(400, "parse error at line 1, col 9: syntax error"),
    /refuses this: parse error at line 1/,
  ],
  ["a limit", text(429, "too many outstanding requests"), /status 429: too many outstanding/],
  ["a plain failure", text(500, "context deadline exceeded"), /status 500: context deadline/],
  [
    "a query that took too long, once",
    text(504, "request timed out"),
    /status 504: request timed out/,
  ],
  [
    "a missing permission",
    Response.json({ message: "datasources:query" }, { status: 403 }),
    /does not let you.*datasources:query/,
  ],
  [
    "what is no Loki",
    { status: "success", data: { resultType: "frames", result: [] } },
    /not answer as a Loki/,
  ],
  [
    "times that are none",
    streams([{ stream: {}, values: [["x", "line"]] }]),
    /not answer as a Loki/,
  ],
  [
    "a login page",
    new Response("<html>", { headers: { "content-type": "text/html" } }),
    /web page/,
  ],
];
for (const [what, answer, expected] of REFUSED) {
  Deno.test(`query_loki_logs() tells ${what}, and does not try Loki's plugin, which passes no queries on`, async () => {
    const { asked, told } = await query({}, { [`GET ${P}/query_range`]: answer });
    match(told!, expected);
    equal(asked.length, 2);
  });
}

for (const type of ["prometheus", "victoriametrics-logs-datasource", "grafana-loki-like"]) {
  Deno.test(`query_loki_logs() refuses a data source of type ${type}, and does not query it`, async () => {
    const { asked, told } = await query({}, {
      "GET /api/datasources/uid/logs": { uid: "logs", name: "Logs", type },
    });
    ok(told!.includes(`"logs" is of type ${type}, not Loki`), told);
    equal(asked.length, 1);
  });
}

const BAD: [args: Record<string, unknown>, told: RegExp][] = [
  [{ limit: 101 }, /bad arguments/],
  [{ limit: 0 }, /bad arguments/],
  [{ logql: "" }, /bad arguments/],
  [{ direction: "up" }, /bad arguments/],
  [{ startRfc3339: "last week" }, /no point in time/],
  [{ startRfc3339: "now", endRfc3339: "now-1h" }, /after the end/],
  [{ startRfc3339: "now-7d", stepSeconds: 1 }, /11000 points.*stepSeconds 55/],
];
for (const [args, expected] of BAD) {
  Deno.test(`query_loki_logs() refuses ${JSON.stringify(args)} before it asks`, async () => {
    const { asked, told } = await query(args, {});
    match(told!, expected);
    equal(asked.length, 0);
  });
}

const strings = (data?: string[]) => ({ status: "success", ...(data && { data }) });

Deno.test("list_loki_label_names() lists labels of a given time", async () => {
  const { asked, value } = await call("list_loki_label_names", {
    startRfc3339: "now-2h",
    endRfc3339: "now-1h",
  }, { [`GET ${P}/labels`]: strings(["app", "pod"]) });
  deepEqual(search(asked[1]!.path), { start: ns(NOW - 7200), end: ns(NOW - 3600) });
  deepEqual(value, { labels: ["app", "pod"] });
});

Deno.test("list_loki_label_names() says when there is none, as Loki does without data", async () => {
  const { value } = await call("list_loki_label_names", {}, { [`GET ${P}/labels`]: strings() });
  deepEqual(value!.labels, []);
  match(value!.hint as string, /none from 2027-01-15T07:00:00.000Z to/);
});

const LISTS: [name: string, args: Record<string, unknown>, path: string, answer: unknown][] = [
  ["list_loki_label_names", {}, "/labels", strings(["app"])],
  ["list_loki_label_values", { labelName: "app" }, "/label/app/values", strings(["a"])],
  ["query_loki_stats", { logql: "{}" }, "/index/stats", {
    streams: 1,
    chunks: 2,
    entries: 3,
    bytes: 4,
  }],
];
for (const [name, args, path, answer] of LISTS) {
  Deno.test(`${name}() goes through Loki's plugin, by its own path, when the proxy is closed`, async () => {
    const { asked, value } = await call(name, args, {
      [`GET ${P}${path}`]: Response.json({ message: "no" }, { status: 403 }),
      [`GET ${R}${path}`]: answer,
    });
    deepEqual(asked.slice(1).map((one) => one.path.split("?")[0]), [P + path, R + path]);
    equal(value!.hint, undefined);
  });
}

Deno.test("list_loki_label_values() lists at most a thousand", async () => {
  const values = Array.from({ length: 1200 }, (_, index) => `v${index}`);
  const answers = { [`GET ${P}/label/pod/values`]: strings(values) };
  const { value } = await call("list_loki_label_values", { labelName: "pod" }, answers);
  equal((value!.values as string[]).length, 1000);
  match(value!.truncated as string, /^200 of 1200 left out/);
});

for (const labelName of ["", "a/b", "..", "a b", "a?b", "9a"]) {
  Deno.test(`list_loki_label_values() refuses the label "${labelName}", which Loki cannot have`, async () => {
    match((await call("list_loki_label_values", { labelName }, {})).told!, /bad arguments/);
  });
}

Deno.test("query_loki_stats() tells what a selector covers, and that it may be nothing", async () => {
  const zero = { streams: 0, chunks: 0, entries: 0, bytes: 0 };
  const args = { logql: '{app="a"}' };
  const { asked, value } = await call("query_loki_stats", args, { [`GET ${P}/index/stats`]: zero });
  deepEqual(search(asked[1]!.path), { query: '{app="a"}', start: ns(NOW - 3600), end: ns(NOW) });
  deepEqual([value!.streams, value!.bytes], [0, 0]);
  match(value!.hint as string, /none/);
});

Deno.test("query_loki_stats() tells that it takes only a selector, in Loki's words", async () => {
  const answers = { [`GET ${P}/index/stats`]: text(400, "only label matchers are supported") };
  const { told } = await call("query_loki_stats", { logql: '{a="b"} |= "x"' }, answers);
  match(told!, /only label matchers/);
});
