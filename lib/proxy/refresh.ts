/**
 * `refresh_token`: rotation that is strict with thieves and patient with clients (OAuth 2.1 section
 * 4.3, RFC 9700 section 4.14).
 *
 * The token in force makes the next one. The one before it gets the same successor for a short
 * while, for clients whose answer was lost or who asked twice. Any older one means that two parties
 * hold the grant, and ends it.
 *
 * A refresh also asks the identity provider anew. When that cannot be reached, nothing changes and
 * the client tries again; when it ended its side, so do we.
 *
 * @module
 */

import type { Ports } from "../ports.ts";
import type { Trace } from "../trace.ts";
import { USED } from "./assertion.ts";
import { audit } from "./audit.ts";
import {
  type Grant,
  type Grants,
  isGenuine,
  readRefreshToken,
  type RefreshToken,
} from "./grants.ts";
import type { Kept, Records } from "./records.ts";
import { inTurn, type RenewalOptions, renewed } from "./renewal.ts";
import { type Granted, type GrantType, refuseGrant } from "./token.ts";

/** How long a token that was followed by another still gets that other, in seconds. */
export const RETRY_SECONDS = 30;

/** How often to look whether another one is done, in milliseconds, and how many times. */
const LOOK_EVERY_MS = 100;
const MOST_LOOKS = 100;

/** What refreshing needs. */
export interface RefreshOptions extends RenewalOptions {
  readonly grants: Grants;
  /** Refreshes at work, by grant. */
  readonly turns: Records<true>;
  readonly sleep: (ms: number) => Promise<void>;
}

/** Prepares the refreshing of grants. */
export function refresh(options: RefreshOptions, { now }: Pick<Ports, "now">): GrantType {
  const { grants, turns, sleep } = options;

  const end = async (
    event: "ended" | "reuse detected",
    { grantId }: RefreshToken,
    grant: Grant,
    reason: string,
    trace: Trace,
  ) => {
    await grants.end(grantId);
    audit(trace, event, { ...factsOf(grant), reason });
    return refuseGrant("invalid_grant", reason);
  };

  const rotate = async (
    token: RefreshToken,
    kept: Kept<Grant>,
    trace: Trace,
  ): Promise<Granted | undefined> => {
    const { grantId } = token;
    const renewal = await renewed(kept.value, options);
    // Somebody had a turn meanwhile, and what was heard is about tokens that are not in force.
    if ((await grants.get(grantId))?.row !== kept.row) return undefined;
    if (!renewal.ok) return await end("ended", token, kept.value, renewal.reason, trace);
    const next: Grant = {
      ...kept.value,
      ...renewal.changes,
      generation: kept.value.generation + 1,
      rotatedAt: now(),
    };
    // Else it was ended or changed meanwhile: look again.
    if (!await grants.replace(grantId, kept, next)) return undefined;
    audit(trace, "refreshed", factsOf(next));
    return { ok: true, grantId, grant: next };
  };

  const due = async (token: RefreshToken, trace: Trace): Promise<Granted | undefined> => {
    // Another one may have had its turn since.
    const kept = await grants.get(token.grantId);
    const isDue = kept && !settle(token, kept.value, now());
    return isDue ? await rotate(token, kept, trace) : undefined;
  };

  const refreshed = async (token: RefreshToken, trace: Trace): Promise<Granted | undefined> => {
    try {
      return await inTurn(turns, token.grantId, now, () => due(token, trace));
    } catch (error) {
      trace.log("error", "token not refreshed", { error: String(error) });
      return refuseGrant("temporarily_unavailable", "the identity provider cannot be asked");
    }
  };

  return async (sent, client, trace, claim) => {
    const text = sent.get("refresh_token");
    if (text === undefined) return refuseGrant("invalid_request", "refresh_token is missing");
    const token = readRefreshToken(text);
    if (!token) return refuseGrant("invalid_grant", "malformed");
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      const kept = await grants.get(token.grantId);
      if (!kept || !isGenuine(token, kept.value)) {
        return refuseGrant("invalid_grant", "unknown or ended");
      }
      const grant = kept.value;
      if (grant.clientId !== client.id) {
        return refuseGrant("invalid_grant", "another client's token");
      }
      const narrowed = narrow(sent.get("scope"), grant);
      if (!narrowed) return refuseGrant("invalid_scope", "more than was granted");
      if (sent.all("resource").some((one) => one !== grant.resource)) {
        return refuseGrant("invalid_target", "another resource");
      }
      if (looks === 0 && claim && !await claim()) return refuseGrant("invalid_client", USED);
      const settled = settle(token, grant, now());
      if (settled && !settled.ok) {
        return await end("reuse detected", token, grant, settled.reason, trace);
      }
      const granted = settled ?? await refreshed(token, trace);
      if (granted) return granted.ok ? within(granted, narrowed) : granted;
      await sleep(LOOK_EVERY_MS);
    }
    return refuseGrant("temporarily_unavailable", "another refresh takes too long");
  };
}

/** What is clear without a rotation: a retry, or a reuse. `undefined` for the token in force. */
function settle({ grantId, generation }: RefreshToken, grant: Grant, now: number) {
  if (generation === grant.generation) return undefined;
  const isRetry = generation === grant.generation - 1 && now - grant.rotatedAt <= RETRY_SECONDS;
  return isRetry
    ? { ok: true, grantId, grant } as const
    : refuseGrant("invalid_grant", "an older refresh token");
}

function factsOf({ clientName: client, person: { username: user } }: Grant) {
  return { step: "token", client, user };
}

/** What was asked for, of what is granted after the refresh. */
function within(granted: Extract<Granted, { ok: true }>, asked: readonly string[]): Granted {
  return { ...granted, scopes: asked.filter((scope) => granted.grant.scopes.includes(scope)) };
}

/** The scopes asked for, none of which may be new (RFC 6749 section 6). */
function narrow(sent: string | undefined, { scopes }: Grant): readonly string[] | undefined {
  if (sent === undefined) return scopes;
  const asked = sent.split(" ").filter(Boolean);
  return asked.every((scope) => scopes.includes(scope)) ? asked : undefined;
}
