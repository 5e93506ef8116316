/**
 * Revocation (RFC 7009): a client gives up a grant, by any token of it.
 *
 * Only the client that a token was issued to can revoke it. Whether a token was known is not told
 * (section 2.2). The identity provider hears of it, too.
 *
 * @module
 */

import type { Handler } from "../http.ts";
import type { Ports } from "../ports.ts";
import type { Trace } from "../trace.ts";
import { type AccessTokens, GRANT_CLAIM } from "./access.ts";
import { audit } from "./audit.ts";
import type { Authenticate } from "./authenticate.ts";
import type { Client } from "./client.ts";
import { NO_STORE, oauthError } from "./errors.ts";
import { readForm } from "./form.ts";
import { type Grant, type Grants, isGenuine, readRefreshToken } from "./grants.ts";
import type { Upstream } from "./upstream.ts";

/** What revoking needs. */
export interface RevokeOptions {
  readonly authenticate: Authenticate;
  readonly access: AccessTokens;
  readonly grants: Grants;
  readonly upstream: Upstream;
}

/** Answers revocations. */
export function revoke(
  { authenticate, access, grants, upstream }: RevokeOptions,
  { now }: Pick<Ports, "now">,
): Handler {
  // Whatever the hint says, both kinds are tried (section 2.1).
  const grantOf = async (token: string): Promise<{ id: string; grant: Grant } | undefined> => {
    const refresh = readRefreshToken(token);
    if (refresh) {
      const kept = await grants.get(refresh.grantId);
      return kept && isGenuine(refresh, kept.value)
        ? { id: refresh.grantId, grant: kept.value }
        : undefined;
    }
    const verdict = await access.verify(token, now());
    if (!verdict.ok) return undefined;
    const id = String(verdict.identity.claims[GRANT_CLAIM]);
    const kept = await grants.get(id);
    return kept && { id, grant: kept.value };
  };

  const end = async (
    id: string,
    { person, clientName, upstream: tokens }: Grant,
    trace: Trace,
  ) => {
    if (!await grants.end(id)) return;
    audit(trace, "revoked", { step: "revocation", client: clientName, user: person.username });
    if (!tokens) return;
    try {
      await upstream.revoke(tokens);
    } catch (error) {
      // Ours is over; theirs ends by itself.
      trace.log("warn", "upstream not told", { error: String(error) });
    }
  };

  return async (request, trace) => {
    const read = await readForm(request);
    if (!read.ok) return oauthError("invalid_request");
    const authenticated = await authenticate(request, read.parameters);
    if (!authenticated.ok) {
      audit(trace, "refused", { step: "revocation", reason: authenticated.reason });
      return oauthError(authenticated.error);
    }
    const { client, claim } = authenticated;
    trace.note({ client: client.name });
    const token = read.parameters.get("token");
    if (token === undefined) return oauthError("invalid_request");
    const found = await grantOf(token);
    if (found && isOwner(client, found.grant)) {
      if (claim && !await claim()) return oauthError("invalid_client");
      await end(found.id, found.grant, trace);
    } else {
      const reason = found ? "another client's token" : "unknown token";
      audit(trace, "refused", { step: "revocation", client: client.name, reason });
    }
    return new Response(null, { status: 200, headers: NO_STORE });
  };
}

function isOwner({ id }: Client, { clientId }: Grant): boolean {
  return id === clientId;
}
