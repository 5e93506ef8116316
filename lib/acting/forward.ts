/**
 * Acting with the caller's own token, as it came.
 *
 * MCP forbids to pass on tokens that were not issued for the service (Security Best Practices,
 * "Token Passthrough"). The operator who chooses this says that both servers are one resource, and
 * can have that checked: with an audience, only tokens that name it are passed on.
 *
 * @module
 */

import type { Acting } from "../acting.ts";
import { ToolError } from "../pack.ts";

/** Passes tokens on. @param audience What a token must name besides this server. */
export function forward(audience?: string): Acting {
  return {
    credentialFor(identity) {
      if (!identity) {
        return Promise.reject(
          new ToolError("This tool needs a login, and there is none", "no caller"),
        );
      }
      if (audience !== undefined && !audiencesOf(identity.claims).includes(audience)) {
        return Promise.reject(
          new ToolError(
            `Your access token is not meant for ${audience}. Ask whoever runs this server`,
            "token not meant for the service",
          ),
        );
      }
      return Promise.resolve({ token: identity.token, of: "caller" });
    },
    forget: () => false,
  };
}

function audiencesOf({ aud }: Readonly<Record<string, unknown>>): unknown[] {
  return Array.isArray(aud) ? aud : [aud];
}
