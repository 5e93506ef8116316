/**
 * Reading dashboards: whole, in short, by a path, or by their queries.
 *
 * @module
 */

import { z } from "zod";
import { type Tool, tool, ToolError } from "../../pack.ts";
import { fitting, MAX_RESULT_LENGTH, truncated } from "../cut.ts";
import { listOf, type Members, panelsOf, readDashboard, text } from "./dashboard.ts";
import type { Grafana } from "./grafana.ts";
import { jsonPath as readPath } from "./json_path.ts";

const reads = { readOnlyHint: true, idempotentHint: true, openWorldHint: false } as const;
const uid = z.string().min(1).max(200).describe("UID of the dashboard");
const anything = z.record(z.string(), z.unknown());

/** The tools. */
export function dashboards(grafana: Grafana): Tool[] {
  return [whole(grafana), summary(grafana), property(grafana), queries(grafana)];
}

function whole({ api }: Grafana): Tool {
  return tool({
    name: "get_dashboard_by_uid",
    title: "Get dashboard",
    description:
      "Gets a whole dashboard, which can be large. Prefer get_dashboard_summary or get_dashboard_property.",
    annotations: reads,
    input: z.strictObject({ uid }),
    output: z.object({ dashboard: anything, meta: anything }),
    async run({ uid }, context) {
      const { dashboard, meta } = await readDashboard(api(context), uid);
      const { length } = JSON.stringify(dashboard);
      if (length > MAX_RESULT_LENGTH) {
        throw new ToolError(
          `The dashboard has ${length} characters, over ${MAX_RESULT_LENGTH}. Use get_dashboard_summary, or get_dashboard_property for a part of it`,
          "dashboard too large",
        );
      }
      return { dashboard, meta };
    },
  });
}

const panel = z.object({
  id: z.number().optional(),
  title: z.string(),
  type: z.string(),
  datasourceUid: z.string().optional(),
  queryCount: z.number(),
});

function summary({ api }: Grafana): Tool {
  return tool({
    name: "get_dashboard_summary",
    title: "Summarize dashboard",
    description: "Gets title, tags, variables and panels of a dashboard, without their details.",
    annotations: reads,
    input: z.strictObject({ uid }),
    output: z.object({
      uid: z.string(),
      title: z.string(),
      description: z.string().optional(),
      tags: z.array(z.string()),
      folderTitle: z.string().optional(),
      version: z.number().optional(),
      timeRange: z.object({ from: z.string(), to: z.string() }).optional(),
      variables: z.array(z.object({ name: z.string(), type: z.string() })),
      panels: z.array(panel),
      truncated,
    }),
    async run({ uid }, context) {
      const { dashboard, meta } = await readDashboard(api(context), uid);
      const { from, to } = Object(dashboard.time) as Members;
      const description = text(dashboard.description);
      const folderTitle = text(meta.folderTitle);
      const { items: panels, truncated } = fitting(
        panelsOf(dashboard).map(describePanel),
        "use get_dashboard_property with $.panels",
      );
      return {
        uid: text(dashboard.uid) ?? uid,
        title: text(dashboard.title) ?? "",
        ...(description && { description }),
        tags: Array.isArray(dashboard.tags) ? dashboard.tags.filter(text) : [],
        ...(folderTitle && { folderTitle }),
        ...(typeof dashboard.version === "number" && { version: dashboard.version }),
        ...(text(from) && text(to) && { timeRange: { from: String(from), to: String(to) } }),
        variables: listOf((Object(dashboard.templating) as Members).list)
          .map(({ name, type }) => ({ name: text(name) ?? "", type: text(type) ?? "" })),
        panels,
        ...(truncated && { truncated }),
      };
    },
  });
}

function describePanel(one: Members): z.infer<typeof panel> {
  const datasourceUid = datasourceOf(one);
  return {
    ...(typeof one.id === "number" && { id: one.id }),
    title: text(one.title) ?? "",
    type: text(one.type) ?? "",
    ...(datasourceUid && { datasourceUid }),
    queryCount: listOf(one.targets).length,
  };
}

