/**
 * Alert rules as Grafana's API shows them, and calling the tool for them.
 *
 * @module
 */

import { alertingRules } from "../../../lib/pack/grafana/alerting_rules.ts";
import { type Answers, callTool } from "./grafana.ts";

/** Where the states of rules are. */
export const R = "GET /api/prometheus/grafana/api/v1/rules";

/** Where rules are written. */
export const P = "/api/v1/provisioning/alert-rules";

/** Calls the tool. */
export const manageRules = (
  args: Record<string, unknown>,
  answers: Answers = {},
  readOnly = false,
) => callTool(alertingRules, "alerting_manage_rules", args, answers, readOnly);

// As Grafana's rules API shows them.
export const ALERT = {
  labels: { alertname: "High CPU", instance: "a" },
  annotations: {},
  state: "Alerting",
  activeAt: "2026-01-01T00:00:00Z",
  value: "1e+00",
};
export const CPU = {
  state: "firing",
  name: "High CPU",
  query: "cpu > 90 | A",
  duration: 300,
  keepFiringFor: 0,
  annotations: { summary: "CPU" },
  alerts: [ALERT],
  totals: { alerting: 1 },
  totalsFiltered: { alerting: 1 },
  uid: "cpu",
  folderUid: "infra",
  labels: { severity: "critical", team: "backend" },
  health: "ok",
  type: "alerting",
  lastEvaluation: "2026-01-01T00:00:10Z",
  evaluationTime: 0.01,
  isPaused: false,
};
export const DISK = {
  ...CPU,
  uid: "disk",
  name: "Disk of the API fills",
  state: "inactive",
  health: "nodata",
  duration: 0,
  annotations: null,
  labels: { severity: "warning" },
  lastEvaluation: "0001-01-01T00:00:00Z",
  totalsFiltered: {},
  isPaused: true,
};
export const RECORDED = {
  ...CPU,
  uid: "rec",
  name: "cpu:rate5m",
  type: "recording",
  state: "",
  labels: {},
};
export const group = (rules: unknown[], more = {}) => ({
  name: "hosts",
  file: "Team/Infra",
  folderUid: "infra",
  interval: 60,
  rules,
  ...more,
});
export const answer = (groups: unknown, more = {}) => ({
  status: "success",
  data: { groups, ...more },
});
export const ALL = {
  [R]: answer([
    group([CPU, DISK]),
    group([RECORDED], { name: "records", file: "Other", folderUid: "other" }),
  ]),
};

// As the documentation of the provisioning API shows it.
export const RULE = {
  id: 7,
  uid: "cpu",
  orgID: 1,
  folderUID: "infra",
  ruleGroup: "hosts",
  title: "High CPU",
  condition: "B",
  data: [{ refId: "A", datasourceUid: "prom", model: { expr: "cpu" } }],
  updated: "2026-01-01T00:00:00Z",
  noDataState: "NoData",
  execErrState: "Error",
  for: "5m",
  keep_firing_for: "0s",
  labels: { severity: "critical" },
  annotations: { summary: "CPU" },
  isPaused: false,
  notification_settings: { receiver: "email", group_by: ["alertname"], group_wait: "30s" },
  record: null,
};

/** The query of a path. */
export const query = (path: string) => {
  const found: Record<string, string[]> = {};
  for (const [name, value] of new URLSearchParams(path.split("?")[1])) {
    (found[name] ??= []).push(value);
  }
  return found;
};
