/**
 * Acting with a token for the service that the identity provider gives for the caller's
 * (RFC 8693): the way that conforms to MCP.
 *
 * @module
 */

import * as oauth from "oauth4webapi";
import type { Acting } from "../acting.ts";
import type { Identity } from "../identity.ts";
import type { Outbound } from "../outbound.ts";
import { ToolError } from "../pack.ts";
import { authentication } from "./client.ts";
import { DEFAULT_LIFETIME_SECONDS, kept } from "./kept.ts";

const GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT = "urn:ietf:params:oauth:token-type:jwt";
const ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token";

/** Settings of {@linkcode exchange}. */
export interface ExchangeOptions {
  /** The provider's metadata. Rejects when it cannot be had. */
  readonly server: () => Promise<oauth.AuthorizationServer>;
  /** This server as a client of the provider. */
  readonly client: { readonly id: string; readonly secret: string };
  /** The service, as the provider knows it. */
  readonly audience: string;
  /** The provider's token of a caller; their access token when absent. */
  readonly subjectToken?: (identity: Identity) => Promise<string>;
  readonly fetch: Outbound;
}

/** Exchanges tokens. @param now Unix seconds. */
export function exchange(options: ExchangeOptions, now: () => number): Acting {
  const { client, audience, fetch } = options;
  const subjectToken = options.subjectToken ?? (({ token }) => Promise.resolve(token));
  const self = { client_id: client.id };
  return kept(async (identity) => {
    const server = await options.server();
    const subject_token = await subjectToken(identity);
    const response = await oauth.genericTokenEndpointRequest(
      server,
      self,
      authentication(client, server),
      GRANT_TYPE,
      {
        subject_token,
        subject_token_type: ACCESS_TOKEN,
        requested_token_type: ACCESS_TOKEN,
        audience,
      },
      { [oauth.customFetch]: fetch, [oauth.allowInsecureRequests]: true },
    );
    try {
      const got = await oauth.processGenericTokenEndpointResponse(server, self, response);
      // RFC 8693 section 2.2.1. A caller's own token given back would be passed on, not exchanged.
      const isOther = [undefined, ACCESS_TOKEN, JWT].includes(got.issued_token_type as string);
      if (!isOther || got.access_token === subject_token) {
        throw new Error("Cannot use what the identity provider gave for the token");
      }
      const lifetime = got.expires_in ?? DEFAULT_LIFETIME_SECONDS;
      return { token: got.access_token, expiresAt: now() + lifetime };
    } catch (error) {
      // That this server is not known there is not the caller's doing.
      const isTheirs = error instanceof oauth.ResponseBodyError && error.status < 500 &&
        error.error !== "invalid_client";
      if (!isTheirs) throw error;
      throw new ToolError(
        "The identity provider does not let you use this service. Ask whoever runs this server",
        `token exchange refused: ${error.error}`,
      );
    }
  }, now);
}
