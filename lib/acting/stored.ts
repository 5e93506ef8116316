/**
 * Acting with the identity provider's own token of the caller, which proxy mode holds.
 *
 * @module
 */

import type { Acting } from "../acting.ts";
import type { Identity } from "../identity.ts";
import { ToolError } from "../pack.ts";
import type { Got } from "./kept.ts";
import { kept } from "./kept.ts";

/** Acts with held tokens. @param now Unix seconds. */
export function stored(
  find: (identity: Identity) => Promise<Got | undefined>,
  now: () => number,
): Acting {
  return kept(async (identity) => {
    const found = await find(identity);
    if (found) return found;
    throw new ToolError(
      "Your login at the identity provider has ended. Log in again",
      "no upstream token",
    );
  }, now);
}
