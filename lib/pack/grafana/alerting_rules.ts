/**
 * Alert rules: finding, reading and writing them.
 *
 * @module
 */

import { z } from "zod";
import { type Tool, tool } from "../../pack.ts";
import { needing } from "./alerting_needs.ts";
import { ruleFields } from "./alerting_rule_shape.ts";
import { createRule, deleteRule, getRule, ruleVersions, updateRule } from "./alerting_rule.ts";
import { listRules } from "./alerting_rules_list.ts";
import { MOST_ALERTS } from "./alerting_states.ts";
import { truncated } from "../cut.ts";
import { sourcesOf } from "./datasource.ts";
import type { Grafana } from "./grafana.ts";

const MOST_RULES = 200;

const texts = z.array(z.string().max(1000)).max(20).optional();

const reading = {
  operation: z.enum(["list", "get", "versions"]),
  rule_uid: z.string().max(200).optional(),
  datasource_uid: z.string().max(200).optional()
    .describe("list: a Prometheus or Loki with rules of its own"),
  folder_uid: z.string().max(200).optional(),
  rule_group: z.string().max(190).optional(),
  search_folder: z.string().max(500).optional().describe("Part of the path"),
  search_rule_name: z.string().max(500).optional(),
  states: z.array(z.enum(["firing", "pending", "normal", "recovering", "nodata", "error"])).max(6)
    .optional(),
  rule_type: z.enum(["alerting", "recording"]).optional(),
  label_selectors: texts.describe('Of the rule, as {severity="critical", team=~"a.*"}'),
  matchers: texts.describe('Of its alerts, as env!="dev"'),
  rule_limit: z.number().int().min(1).max(MOST_RULES).default(MOST_RULES),
  limit_alerts: z.number().int().min(0).max(MOST_ALERTS).optional()
    .describe("Per rule; list shows none and get 200 when absent"),
};

const writing = z.strictObject({
  ...reading,
  operation: z.enum(["list", "get", "versions", "create", "update", "delete"])
    .describe("update changes only what is given"),
  ...ruleFields,
  disable_provenance: z.boolean().optional()
    .describe("Keeps it editable in Grafana; when absent true, or as the rule is"),
});

/** The arguments. */
export type RuleArgs = z.infer<typeof writing>;

/** The tool. */
export function alertingRules({ api, readOnly, now }: Grafana): Tool[] {
  const openSource = sourcesOf({
    name: "Prometheus or Loki",
    type: /prometheus|loki/i,
    example: "prometheus",
  }, now);
  return [tool({
    name: "alerting_manage_rules",
    title: "Manage alert rules",
    description: readOnly
      ? "Finds and reads alert rules: state, alerts, queries, version history."
      : "Finds, reads and writes alert rules: state, alerts, queries, version history.",
    annotations: {
      readOnlyHint: readOnly,
      destructiveHint: !readOnly,
      idempotentHint: readOnly,
      openWorldHint: false,
    },
    // What reads only has the rest as little as arguments that were left out.
    input: readOnly ? z.strictObject(reading) as unknown as typeof writing : writing,
    output: z.object({
      rules: z.array(z.looseObject({})).optional(),
      rule: z.looseObject({}).optional(),
      versions: z.array(z.looseObject({})).optional(),
      deleted: z.string().optional(),
      hint: z.string().optional(),
      truncated,
    }),
    async run(args, context) {
      const grafana = api(context);
      switch (args.operation) {
        case "list":
          return await listRules(grafana, args, openSource, context);
        case "get":
          return await getRule(grafana, needing(args, "rule_uid"));
        case "versions":
          return await ruleVersions(grafana, needing(args, "rule_uid"));
        case "create":
          return await createRule(grafana, args);
        case "update":
          return await updateRule(grafana, needing(args, "rule_uid"));
        case "delete":
          return await deleteRule(grafana, needing(args, "rule_uid"));
      }
    },
  })];
}
