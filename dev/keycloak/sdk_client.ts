/**
 * A client of the official SDK that knows nothing but the URL of the MCP endpoint and its own name
 * at the issuer: it finds the issuer through Gatehouse, and a person logs in.
 *
 * @module
 */

import {
  Client,
  type OAuthClientInformationFull,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  type StoredOAuthTokens,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from "@modelcontextprotocol/client";
import { REDIRECT_URI } from "./login.ts";

/** How a person logs in: opens a URL, and comes back with that of the client. */
export type LogIn = (url: URL) => Promise<URL>;

/**
 * Connects to `url`, has a person log in when asked to, and calls `whoami`.
 *
 * @param clientId Its own id at the issuer; absent where it has to register.
 */
export async function discoverAndCall(url: URL, logIn: LogIn, clientId?: string): Promise<unknown> {
  const browser = person(logIn, clientId);
  const transport = () =>
    new StreamableHTTPClientTransport(url, { authProvider: browser.provider });
  const first = transport();
  try {
    await newClient().connect(first);
    throw new Error("Cannot go on: the server let a stranger in");
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
  }
  await first.finishAuth(browser.callback().searchParams);
  await first.close();
  const client = newClient();
  await client.connect(transport());
  const { structuredContent } = await client.callTool({ name: "whoami", arguments: {} });
  await client.close();
  return structuredContent;
}

function newClient(): Client {
  return new Client({ name: "keycloak-test", version: "1" });
}

function person(
  logIn: LogIn,
  clientId: string | undefined,
): { provider: OAuthClientProvider; callback(): URL } {
  const kept: {
    tokens?: StoredOAuthTokens;
    verifier?: string;
    found?: OAuthDiscoveryState;
    callback?: URL;
    registered?: OAuthClientInformationFull;
  } = {};
  return {
    provider: {
      redirectUrl: REDIRECT_URI,
      clientMetadata: { redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: "none" },
      clientInformation: () => clientId === undefined ? kept.registered : { client_id: clientId },
      saveClientInformation: (registered) =>
        void (kept.registered = registered as OAuthClientInformationFull),
      tokens: () => kept.tokens,
      saveTokens: (tokens) => void (kept.tokens = tokens),
      saveCodeVerifier: (verifier) => void (kept.verifier = verifier),
      codeVerifier: () => kept.verifier!,
      discoveryState: () => kept.found,
      saveDiscoveryState: (found) => void (kept.found = found),
      redirectToAuthorization: async (url) => {
        kept.callback = await logIn(url);
      },
    },
    callback: () => {
      if (!kept.callback) throw new Error("Cannot go on: nobody was asked to log in");
      return kept.callback;
    },
  };
}
