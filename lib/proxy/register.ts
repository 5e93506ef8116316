/**
 * Dynamic client registration (RFC 7591).
 *
 * Anybody may register: it proves nothing, stores nothing, and gives nothing but an id that a
 * person will be asked about. The secret of a client is told once.
 *
 * @module
 */

import { type Handler, mediaTypeOf, readBody } from "../http.ts";
import { audit } from "./audit.ts";
import type { Clients, Registered } from "./clients.ts";
import { NO_STORE, oauthError } from "./errors.ts";
import { readClientMetadata } from "./metadata.ts";
import type { RedirectPolicy } from "./redirect.ts";

/** Largest registration, in bytes. */
export const MAX_REGISTRATION_BYTES = 16 * 1024;

const DEADLINE_MS = 10_000;

/** Longest id that a client can get, in characters: it travels in URLs. */
export const MAX_ID_LENGTH = 2560;

/** Answers registrations. */
export function register(
  clients: Clients,
  redirects: RedirectPolicy,
  now: () => number,
): Handler {
  return async (request, trace) => {
    if (mediaTypeOf(request) !== "application/json") {
      return oauthError("invalid_client_metadata", "The body must be application/json");
    }
    const body = await readBody(request, MAX_REGISTRATION_BYTES, DEADLINE_MS);
    if (!body.ok) return oauthError("invalid_client_metadata", `The body is ${body.reason}`);
    const read = readClientMetadata(parse(body.text), { redirects });
    if (!read.ok) {
      const { error, description } = read.problem;
      audit(trace, "refused", { step: "registration", reason: description });
      return oauthError(error, description);
    }
    const registered = await clients.register(read.metadata);
    if (registered.client.id.length > MAX_ID_LENGTH) {
      return oauthError("invalid_client_metadata", "The metadata is too long");
    }
    const { name: client, redirectUris } = registered.client;
    audit(trace, "registered", { step: "registration", client, redirects: redirectUris });
    return Response.json(answer(registered, now()), { status: 201, headers: NO_STORE });
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// RFC 7591 section 3.2.1: the metadata as it is in force.
function answer({ client, secret, expiresAt }: Registered, now: number): Record<string, unknown> {
  return {
    client_id: client.id,
    client_id_issued_at: now,
    ...(secret && { client_secret: secret, client_secret_expires_at: expiresAt }),
    client_name: client.name,
    redirect_uris: client.redirectUris,
    token_endpoint_auth_method: client.authMethod,
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    ...(client.jwks && { jwks: client.jwks }),
    ...(client.jwksUri && { jwks_uri: client.jwksUri }),
  };
}
