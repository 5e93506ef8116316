/**
 * Pictures of panels and dashboards, by Grafana's image renderer.
 *
 * @module
 */

import { z } from "zod";
import { Shown, type Tool, tool, ToolError } from "../../pack.ts";
import { judge } from "./answer.ts";
import { type ApiRequest, path } from "./api.ts";
import type { Grafana } from "./grafana.ts";
import { time } from "../time.ts";

/** Largest picture that is handed on, in bytes. */
const MAX_IMAGE_BYTES = 4 * 1024 * 1024;

/** The tool. */
export function rendering({ api }: Grafana): Tool[] {
  return [tool({
    name: "get_panel_image",
    title: "Picture of panel",
    description: "Renders a panel, or a whole dashboard without panelId, as a PNG picture.",
    annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
    input: z.strictObject({
      dashboardUid: z.string().min(1).max(200),
      panelId: z.number().int().optional(),
      width: z.number().int().min(100).max(3000).default(1000).describe("Pixels"),
      height: z.number().int().min(100).max(3000).default(500).describe("Pixels"),
      timeRange: z.strictObject({ from: time, to: time }).optional(),
      variables: z.record(z.string().regex(/^\w{1,100}$/), z.string().max(500)).optional(),
      theme: z.enum(["light", "dark"]).optional(),
    }),
    output: z.object({ mimeType: z.string(), bytes: z.number() }),
    async run({ dashboardUid, panelId, width, height, timeRange, variables = {}, theme }, context) {
      const request: ApiRequest = {
        path: panelId === undefined
          ? path`/render/d/${dashboardUid}`
          : path`/render/d-solo/${dashboardUid}`,
        query: {
          panelId,
          width,
          height,
          ...timeRange,
          theme,
          ...Object.fromEntries(
            Object.entries(variables).map(([name, value]) => [`var-${name}`, value]),
          ),
        },
        accept: "image/png",
      };
      const { bytes, contentType } = judge(await api(context).fetch(request), request);
      if (!contentType.startsWith("image/png")) {
        throw new ToolError(
          "Grafana made no picture. Its image renderer may not be installed",
          "no picture",
        );
      }
      if (bytes.length > MAX_IMAGE_BYTES) {
        throw new ToolError("The picture is too large. Ask for fewer pixels", "picture too large");
      }
      const mimeType = "image/png";
      return new Shown({ mimeType, bytes: bytes.length }, [
        { type: "image", mimeType, data: bytes.toBase64() },
      ]);
    },
  })];
}
