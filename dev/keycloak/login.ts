/**
 * Getting tokens of the realm: as the command line does, and as a person with a browser does.
 *
 * @module
 */

import { createHash, randomBytes } from "node:crypto";

/** What the token endpoint gives. */
export interface Tokens {
  readonly access_token: string;
  readonly id_token: string;
  readonly refresh_token: string;
}

/** Where clients of the realm are sent back to; no one listens there. */
export const REDIRECT_URI = "http://127.0.0.1:49152/callback";

/** Gets tokens with `curl` and a password. */
export async function curlTokens(
  issuer: string,
  username: string,
  clientId = "mcp-claude",
): Promise<Tokens> {
  const { stdout } = await new Deno.Command("curl", {
    args: [
      ...["-s", "-X", "POST", `${issuer}/protocol/openid-connect/token`],
      ...["-d", "grant_type=password"],
      ...["-d", `client_id=${clientId}`],
      ...["-d", `username=${username}`],
      ...["-d", `password=${username}123`],
      ...["-d", "scope=openid email profile"],
    ],
  }).output();
  return tokensOf(JSON.parse(new TextDecoder().decode(stdout)));
}

/** Logs `username` in with authorization code and PKCE. */
export async function loginTokens(
  issuer: string,
  username: string,
  clientId = "mcp-claude",
): Promise<Tokens> {
  const verifier = randomBytes(32).toString("base64url");
  const state = randomBytes(16).toString("base64url");
  const query = new URLSearchParams({
    response_type: "code",
    client_id: clientId,
    redirect_uri: REDIRECT_URI,
    scope: "openid email profile",
    state,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  const callback = await authorize(`${issuer}/protocol/openid-connect/auth?${query}`, username);
  const answer = callback.searchParams;
  if (answer.get("state") !== state || answer.get("iss") !== issuer) {
    throw new Error(`Cannot trust the answer: ${callback.search}`);
  }
  const response = await fetch(`${issuer}/protocol/openid-connect/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      client_id: clientId,
      redirect_uri: REDIRECT_URI,
      code: answer.get("code") ?? "",
      code_verifier: verifier,
    }),
  });
  return tokensOf(await response.json());
}

/**
 * Opens `url` as a browser would and fills in the form.
 *
 * @returns Where the browser is sent in the end, which is not opened.
 */
export async function authorize(url: string | URL, username: string): Promise<URL> {
  const page = await fetch(url, { redirect: "manual" });
  const html = await page.text();
  const redirected = page.headers.get("location");
  if (redirected) return new URL(redirected);
  const action = /<form[^>]*\baction="([^"]+)"/.exec(html)?.[1]?.replaceAll("&amp;", "&");
  if (!action) throw new Error(`Cannot find a form (status ${page.status}): ${html}`);
  const cookie = page.headers.getSetCookie().map((one) => one.split(";")[0]).join("; ");
  const answer = await fetch(action, {
    method: "POST",
    headers: { cookie },
    body: new URLSearchParams({ username, password: `${username}123`, credentialId: "" }),
    redirect: "manual",
  });
  const text = await answer.text();
  const location = answer.headers.get("location");
  if (!location) throw new Error(`Cannot log in as ${username} (status ${answer.status}): ${text}`);
  return new URL(location);
}

function tokensOf(body: Record<string, unknown>): Tokens {
  if (typeof body.access_token === "string") return body as unknown as Tokens;
  throw new Error(`Cannot get tokens: ${JSON.stringify(body)}`);
}
