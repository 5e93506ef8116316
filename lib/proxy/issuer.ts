/**
 * Logging in at an OpenID provider, with this server as its client (OpenID Connect Core 1.0
 * section 3.1, OAuth 2.1 section 4.1).
 *
 * The redirect URI is one and fixed, PKCE and nonce are this server's own, and the provider's `iss`
 * is checked (RFC 9207). An ID token comes straight from the token endpoint, so TLS vouches for it
 * (Core section 3.1.3.7 item 6). Nothing that the provider says reaches a client.
 *
 * @module
 */

import { decodeJwt } from "@panva/jose";
import * as oauth from "oauth4webapi";
import { authentication } from "../acting/client.ts";
import type { UpstreamClient } from "../config/proxy.ts";
import type { Verdict } from "../errors.ts";
import { type Claims, judgeClaims } from "../jwt.ts";
import { outbound } from "../outbound.ts";
import type { Ports } from "../ports.ts";
import { conclude } from "../provider/claims.ts";
import { discover, type IssuerDocument } from "../provider/discover.ts";
import type { OidcOptions } from "../provider/oidc.ts";
import { COOL_DOWN_SECONDS, FRESH_SECONDS, RETRY_SECONDS } from "../provider/oidc.ts";
import { refreshed } from "../provider/refreshed.ts";
import type { UpstreamTokens } from "./grants.ts";
import type { Quirks } from "./quirks.ts";
import type { Leg, Login, Renewal, Upstream } from "./upstream.ts";

/** Settings of {@linkcode issuer}. */
export interface IssuerOptions {
  /** The provider, as for judging its tokens. */
  readonly vendor: OidcOptions;
  readonly client: UpstreamClient;
  readonly quirks: Quirks;
  /** Where people come back to. */
  readonly callback: string;
}

// So much that the library's judgement of times is none: ours counts.
const LIBRARY_TOLERANCE_SECONDS = 100 * 365 * 86_400;

/** Prepares logins at an OpenID provider. Fetches nothing before it is used. */
export function issuer(
  options: IssuerOptions,
  ports: Pick<Ports, "now" | "fetch" | "log">,
): Upstream {
  const { vendor, client, quirks, callback } = options;
  const fetch = outbound(ports.fetch);
  const through = { [oauth.customFetch]: fetch, [oauth.allowInsecureRequests]: true };
  const self: oauth.Client = {
    client_id: client.id,
    [oauth.clockTolerance]: LIBRARY_TOLERANCE_SECONDS,
  };
  const document = refreshed(() => discover(vendor.issuer, fetch, vendor.documentIssuer), {
    now: ports.now,
    freshSeconds: FRESH_SECONDS,
    coolDownSeconds: COOL_DOWN_SECONDS,
    retrySeconds: RETRY_SECONDS,
    onError: (error) =>
      ports.log("warn", "issuer not found", { issuer: vendor.issuer, error: String(error) }),
  });

  const exchange = async (parameters: URLSearchParams, leg: Leg): Promise<Login> => {
    const server = await document.get();
    const response = await oauth.authorizationCodeGrantRequest(
      server,
      self,
      authentication(client, server),
      parameters,
      callback,
      leg.verifier,
      through,
    );
    const named = await namedByToken(server, response, vendor);
    const tokens = await oauth.processAuthorizationCodeResponse(named, self, response, {
      expectedNonce: leg.nonce,
      requireIdToken: true,
    });
    const said = oauth.getValidatedIdTokenClaims(tokens)!;
    const timely = judgeLifetime(said);
    if (timely) return timely;
    // Without user info the ID token says enough to go on: who it is.
    const verdict = identify(tokens, said, await userInfo(server, tokens.access_token, said.sub));
    return verdict.ok
      ? { ok: true, identity: verdict.identity, tokens: kept(tokens, ports.now()) }
      : { ok: false, reason: verdict.refusal.reason, denied: true };
  };

  // By this program's clock; the library has one of its own.
  const judgeLifetime = (said: oauth.IDToken) => {
    const rules = { audiences: [client.id], idTokens: true };
    const judged = judgeClaims({ ...said }, rules, ports.now());
    return judged.ok
      ? undefined
      : { ok: false, reason: `ID token: ${judged.refusal.reason}`, denied: false } as const;
  };

  const identify = (
    { access_token: accessToken }: oauth.TokenEndpointResponse,
    said: oauth.IDToken,
    more: Readonly<Record<string, unknown>> = {},
  ): Verdict => {
    // Vendors' rules are about access tokens; that this is an ID token was asked for.
    const claims = { ...rolesOf(accessToken, said), ...more, ...said, typ: undefined };
    return conclude(claims as Claims, vendor.mapping, vendor.judgeVendor);
  };

  const userInfo = async (server: IssuerDocument, accessToken: string, subject: string) => {
    if (!server.userinfo_endpoint) return {};
    try {
      const response = await oauth.userInfoRequest(server, self, accessToken, through);
      return await oauth.processUserInfoResponse(server, self, subject, response);
    } catch (error) {
      ports.log("warn", "user info not had", { error: codeOf(error) });
      return undefined;
    }
  };

  return {
    host: new URL(vendor.issuer).host,
    async begin(state, leg) {
      const server = await document.get();
      if (!server.authorization_endpoint) {
        throw new Error("Cannot log in: the issuer has no authorization endpoint");
      }
      const { scopes, parameters } = quirks(server);
      const url = new URL(server.authorization_endpoint);
      const all = {
        response_type: "code",
        client_id: client.id,
        redirect_uri: callback,
        scope: scopes.join(" "),
        state,
        nonce: leg.nonce,
        code_challenge: await oauth.calculatePKCECodeChallenge(leg.verifier),
        code_challenge_method: "S256",
        ...parameters,
      };
      for (const [name, value] of Object.entries(all)) url.searchParams.set(name, value);
      return url.href;
    },
    async finish(response, state, leg) {
      try {
        const server = await document.get();
        return await exchange(oauth.validateAuthResponse(server, self, response, state), leg);
      } catch (error) {
        if (!isAnswer(error)) throw error;
        return { ok: false, reason: codeOf(error), denied: codeOf(error) === "access_denied" };
      }
    },
    async renew(tokens, subject): Promise<Renewal> {
      const server = await document.get();
      const response = await oauth.refreshTokenGrantRequest(
        server,
        self,
        authentication(client, server),
        tokens.refreshToken!,
        through,
      );
      let renewed: oauth.TokenEndpointResponse;
      try {
        const named = await namedByToken(server, response, vendor);
        renewed = await oauth.processRefreshTokenResponse(named, self, response);
      } catch (error) {
        // Only this says that the grant is over (RFC 6749 section 5.2); all else may pass.
        if (codeOf(error) !== "invalid_grant") throw error;
        return { ok: false, reason: "invalid_grant" };
      }
      const { refreshToken } = tokens;
      const next = { ...(refreshToken && { refreshToken }), ...kept(renewed, ports.now()) };
      const said = oauth.getValidatedIdTokenClaims(renewed);
      // OpenID Connect Core section 12.2.
      if (said && said.sub !== subject) return { ok: false, reason: "another subject" };
      const late = said && judgeLifetime(said);
      if (late) return late;
      const more = await userInfo(server, renewed.access_token, subject);
      // Half of what was known at login must not stand for all of it: who it is stays as it was.
      if (!more || (!said && !server.userinfo_endpoint)) return { ok: true, tokens: next };
      const verdict = identify(renewed, said ?? unsaid(server, subject, ports.now()), more);
      return verdict.ok
        ? { ok: true, tokens: next, identity: verdict.identity }
        : { ok: false, reason: verdict.refusal.reason };
    },
    async revoke({ refreshToken, accessToken }) {
      const server = await document.get();
      if (!server.revocation_endpoint) return;
      const how = authentication(client, server);
      const token = refreshToken ?? accessToken;
      await oauth.processRevocationResponse(
        await oauth.revocationRequest(server, self, how, token, through),
      );
    },
  };
}

