/**
 * A client as proxy mode knows it, wherever it was registered.
 *
 * @module
 */

import type { JWK } from "@panva/jose";

/** How a client proves at the token endpoint that it is itself (RFC 7591 section 2). */
export const AUTH_METHODS = [
  "none",
  "client_secret_basic",
  "client_secret_post",
  "private_key_jwt",
] as const;

/** One of {@linkcode AUTH_METHODS}. */
export type AuthMethod = (typeof AUTH_METHODS)[number];

/** What a client says of itself, after it was checked (RFC 7591 section 2). */
export interface ClientMetadata {
  /** For people. Chosen by the client, so it proves nothing. */
  readonly name: string;
  /** Exact redirect URIs; those on loopback stand for any port (RFC 8252 section 7.3). */
  readonly redirectUris: readonly string[];
  readonly authMethod: AuthMethod;
  /** Its public keys, for `private_key_jwt`: here or at a URL, never both. */
  readonly jwks?: { readonly keys: readonly JWK[] };
  readonly jwksUri?: string;
}

/** A client that may ask for authorization. */
export interface Client extends ClientMetadata {
  readonly id: string;
  /**
   * Who vouches for it: the operator (`configured`), the host of its metadata document
   * (`document`), or nobody (`dynamic`, RFC 7591).
   */
  readonly origin: "configured" | "document" | "dynamic";
  /** SHA-256 of its secret in base64url, for the two `client_secret` methods. */
  readonly secretHash?: string;
}

/** What is wrong with client metadata (RFC 7591 section 3.2.2). */
export interface MetadataProblem {
  readonly error: "invalid_redirect_uri" | "invalid_client_metadata";
  /** What is wrong and where, without text from the metadata. */
  readonly description: string;
}

/** Client metadata, or what is wrong with it. */
export type MetadataRead =
  | { readonly ok: true; readonly metadata: ClientMetadata }
  | { readonly ok: false; readonly problem: MetadataProblem };
