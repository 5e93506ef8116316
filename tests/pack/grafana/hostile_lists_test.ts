/** Lists and records of answers, wrong from the first item to the hundred thousandth. */

import { ok } from "node:assert/strict";
import { grafana } from "../../../lib/pack/grafana.ts";
import { type Answers, callOn, newGrafana } from "./grafana.ts";

const COUNT = 100_000;
const LONGEST = 300;

const items = Array(COUNT).fill(0);
const members = Object.fromEntries(items.map((wrong, at) => [`m${at}`, wrong]));

const PROM = { uid: "prom", name: "Metrics", type: "prometheus", jsonData: {} };
const LOKI = { uid: "loki", name: "Logs", type: "loki", jsonData: {} };
const ALERTMANAGER = { uid: "am", name: "Alerts", type: "alertmanager", jsonData: {} };

const prom = (path: string, data: unknown, more = {}): Answers => ({
  "GET /api/datasources/uid/prom": PROM,
  [`${path}`.replace(" ", " /api/datasources/uid/prom/resources/api/v1")]: {
    status: "success",
    data,
    ...more,
  },
});
const loki = (path: string, data: unknown): Answers => ({
  "GET /api/datasources/uid/loki": LOKI,
  [`GET /api/datasources/proxy/uid/loki/loki/api/v1${path}`]: { status: "success", data },
});
const series = (one: unknown) => prom("POST /query_range", { resultType: "matrix", result: [one] });
const RULES = "GET /api/prometheus/grafana/api/v1/rules";
const rules = (more: object) => ({
  [RULES]: { data: { groups: [{ name: "g", rules: [{ name: "r", ...more }] }] } },
});
const silences = "GET /api/alertmanager/grafana/api/v2/silences";
const forbidden = Response.json({ message: "no" }, { status: 403 });
const P = { datasourceUid: "prom" };
const QUERY = { ...P, expr: "up" };
const LOGS = { datasourceUid: "loki", logql: "{}" };
const LABEL = { datasourceUid: "loki", labelName: "a" };
const routing = (operation: string, more = {}) => ({ operation, ...more });

const WRONG: [tool: string, args: Record<string, unknown>, answers: Answers][] = [
  ["search_dashboards", {}, { "GET /api/search": items }],
  ["search_dashboards", {}, { "GET /api/search": [{ uid: "a", title: "A", tags: items }] }],
  ["search_folders", {}, { "GET /api/search": items }],
  ["list_datasources", {}, { "GET /api/datasources": items }],
  ["list_datasources", {}, {
    "GET /api/datasources": forbidden,
    "GET /api/frontend/settings": { datasources: members },
  }],
  ["check_datasources_health", {}, { "GET /api/datasources": items }],
  ["get_datasource", { uid: "prom" }, {
    "GET /api/datasources/uid/prom": { ...PROM, secureJsonFields: members },
  }],
  ["query_prometheus", QUERY, prom("POST /query_range", { resultType: "matrix", result: items })],
  ["query_prometheus", QUERY, series({ metric: members, values: [] })],
  ["query_prometheus", QUERY, series({ metric: {}, values: items })],
  ["query_prometheus", QUERY, series({ metric: {}, histograms: items })],
  [
    "query_prometheus",
    QUERY,
    prom("POST /query_range", { resultType: "matrix", result: [] }, { warnings: items }),
  ],
  [
    "query_prometheus_histogram",
    { ...P, metric: "m", percentile: 50 },
    prom("POST /query_range", { resultType: "matrix", result: items }),
  ],
  ["list_prometheus_metric_names", P, prom("GET /label/__name__/values", items)],
  ["list_prometheus_metric_metadata", P, prom("GET /metadata", members)],
  ["list_prometheus_metric_metadata", P, prom("GET /metadata", { up: items })],
  ["list_prometheus_label_names", P, prom("GET /labels", items)],
  ["list_prometheus_label_values", { ...P, labelName: "a" }, prom("GET /label/a/values", items)],
  ["query_loki_logs", LOGS, loki("/query_range", { resultType: "streams", result: items })],
  [
    "query_loki_logs",
    LOGS,
    loki("/query_range", { resultType: "streams", result: [{ stream: members, values: [] }] }),
  ],
  [
    "query_loki_logs",
    LOGS,
    loki("/query_range", { resultType: "streams", result: [{ stream: {}, values: items }] }),
  ],
  ["query_loki_logs", LOGS, loki("/query_range", { resultType: "matrix", result: items })],
  [
    "query_loki_logs",
    LOGS,
    loki("/query_range", { resultType: "matrix", result: [{ metric: {}, values: items }] }),
  ],
  ["list_loki_label_names", { datasourceUid: "loki" }, loki("/labels", items)],
  ["list_loki_label_values", LABEL, loki("/label/a/values", items)],
  ["alerting_manage_rules", { operation: "list" }, { [RULES]: { data: { groups: items } } }],
  ["alerting_manage_rules", { operation: "list" }, {
    [RULES]: { data: { groups: [{ name: "g", rules: items }] } },
  }],
  ["alerting_manage_rules", { operation: "list" }, rules({ labels: members })],
  ["alerting_manage_rules", { operation: "list" }, rules({ annotations: members })],
  ["alerting_manage_rules", { operation: "list" }, rules({ alerts: items })],
  [
    "alerting_manage_rules",
    { operation: "list" },
    rules({
      totalsFiltered: Object.fromEntries(items.map((_, at) => [`m${at}`, "wrong"])),
    }),
  ],
  ["alerting_manage_rules", { operation: "versions", rule_uid: "r" }, {
    "GET /api/ruler/grafana/api/v1/rule/r/versions": items,
  }],
  ["alerting_manage_routing", routing("get_notification_policies"), {
    "GET /api/v1/provisioning/policies": items,
  }],
  ["alerting_manage_routing", routing("get_contact_points"), {
    "GET /api/v1/provisioning/contact-points": items,
  }],
  ["alerting_manage_routing", routing("get_contact_point", { contact_point_title: "a" }), {
    "GET /api/v1/provisioning/contact-points": items,
  }],
  ["alerting_manage_routing", routing("get_contact_points", { datasource_uid: "am" }), {
    "GET /api/datasources/uid/am": ALERTMANAGER,
    "GET /api/datasources/proxy/uid/am/api/v2/receivers": items,
  }],
  ["alerting_manage_routing", routing("get_time_intervals"), {
    "GET /api/v1/provisioning/mute-timings": items,
  }],
  ["alerting_manage_routing", routing("get_time_interval", { time_interval_name: "a" }), {
    "GET /api/v1/provisioning/mute-timings": items,
  }],
  ["alerting_manage_silences", { operation: "list" }, { [silences]: items }],
  ["get_annotations", {}, { "GET /api/annotations": items }],
  ["get_annotations", {}, { "GET /api/annotations": [{ id: 1, tags: items }] }],
  ["get_current_user", {}, { "GET /api/user": {}, "GET /api/user/orgs": items }],
];

const all = (given: Parameters<typeof grafana>[0]) => [...grafana(given).tools];

for (const [at, [tool, args, answers]] of WRONG.entries()) {
  const asked = Object.keys(answers).at(-1)!;
  Deno.test(`${tool} tells one short error of ${COUNT} wrong items from ${asked} (${at})`, async () => {
    const { told, reason } = await callOn(newGrafana(answers), all, tool, args);
    ok(told && told.length < LONGEST, told?.slice(0, LONGEST) ?? "It was taken");
    ok(/^answer not as expected/.test(reason!), reason!.slice(0, LONGEST));
    ok(reason!.length < LONGEST, `${reason!.length} characters in the log`);
  });
}
