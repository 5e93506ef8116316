/**
 * What the facts of a report recommend. No names are in these texts, only numbers.
 *
 * @module
 */

import { type GroupWithLag, neverCommitted } from "./group_lags.ts";
import type { Overview } from "./overview.ts";

/** Most brokers that a text names. */
const MAX_NAMED = 20;

/** Ids of brokers in words. @param count How many there are, when these are the first. */
export function idsText(ids: readonly number[], count = ids.length): string {
  if (count === 0) return "none";
  const rest = count - MAX_NAMED;
  return `${ids.slice(0, MAX_NAMED).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}

/** What to do about a cluster as a whole. */
export function clusterAdvice(overview: Overview): string[] {
  return [
    ...advise(
      overview.controllerId === undefined,
      "No controller is told: let this server describe the cluster, or look for failing elections in the logs",
    ),
    ...advise(
      overview.offline.length > 0,
      "Bring back a broker that holds a replica of the partitions without a leader",
    ),
    ...startAdvice(overview.offlineBrokers),
    ...syncAdvice(overview),
  ];
}

/** What to do about replicas that are missing. */
export function replicaAdvice(overview: Overview): string[] {
  const missing = missingFrom(overview);
  return [
    ...startAdvice(overview.offlineBrokers.filter((id) => missing.includes(id))),
    ...syncAdvice(overview),
  ];
}

/** What to do about groups. @param behind Those that are far behind. */
export function groupAdvice(
  groups: readonly GroupWithLag[],
  behind: readonly GroupWithLag[],
): string[] {
  const abandoned = behind.filter(({ members }) => members.length === 0);
  const busy = behind.length - abandoned.length;
  const lost = groups.filter(({ lag }) =>
    lag.partitions.some(({ status }) => status === "below_log_start")
  );
  return [
    ...advise(
      abandoned.length > 0,
      `Start consumers of the groups that are behind and have no members: ${abandoned.length}`,
    ),
    ...advise(
      busy > 0,
      "Add consumers, up to one per partition, or look for errors in their logs, in the groups " +
        `that are behind and have members: ${busy}`,
    ),
    ...advise(
      lost.length > 0,
      "Keep records for longer, or read them sooner: records were deleted before groups had read " +
        `them: ${lost.length}`,
    ),
    ...advise(
      groups.some(neverCommitted),
      "Check that the groups that never committed do read, and are meant to commit",
    ),
  ];
}

function startAdvice(away: readonly number[]): string[] {
  return advise(
    away.length > 0,
    `Find out why these brokers do not live, and start them: ${idsText(away)}`,
  );
}

function syncAdvice(overview: Overview): string[] {
  const behind = missingFrom(overview).filter((id) => !overview.offlineBrokers.includes(id));
  return advise(
    behind.length > 0,
    `Check load, disk space, network and logs of these brokers, which live but are not in sync: ${
      idsText(behind)
    }`,
  );
}

function missingFrom({ underReplicated }: Overview): number[] {
  return [...new Set(underReplicated.flatMap(({ missing }) => missing))].sort((a, b) => a - b);
}

function advise(isDue: boolean, text: string): string[] {
  return isDue ? [text] : [];
}
