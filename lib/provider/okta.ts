/**
 * Okta: custom authorization servers such as `/oauth2/default`, whose tokens are judged here, and
 * the org authorization server, whose keys are its own and whose tokens it has to be asked about.
 *
 * Scopes come as a list in `scp`, the client as `cid`, groups as `groups` where the server adds them.
 *
 * @see {@link https://developer.okta.com/docs/guides/validate-access-tokens/}
 *
 * @module
 */

import type { OidcOptions } from "./oidc.ts";

/** What Okta does differently: an administrator keeps the addresses, so they count as verified. */
export function okta(options: OidcOptions): OidcOptions {
  return { ...options, mapping: { ...options.mapping, emailTrusted: true } };
}