function datasourceOf({ datasource }: Members): string | undefined {
  return text(datasource) ?? text((Object(datasource) as Members).uid);
}

const LONGEST_PATH = 300;

function property({ api }: Grafana): Tool {
  return tool({
    name: "get_dashboard_property",
    title: "Get part of dashboard",
    description:
      "Gets the values at a JSONPath in a dashboard, such as $.panels[*].title or $.panels[?@.id==2].targets[*].expr.",
    annotations: reads,
    input: z.strictObject({
      uid,
      jsonPath: z.string().min(1).max(LONGEST_PATH).describe("RFC 9535, without match and search"),
    }),
    output: z.object({ values: z.array(z.unknown()), truncated }),
    async run({ uid, jsonPath }, context) {
      const find = readPath(jsonPath);
      const { dashboard } = await readDashboard(api(context), uid);
      return { ...find(dashboard) };
    },
  });
}

function queries({ api }: Grafana): Tool {
  return tool({
    name: "get_dashboard_panel_queries",
    title: "Get panel queries",
    description: "Gets the queries of a dashboard's panels and the data source of each.",
    annotations: reads,
    input: z.strictObject({
      uid,
      panelId: z.number().int().optional().describe("One panel only"),
      variables: z.record(z.string(), z.string().max(1000)).optional()
        .describe("Values to put in for $name and ${name}"),
    }),
    output: z.object({
      queries: z.array(z.object({
        panelId: z.number().optional(),
        panelTitle: z.string(),
        refId: z.string(),
        query: z.string(),
        datasourceUid: z.string().optional(),
        datasourceType: z.string().optional(),
      })),
      truncated,
    }),
    async run({ uid, panelId, variables = {} }, context) {
      const { dashboard } = await readDashboard(api(context), uid);
      const panels = panelsOf(dashboard).filter(({ id }) =>
        panelId === undefined || id === panelId
      );
      if (panelId !== undefined && panels.length === 0) {
        throw new ToolError(
          `The dashboard has no panel ${panelId}. See get_dashboard_summary`,
          "no such panel",
        );
      }
      const substitute = substitution(variables);
      const found = panels.flatMap((one) =>
        listOf(one.targets).map((target) => describeQuery(one, target, substitute))
      );
      const { items, truncated } = fitting(found, "ask for one panelId");
      return { queries: items, ...(truncated && { truncated }) };
    },
  });
}

// The member that holds the query, by kind of data source.
const QUERY_MEMBERS = ["expr", "rawSql", "query", "expression", "target", "rawQuery"];

function describeQuery(
  panel: Members,
  target: Members,
  substitute: (query: string) => string,
) {
  const member = QUERY_MEMBERS.find((name) => text(target[name]));
  const datasource = target.datasource ? target : panel;
  const datasourceUid = datasourceOf(datasource);
  const datasourceType = text((Object(datasource.datasource) as Members).type);
  return {
    ...(typeof panel.id === "number" && { panelId: panel.id }),
    panelTitle: text(panel.title) ?? "",
    refId: text(target.refId) ?? "",
    query: substitute(member ? String(target[member]) : JSON.stringify(target)),
    ...(datasourceUid && { datasourceUid: substitute(datasourceUid) }),
    ...(datasourceType && { datasourceType }),
  };
}

/**
 * Puts values in for `$name`, `${name}` and `${name:format}`, once. A value can be far longer than
 * its name, so it ends when there is more than a result takes.
 */
function substitution(variables: Readonly<Record<string, string>>): (query: string) => string {
  let left = MAX_RESULT_LENGTH;
  return (query) =>
    query.replace(
      /\$(?:(\w+)|\{(\w+)(?::\w+)?\})/g,
      (whole, plain: string | undefined, braced: string | undefined) => {
        const name = plain ?? braced!;
        if (left < 0 || !Object.hasOwn(variables, name)) return whole;
        left -= variables[name]!.length;
        return variables[name]!;
      },
    );
}
