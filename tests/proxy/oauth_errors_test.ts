import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { type OAuthError, oauthError } from "../../lib/proxy/errors.ts";

/** Every code with its status (RFC 6749 section 5.2, RFC 7009, RFC 7591, RFC 8707). */
const STATUSES: Readonly<Record<OAuthError, number>> = {
  invalid_request: 400,
  invalid_client: 401,
  invalid_grant: 400,
  invalid_target: 400,
  unauthorized_client: 400,
  unsupported_grant_type: 400,
  unsupported_token_type: 400,
  invalid_scope: 400,
  invalid_redirect_uri: 400,
  invalid_client_metadata: 400,
  temporarily_unavailable: 503,
};

for (const [error, status] of Object.entries(STATUSES) as [OAuthError, number][]) {
  Deno.test(`oauthError() answers ${error} with ${status} and says why (SPEC B3.4)`, async () => {
    const response = oauthError(error);
    equal(response.status, status);
    equal(response.headers.get("cache-control"), "no-store");
    equal(response.headers.get("pragma"), "no-cache");
    equal(response.headers.get("content-type"), "application/json");
    const challenge = response.headers.get("www-authenticate");
    equal(challenge, status === 401 ? 'Basic realm="gatehouse"' : null);
    equal(response.headers.get("retry-after"), status === 503 ? "5" : null);
    const body = await response.json();
    deepEqual(Object.keys(body), ["error", "error_description"]);
    equal(body.error, error);
    // RFC 6749 section 5.2: no quotes, no backslash.
    ok(/^[\x20\x21\x23-\x5b\x5d-\x7e]{10,}$/.test(body.error_description));
  });
}

Deno.test("oauthError() says what the caller says instead (SPEC B4.3)", async () => {
  const response = oauthError("invalid_client_metadata", "The metadata is too long");
  deepEqual(await response.json(), {
    error: "invalid_client_metadata",
    error_description: "The metadata is too long",
  });
});
