/**
 * This server as a client of an identity provider.
 *
 * @module
 */

import * as oauth from "oauth4webapi";

/**
 * How `client` proves who it is at the token endpoint of `server`: by the secret in a Basic header
 * unless the metadata offers other methods only, then in the body; by its id alone without a secret.
 *
 * Whether the server offers the second is not checked: what it refuses, it refuses by itself.
 */
export function authentication(
  { secret }: { readonly secret?: string },
  server: oauth.AuthorizationServer,
): oauth.ClientAuth {
  if (secret === undefined) return oauth.None();
  // RFC 8414 section 2: without a list it is `client_secret_basic`.
  const methods = server.token_endpoint_auth_methods_supported;
  const isBasic = !methods || methods.includes("client_secret_basic");
  return isBasic ? oauth.ClientSecretBasic(secret) : oauth.ClientSecretPost(secret);
}
