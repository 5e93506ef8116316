/**
 * The token endpoint (OAuth 2.1 section 3.2): codes and refresh tokens become access tokens.
 *
 * Everything is checked before anything is used up, so that a bad request costs its victim nothing.
 *
 * @module
 */

import type { Handler } from "../http.ts";
import type { Trace } from "../trace.ts";
import type { AccessTokens } from "./access.ts";
import { audit } from "./audit.ts";
import type { Claim } from "./assertion.ts";
import type { Authenticate } from "./authenticate.ts";
import type { Client } from "./client.ts";
import { NO_STORE, type OAuthError, oauthError } from "./errors.ts";
import { type Parameters, readForm } from "./form.ts";
import { type Grant, refreshTokenOf } from "./grants.ts";

/** A grant that a token is to be issued for, or why not. */
export type Granted =
  | {
    readonly ok: true;
    readonly grantId: string;
    readonly grant: Grant;
    /** What the access token may do, where that is less than the grant. */
    readonly scopes?: readonly string[];
  }
  | { readonly ok: false; readonly error: OAuthError; readonly reason: string };

/** A refusal; the reason is for the log. */
export function refuseGrant(error: OAuthError, reason: string): Extract<Granted, { ok: false }> {
  return { ok: false, error, reason };
}

/**
 * Judges one type of grant.
 *
 * @param claim Uses the client's proof up; called once all else is good, before anything is granted.
 */
export type GrantType = (
  sent: Parameters,
  client: Client,
  trace: Trace,
  claim?: Claim,
) => Promise<Granted>;

/** What the endpoint needs. */
export interface TokenOptions {
  readonly authenticate: Authenticate;
  readonly access: AccessTokens;
  /** By `grant_type`. */
  readonly types: Readonly<Record<string, GrantType>>;
}

/** Answers token requests. */
export function token({ authenticate, access, types }: TokenOptions): Handler {
  const refuse = (error: OAuthError, reason: string, trace: Trace, client?: Client) => {
    audit(trace, "refused", { step: "token", client: client?.name, reason });
    return oauthError(error);
  };
  return async (request, trace) => {
    const read = await readForm(request);
    if (!read.ok) return refuse("invalid_request", read.problem, trace);
    const { parameters } = read;
    const authenticated = await authenticate(request, parameters);
    if (!authenticated.ok) return refuse(authenticated.error, authenticated.reason, trace);
    const { client, claim } = authenticated;
    trace.note({ client: client.name });
    const type = parameters.get("grant_type");
    if (type === undefined) {
      return refuse("invalid_request", "grant_type is missing", trace, client);
    }
    if (!Object.hasOwn(types, type)) {
      return refuse("unsupported_grant_type", "unknown type", trace, client);
    }
    const granted = await types[type]!(parameters, client, trace, claim);
    if (!granted.ok) return refuse(granted.error, granted.reason, trace, client);
    const { grantId, grant, scopes = grant.scopes } = granted;
    trace.note({ user: grant.person.username, subject: grant.person.subject });
    const accessToken = await access.issue(grantId, { ...grant, scopes });
    return Response.json({
      access_token: accessToken,
      token_type: "Bearer",
      expires_in: access.ttl,
      refresh_token: refreshTokenOf(grantId, grant, grant.generation),
      // RFC 6749 section 3.3 has no word for none.
      ...(scopes.length > 0 && { scope: scopes.join(" ") }),
    }, { headers: NO_STORE });
  };
}
