/**
 * Finding dashboards and folders.
 *
 * @module
 */

import { z } from "zod";
import { type Tool, tool } from "../../pack.ts";
import type { Grafana } from "./grafana.ts";
import { items, shaped } from "./items.ts";

const hit = z.object({
  uid: z.string(),
  title: z.string(),
  url: z.string().optional(),
  folderUid: z.string().optional(),
  folderTitle: z.string().optional(),
  tags: z.array(z.string()).optional(),
});
const hits = items(hit.extend({ tags: items(z.string()).optional() }));

const reads = { readOnlyHint: true, idempotentHint: true, openWorldHint: false } as const;

/** The tools. */
export function search({ api }: Grafana): Tool[] {
  return [
    tool({
      name: "search_dashboards",
      title: "Search dashboards",
      description: "Finds dashboards by title. Read one with get_dashboard_summary.",
      annotations: reads,
      input: z.strictObject({
        query: z.string().max(500).default("").describe("Part of the title; all when empty"),
        limit: z.number().int().min(1).max(100).default(50),
        page: z.number().int().min(1).default(1),
      }),
      output: z.object({ dashboards: z.array(hit), hasMore: z.boolean() }),
      async run({ query, limit, page }, context) {
        const got = await api(context).json({
          path: "/api/search",
          query: { type: "dash-db", query, limit, page },
        });
        const dashboards = shaped(hits, got);
        return { dashboards, hasMore: dashboards.length === limit };
      },
    }),
    tool({
      name: "search_folders",
      title: "Search folders",
      description: "Finds folders by title.",
      annotations: reads,
      input: z.strictObject({
        query: z.string().max(500).default("").describe("Part of the title; all when empty"),
      }),
      output: z.object({ folders: z.array(hit), hasMore: z.boolean() }),
      async run({ query }, context) {
        const limit = 100;
        const got = await api(context).json({
          path: "/api/search",
          query: { type: "dash-folder", query, limit },
        });
        const folders = shaped(hits, got);
        return { folders, hasMore: folders.length === limit };
      },
    }),
  ];
}
