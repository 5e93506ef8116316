/**
 * One alert rule of Grafana's.
 *
 * @see {@link https://grafana.com/docs/grafana/latest/developers/http_api/alerting_provisioning/}
 *
 * @module
 */

import { z } from "zod";
import { ToolError } from "../../pack.ts";
import { needing, type With } from "./alerting_needs.ts";
import { type Provisioned, provisionedOf, toldRule } from "./alerting_rule_shape.ts";
import type { RuleArgs } from "./alerting_rules.ts";
import { MOST_ALERTS, type RuleState, ruleStates, toldState } from "./alerting_states.ts";
import { judge } from "./answer.ts";
import { type GrafanaApi, path } from "./api.ts";
import { fitting, MAX_RESULT_LENGTH } from "../cut.ts";
import { items as listOf, shaped } from "./items.ts";

type Uid = With<RuleArgs, "rule_uid">;

/** Reads a rule, with its state where that can be read. */
export async function getRule(api: GrafanaApi, { rule_uid, limit_alerts }: Uid) {
  const found = await provisioned(api, rule_uid);
  const rule = toldRule(found);
  const limit = limit_alerts || MOST_ALERTS;
  const state = await stateOfRule(api, found, limit);
  if (typeof state === "string") {
    return { rule: short(rule), hint: `The state of the rule cannot be read: ${state}` };
  }
  const { items: alerts, truncated } = fitting(
    (state.alerts ?? []).slice(0, limit),
    "lower limit_alerts",
    MAX_RESULT_LENGTH / 2,
  );
  return {
    rule: { ...short(rule), ...toldState(state), ...(alerts.length > 0 && { alerts }) },
    ...(truncated && { truncated }),
  };
}

/** Reads the versions of a rule, as Grafana orders them. */
export async function ruleVersions(api: GrafanaApi, { rule_uid }: Uid) {
  const got = await api.json({
    path: path`/api/ruler/grafana/api/v1/rule/${rule_uid}/versions`,
  });
  const { items, truncated } = fitting(
    shaped(listOf(z.looseObject({})), got),
    "the rest is in Grafana's own pages",
  );
  return { versions: items, ...(truncated && { truncated }) };
}

/** Creates a rule. */
export async function createRule(api: GrafanaApi, args: RuleArgs) {
  needing(args, "title", "folder_uid", "rule_group", "data");
  if (!args.record) needing(args, "condition", "no_data_state", "exec_err_state", "for");
  const { rule_uid: uid, disable_provenance = true } = args;
  const made = await api.json<Provisioned>({
    method: "POST",
    path: "/api/v1/provisioning/alert-rules",
    body: { ...provisionedOf(args), ...(uid && { uid }) },
    headers: provenance(disable_provenance),
  });
  return { rule: short(toldRule(made)) };
}

/**
 * Changes what is given of a rule. Grafana replaces rules as a whole, so the rest is read first.
 */
export async function updateRule(api: GrafanaApi, args: Uid) {
  const changes = provisionedOf(args);
  if (Object.keys(changes).length === 0 && args.disable_provenance === undefined) {
    throw new ToolError("Give what to change of the rule", "nothing to change");
  }
  const current = await provisioned(api, args.rule_uid);
  const { id: _id, updated: _updated, provenance: origin, ...rest } = current;
  const saved = await api.json<Provisioned>({
    method: "PUT",
    path: path`/api/v1/provisioning/alert-rules/${args.rule_uid}`,
    body: { ...rest, ...changes },
    headers: provenance(args.disable_provenance ?? !origin),
  });
  return { rule: short(toldRule(saved)) };
}

/** Deletes a rule. */
export async function deleteRule(api: GrafanaApi, { rule_uid }: Uid) {
  const request = {
    method: "DELETE",
    path: path`/api/v1/provisioning/alert-rules/${rule_uid}`,
  } as const;
  judge(await api.fetch(request), request);
  return { deleted: rule_uid };
}

function provisioned(api: GrafanaApi, uid: string): Promise<Provisioned> {
  return api.json<Provisioned>({ path: path`/api/v1/provisioning/alert-rules/${uid}` });
}

async function stateOfRule(
  api: GrafanaApi,
  { uid, folderUID, ruleGroup }: Provisioned,
  limit: number,
): Promise<RuleState | string> {
  try {
    const { rules } = await ruleStates(api, "grafana", {
      rule_uid: String(uid),
      folder_uid: String(folderUID),
      rule_group: String(ruleGroup),
      limit_alerts: limit,
    });
    return rules.find((rule) => rule.uid === uid) ?? "Grafana tells none";
  } catch (error) {
    if (error instanceof ToolError) return error.message;
    throw error;
  }
}

// Grafana marks what comes through this API as not to be edited elsewhere, unless told otherwise.
function provenance(isDisabled: boolean): Record<string, string> {
  return isDisabled ? { "x-disable-provenance": "true" } : {};
}

function short(rule: Record<string, unknown>): Record<string, unknown> {
  if (JSON.stringify(rule).length <= MAX_RESULT_LENGTH / 2) return rule;
  throw new ToolError("This rule is too long to show. See it in Grafana", "rule too long");
}
