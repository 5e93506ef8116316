/**
 * Google: ID tokens whose audience is the client id, and opaque access tokens by token info.
 *
 * Google's access tokens are for Google's own APIs and say nothing by themselves; token info tells
 * the client that they were issued to. Google documents sending ID tokens to one's own backend.
 *
 * @see {@link https://developers.google.com/identity/gsi/web/guides/verify-google-id-token}
 *
 * @module
 */

import type { Refusal, Verdict } from "../errors.ts";
import { judgeClaims, type Members } from "../jwt.ts";
import type { Outbound } from "../outbound.ts";
import { conclude } from "./claims.ts";
import { bounded } from "./introspect.ts";
import type { Ask, OidcOptions } from "./oidc.ts";

/** Google's issuer identifier. */
export const GOOGLE_ISSUER = "https://accounts.google.com";

const ISSUERS = [GOOGLE_ISSUER, "accounts.google.com"];
const TOKEN_INFO = "https://oauth2.googleapis.com/tokeninfo";

/** What Google does differently. @param hostedDomain The Workspace domain that callers must be of. */
export function google(options: OidcOptions, hostedDomain?: string): OidcOptions {
  const judgeVendor = (claims: Members): Refusal | undefined => {
    if (hostedDomain === undefined || claims.hd === hostedDomain) return undefined;
    return { reason: "claim", claim: "hd", detail: `not "${hostedDomain}"` };
  };
  return {
    ...options,
    issuers: ISSUERS,
    idTokens: true,
    judgeVendor,
    ask: (fetch) => tokenInfo({ ...options, judgeVendor }, fetch),
  };
}

function tokenInfo(options: OidcOptions, fetch: Outbound): Ask {
  return bounded(async (token, issuer, now): Promise<Verdict> => {
    const response = await fetch(TOKEN_INFO, {
      method: "POST",
      body: new URLSearchParams({ access_token: token }),
    });
    if (response.status === 400) {
      return { ok: false, refusal: { reason: "inactive", detail: "Google does not know it" } };
    }
    if (response.status !== 200) throw new Error(`Cannot ask Google: status ${response.status}`);
    const info = await response.json() as Members;
    const claims = {
      ...info,
      iss: issuer.issuer,
      exp: Number(info.exp),
    };
    const judged = judgeClaims(claims, { audiences: options.audiences, idTokens: true }, now);
    return judged.ok ? conclude(judged.claims, options.mapping, options.judgeVendor) : judged;
  });
}
