/**
 * The pack for Grafana: dashboards, data sources, alerting and more, as the caller.
 *
 * Names and arguments are those of Grafana's own MCP server, so that prompts carry over. What a
 * caller may do is Grafana's decision; nothing here knows roles.
 *
 * @module
 */

import type { Pack } from "../pack.ts";
import { alertingRouting } from "./grafana/alerting_routing.ts";
import { alertingRules } from "./grafana/alerting_rules.ts";
import { alertingSilences } from "./grafana/alerting_silences.ts";
import { annotations } from "./grafana/annotations.ts";
import { dashboardWrite } from "./grafana/dashboard_write.ts";
import { dashboards } from "./grafana/dashboards.ts";
import { datasources } from "./grafana/datasources.ts";
import type { Grafana } from "./grafana/grafana.ts";
import { loki } from "./grafana/loki.ts";
import { navigation } from "./grafana/navigation.ts";
import { prometheus } from "./grafana/prometheus.ts";
import { raw } from "./grafana/raw.ts";
import { rendering } from "./grafana/rendering.ts";
import { search } from "./grafana/search.ts";
import { user } from "./grafana/user.ts";

/** Makes the pack. */
export function grafana(options: Grafana): Pack {
  const tools = [
    search,
    dashboards,
    dashboardWrite,
    datasources,
    prometheus,
    loki,
    alertingRules,
    alertingRouting,
    alertingSilences,
    annotations,
    navigation,
    rendering,
    raw,
    user,
  ].flatMap((make) => make(options));
  return {
    name: "grafana",
    tools: options.readOnly ? tools.filter(({ annotations }) => annotations.readOnlyHint) : tools,
    // Grafana being away is its own matter: this server can still serve.
    ready: () => true,
    close: () => {},
  };
}
