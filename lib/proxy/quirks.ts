/**
 * What vendors of identity providers want in a login request, as data.
 *
 * None gets `resource` (RFC 8707): this server asks for tokens of its own client, and Entra refuses
 * the parameter beside scopes (AADSTS9010010).
 *
 * @module
 */

import type { IssuerConfig } from "../config/oauth.ts";
import type { IssuerDocument } from "../provider/discover.ts";

/** Scopes and further parameters of a login request. */
export interface LoginRequest {
  readonly scopes: readonly string[];
  readonly parameters: Readonly<Record<string, string>>;
}

/** What a vendor wants, by what its metadata says. */
export type Quirks = (server: IssuerDocument) => LoginRequest;

const BASIC = ["openid", "profile", "email"];
const LASTING = [...BASIC, "offline_access"];

// OpenID Connect Core section 11: asking for offline access takes a prompt for consent.
const LASTING_REQUEST: LoginRequest = { scopes: LASTING, parameters: { prompt: "consent" } };

/** The quirks by provider. */
export const QUIRKS: Readonly<Record<IssuerConfig["kind"], Quirks>> = {
  okta: () => ({ scopes: LASTING, parameters: {} }),
  // Without `prompt` Google gives a refresh token at the first login only.
  google: () => ({ scopes: BASIC, parameters: { access_type: "offline", prompt: "consent" } }),
  azure: () => ({ scopes: LASTING, parameters: {} }),
  // Its refresh tokens come without asking; `offline_access` would make sessions that never end.
  keycloak: () => ({ scopes: BASIC, parameters: {} }),
  oidc: ({ scopes_supported }) =>
    scopes_supported?.includes("offline_access")
      ? LASTING_REQUEST
      : { scopes: BASIC, parameters: {} },
};
