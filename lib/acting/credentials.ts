/**
 * A token of this server's own at a service, from the identity provider (RFC 6749 section 4.4).
 *
 * Everybody then has the same rights at the service: it is an explicit choice.
 *
 * @module
 */

import * as oauth from "oauth4webapi";
import type { Outbound } from "../outbound.ts";
import { authentication } from "./client.ts";
import { DEFAULT_LIFETIME_SECONDS, type Got, MARGIN_SECONDS } from "./kept.ts";

/** Settings of {@linkcode clientCredentials}. */
export interface ClientCredentialsOptions {
  /** The provider's metadata. Rejects when it cannot be had. */
  readonly server: () => Promise<oauth.AuthorizationServer>;
  /** This server as the service's client. */
  readonly client: { readonly id: string; readonly secret: string };
  /** Asked for when present. */
  readonly scope?: string;
  readonly fetch: Outbound;
}

/** Tokens of this server's own. */
export interface OwnTokens {
  /** A token. Rejects when the provider gives none. */
  token(): Promise<string>;
  /** Lets a token go that the service refused, unless it was got just now: others would fare no better. */
  refused(token: string): void;
}

/** How long a token is kept whatever the service says of it, in seconds. */
export const COOL_DOWN_SECONDS = 30;

/**
 * Prepares getting tokens. One is kept until shortly before its end, and one got at a time.
 *
 * @param now Unix seconds.
 */
export function clientCredentials(
  { server, client, scope, fetch }: ClientCredentialsOptions,
  now: () => number,
): OwnTokens {
  const self = { client_id: client.id };
  let known: (Got & { readonly since: number }) | undefined;
  let flight: Promise<Got> | undefined;

  async function get(): Promise<Got> {
    const provider = await server();
    const response = await oauth.clientCredentialsGrantRequest(
      provider,
      self,
      authentication(client, provider),
      scope === undefined ? {} : { scope },
      { [oauth.customFetch]: fetch, [oauth.allowInsecureRequests]: true },
    );
    const got = await oauth.processClientCredentialsResponse(provider, self, response)
      .catch((cause) => {
        // The library's message does not say what the provider said.
        const told = cause instanceof oauth.ResponseBodyError ? cause.error : cause.message;
        throw new Error(`Cannot get a token by client credentials: ${told}`, { cause });
      });
    return {
      token: got.access_token,
      expiresAt: now() + (got.expires_in ?? DEFAULT_LIFETIME_SECONDS),
    };
  }

  return {
    async token() {
      if (known && known.expiresAt - MARGIN_SECONDS > now()) return known.token;
      flight ??= get().finally(() => flight = undefined);
      known = { ...await flight, since: now() };
      return known.token;
    },
    refused(token) {
      if (known?.token === token && known.since + COOL_DOWN_SECONDS <= now()) known = undefined;
    },
  };
}
