/**
 * Links that people can open.
 *
 * @module
 */

import { z } from "zod";
import { type Tool, tool, ToolError } from "../../pack.ts";
import { path } from "./api.ts";
import type { Grafana } from "./grafana.ts";
import { time } from "../time.ts";

const input = z.strictObject({
  resourceType: z.enum(["dashboard", "panel", "explore"]),
  dashboardUid: z.string().max(200).optional().describe("For dashboard and panel"),
  panelId: z.number().int().optional().describe("For panel"),
  datasourceUid: z.string().max(200).optional().describe("For explore"),
  queries: z.array(z.record(z.string(), z.unknown())).max(20).optional()
    .describe('For explore, such as [{"expr": "up"}]'),
  timeRange: z.strictObject({ from: time, to: time }).optional(),
  variables: z.record(z.string().regex(/^\w{1,100}$/), z.string().max(500)).optional()
    .describe("Values of the dashboard's variables"),
});

/** The tool. */
export function navigation({ publicUrl }: Grafana): Tool[] {
  return [tool({
    name: "generate_deeplink",
    title: "Link to Grafana",
    description: "Makes the URL of a dashboard, a panel or an Explore query, to show to a person.",
    annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
    input,
    output: z.object({ url: z.string() }),
    run: (args) => ({ url: linkTo(publicUrl, args) }),
  })];
}

function linkTo(base: URL, args: z.infer<typeof input>): string {
  const { resourceType, dashboardUid, panelId, datasourceUid, queries = [], timeRange } = args;
  const root = base.href.replace(/\/$/, "");
  if (resourceType === "explore") {
    if (!datasourceUid) throw lacks("datasourceUid", resourceType);
    const pane = {
      datasource: datasourceUid,
      queries: queries.map((query, at) => ({
        refId: String.fromCharCode(65 + at),
        datasource: { uid: datasourceUid },
        ...query,
      })),
      range: timeRange ?? { from: "now-1h", to: "now" },
    };
    const parameters = new URLSearchParams({
      schemaVersion: "1",
      panes: JSON.stringify({ a: pane }),
    });
    return `${root}/explore?${parameters}`;
  }
  if (!dashboardUid) throw lacks("dashboardUid", resourceType);
  if (resourceType === "panel" && panelId === undefined) throw lacks("panelId", resourceType);
  const parameters = new URLSearchParams({ ...timeRange });
  if (panelId !== undefined && resourceType === "panel") {
    parameters.set("viewPanel", String(panelId));
  }
  for (const [name, value] of Object.entries(args.variables ?? {})) {
    parameters.append(`var-${name}`, value);
  }
  const query = parameters.size > 0 ? `?${parameters}` : "";
  return `${root}${path`/d/${dashboardUid}`}${query}`;
}

function lacks(argument: string, resourceType: string): ToolError {
  return new ToolError(`A link to ${resourceType} needs ${argument}`, "bad arguments");
}
