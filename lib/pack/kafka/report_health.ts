/**
 * The report on what is wrong with a cluster, and with those who read from it.
 *
 * @module
 */

import type { ToolContext } from "../../pack.ts";
import { first } from "../cut.ts";
import { listing } from "../listing.ts";
import { clusterAdvice, groupAdvice, idsText } from "./advice.ts";
import { type GroupLags, highLags, neverCommitted, readGroupLags } from "./group_lags.ts";
import { type Status, statusesOf, worst } from "./health.ts";
import type { Kafka } from "./kafka.ts";
import { blocks, bullets, names, NAMES_ARE_DATA, quoted, rowsLeft, table } from "./markdown.ts";
import { offsetNumber } from "./offset.ts";
import { overviewOf } from "./overview.ts";
import { leftOut, part, timestamp } from "./report.ts";

/** From where on a group counts as far behind, in offsets of a partition. */
export const HIGH_LAG = 10_000;

/** Most brokers, and groups, that the report names. */
export const MAX_LISTED = 100;

/** Most groups that the text names. */
const MAX_ROWS = 20;

const MAX_REASON_LENGTH = 500;

const HOW = "see kafka-mcp://consumer-lag-report";

/**
 * Makes the report, in seven calls to the cluster. Groups that cannot be looked at leave their part
 * unknown.
 */
export async function healthReport(kafka: Kafka, context: ToolContext) {
  const cluster = await kafka.clusterFor(context);
  const overview = overviewOf(await cluster.snapshot(), kafka.isAllowed);
  const groups = await part(
    "consumer groups",
    context,
    () => readGroupLags(cluster, kafka.isAllowed),
  );
  const statuses = statusesOf(overview);
  const { items: offlineBrokers, ...cut } = first(
    overview.offlineBrokers,
    MAX_LISTED,
    "describe_topic tells the replicas of a topic",
  );
  const { advice, ...consumers } = groups.ok ? consumersOf(groups.value) : unseen(groups.reason);
  return {
    timestamp: timestamp(kafka),
    overall_status: worst([...Object.values(statuses), consumers.status]),
    broker_status: {
      status: statuses.brokers,
      live_brokers: overview.brokerCount,
      offline_brokers: overview.offlineBrokers.length,
      offline_broker_ids: offlineBrokers,
      ...cut,
    },
    controller_status: {
      status: statuses.controller,
      controller_id: overview.controllerId ?? null,
    },
    partition_status: {
      status: statuses.partitions,
      total_partitions: overview.partitionCount,
      under_replicated_partitions: overview.underReplicated.length,
      offline_partitions: overview.offline.length,
    },
    consumer_status: consumers,
    recommendations: [...clusterAdvice(overview), ...advice],
  };
}

function unseen(reason: string) {
  return { status: "unknown" as const, reason, advice: [] };
}

function consumersOf({ count, groups, ...cut }: GroupLags) {
  const behind = groups.filter((group) => highLags(group, HIGH_LAG).length > 0);
  const never = groups.filter(neverCommitted);
  const high = listing(
    behind.map(({ id, lag }) => ({ group_id: id, total_lag: offsetNumber(lag.total!) })),
    MAX_LISTED,
    HOW,
  );
  const neverListed = listing(never.map(({ id }) => id), MAX_LISTED, HOW);
  const isWhole = cut.truncated === undefined;
  const status: Status = behind.length > 0 ? "warning" : isWhole ? "healthy" : "unknown";
  return {
    status,
    lag_threshold: HIGH_LAG,
    total_groups: count,
    examined_groups: groups.length,
    groups_with_high_lag: behind.length,
    high_lag_groups: high.items,
    groups_that_never_committed: never.length,
    never_committed_groups: neverListed.items,
    ...leftOut({ groups: cut, high_lag_groups: high, never_committed_groups: neverListed }),
    advice: groupAdvice(groups, behind),
  };
}

/** Tells the report in Markdown. */
export function healthText(report: Awaited<ReturnType<typeof healthReport>>): string {
  const {
    broker_status: brokers,
    controller_status: controller,
    partition_status: partitions,
    consumer_status: consumers,
  } = report;
  return blocks(
    "# Kafka health check",
    `As of ${report.timestamp}, the cluster is **${report.overall_status}**.`,
    NAMES_ARE_DATA,
    table(["Part", "Status", "Facts"], [
      [
        "Brokers",
        brokers.status,
        `live: ${brokers.live_brokers}; not live: ${
          idsText(brokers.offline_broker_ids, brokers.offline_brokers)
        }`,
      ],
      ["Controller", controller.status, `broker: ${controller.controller_id ?? "none is known"}`],
      [
        "Partitions",
        partitions.status,
        `all: ${partitions.total_partitions}; without a leader: ${partitions.offline_partitions}; ` +
        `under-replicated: ${partitions.under_replicated_partitions}`,
      ],
      ["Consumer groups", consumers.status, consumersText(consumers)],
    ]),
    ...("reason" in consumers ? [] : groupBlocks(consumers)),
    bullets(report.recommendations),
    "Assess the health of this cluster, worst first, and say what to do and what can wait.",
  );
}

type Consumers = Omit<ReturnType<typeof consumersOf>, "advice">;

function consumersText(consumers: Consumers | { readonly reason: string }): string {
  if ("reason" in consumers) {
    return `could not be seen: ${quoted(consumers.reason, MAX_REASON_LENGTH)}`;
  }
  return `all: ${consumers.total_groups}; examined: ${consumers.examined_groups}; ` +
    `more than ${HIGH_LAG} records behind in a partition: ${consumers.groups_with_high_lag}; ` +
    `never committed: ${consumers.groups_that_never_committed}`;
}

function groupBlocks(consumers: Consumers): (string | undefined)[] {
  const high = consumers.high_lag_groups.slice(0, MAX_ROWS);
  return [
    table(
      ["Group far behind", "Total lag"],
      high.map(({ group_id, total_lag }) => [quoted(group_id), total_lag]),
    ),
    rowsLeft(high.length, consumers.groups_with_high_lag),
    names(
      "Never committed",
      consumers.never_committed_groups.slice(0, MAX_ROWS),
      consumers.groups_that_never_committed,
    ),
  ];
}
