/**
 * Judging how well a cluster is.
 *
 * @module
 */

import type { Overview } from "./overview.ts";

/** How well something is. `unknown` when it could not be looked at, or not in full. */
export type Status = "healthy" | "warning" | "critical" | "unknown";

const WORST_FIRST: readonly Status[] = ["critical", "warning", "unknown"];

/** The worst of what is said of parts; what could not be looked at is not healthy. */
export function worst(statuses: readonly Status[]): Status {
  return WORST_FIRST.find((status) => statuses.includes(status)) ?? "healthy";
}

/** What a cluster's own health is made of. */
export type ClusterPart = "brokers" | "controller" | "partitions";

/**
 * Judges each part of a cluster. `critical`: no broker lives, or nobody leads a partition.
 * `warning`: a broker does not live, or a partition is under-replicated. `unknown`: no controller is
 * told, which may be for lack of a right to hear of it.
 */
export function statusesOf(overview: Overview): Record<ClusterPart, Status> {
  const { brokerCount, offlineBrokers, controllerId, offline, underReplicated } = overview;
  return {
    brokers: judged(brokerCount === 0, offlineBrokers.length > 0),
    controller: controllerId === undefined ? "unknown" : "healthy",
    partitions: judged(offline.length > 0, underReplicated.length > 0),
  };
}

function judged(isCritical: boolean, isWarning: boolean): Status {
  return isCritical ? "critical" : isWarning ? "warning" : "healthy";
}
