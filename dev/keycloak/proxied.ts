/**
 * A client of Gatehouse in proxy mode, by plain requests, so that a test can send wrong ones too.
 *
 * @module
 */

import { createHash, randomBytes } from "node:crypto";
import { REDIRECT_URI } from "./login.ts";
import type { Decisions, Person } from "./person.ts";

/** What the token endpoint said. */
export interface TokenAnswer {
  readonly status: number;
  readonly error?: string;
  readonly access_token?: string;
  readonly refresh_token?: string;
  readonly scope?: string;
}

/** An authorization request, and what belongs to it. */
export interface Attempt {
  readonly url: URL;
  readonly verifier: string;
  readonly state: string;
}

/** A client that is registered. */
export interface Proxied {
  readonly clientId: string;
  /** Makes an authorization request. */
  attempt(change?: Readonly<Record<string, string>>): Attempt;
  /** Redeems the code at `callback`. @throws {Error} When the answer is not for that attempt. */
  redeem(callback: URL, attempt: Attempt): Promise<TokenAnswer>;
  /** Does all of it. */
  connect(person: Person, decisions?: Decisions): Promise<Required<Connected>>;
  refresh(token: string, change?: Readonly<Record<string, string>>): Promise<TokenAnswer>;
  revoke(token: string): Promise<number>;
}

/** Tokens that work. */
export interface Connected {
  readonly access: string;
  readonly refresh: string;
}

/** Registers a client at the Gatehouse at `origin`. */
export async function proxied(origin: string): Promise<Proxied> {
  const response = await fetch(`${origin}/oauth/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      client_name: "Keycloak test",
      redirect_uris: [REDIRECT_URI],
      token_endpoint_auth_method: "none",
    }),
  });
  const { client_id: clientId } = await response.json();

  const token = async (form: Record<string, string>): Promise<TokenAnswer> => {
    const body = new URLSearchParams({ client_id: clientId, ...form });
    const response = await fetch(`${origin}/oauth/token`, { method: "POST", body });
    return { status: response.status, ...await response.json() };
  };
  const attempt: Proxied["attempt"] = (change = {}) => {
    const verifier = randomBytes(32).toString("base64url");
    const state = randomBytes(8).toString("base64url");
    const url = new URL("/oauth/authorize", origin);
    url.search = `${new URLSearchParams({
      response_type: "code",
      client_id: clientId,
      redirect_uri: REDIRECT_URI,
      state,
      code_challenge: createHash("sha256").update(verifier).digest("base64url"),
      code_challenge_method: "S256",
      resource: `${origin}/mcp`,
      ...change,
    })}`;
    return { url, verifier, state };
  };
  const redeem: Proxied["redeem"] = async ({ searchParams: said }, { state, verifier }) => {
    if (said.get("state") !== state || said.get("iss") !== origin) {
      throw new Error(`Cannot trust the answer: ${[...said.keys()]}`);
    }
    return await token({
      grant_type: "authorization_code",
      code: said.get("code") ?? "",
      code_verifier: verifier,
      redirect_uri: REDIRECT_URI,
    });
  };
  return {
    clientId,
    attempt,
    redeem,
    connect: async (person, decisions) => {
      const begun = attempt();
      const { status, error, access_token, refresh_token } = await redeem(
        await person.open(begun.url, decisions),
        begun,
      );
      if (!access_token || !refresh_token) throw new Error(`Cannot connect: ${status} ${error}`);
      return { access: access_token, refresh: refresh_token };
    },
    refresh: (refresh_token, change = {}) =>
      token({ grant_type: "refresh_token", refresh_token, ...change }),
    revoke: async (text) => {
      const body = new URLSearchParams({ client_id: clientId, token: text });
      const response = await fetch(`${origin}/oauth/revoke`, { method: "POST", body });
      await response.body?.cancel();
      return response.status;
    },
  };
}
