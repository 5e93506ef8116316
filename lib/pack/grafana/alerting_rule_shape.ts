/**
 * An alert rule, as tools name its members and as Grafana's provisioning API does.
 *
 * @see {@link https://grafana.com/docs/grafana/latest/developers/http_api/alerting_provisioning/}
 *
 * @module
 */

import { z } from "zod";
import { isEmpty } from "./alerting_needs.ts";

/** A length of time, as `1h30m`. */
const duration = z.string().max(50).regex(/^(?:|0|(?:\d{1,6}(?:ms|[smhdwy]))+)$/, "write 5m");

const texts = z.record(z.string().max(500), z.string().max(10_000));
const names = z.array(z.string().max(200)).max(50).optional();

/** Arguments that make a rule. */
export const ruleFields = {
  title: z.string().max(190).optional(),
  condition: z.string().max(100).optional().describe("refId that decides, as B"),
  data: z.array(z.looseObject({
    datasourceUid: z.string().min(1).max(200).describe("__expr__ for expressions"),
    model: z.record(z.string(), z.unknown()).describe(
      "{expr}, or {type: threshold, expression: A, conditions: [{evaluator: {type: gt, params: [1]}}]}",
    ),
    refId: z.string().max(100).optional().describe("A, B, … by position when absent"),
    relativeTimeRange: z.strictObject({ from: z.number(), to: z.number() }).optional()
      .describe("Seconds before now; 600 to 0 when absent"),
  })).max(26).optional(),
  no_data_state: z.enum(["NoData", "Alerting", "OK", "KeepLast"]).optional(),
  exec_err_state: z.enum(["Error", "Alerting", "OK", "KeepLast"]).optional(),
  for: duration.optional().describe("How long before it fires, as 5m"),
  keep_firing_for: duration.optional(),
  is_paused: z.boolean().optional(),
  notification_settings: z.strictObject({
    receiver: z.string().min(1).max(200),
    groupBy: names,
    groupWait: duration.optional(),
    groupInterval: duration.optional(),
    repeatInterval: duration.optional(),
    muteTimeIntervals: names,
    activeTimeIntervals: names,
  }).nullable().optional().describe("null for none"),
  record: z.strictObject({
    from: z.string().min(1).max(100).describe("refId"),
    metric: z.string().min(1).max(500),
    targetDatasourceUid: z.string().max(200).optional(),
  }).optional().describe("Makes it a recording rule"),
  missing_series_evals_to_resolve: z.number().int().min(0).max(10_000).optional(),
  annotations: texts.optional(),
  labels: texts.optional(),
  org_id: z.number().int().min(1).optional().describe("Yours when absent"),
};

const fields = z.object(ruleFields).extend({
  folder_uid: z.string().optional(),
  rule_group: z.string().optional(),
});

/** Members of a rule, as tools name them. */
export type RuleFields = z.infer<typeof fields>;

/** A rule of the provisioning API. */
export type Provisioned = Readonly<Record<string, unknown>>;

const API_NAMES = {
  title: "title",
  folder_uid: "folderUID",
  rule_group: "ruleGroup",
  condition: "condition",
  data: "data",
  no_data_state: "noDataState",
  exec_err_state: "execErrState",
  for: "for",
  keep_firing_for: "keep_firing_for",
  is_paused: "isPaused",
  notification_settings: "notification_settings",
  record: "record",
  missing_series_evals_to_resolve: "missingSeriesEvalsToResolve",
  annotations: "annotations",
  labels: "labels",
  org_id: "orgID",
} as const satisfies Record<keyof RuleFields, string>;

/** What is given of a rule, as the provisioning API names it. */
export function provisionedOf({ data, notification_settings, record, ...rest }: RuleFields) {
  const given = {
    ...rest,
    data: data?.map(queryOf),
    notification_settings: notification_settings && renamed(notification_settings, snake),
    record: record && renamed(record, snake),
  };
  const entries = Object.entries(API_NAMES).flatMap(([name, apiName]) => {
    const value = given[name as keyof typeof given];
    const isCleared = name === "notification_settings" && notification_settings === null;
    return isEmpty(value) && !isCleared ? [] : [[apiName, value]];
  });
  return Object.fromEntries(entries) as Record<string, unknown>;
}

/** A rule of the provisioning API, as tools name its members; what is empty is left out. */
export function toldRule(rule: Provisioned): Record<string, unknown> {
  const entries = Object.entries(API_NAMES).flatMap(([name, apiName]) => {
    const value = rule[apiName];
    if (isEmpty(value) || name === "org_id") return [];
    const isNested = name === "notification_settings" || name === "record";
    return [[name, isNested ? renamed(value as object, camel) : value]];
  });
  const { uid, provenance, updated } = rule;
  return {
    uid,
    ...Object.fromEntries(entries),
    ...(!isEmpty(provenance) && { provenance }),
    ...(!isEmpty(updated) && { updated }),
  };
}

function queryOf(query: NonNullable<RuleFields["data"]>[number], at: number) {
  const refId = query.refId || String.fromCharCode(65 + at);
  const isExpression = query.datasourceUid === "__expr__";
  return {
    ...(!isExpression && { relativeTimeRange: { from: 600, to: 0 } }),
    ...query,
    refId,
    model: { ...query.model, refId },
  };
}

const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const camel = (name: string) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());

function renamed(members: object, rename: (name: string) => string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [rename(name), value]));
}
