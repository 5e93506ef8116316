/**
 * The report on how far consumer groups are behind.
 *
 * @module
 */

import { z } from "zod";
import type { ToolContext } from "../../pack.ts";
import { listing } from "../listing.ts";
import { groupAdvice } from "./advice.ts";
import {
  type GroupWithLag,
  highLags,
  type KnownLag,
  neverCommitted,
  readGroupLags,
} from "./group_lags.ts";
import type { Kafka } from "./kafka.ts";
import { blocks, bullets, names, NAMES_ARE_DATA, quoted, rowsLeft, table } from "./markdown.ts";
import { numberOrNull, offsetNumber } from "./offset.ts";
import { leftOut, timestamp } from "./report.ts";

/** What counts as far behind when the caller does not say, in offsets of a partition. */
export const DEFAULT_THRESHOLD = 1000;

/** Most groups that the report tells of. */
export const MAX_LISTED = 200;

/** Most partitions that the report details. */
export const MAX_PARTITIONS = 500;

/** Most topics that the report names per group. */
export const MAX_TOPICS = 20;

/** Most rows of a table in the text. */
const MAX_ROWS = 20;

/** What the report can be asked. */
export const lagQuery = z.strictObject({
  threshold: z.string().regex(/^\d{1,15}$/, "must be a whole number, in digits").optional()
    .describe(
      `How many records a group may be behind in a partition before it counts as high lag; ${DEFAULT_THRESHOLD} if absent`,
    ),
});

const HOW = "describe_consumer_group tells of one group";

/** Makes the report, in six calls to the cluster. */
export async function lagReport(
  kafka: Kafka,
  { threshold: asked = `${DEFAULT_THRESHOLD}` }: z.infer<typeof lagQuery>,
  context: ToolContext,
) {
  const threshold = Number(asked);
  const cluster = await kafka.clusterFor(context);
  const { count, groups, ...cut } = await readGroupLags(cluster, kafka.isAllowed);
  const judged = groups.map((group) => ({ ...group, high: highLags(group, threshold) }));
  const behind = judged.filter(({ high }) => high.length > 0);
  const never = groups.filter(neverCommitted).map(({ id }) => id);
  const summary = listing(judged.map(summed), MAX_LISTED, HOW);
  const details = listing(
    behind.flatMap(({ id, high }) => high.map((one) => detailed(id, one)))
      .sort((a, b) => b.lag - a.lag),
    MAX_PARTITIONS,
    HOW,
  );
  const neverListed = listing(never, MAX_LISTED, HOW);
  return {
    timestamp: timestamp(kafka),
    lag_threshold: threshold,
    group_count: count,
    examined_group_count: groups.length,
    groups_with_high_lag: behind.length,
    partitions_with_high_lag: behind.reduce((sum, { high }) => sum + high.length, 0),
    never_committed_group_count: never.length,
    group_summary: summary.items,
    high_lag_details: details.items,
    never_committed_groups: neverListed.items,
    ...leftOut({
      groups: cut,
      group_summary: summary,
      high_lag_details: details,
      never_committed_groups: neverListed,
    }),
    recommendations: groupAdvice(groups, behind),
  };
}

type Judged = GroupWithLag & { readonly high: readonly KnownLag[] };

function summed({ id, state, type, members, lag, high }: Judged) {
  const topics = [...new Set(lag.partitions.map(({ topic }) => topic))].sort();
  return {
    group_id: id,
    state,
    ...(type !== undefined && { type }),
    member_count: members.length,
    topics: topics.slice(0, MAX_TOPICS),
    topic_count: topics.length,
    partition_count: lag.partitions.length,
    total_lag: numberOrNull(lag.total),
    has_high_lag: high.length > 0,
    never_committed_partition_count: lag.neverCommitted,
    unknown_lag_partition_count: lag.unknown,
  };
}

function detailed(group_id: string, { topic, partition, committed, end, lag, status }: KnownLag) {
  return {
    group_id,
    topic,
    partition,
    current_offset: offsetNumber(committed),
    log_end_offset: offsetNumber(end),
    lag: offsetNumber(lag),
    status,
  };
}

/** Tells the report in Markdown. */
export function lagText(report: Awaited<ReturnType<typeof lagReport>>): string {
  const groups = report.group_summary.slice(0, MAX_ROWS);
  const details = report.high_lag_details.slice(0, MAX_ROWS);
  return blocks(
    "# Consumer lag",
    `As of ${report.timestamp}, consumer groups: ${report.group_count}, ` +
      `examined: ${report.examined_group_count}. More than ${report.lag_threshold} records behind in a ` +
      `partition: ${report.groups_with_high_lag}. ` +
      `Never committed: ${report.never_committed_group_count}.`,
    NAMES_ARE_DATA,
    table(
      ["Group", "State", "Members", "Partitions", "Total lag", "High lag"],
      groups.map((one) => [
        quoted(one.group_id),
        quoted(one.state),
        one.member_count,
        one.partition_count,
        one.total_lag ?? "unknown",
        one.has_high_lag ? "yes" : "no",
      ]),
    ),
    rowsLeft(groups.length, report.examined_group_count),
    table(
      ["Group", "Topic", "Partition", "Committed", "End", "Lag"],
      details.map((one) => [
        quoted(one.group_id),
        quoted(one.topic),
        one.partition,
        one.current_offset,
        one.log_end_offset,
        one.lag,
      ]),
    ),
    rowsLeft(details.length, report.partitions_with_high_lag),
    names(
      "Never committed",
      report.never_committed_groups.slice(0, MAX_ROWS),
      report.never_committed_group_count,
    ),
    bullets(report.recommendations),
    "Assess which groups fall behind and why, and say what to do first.",
  );
}
