/**
 * An app on this computer, as small as one can be: it registers, sends people to the server, shows
 * what came back, redeems the code and calls a tool.
 *
 * Its pages are on `127.0.0.1`, which is another site than the server's `localhost`.
 *
 * @module
 */

import { createHash, randomBytes } from "node:crypto";
import { site } from "./site.ts";

/** An app that runs. */
export interface LoopbackClient extends AsyncDisposable {
  /** Where people come back to. */
  readonly redirectUri: string;
  /** URL of a new authorization request. */
  request(): string;
}

/** What people read when they come back. */
export const OUTCOMES = {
  connected: (user: string) => `Connected as ${user}`,
  refused: (error: string) => `Not connected: ${error}`,
} as const;

/**
 * Starts an app and registers it.
 *
 * @param origin The server's own.
 * @param name What it calls itself.
 */
export async function startClient(origin: string, name: string): Promise<LoopbackClient> {
  const verifiers = new Map<string, string>();

  const outcome = async (answer: URLSearchParams): Promise<string> => {
    const verifier = verifiers.get(answer.get("state") ?? "");
    if (verifier === undefined || answer.get("iss") !== origin) {
      throw new Error(`Cannot trust the answer: ${[...answer.keys()]}`);
    }
    const error = answer.get("error");
    if (error !== null) return OUTCOMES.refused(error);
    const { access_token } = await post(`${origin}/oauth/token`, {
      grant_type: "authorization_code",
      client_id: clientId,
      code: answer.get("code") ?? "",
      code_verifier: verifier,
      redirect_uri: redirectUri,
    });
    return OUTCOMES.connected(await whoami(origin, String(access_token)));
  };

  await using stack = new AsyncDisposableStack();
  const own = stack.use(site("127.0.0.1", async (url) => {
    const text = await outcome(url.searchParams).catch(String);
    return `<!doctype html><html lang="en"><title>App</title><h1>${text}</h1>`;
  }));
  const redirectUri = `${own.origin}/callback`;
  const clientId = await register(origin, name, redirectUri);
  const all = stack.move();
  return {
    redirectUri,
    request: () => {
      const verifier = randomBytes(32).toString("base64url");
      const state = randomBytes(8).toString("base64url");
      verifiers.set(state, verifier);
      const query = new URLSearchParams({
        response_type: "code",
        client_id: clientId,
        redirect_uri: redirectUri,
        state,
        code_challenge: createHash("sha256").update(verifier).digest("base64url"),
        code_challenge_method: "S256",
        resource: `${origin}/mcp`,
      });
      return `${origin}/oauth/authorize?${query}`;
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function register(origin: string, name: string, redirectUri: string): Promise<string> {
  const response = await fetch(`${origin}/oauth/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      client_name: name,
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: "none",
    }),
  });
  const { client_id } = await response.json();
  if (typeof client_id !== "string") throw new Error(`Cannot register: ${response.status}`);
  return client_id;
}

async function post(url: string, form: Record<string, string>): Promise<Record<string, unknown>> {
  const response = await fetch(url, { method: "POST", body: new URLSearchParams(form) });
  const body = await response.json();
  if (!response.ok) throw new Error(`Cannot redeem: ${body.error}`);
  return body;
}

async function whoami(origin: string, token: string): Promise<string> {
  const response = await fetch(`${origin}/mcp`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: { name: "whoami", arguments: {} },
    }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`Cannot call: ${response.status} ${text}`);
  return JSON.parse(text).result.structuredContent.username;
}
