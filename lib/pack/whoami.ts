/**
 * The pack that tells callers who they are to this server. The token itself is never in a result.
 *
 * @module
 */

import { z } from "zod";
import { type Pack, tool } from "../pack.ts";

const output = z.object({
  authenticated: z.boolean().describe("False when the server runs without OAuth"),
  subject: z.string().optional().describe("Stable identifier within the issuer"),
  username: z.string().optional(),
  email: z.string().optional().describe("Absent when the issuer says that it is not verified"),
  name: z.string().optional(),
  roles: z.array(z.string()),
  scopes: z.array(z.string()),
  expires_at: z.iso.datetime().optional().describe("When the access token expires"),
  issuer: z.string().optional(),
});

// The last year that ISO 8601 writes with four digits.
const YEAR_9999_SECONDS = 253_402_300_799;

/** Makes the pack. */
export function whoami(): Pack {
  return {
    name: "whoami",
    tools: [tool({
      name: "whoami",
      title: "Who am I",
      description:
        "Tells who you are to this server: subject, username, e-mail, roles, scopes, and when your access token expires.",
      annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
      input: z.strictObject({}),
      output,
      run: (_args, { identity }) => {
        if (!identity) return { authenticated: false, roles: [], scopes: [] };
        const { subject, username, email, name, roles, scopes, expiresAt, issuer } = identity;
        return {
          authenticated: true,
          subject,
          username,
          ...(email !== undefined && { email }),
          ...(name !== undefined && { name }),
          roles: [...roles],
          scopes: [...scopes],
          expires_at: new Date(Math.min(expiresAt, YEAR_9999_SECONDS) * 1000).toISOString(),
          issuer,
        };
      },
    })],
    ready: () => true,
    close: () => {},
  };
}
