/**
 * A client of the official SDK that knows nothing but the URL of the MCP endpoint and its own name
 * at the issuer: it finds the issuer through Gatehouse, and a person logs in.
 *
 * @module
 */

import {
  Client,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  type StoredOAuthTokens,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from "@modelcontextprotocol/client";
import { authorize, REDIRECT_URI } from "./login.ts";

/** Connects to `url`, logs `username` in when asked to, and calls `whoami`. */
export async function discoverAndCall(url: URL, username: string): Promise<unknown> {
  const browser = person(username);
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

function person(username: string): { provider: OAuthClientProvider; callback(): URL } {
  const kept: {
    tokens?: StoredOAuthTokens;
    verifier?: string;
    found?: OAuthDiscoveryState;
    callback?: URL;
  } = {};
  return {
    provider: {
      redirectUrl: REDIRECT_URI,
      clientMetadata: { redirect_uris: [REDIRECT_URI] },
      clientInformation: () => ({ client_id: "mcp-claude" }),
      tokens: () => kept.tokens,
      saveTokens: (tokens) => void (kept.tokens = tokens),
      saveCodeVerifier: (verifier) => void (kept.verifier = verifier),
      codeVerifier: () => kept.verifier!,
      discoveryState: () => kept.found,
      saveDiscoveryState: (found) => void (kept.found = found),
      redirectToAuthorization: async (url) => {
        kept.callback = await authorize(url, username);
      },
    },
    callback: () => {
      if (!kept.callback) throw new Error("Cannot go on: nobody was asked to log in");
      return kept.callback;
    },
  };
}
