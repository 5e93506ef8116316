/**
 * Listing alert rules. Which filters Grafana knows depends on its version, and it passes over those
 * that it does not know, so each is applied here as well.
 *
 * @module
 */

import { type ToolContext, ToolError } from "../../pack.ts";
import { labelsFit, type Matcher, readMatchers } from "./alerting_matcher.ts";
import type { RuleArgs } from "./alerting_rules.ts";
import { type RuleState, ruleStates, stateOf, toldState } from "./alerting_states.ts";
import type { GrafanaApi } from "./api.ts";
import type { OpenSource } from "./datasource.ts";
import { listing } from "../listing.ts";

/** What is listed. */
export interface ListedRules {
  rules: Record<string, unknown>[];
  hint?: string;
  truncated?: string;
}

const HOW = "narrow it by folder_uid, rule_group, search_rule_name, states or label_selectors";

// Grafana tells these as the health of a rule, not as its state.
const HEALTHS: readonly string[] = ["nodata", "error"];

/** Lists rules: Grafana's, or those of a data source. */
export async function listRules(
  api: GrafanaApi,
  args: RuleArgs,
  openSource: OpenSource,
  context: ToolContext,
): Promise<ListedRules> {
  if (args.folder_uid && args.search_folder) {
    throw new ToolError("Give either folder_uid or search_folder", "two folders");
  }
  const matchers = (args.matchers ?? []).flatMap(readMatchers);
  const fits = filterOf(args, matchers);
  const { rules, hasMore } = args.datasource_uid
    ? await statesOfSource(api, args, openSource, context)
    : await ruleStates(api, "grafana", queryOf(args, matchers));
  const found = rules.filter(fits).map((rule) => told(rule, args.limit_alerts ?? 0));
  const { items, truncated } = listing(found, args.rule_limit, HOW);
  return {
    rules: items,
    ...(items.length === 0 && { hint: "No rule matches in the folders that you may see" }),
    ...(hasMore && { truncated: `There are more rules than this: ${HOW}` }),
    ...(truncated && { truncated }),
  };
}

async function statesOfSource(
  api: GrafanaApi,
  { datasource_uid, matchers, folder_uid }: RuleArgs,
  openSource: OpenSource,
  context: ToolContext,
) {
  if (matchers?.length || folder_uid) {
    throw new ToolError(
      "matchers and folder_uid are for Grafana's own rules. " +
        "For those of a data source use label_selectors and search_folder",
      "filter of Grafana's rules",
    );
  }
  const { uid } = await openSource(api, datasource_uid!, context);
  return await ruleStates(api, uid);
}

function queryOf(args: RuleArgs, matchers: readonly Matcher[]) {
  const { states = [], label_selectors, limit_alerts = 0, rule_limit } = args;
  const isLimitable = !label_selectors?.length && matchers.length === 0 &&
    !states.some((state) => HEALTHS.includes(state));
  return {
    folder_uid: args.folder_uid || undefined,
    "search.folder": args.search_folder || undefined,
    rule_group: args.rule_group || undefined,
    "search.rule_name": args.search_rule_name || undefined,
    rule_type: args.rule_type,
    state: isLimitable ? states : [],
    limit_alerts,
    // What is left out only here must not count against the limit.
    rule_limit: isLimitable ? rule_limit : undefined,
    matcher: matchers.map(({ name, type, value }) =>
      JSON.stringify({
        name,
        value,
        isRegex: type.endsWith("~"),
        isEqual: !type.startsWith("!"),
      })
    ),
  };
}

function filterOf(args: RuleArgs, matchers: readonly Matcher[]): (rule: RuleState) => boolean {
  const { folder_uid, search_folder, rule_group, search_rule_name, rule_type } = args;
  const { states, label_selectors } = args;
  const hasLabels = labelsFit((label_selectors ?? []).flatMap(readMatchers));
  return (rule) =>
    (!folder_uid || rule.folderUid === folder_uid) &&
    (!search_folder || hasWords(rule.file ?? "", search_folder)) &&
    (!rule_group || rule.group === rule_group) &&
    (!search_rule_name || hasWords(rule.name, search_rule_name)) &&
    (!rule_type || rule.type === rule_type) &&
    (!states?.length || states.some((state) => isIn(rule, state))) &&
    hasLabels(rule.labels) &&
    (matchers.length === 0 || Object.keys(rule.totalsFiltered ?? {}).length > 0);
}

function isIn(rule: RuleState, state: string): boolean {
  return HEALTHS.includes(state) ? rule.health === state : stateOf(rule) === state;
}

// As Grafana searches: each word, in order, in any case.
function hasWords(text: string, words: string): boolean {
  const lower = text.toLowerCase();
  let at = 0;
  return words.toLowerCase().split(/\s+/).every((word) => {
    const found = lower.indexOf(word, at);
    at = found + word.length;
    return found !== -1;
  });
}

function told(rule: RuleState, limitAlerts: number): Record<string, unknown> {
  const { uid, name, group, file, folderUid, duration, labels, annotations, isPaused } = rule;
  return {
    ...(uid && { uid }),
    title: name,
    ...toldState(rule),
    ...(folderUid && { folder_uid: folderUid }),
    ...(file && { folder: file }),
    rule_group: group,
    ...(duration && { for: `${duration}s` }),
    ...(isPaused && { is_paused: true }),
    ...(Object.keys(labels).length > 0 && { labels }),
    ...(Object.keys(annotations).length > 0 && { annotations }),
    // Of Grafana's own rules it is a blend of several; get has them.
    ...(!uid && rule.query && { query: rule.query }),
    ...(limitAlerts > 0 && { alerts: (rule.alerts ?? []).slice(0, limitAlerts) }),
  };
}
