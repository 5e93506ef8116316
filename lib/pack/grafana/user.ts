/**
 * What Grafana thinks of the caller.
 *
 * @module
 */

import { z } from "zod";
import { type Tool, tool } from "../../pack.ts";
import type { Grafana } from "./grafana.ts";
import { items, shaped } from "./items.ts";

/** `GET /api/user` */
interface User {
  readonly login?: string;
  readonly name?: string;
  readonly email?: string;
  readonly orgId?: number;
  readonly isGrafanaAdmin?: boolean;
}

/** `GET /api/user/orgs` */
const orgs = items(z.object({ orgId: z.number(), name: z.string(), role: z.string() }));

/** The tool. */
export function user({ api }: Grafana): Tool[] {
  return [tool({
    name: "get_current_user",
    title: "Who am I in Grafana",
    description: "Tells as whom you act in Grafana: name, organization and role.",
    annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
    input: z.strictObject({}),
    output: z.object({
      login: z.string(),
      name: z.string().optional(),
      email: z.string().optional(),
      orgId: z.number().optional(),
      orgName: z.string().optional(),
      role: z.string().optional().describe("Viewer, Editor or Admin in that organization"),
      isServerAdmin: z.boolean().optional(),
    }),
    async run(_args, context) {
      const grafana = api(context);
      const me = await grafana.json<User>({ path: "/api/user" });
      const org = shaped(orgs, await grafana.json({ path: "/api/user/orgs" }))
        .find(({ orgId }) => orgId === me.orgId);
      return {
        login: me.login ?? "",
        ...(me.name && { name: me.name }),
        ...(me.email && { email: me.email }),
        ...(me.orgId !== undefined && { orgId: me.orgId }),
        ...(org && { orgName: org.name, role: org.role }),
        ...(me.isGrafanaAdmin !== undefined && { isServerAdmin: me.isGrafanaAdmin }),
      };
    },
  })];
}
