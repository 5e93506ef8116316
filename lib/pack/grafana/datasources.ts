/**
 * Finding data sources, and whether they work.
 *
 * @module
 */

import { z } from "zod";
import { type Tool, tool, ToolError } from "../../pack.ts";
import { truncated } from "../cut.ts";
import { datasourceUid, findSource, listSources, type Source } from "./datasource.ts";
import { datasourcesHealth } from "./datasources_health.ts";
import type { Grafana } from "./grafana.ts";
import { members, shaped } from "./items.ts";

const reads = { readOnlyHint: true, idempotentHint: true, openWorldHint: false } as const;

/** Largest settings of one plugin that are told, in characters of JSON. */
const MAX_SETTINGS_LENGTH = 50_000;

const named = { uid: z.string(), name: z.string(), type: z.string() };
const listed = z.object({ ...named, isDefault: z.boolean() });
const told = listed.extend({
  url: z.string().optional(),
  access: z.string().optional(),
  database: z.string().optional(),
  user: z.string().optional(),
  basicAuth: z.boolean().optional(),
  readOnly: z.boolean().optional(),
  jsonData: z.record(z.string(), z.unknown()).optional(),
  secureJsonFields: members(z.boolean()).optional(),
  truncated,
});

/** The tools. */
export function datasources(grafana: Grafana): Tool[] {
  const { api } = grafana;
  return [
    tool({
      name: "list_datasources",
      title: "List data sources",
      description: "Lists data sources with the uids that queries need.",
      annotations: reads,
      input: z.strictObject({
        type: z.string().max(200).optional().describe("Part of the type, as prometheus or loki"),
        name: z.string().max(200).optional().describe("Part of the name, in any case"),
        limit: z.number().int().min(1).max(100).default(50),
        offset: z.number().int().min(0).max(1e6).default(0),
      }),
      output: z.object({
        datasources: z.array(listed),
        total: z.number(),
        hasMore: z.boolean(),
      }),
      async run({ type, name, limit, offset }, context) {
        const all = (await listSources(api(context))).filter(matching(type, name));
        const page = all.slice(offset, offset + limit);
        return {
          datasources: page.map((one) => listed.parse(one)),
          total: all.length,
          hasMore: offset + page.length < all.length,
        };
      },
    }),
    tool({
      name: "get_datasource",
      title: "Get data source",
      description: "Tells a data source's settings, and which secrets are set. Give uid or name.",
      annotations: reads,
      input: z.strictObject({
        uid: datasourceUid.optional().describe("Goes before name"),
        name: datasourceUid.optional(),
      }),
      output: z.looseObject({ ...named, jsonData: told.shape.jsonData, truncated }),
      async run({ uid, name }, context) {
        if (uid !== undefined) return tell(await findSource(api(context), { uid }));
        if (name !== undefined) return tell(await findSource(api(context), { name }));
        throw new ToolError("Give the uid or the name of a data source", "neither uid nor name");
      },
    }),
    datasourcesHealth(grafana),
  ];
}

/** Selects by parts of type and name. */
export function matching(type = "", name = ""): (source: Source) => boolean {
  const has = (text: string, part: string) => text.toLowerCase().includes(part.toLowerCase());
  return (source) => has(source.type, type) && has(source.name, name);
}

function tell({ jsonData, ...source }: Source): z.infer<typeof told> {
  const isLong = JSON.stringify(jsonData ?? {}).length > MAX_SETTINGS_LENGTH;
  const { url } = source;
  return shaped(told, {
    ...Object.fromEntries(Object.entries(source).filter(([, value]) => value !== null)),
    // A login in the URL is none of the settings that are shown.
    ...(typeof url === "string" && { url: url.replace(/\/\/[^/]*@/, "//") }),
    ...(jsonData && !isLong && { jsonData }),
    ...(isLong && { truncated: "jsonData is too long to show; it is in Grafana's own pages" }),
  });
}
