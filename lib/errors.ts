/**
 * Why a token is refused, and what the client may hear of it.
 *
 * A refusal carries the facts an operator needs and never the token. To the client every refusal
 * is `invalid_token` with one fixed text: probing must not teach which check stopped it.
 *
 * @module
 */

import type { KnownIdentity } from "./identity.ts";

/** A reason to refuse a token, with its facts. */
export type Refusal =
  | { readonly reason: "oversized"; readonly bytes: number; readonly limit: number }
  | { readonly reason: "malformed"; readonly detail: string }
  | { readonly reason: "type"; readonly actual: string; readonly expected: string }
  | { readonly reason: "algorithm"; readonly actual: string; readonly expected: readonly string[] }
  | { readonly reason: "header"; readonly detail: string }
  | { readonly reason: "issuer"; readonly actual: string; readonly expected: readonly string[] }
  | { readonly reason: "key"; readonly kid: string }
  | { readonly reason: "signature" }
  | { readonly reason: "expired"; readonly expiresAt: number; readonly secondsAgo: number }
  | { readonly reason: "not yet valid"; readonly claim: "nbf" | "iat"; readonly inSeconds: number }
  | { readonly reason: "claim"; readonly claim: string; readonly detail: string }
  | {
    readonly reason: "audience";
    readonly actual: readonly string[];
    readonly expected: readonly string[];
  }
  | { readonly reason: "id token"; readonly claim: string }
  | { readonly reason: "use"; readonly claim: string; readonly actual: string }
  | { readonly reason: "inactive"; readonly detail: string }
  | { readonly reason: "grant"; readonly detail: string };

/** What a provider says of a token. */
export type Verdict =
  | {
    readonly ok: true;
    readonly identity: KnownIdentity;
    /** When it has to be judged anew, in Unix seconds, if before the gate would do so itself. */
    readonly until?: number;
  }
  | { readonly ok: false; readonly refusal: Refusal };

/** OAuth error codes of RFC 6750 section 3.1 with their HTTP status and fixed text. */
export const BEARER_ERRORS = {
  invalid_request: {
    status: 400,
    description: "The request carries more than one credential",
  },
  invalid_token: {
    status: 401,
    description: "The access token is missing, expired, malformed or not meant for this server",
  },
  insufficient_scope: {
    status: 403,
    description: "The access token lacks a scope that this operation needs",
  },
} as const;

/** One of {@linkcode BEARER_ERRORS}. */
export type BearerError = keyof typeof BEARER_ERRORS;
