/**
 * The contract between the gate and whoever issues tokens.
 *
 * @module
 */

import type { Verdict } from "./errors.ts";

/** A JSON document that a well-known path serves. */
export type Document = Readonly<Record<string, unknown>>;

/** What the issuer publishes about itself. */
export interface Metadata {
  /** RFC 8414 authorization server metadata. */
  readonly authorizationServer: Document;
  /** OpenID Connect Discovery 1.0 metadata. */
  readonly openid: Document;
  /** RFC 7517 key set; public keys only. */
  readonly jwks: Document;
}

/** Judges the tokens of one issuer. */
export interface Provider {
  /** Issuer identifier, byte for byte as metadata and tokens carry it. */
  readonly issuer: string;
  /** The issuer's published documents. Rejects when they cannot be had. */
  metadata(): Promise<Metadata>;
  /**
   * Judges a token. Does not check scopes: that is the gate's part.
   *
   * A bad token is a value. It rejects only when the machinery is broken, as when keys cannot be
   * fetched, and the gate then answers 503, never 401.
   *
   * @param token As presented.
   * @param now Unix seconds.
   */
  verify(token: string, now: number): Promise<Verdict>;
}
