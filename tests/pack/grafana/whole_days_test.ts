/** Spans of whole days, as `now/d` to `now/d`, in every tool that has a start and an end. */

import { deepStrictEqual as deepEqual } from "node:assert/strict";
import { grafana } from "../../../lib/pack/grafana.ts";
import { NOW } from "../../fakes.ts";
import { type Answers, type Asked, callTool } from "./grafana.ts";

const DAY = 86_400_000;
const START = Math.floor(NOW * 1000 / DAY) * DAY;
const END = START + DAY - 1;

const PROM = { uid: "prom", name: "Metrics", type: "prometheus", jsonData: {} };
const LOKI = { uid: "loki", name: "Logs", type: "loki", jsonData: {} };
const RANGE = { status: "success", data: { resultType: "matrix", result: [] } };
const LIST = { status: "success", data: [] };
const prom = (path: string, answer: unknown): Answers => ({
  "GET /api/datasources/uid/prom": PROM,
  [path.replace(" ", " /api/datasources/uid/prom/resources/api/v1")]: answer,
});
const loki = (path: string): Answers => ({
  "GET /api/datasources/uid/loki": LOKI,
  [`GET /api/datasources/proxy/uid/loki/loki/api/v1${path}`]: LIST,
});

const search = ({ path }: Asked) => Object.fromEntries(new URLSearchParams(path.split("?")[1]));
const form = ({ body }: Asked) => Object.fromEntries(new URLSearchParams(body));
const json = ({ body }: Asked) => JSON.parse(body);

type Read = (asked: Asked) => unknown[];
const seconds = (of: (asked: Asked) => Record<string, string>): Read => (asked) =>
  [of(asked).start, of(asked).end].map((one) => Number(one) * 1000);
const nanoseconds: Read = (asked) =>
  [search(asked).start, search(asked).end].map((one) => Number(one) / 1e6);

const today = { startRfc3339: "now/d", endRfc3339: "now/d" };
const span = { startTime: "now/d", endTime: "now/d" };
const P = { datasourceUid: "prom" };
const L = { datasourceUid: "loki" };
const METRIC = { metric: "m", percentile: 50 };
const LABEL = { ...L, ...today, labelName: "a" };
const MARK = { text: "x", time: "now/d", timeEnd: "now/d" };
const SILENCE = {
  operation: "create",
  matchers: [{ name: "a", value: "b" }],
  starts_at: "now/d",
  ends_at: "now/d",
  comment: "x",
};
const SILENCES = "POST /api/alertmanager/grafana/api/v2/silences";

const SPANS: [tool: string, args: Record<string, unknown>, answers: Answers, read: Read][] = [
  [
    "query_prometheus",
    { ...P, expr: "up", ...span },
    prom("POST /query_range", RANGE),
    seconds(form),
  ],
  [
    "query_prometheus_histogram",
    { ...P, ...METRIC, ...span },
    prom("POST /query_range", RANGE),
    seconds(form),
  ],
  [
    "list_prometheus_metric_names",
    { ...P, ...today },
    prom("GET /label/__name__/values", LIST),
    seconds(search),
  ],
  ["list_prometheus_label_names", { ...P, ...today }, prom("GET /labels", LIST), seconds(search)],
  ["list_loki_label_names", { ...L, ...today }, loki("/labels"), nanoseconds],
  ["list_loki_label_values", LABEL, loki("/label/a/values"), nanoseconds],
  [
    "get_annotations",
    { from: "now/d", to: "now/d" },
    { "GET /api/annotations": [] },
    (asked) => [Number(search(asked).from), Number(search(asked).to)],
  ],
  [
    "create_annotation",
    MARK,
    { "POST /api/annotations": { id: 1 } },
    (asked) => [json(asked).time, json(asked).timeEnd],
  ],
  [
    "alerting_manage_silences",
    SILENCE,
    { [SILENCES]: { silenceID: "s" } },
    (asked) => [Date.parse(json(asked).startsAt), Date.parse(json(asked).endsAt)],
  ],
];
for (const [tool, args, answers, read] of SPANS) {
  Deno.test(`${tool} takes now/d to now/d for the whole of today`, async () => {
    const { asked } = await callTool((all) => [...grafana(all).tools], tool, args, answers);
    deepEqual(read(asked.at(-1)!), [START, END]);
  });
}

Deno.test("query_prometheus takes the one time now/d for the beginning of today", async () => {
  const args = { ...P, expr: "up", queryType: "instant", endTime: "now/d" };
  const { asked } = await callTool(
    (all) => [...grafana(all).tools],
    "query_prometheus",
    args,
    prom("POST /query", { ...RANGE, data: { resultType: "vector", result: [] } }),
  );
  deepEqual(Number(form(asked.at(-1)!).time) * 1000, START);
});
