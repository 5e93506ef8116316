import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { prometheus } from "../../../lib/pack/grafana/prometheus.ts";
import { NOW } from "../../fakes.ts";
import { type Answers, callTool } from "./grafana.ts";

const SOURCE = { uid: "prom", name: "Metrics", type: "prometheus", jsonData: {} };
const R = "/api/datasources/uid/prom/resources/api/v1";

const list = (data: unknown) => ({ status: "success", data });
const call = (name: string, args: Record<string, unknown>, answers: Answers) =>
  callTool(prometheus, name, { datasourceUid: "prom", ...args }, {
    "GET /api/datasources/uid/prom": SOURCE,
    ...answers,
  });
const search = (path: string) => new URLSearchParams(path.split("?")[1]);

const failed = (status: number, errorType: string, error: string) =>
  Response.json({ status: "error", errorType, error }, { status });

Deno.test("list_prometheus_metric_names() pages through the names", async () => {
  const names = Array.from({ length: 25 }, (_, at) => `m${at}`);
  const answers = { [`GET ${R}/label/__name__/values`]: list(names) };
  const pages = await Promise.all(
    [1, 2, 3, 4].map(async (page) =>
      (await call("list_prometheus_metric_names", { page }, answers)).value!
    ),
  );
  deepEqual(pages.map(({ metrics }) => (metrics as string[])[0]), ["m0", "m10", "m20", undefined]);
  deepEqual(pages.map(({ hasMore }) => hasMore), [true, true, false, false]);
  const last = await call("list_prometheus_metric_names", { limit: 25 }, answers);
  equal(last.value!.hasMore, false);
  deepEqual(pages.map(({ hint }) => hint), [undefined, undefined, undefined, undefined]);
});

Deno.test("list_prometheus_metric_names() has Prometheus match the expression, within the time", async () => {
  const args = { regex: '_bucket$|"', startRfc3339: "now-1h", endRfc3339: "2027-01-15T08:00:00Z" };
  const { asked, value } = await call("list_prometheus_metric_names", args, {
    [`GET ${R}/label/__name__/values`]: list([]),
  });
  deepEqual(Object.fromEntries(search(asked[1]!.path)), {
    "match[]": '{__name__=~".*(?:_bucket$|\\").*", __name__!=""}',
    start: `${NOW - 3600}`,
    end: "1800000000",
  });
  match(value!.hint as string, /none/);
});

Deno.test("list_prometheus_metric_metadata() asks for one more than is shown", async () => {
  const one = [{ type: "gauge", help: "h".repeat(900), unit: "" }];
  const { asked, value } = await call("list_prometheus_metric_metadata", {
    limit: 2,
    limitPerMetric: 1,
    metric: "up",
  }, { [`GET ${R}/metadata`]: list({ a: one, b: one, c: one }) });
  deepEqual(Object.fromEntries(search(asked[1]!.path)), {
    metric: "up",
    limit: "3",
    limit_per_metric: "1",
  });
  deepEqual(Object.keys(value!.metadata as object), ["a", "b"]);
  equal((value!.metadata as Record<string, { help: string }[]>).a![0]!.help.length, 500);
  match(value!.truncated as string, /raise limit/);
});

Deno.test("list_prometheus_label_names() selects series, whatever the values hold", async () => {
  const matches = [
    {
      filters: [
        { name: "job", value: `a"b\\c'd` },
        { name: "http.status", value: "5..", type: "=~" },
      ],
    },
    { filters: [{ name: "env", value: "dev", type: "!=" }] },
  ];
  const answers = { [`GET ${R}/labels`]: list(["job", "env"]) };
  const { asked, value } = await call(
    "list_prometheus_label_names",
    { matches, limit: 1 },
    answers,
  );
  deepEqual(search(asked[1]!.path).getAll("match[]"), [
    `{job="a\\"b\\\\c'd", "http.status"=~"5.."}`,
    '{env!="dev", __name__!=""}',
  ]);
  deepEqual(value!.labels, ["job"]);
  match(value!.truncated as string, /^1 of 2 left out: raise limit/);
});

type Filter = [type: string, value: string];
const ENOUGH: [filters: Filter[], selector: string][] = [
  [[["=", "a"]], '{x="a"}'],
  [[["!=", ""]], '{x!=""}'],
  [[["=", ""]], '{x="", __name__!=""}'],
  [[["!=", "a"]], '{x!="a", __name__!=""}'],
  [[["=~", "a|"]], '{x=~"a|", __name__!=""}'],
  [[["!~", "a"], ["!=", "b"]], '{x!~"a", x!="b", __name__!=""}'],
  [[["!~", "a"], ["=", "b"]], '{x!~"a", x="b"}'],
];
for (const [filters, selector] of ENOUGH) {
  Deno.test(`list_prometheus_label_names() writes ${selector}, which is enough of a selector for Prometheus`, async () => {
    const matches = [{ filters: filters.map(([type, value]) => ({ name: "x", type, value })) }];
    const answers = { [`GET ${R}/labels`]: list([]) };
    const { asked } = await call("list_prometheus_label_names", { matches }, answers);
    deepEqual(search(asked[1]!.path).getAll("match[]"), [selector]);
  });
}

const LABELS: [name: string, segment: string][] = [
  ["job", "job"],
  ["http.status", "http.status"],
  ["app/na_me.x", "U__app_2f_na__me_2e_x"],
  ["../../../admin", "U___2e__2e__2f__2e__2e__2f__2e__2e__2f_admin"],
  ["a?b#c", "a%3Fb%23c"],
];
for (const [labelName, segment] of LABELS) {
  Deno.test(`list_prometheus_label_values() asks for ${labelName} as ${segment}`, async () => {
    const answers = { [`GET ${R}/label/${segment}/values`]: list(["x"]) };
    const { value } = await call("list_prometheus_label_values", { labelName }, answers);
    deepEqual(value, { values: ["x"] });
  });
}

Deno.test("list_prometheus_label_values() tells what Prometheus refuses, and refuses a name that leads up", async () => {
  const bad = failed(400, "bad_data", 'invalid label name: "a b"');
  const answers = { [`GET ${R}/label/a%20b/values`]: bad };
  const { told } = await call("list_prometheus_label_values", { labelName: "a b" }, answers);
  match(told!, /refuses this: invalid label name/);
  match(
    (await call("list_prometheus_label_values", { labelName: ".." }, {})).told!,
    /part of a path/,
  );
});

Deno.test("list_prometheus_label_values() cuts values that are too long together", async () => {
  const answers = { [`GET ${R}/label/x/values`]: list(Array(100).fill("v".repeat(5000))) };
  const { value } = await call("list_prometheus_label_values", { labelName: "x" }, answers);
  ok((value!.values as string[]).length < 100);
  match(value!.truncated as string, /of 100 left out/);
});

for (const limit of [0, 1001, 1.5]) {
  Deno.test(`list_prometheus_label_names() refuses a limit of ${limit}`, async () => {
    match((await call("list_prometheus_label_names", { limit }, {})).told!, /bad arguments/);
  });
}
