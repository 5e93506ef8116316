/**
 * Writing dashboards and folders. Whether the caller may is Grafana's decision.
 *
 * @module
 */

import { z } from "zod";
import { type Tool, tool, ToolError } from "../../pack.ts";
import { readDashboard, text } from "./dashboard.ts";
import { edited } from "./edit.ts";
import type { Grafana } from "./grafana.ts";

const MOST_OPERATIONS = 100;

/** The tools. */
export function dashboardWrite(grafana: Grafana): Tool[] {
  return [update(grafana), folder(grafana)];
}

function update({ api }: Grafana): Tool {
  return tool({
    name: "update_dashboard",
    title: "Create or update dashboard",
    description:
      "Saves a dashboard: either whole (dashboard), or an existing one with changes (uid and operations).",
    annotations: {
      readOnlyHint: false,
      destructiveHint: true,
      idempotentHint: false,
      openWorldHint: false,
    },
    input: z.strictObject({
      dashboard: z.record(z.string(), z.unknown()).optional()
        .describe("Whole dashboard; without uid a new one"),
      uid: z.string().min(1).max(200).optional().describe("Dashboard to change"),
      operations: z.array(z.strictObject({
        op: z.enum(["add", "replace", "remove"]),
        path: z.string().min(1).max(300).describe("$.panels[0].title, or $.panels/- to append"),
        value: z.unknown().optional(),
      })).min(1).max(MOST_OPERATIONS).optional(),
      folderUid: z.string().max(200).optional(),
      message: z.string().max(500).optional().describe("Note for the version history"),
      overwrite: z.boolean().default(false).describe("Save over changes made meanwhile"),
    }),
    output: z.object({
      uid: z.string(),
      url: z.string().optional(),
      version: z.number().optional(),
      status: z.string().optional(),
    }),
    async run({ dashboard, uid, operations, folderUid, message, overwrite }, context) {
      const grafana = api(context);
      const isWhole = dashboard !== undefined;
      if (isWhole === (operations !== undefined) || (operations && uid === undefined)) {
        throw new ToolError("Give either dashboard, or uid and operations", "bad arguments");
      }
      const current = operations && await readDashboard(grafana, uid!);
      const next = current ? edited(current.dashboard, operations!) : dashboard!;
      const folder = folderUid ?? text(current?.meta.folderUid);
      const saved = await grafana.json<Record<string, unknown>>({
        method: "POST",
        path: "/api/dashboards/db",
        body: {
          dashboard: next,
          ...(folder && { folderUid: folder }),
          ...(message && { message }),
          overwrite,
        },
      });
      return {
        uid: String(saved.uid),
        ...(text(saved.url) && { url: String(saved.url) }),
        ...(typeof saved.version === "number" && { version: saved.version }),
        ...(text(saved.status) && { status: String(saved.status) }),
      };
    },
  });
}

function folder({ api }: Grafana): Tool {
  return tool({
    name: "create_folder",
    title: "Create folder",
    description: "Creates a folder for dashboards and alert rules.",
    annotations: {
      readOnlyHint: false,
      destructiveHint: false,
      idempotentHint: false,
      openWorldHint: false,
    },
    input: z.strictObject({
      title: z.string().min(1).max(190),
      uid: z.string().regex(/^[\w-]{1,40}$/).optional().describe("Chosen by Grafana when absent"),
      parentUid: z.string().max(200).optional().describe("Folder to create it in"),
    }),
    output: z.object({ uid: z.string(), title: z.string(), url: z.string().optional() }),
    async run({ title, uid, parentUid }, context) {
      const made = await api(context).json<Record<string, unknown>>({
        method: "POST",
        path: "/api/folders",
        body: { title, ...(uid && { uid }), ...(parentUid && { parentUid }) },
      });
      return {
        uid: String(made.uid),
        title: String(made.title),
        ...(text(made.url) && { url: String(made.url) }),
      };
    },
  });
}
