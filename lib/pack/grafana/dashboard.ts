/**
 * A dashboard as Grafana gives it, and walking through its panels.
 *
 * @module
 */

import { type GrafanaApi, path } from "./api.ts";

/** Members of a JSON object of Grafana's, of which nothing is taken for granted. */
export type Members = Readonly<Record<string, unknown>>;

/** `GET /api/dashboards/uid/:uid` */
export interface DashboardAnswer {
  readonly dashboard: Members;
  readonly meta: Members;
}

/** Reads a dashboard. */
export function readDashboard(api: GrafanaApi, uid: string): Promise<DashboardAnswer> {
  return api.json<DashboardAnswer>({ path: path`/api/dashboards/uid/${uid}` });
}

/** All panels of a dashboard, those in collapsed rows too; rows themselves are left out. */
export function panelsOf(dashboard: Members): Members[] {
  return listOf(dashboard.panels).flatMap((panel) =>
    panel.type === "row" ? listOf(panel.panels) : [panel]
  );
}

/** The objects of a list; empty when it is none. */
export function listOf(value: unknown): Members[] {
  return Array.isArray(value)
    ? value.filter((one): one is Members => typeof one === "object" && one !== null)
    : [];
}

/** A text that is not empty. */
export function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
