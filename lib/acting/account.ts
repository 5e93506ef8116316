/**
 * Acting as the server itself, with a token that it was given.
 *
 * Everybody then has the same rights at the service. It is for servers without OAuth, or an
 * explicit choice.
 *
 * @module
 */

import type { Acting } from "../acting.ts";

/** Acts as the server. @param token Its token. */
export function account(token: string): Acting {
  return {
    credentialFor: () => Promise.resolve({ token, of: "server" }),
    forget: () => false,
  };
}
