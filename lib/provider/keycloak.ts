/**
 * Keycloak: roles of the realm and of clients, and tokens that say in `typ` what they are for.
 *
 * Keycloak puts `account` into `aud` unless an audience mapper says otherwise. Such a token is for
 * Keycloak's own account console and is refused: add an audience mapper for this server.
 *
 * @see {@link https://www.keycloak.org/docs/latest/server_admin/#_audience}
 *
 * @module
 */

import type { Refusal } from "../errors.ts";
import type { Members } from "../jwt.ts";
import type { OidcOptions } from "./oidc.ts";

/** What Keycloak does differently. */
export function keycloak(options: OidcOptions): OidcOptions {
  return { ...options, judgeVendor, isPartial };
}

function judgeVendor({ typ }: Members): Refusal | undefined {
  if (typ === undefined || typ === "Bearer") return undefined;
  return { reason: "use", claim: "typ", actual: String(typ).slice(0, 50) };
}

// Lightweight access tokens leave out of whom and for whom they are, and Keycloak tells when asked.
function isPartial(refusal: Refusal): boolean {
  return refusal.reason === "audience"
    ? refusal.actual.length === 0
    : refusal.reason === "claim" && refusal.claim === "sub";
}
