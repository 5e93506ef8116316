/**
 * Where alerts go: notification policies, contact points, time intervals.
 *
 * @see {@link https://grafana.com/docs/grafana/latest/developers/http_api/alerting_provisioning/}
 *
 * @module
 */

import { z } from "zod";
import { type Tool, tool, ToolError } from "../../pack.ts";
import { needing } from "./alerting_needs.ts";
import type { GrafanaApi } from "./api.ts";
import { fitting, truncated } from "../cut.ts";
import { findSource } from "./datasource.ts";
import { type AskSource, sourceWays } from "./datasource_path.ts";
import type { Grafana } from "./grafana.ts";
import { items as listOf, shaped } from "./items.ts";
import { listing } from "../listing.ts";

const summary = z.object({
  uid: z.string().optional(),
  name: z.string(),
  type: z.string().optional(),
});
const contactPoint = z.looseObject({ ...summary.shape, settings: z.looseObject({}).optional() });
const timeInterval = z.object({
  name: z.string(),
  time_intervals: z.array(z.unknown()).nullish(),
});
const route = z.looseObject({ routes: z.array(z.unknown()).nullish() });

const input = z.strictObject({
  operation: z.enum([
    "get_notification_policies",
    "get_contact_points",
    "get_contact_point",
    "get_time_intervals",
    "get_time_interval",
  ]),
  datasource_uid: z.string().max(200).optional()
    .describe("get_contact_points: of this Alertmanager"),
  name: z.string().max(500).optional().describe("get_contact_points: exact name"),
  contact_point_title: z.string().max(500).optional(),
  time_interval_name: z.string().max(500).optional(),
  limit: z.number().int().min(1).max(1000).default(100).describe("Of contact points"),
});

type Args = z.infer<typeof input>;

const REST = "the rest is in Grafana's own pages";

/** The tool. */
export function alertingRouting({ api }: Grafana): Tool[] {
  const ask = sourceWays("proxy");
  return [tool({
    name: "alerting_manage_routing",
    title: "Read alert routing",
    description: "Reads where alerts go: notification policies, contact points, time intervals.",
    annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
    input,
    output: z.object({
      policies: z.looseObject({}).optional(),
      contact_points: z.array(z.looseObject({})).optional(),
      time_intervals: z.array(z.looseObject({})).optional(),
      truncated,
    }),
    async run(args, context) {
      const grafana = api(context);
      switch (args.operation) {
        case "get_notification_policies":
          return await policies(grafana);
        case "get_contact_points":
          return await contactPoints(grafana, args, ask);
        case "get_contact_point":
          return await wholeContactPoint(grafana, needing(args, "contact_point_title"));
        case "get_time_intervals": {
          const { items, truncated } = fitting(await timeIntervals(grafana), REST);
          return { time_intervals: items, ...(truncated && { truncated }) };
        }
        case "get_time_interval":
          return await oneTimeInterval(grafana, needing(args, "time_interval_name"));
      }
    },
  })];
}

async function policies(api: GrafanaApi) {
  const { routes, ...root } = shaped(
    route,
    await api.json({ path: "/api/v1/provisioning/policies" }),
  );
  const { items, truncated } = fitting(routes ?? [], REST);
  return {
    policies: { ...root, ...(items.length > 0 && { routes: items }) },
    ...(truncated && { truncated }),
  };
}

async function contactPoints(api: GrafanaApi, args: Args, ask: AskSource) {
  const { datasource_uid, name, limit } = args;
  const found = datasource_uid
    ? (await receivers(api, datasource_uid, ask)).filter((one) => !name || one.name === name)
    : await ownContactPoints(api, name);
  const { items, truncated } = listing(
    found.map((one) => summary.parse(one)),
    limit,
    "raise limit, or ask for one by name",
  );
  return { contact_points: items, ...(truncated && { truncated }) };
}

// A contact point with several integrations is several, under one name.
async function wholeContactPoint(
  api: GrafanaApi,
  { contact_point_title: title }: { readonly contact_point_title: string },
) {
  const found = await ownContactPoints(api, title);
  if (found.length === 0) throw nothing("contact point", title, "get_contact_points");
  const { items, truncated } = fitting(found.map(withoutLogins), REST);
  return { contact_points: items, ...(truncated && { truncated }) };
}

async function ownContactPoints(api: GrafanaApi, name: string | undefined) {
  const found = await api.json({
    path: "/api/v1/provisioning/contact-points",
    query: { name: name || undefined },
  });
  return shaped(listOf(contactPoint), found);
}

// Grafana hides what it knows to be secret; a login in a URL it does not know.
function withoutLogins({ settings, ...rest }: z.infer<typeof contactPoint>) {
  const entries = Object.entries(settings ?? {}).map(([key, value]) => [
    key,
    typeof value === "string" ? value.replace(/\/\/[^/\s]*@/g, "//") : value,
  ]);
  return { ...rest, settings: Object.fromEntries(entries) };
}

async function receivers(api: GrafanaApi, uid: string, ask: AskSource) {
  const source = await findSource(api, { uid });
  if (!/alertmanager/i.test(source.type)) {
    throw new ToolError(
      `The data source "${uid}" is of type ${source.type}, not Alertmanager. ` +
        'list_datasources with type "alertmanager" tells which are',
      "data source of another type",
    );
  }
  const isMimir = /^(?:mimir|cortex)$/i.test(String(source.jsonData?.implementation ?? ""));
  // Its configuration would tell them as well, with secrets.
  const proxy = `${isMimir ? "/alertmanager" : ""}/api/v2/receivers`;
  return shaped(
    listOf(summary),
    await ask(api, { uid, paths: { proxy } }),
    "The data source does not answer as an Alertmanager does",
  );
}

async function timeIntervals(api: GrafanaApi) {
  return shaped(
    listOf(timeInterval),
    await api.json({ path: "/api/v1/provisioning/mute-timings" }),
  );
}

// Taken from the list, since a name may have slashes.
async function oneTimeInterval(
  api: GrafanaApi,
  { time_interval_name: wanted }: { readonly time_interval_name: string },
) {
  const found = (await timeIntervals(api)).filter(({ name }) => name === wanted);
  if (found.length === 0) throw nothing("time interval", wanted, "get_time_intervals");
  return { time_intervals: found };
}

function nothing(what: string, name: string, operation: string): ToolError {
  return new ToolError(
    `There is no ${what} named "${name}". ${operation} tells which there are`,
    `no such ${what}`,
  );
}
