/**
 * OAuth errors as JSON (RFC 6749 section 5.2, RFC 7591 section 3.2.2), with fixed texts.
 *
 * @module
 */

/** Codes with their status and what the client hears. */
const ERRORS = {
  invalid_request: { status: 400, description: "The request is malformed" },
  invalid_client: {
    status: 401,
    description: "The client is unknown, expired, or did not prove who it is: register again",
  },
  invalid_grant: {
    status: 400,
    description: "The code or token is unknown, expired, used up, or not for this request",
  },
  invalid_target: { status: 400, description: "This resource is not served here" },
  unauthorized_client: { status: 400, description: "The client may not use this grant type" },
  unsupported_grant_type: { status: 400, description: "This grant type is not supported" },
  unsupported_token_type: { status: 400, description: "This kind of token cannot be revoked" },
  invalid_scope: { status: 400, description: "A scope is more than was granted" },
  invalid_redirect_uri: { status: 400, description: "A redirect URI is not allowed" },
  invalid_client_metadata: { status: 400, description: "The client metadata cannot be used" },
  temporarily_unavailable: { status: 503, description: "Try again in a moment" },
} as const;

/** One of the codes. */
export type OAuthError = keyof typeof ERRORS;

/** After how many seconds a client should try again. */
const RETRY_AFTER_SECONDS = 5;

/** Headers of every answer of the token endpoint (RFC 6749 section 5.1). */
export const NO_STORE = { "cache-control": "no-store", pragma: "no-cache" };

/**
 * An error as a response.
 *
 * @param description Instead of the fixed text; never text from the request.
 */
export function oauthError(error: OAuthError, description?: string): Response {
  const { status, description: fixed } = ERRORS[error];
  const headers: Record<string, string> = { ...NO_STORE };
  // RFC 9110 section 15.5.2 wants a challenge with a 401; RFC 6749 section 5.2 names the scheme.
  if (status === 401) headers["www-authenticate"] = 'Basic realm="gatehouse"';
  if (status === 503) headers["retry-after"] = String(RETRY_AFTER_SECONDS);
  return Response.json({ error, error_description: description ?? fixed }, { status, headers });
}
