/**
 * The identity provider's token of a caller, which this server holds and keeps fresh.
 *
 * It is for acting as the caller at a service that trusts the provider, and goes nowhere else.
 *
 * @module
 */

import type { Identity } from "../identity.ts";
import type { Ports } from "../ports.ts";
import { GRANT_CLAIM } from "./access.ts";
import type { Grants, UpstreamTokens } from "./grants.ts";
import type { Records } from "./records.ts";
import { inTurn, type RenewalOptions, renewed } from "./renewal.ts";

/** How often to look whether another one is done, in milliseconds, and how many times. */
const LOOK_EVERY_MS = 100;
const MOST_LOOKS = 100;

/** How long before its end a token is renewed, in seconds. */
const MARGIN_SECONDS = 30;

/** How long a token is believed to live whose issuer does not say, in seconds. */
const DEFAULT_LIFETIME_SECONDS = 60;

/** A token of the provider. */
export interface HeldToken {
  readonly token: string;
  /** Unix seconds. */
  readonly expiresAt: number;
}

/** What holding needs. */
export interface HeldOptions extends RenewalOptions {
  readonly grants: Grants;
  readonly turns: Records<true>;
  readonly sleep: (ms: number) => Promise<void>;
}

/** Finds a caller's token; `undefined` when the caller has to log in anew. */
export type FindHeld = (identity: Identity) => Promise<HeldToken | undefined>;

/** Prepares the finding. */
export function held(options: HeldOptions, { now }: Pick<Ports, "now">): FindHeld {
  const { grants, turns, sleep } = options;
  const renew = (id: string) =>
    inTurn(turns, id, now, async () => {
      const kept = await grants.get(id);
      if (!kept || isFresh(kept.value.upstream, now())) return;
      const outcome = await renewed(kept.value, options);
      // Somebody had a turn meanwhile, and what was heard is about tokens that are not in force.
      if ((await grants.get(id))?.row !== kept.row) return;
      if (outcome.ok) await grants.replace(id, kept, { ...kept.value, ...outcome.changes });
      else await grants.end(id);
    });
  return async ({ claims }) => {
    const id = String(claims[GRANT_CLAIM]);
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      const tokens = (await grants.get(id))?.value.upstream;
      if (!tokens) return undefined;
      if (isFresh(tokens, now())) {
        const { accessToken: token, expiresAt = now() + DEFAULT_LIFETIME_SECONDS } = tokens;
        return { token, expiresAt };
      }
      if (tokens.refreshToken === undefined) return undefined;
      if (looks > 0) await sleep(LOOK_EVERY_MS);
      await renew(id);
    }
    throw new Error("Cannot renew the identity provider's token: another renewal takes too long");
  };
}

// A token without an expiry is taken for good until the service refuses it.
function isFresh(tokens: UpstreamTokens | undefined, now: number): boolean {
  return tokens !== undefined && (tokens.expiresAt ?? Infinity) - MARGIN_SECONDS > now;
}
