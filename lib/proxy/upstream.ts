/**
 * The contract between proxy mode and whoever logs people in.
 *
 * @module
 */

import type { KnownIdentity } from "../identity.ts";
import type { UpstreamTokens } from "./grants.ts";

/** What belongs to one login and must come back with it. */
export interface Leg {
  /** PKCE code verifier (RFC 7636), this server's own. */
  readonly verifier: string;
  /** OpenID Connect nonce. */
  readonly nonce: string;
}

/** How a login ended. */
export type Login =
  | {
    readonly ok: true;
    readonly identity: KnownIdentity;
    /** Absent where people log in here, for development. */
    readonly tokens?: UpstreamTokens;
  }
  | {
    readonly ok: false;
    /** For the log: what the provider said is not passed on. */
    readonly reason: string;
    /** Whether the person said no, or may not come in; else something did not work. */
    readonly denied: boolean;
  };

/** How renewing the provider's tokens ended. */
export type Renewal =
  | {
    readonly ok: true;
    readonly tokens: UpstreamTokens;
    /** Who it is now, where the provider told again. */
    readonly identity?: KnownIdentity;
  }
  /** The provider ended its side of the grant. */
  | { readonly ok: false; readonly reason: string };

/** Whoever logs people in. Its methods reject when it cannot be reached or does not work. */
export interface Upstream {
  /** Whom the person is sent to, for the consent page. */
  readonly host: string;
  /** Where to send the person, with `state` as it stands. */
  begin(state: string, leg: Leg): Promise<string>;
  /** Judges what the person came back with. */
  finish(response: URLSearchParams, state: string, leg: Leg): Promise<Login>;
  /** Renews the tokens of a grant. @param subject Whose they are. */
  renew(tokens: UpstreamTokens, subject: string): Promise<Renewal>;
  /** Tells the provider that the tokens are not needed any more, if it wants to hear it. */
  revoke(tokens: UpstreamTokens): Promise<void>;
}
