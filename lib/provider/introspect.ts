/**
 * Asking the issuer about a token (RFC 7662): for tokens that say nothing by themselves.
 *
 * The answer counts only when it says that the token is active and meant for this server. An answer
 * without an expiry is believed for a minute.
 *
 * @module
 */

import * as oauth from "oauth4webapi";
import type { Refusal, Verdict } from "../errors.ts";
import { judgeClaims } from "../jwt.ts";
import type { Outbound } from "../outbound.ts";
import { conclude, type JudgeVendor, type Mapping } from "./claims.ts";
import type { Ask } from "./oidc.ts";

/** How many questions may be open; more are answered 503. */
export const MAX_QUESTIONS = 32;

/** How long an answer without an expiry is believed, in seconds. */
const DEFAULT_LIFETIME_SECONDS = 60;

/** This server as a client of the issuer. */
export interface ClientCredentials {
  readonly id: string;
  readonly secret: string;
}

/** Settings of {@linkcode introspection}. */
export interface IntrospectionOptions {
  readonly client: ClientCredentials;
  readonly audiences: readonly string[];
  readonly issuers: readonly string[];
  readonly mapping: Mapping;
  /** A vendor's own last step, as for tokens that are judged here. */
  readonly judgeVendor: JudgeVendor | undefined;
}

/** Prepares the asking. The issuer's metadata says where; without an endpoint tokens are refused. */
export function introspection(options: IntrospectionOptions): (fetch: Outbound) => Ask {
  const { client, audiences, issuers, mapping, judgeVendor } = options;
  const authentication = oauth.ClientSecretBasic(client.secret);
  return (fetch) =>
    bounded(async (token, issuer, now) => {
      if (!issuer.introspection_endpoint) {
        return refuse("the token is opaque and the issuer has no introspection endpoint");
      }
      const self = { client_id: client.id };
      const response = await oauth.introspectionRequest(issuer, self, authentication, token, {
        [oauth.customFetch]: fetch,
        [oauth.allowInsecureRequests]: true,
      });
      const answer = await oauth.processIntrospectionResponse(issuer, self, response);
      if (answer.active !== true) return refuse("the issuer says that it is not active");
      const { iss, aud, exp, sub, client_id: clientId } = answer;
      if (iss !== undefined && !issuers.includes(iss)) {
        return { ok: false, refusal: { reason: "issuer", actual: iss, expected: issuers } };
      }
      // Refresh tokens (RFC 7662 section 2.1) and ID tokens are active too; some answers say so.
      const misuse = judgeTokenType(answer.token_type);
      if (misuse) return { ok: false, refusal: misuse };
      const claims = {
        ...answer,
        iss: iss ?? issuer.issuer,
        // RFC 7662 section 2.2 makes it optional. Without it only a token that is said to be an
        // access token can be for its own client; a refresh token names no type.
        aud: aud ?? (answer.token_type === undefined ? undefined : clientId),
        sub: sub ?? clientId,
        exp: exp ?? now + DEFAULT_LIFETIME_SECONDS,
      };
      const judged = judgeClaims(claims, { audiences }, now);
      return judged.ok ? conclude(judged.claims, mapping, judgeVendor) : judged;
    });
}

/** Keeps strangers from making this server ask without end. */
export function bounded(ask: Ask): Ask {
  let open = 0;
  return async (token, issuer, now) => {
    if (open >= MAX_QUESTIONS) {
      throw new Error("Cannot ask about the token: too many questions open");
    }
    open++;
    try {
      return await ask(token, issuer, now);
    } finally {
      open--;
    }
  };
}

// RFC 7662 section 2.2: the type as in RFC 6749 section 5.1. Another needs a proof that is not here.
function judgeTokenType(type: unknown): Refusal | undefined {
  if (type === undefined || /^bearer$/i.test(String(type))) return undefined;
  return { reason: "use", claim: "token_type", actual: String(type).slice(0, 50) };
}

function refuse(detail: string): Verdict {
  return { ok: false, refusal: { reason: "inactive", detail } };
}
