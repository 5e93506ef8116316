/**
 * Annotations: marks in time on dashboards.
 *
 * @module
 */

import { z } from "zod";
import { type Tool, tool } from "../../pack.ts";
import { fitting, truncated } from "../cut.ts";
import type { Grafana } from "./grafana.ts";
import { items as listOf, shaped } from "./items.ts";
import { time, TIME_HELP, timeMs } from "../time.ts";

const annotation = z.object({
  id: z.number(),
  dashboardUID: z.string().nullish(),
  panelId: z.number().optional(),
  time: z.number().optional().describe("Unix milliseconds"),
  timeEnd: z.number().optional(),
  text: z.string().optional(),
  tags: z.array(z.string()).nullish(),
  login: z.string().optional(),
});
const answered = listOf(annotation.extend({ tags: listOf(z.string()).nullish() }));

/** The tools. */
export function annotations(grafana: Grafana): Tool[] {
  return [read(grafana), create(grafana)];
}

function read({ api, now }: Grafana): Tool {
  return tool({
    name: "get_annotations",
    title: "Get annotations",
    description: "Gets annotations by time, dashboard, panel or tags.",
    annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
    input: z.strictObject({
      from: time.optional().describe(TIME_HELP),
      to: time.optional(),
      dashboardUid: z.string().max(200).optional(),
      panelId: z.number().int().optional(),
      tags: z.array(z.string().max(200)).max(20).optional(),
      matchAny: z.boolean().default(false).describe("Any of the tags instead of all"),
      type: z.enum(["annotation", "alert"]).optional(),
      limit: z.number().int().min(1).max(1000).default(100),
    }),
    output: z.object({ annotations: z.array(annotation), truncated }),
    async run({ from, to, dashboardUid, panelId, tags, matchAny, type, limit }, context) {
      const got = await api(context).json({
        path: "/api/annotations",
        query: {
          from: from && timeMs(from, now()),
          to: to && timeMs(to, now(), "end"),
          dashboardUID: dashboardUid,
          panelId,
          tags,
          matchAny: tags ? matchAny : undefined,
          type,
          limit,
        },
      });
      const { items, truncated } = fitting(
        shaped(answered, got),
        "ask for a shorter time",
      );
      return { annotations: items, ...(truncated && { truncated }) };
    },
  });
}

function create({ api, now }: Grafana): Tool {
  return tool({
    name: "create_annotation",
    title: "Create annotation",
    description: "Marks a point or span in time, on a dashboard or for all.",
    annotations: {
      readOnlyHint: false,
      destructiveHint: false,
      idempotentHint: false,
      openWorldHint: false,
    },
    input: z.strictObject({
      text: z.string().min(1).max(10_000),
      time: time.optional().describe(`${TIME_HELP}; now when absent`),
      timeEnd: time.optional().describe("End of a span"),
      dashboardUid: z.string().max(200).optional(),
      panelId: z.number().int().optional(),
      tags: z.array(z.string().min(1).max(200)).max(20).optional(),
    }),
    output: z.object({ id: z.number() }),
    async run({ text, time, timeEnd, dashboardUid, panelId, tags }, context) {
      const made = await api(context).json<{ readonly id: number }>({
        method: "POST",
        path: "/api/annotations",
        body: {
          text,
          time: timeMs(time ?? "now", now()),
          ...(timeEnd && { timeEnd: timeMs(timeEnd, now(), "end") }),
          ...(dashboardUid && { dashboardUID: dashboardUid }),
          ...(panelId !== undefined && { panelId }),
          ...(tags && { tags }),
        },
      });
      return { id: made.id };
    },
  });
}
