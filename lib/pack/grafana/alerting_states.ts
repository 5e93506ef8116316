/**
 * Alert rules with the state they are in, in the shape that Prometheus gave to rules. Grafana tells
 * of its own rules in it, and passes on those of a data source.
 *
 * @see {@link https://prometheus.io/docs/prometheus/latest/querying/api/#rules}
 *
 * @module
 */

import { z } from "zod";
import { type GrafanaApi, path, type Query } from "./api.ts";
import { items, members, shaped } from "./items.ts";

/** Most alerts of a rule that are told. */
export const MOST_ALERTS = 200;

const texts = members(z.string()).nullish().transform((value) => value ?? {});

const rule = z.object({
  uid: z.string().optional(),
  name: z.string(),
  type: z.string().optional(),
  state: z.string().optional(),
  health: z.string().optional(),
  query: z.string().optional(),
  duration: z.number().optional(),
  lastEvaluation: z.string().optional(),
  lastError: z.string().optional(),
  isPaused: z.boolean().optional(),
  labels: texts,
  annotations: texts,
  alerts: items(z.looseObject({})).nullish(),
  totalsFiltered: members(z.number()).nullish(),
});

const answer = z.object({
  data: z.object({
    groups: items(z.object({
      name: z.string(),
      file: z.string().optional(),
      folderUid: z.string().optional(),
      rules: items(rule).nullish(),
    })).nullish(),
    groupNextToken: z.string().optional(),
  }),
});

/** A rule and where it is. */
export interface RuleState extends z.infer<typeof rule> {
  readonly group: string;
  /** Path of its folder, or the file or namespace it is of. */
  readonly file: string | undefined;
  readonly folderUid: string | undefined;
}

/** Rules with their states. */
export interface RuleStates {
  readonly rules: readonly RuleState[];
  /** Whether Grafana has more than it told. */
  readonly hasMore: boolean;
}

/**
 * Reads rules.
 *
 * @param source Uid of the data source whose rules they are, or `grafana`.
 */
export async function ruleStates(
  api: GrafanaApi,
  source: string,
  query: Query = {},
): Promise<RuleStates> {
  const got = await api.json({ path: path`/api/prometheus/${source}/api/v1/rules`, query });
  const { groups, groupNextToken } =
    shaped(answer, got, `These are no rules that "${source}" answers with`).data;
  return {
    rules: (groups ?? []).flatMap(({ name, file, folderUid, rules }) =>
      (rules ?? []).map((one) => ({ ...one, group: name, file, folderUid }))
    ),
    hasMore: Boolean(groupNextToken),
  };
}

/** The state in the words of arguments; Prometheus calls a rule inactive that is normal. */
export function stateOf({ state }: RuleState): string | undefined {
  return state === "inactive" ? "normal" : state;
}

/** What is known of how a rule is doing. */
export function toldState(rule: RuleState): Record<string, unknown> {
  const { type, health, lastEvaluation, lastError } = rule;
  const state = stateOf(rule);
  return {
    ...(type && { type }),
    ...(state && { state }),
    ...(health && { health }),
    // A rule that was never evaluated has the first year.
    ...(lastEvaluation && !lastEvaluation.startsWith("0001") &&
      { last_evaluation: lastEvaluation }),
    ...(lastError && { last_error: lastError }),
  };
}
