/**
 * Credentials that are costly to get, kept per caller for as long as they live.
 *
 * They are kept under the digest of the caller's own token, so that nobody gets another's and none
 * outlives the token that it came from. One is got at a time for each.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { Acting, Credential } from "../acting.ts";
import { cache } from "../cache.ts";
import type { Identity } from "../identity.ts";
import { ToolError } from "../pack.ts";

/** How many credentials are kept. */
export const KEPT_CREDENTIALS = 10_000;

/** How long before its end a credential is not used any more, in seconds. */
export const MARGIN_SECONDS = 10;

/** How long a token is believed to live whose issuer does not say, in seconds. */
export const DEFAULT_LIFETIME_SECONDS = 60;

/** A credential that was got, and when it ends. */
export interface Got {
  readonly token: string;
  /** Unix seconds. */
  readonly expiresAt: number;
}

/** Keeps what `get` yields. @param now Unix seconds. */
export function kept(get: (identity: Identity) => Promise<Got>, now: () => number): Acting {
  const known = cache<string>({ max: KEPT_CREDENTIALS }, now);
  const flights = new Map<string, Promise<string>>();

  const fetched = (key: string, identity: Identity): Promise<string> => {
    const under = flights.get(key);
    if (under) return under;
    const flight = get(identity).then(({ token, expiresAt }) => {
      known.set(key, token, expiresAt - MARGIN_SECONDS);
      return token;
    }).finally(() => flights.delete(key));
    flights.set(key, flight);
    return flight;
  };
  return {
    async credentialFor(identity): Promise<Credential> {
      if (!identity) throw new ToolError("This tool needs a login, and there is none", "no caller");
      const key = keyOf(identity);
      const token = known.get(key) ?? await fetched(key, identity);
      return { token, of: "caller" };
    },
    forget(identity, refused) {
      if (!identity) return false;
      const key = keyOf(identity);
      // Another call may have forgotten it already, and got a fresh one.
      if (known.get(key) === refused.token) known.delete(key);
      return true;
    },
  };
}

function keyOf({ token }: Identity): string {
  return createHash("sha256").update(token).digest("base64");
}
