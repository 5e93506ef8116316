/**
 * What this server says of itself as an authorization server (RFC 8414, OpenID Connect Discovery).
 *
 * It names what exists and nothing else: no implicit grant, no `plain`, no ID tokens.
 *
 * @module
 */

import type { Metadata } from "../provider.ts";
import { ASSERTION_ALGORITHMS } from "./assertion.ts";
import { AUTH_METHODS } from "./client.ts";

/** URLs of the endpoints. */
export interface Endpoints {
  readonly issuer: string;
  readonly authorize: string;
  readonly token: string;
  readonly revoke: string;
  /** Absent when registration is off. */
  readonly register?: string;
  readonly jwks: string;
}

/** Features that are on. */
export interface Features {
  /** Scopes that can be granted. */
  readonly scopes: readonly string[];
  /** Whether clients may have metadata documents. */
  readonly documents: boolean;
}

/** Writes the documents. */
export function authorizationServer(
  endpoints: Endpoints,
  { scopes, documents }: Features,
): Omit<Metadata, "jwks"> {
  const authentication = {
    auth_methods_supported: AUTH_METHODS,
    auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
  };
  const server = {
    issuer: endpoints.issuer,
    authorization_endpoint: endpoints.authorize,
    token_endpoint: endpoints.token,
    revocation_endpoint: endpoints.revoke,
    ...(endpoints.register && { registration_endpoint: endpoints.register }),
    jwks_uri: endpoints.jwks,
    ...(scopes.length > 0 && { scopes_supported: scopes }),
    response_types_supported: ["code"],
    response_modes_supported: ["query"],
    grant_types_supported: ["authorization_code", "refresh_token"],
    ...prefixed("token_endpoint", authentication),
    ...prefixed("revocation_endpoint", authentication),
    code_challenge_methods_supported: ["S256"],
    authorization_response_iss_parameter_supported: true,
    ...(documents && { client_id_metadata_document_supported: true }),
  };
  return {
    authorizationServer: server,
    // Required by OpenID Connect Discovery section 3, and true: there are no ID tokens.
    openid: {
      ...server,
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: [],
    },
  };
}

function prefixed(prefix: string, members: Readonly<Record<string, unknown>>) {
  return Object.fromEntries(
    Object.entries(members).map(([name, value]) => [`${prefix}_${name}`, value]),
  );
}