/**
 * The server's metadata under the issuer that its ID token names, where a vendor documents several.
 * The library compares the two.
 */
async function namedByToken(
  server: IssuerDocument,
  response: Response,
  { issuers = [] }: OidcOptions,
): Promise<IssuerDocument> {
  const body = await response.clone().json().catch(() => undefined) as { id_token?: unknown };
  const iss = typeof body?.id_token === "string" ? claimsOf(body.id_token).iss : undefined;
  return iss !== undefined && issuers.includes(iss) ? { ...server, issuer: iss } : server;
}

/** Claims of the access token, which some providers list roles in; only those of the same login. */
function rolesOf(accessToken: string, { iss, sub }: oauth.IDToken): Record<string, unknown> {
  const claims = claimsOf(accessToken);
  return claims.iss === iss && claims.sub === sub ? claims : {};
}

// Not a judgement: the text comes straight from the token endpoint.
function claimsOf(token: string): { readonly iss?: string; readonly sub?: string } {
  try {
    return decodeJwt(token);
  } catch {
    return {};
  }
}

function kept(response: oauth.TokenEndpointResponse, now: number): UpstreamTokens {
  const { access_token: accessToken, refresh_token: refreshToken, expires_in } = response;
  return {
    accessToken,
    ...(expires_in !== undefined && { expiresAt: now + expires_in }),
    ...(refreshToken !== undefined && { refreshToken }),
  };
}

/** What stands for an ID token where a renewal brings none: user info then tells the rest. */
function unsaid({ issuer }: IssuerDocument, sub: string, now: number): oauth.IDToken {
  return { iss: issuer, sub, aud: "", iat: now, exp: now };
}

/** Whether the provider answered, if only to say no; else it could not be asked. */
function isAnswer(error: unknown): boolean {
  if (error instanceof oauth.OperationProcessingError) {
    // A bare 500 or 503, from the provider or from what stands before it, says nothing.
    return !(error.cause instanceof Response && error.cause.status >= 500);
  }
  return error instanceof oauth.AuthorizationResponseError ||
    error instanceof oauth.UnsupportedOperationError ||
    error instanceof oauth.ResponseBodyError;
}

function codeOf(error: unknown): string {
  if (
    error instanceof oauth.AuthorizationResponseError || error instanceof oauth.ResponseBodyError
  ) return error.error;
  return error instanceof oauth.OperationProcessingError
    ? error.code ?? error.message
    : error instanceof Error
    ? error.message
    : String(error);
}
