/**
 * A person and their client, up to tokens and with them.
 *
 * @module
 */

import { newBrowser } from "../../tests/browser.ts";
import { bearerHeader, legacyCall, modernCall } from "../../tests/fakes.ts";
import { CHALLENGE, type Changes, parameters, REDIRECT, VERIFIER } from "../../tests/proxy/flow.ts";
import { series } from "./counts.ts";
import { type Answer, audited, type Front, Unavailable } from "./front.ts";

/** What tokens are for. */
export const SCOPE = "mcp:read";

const WHOAMI = { name: "whoami", arguments: {} };
const CALLED = series("gatehouse_calls_total", { kind: "tool", name: "whoami", outcome: "ok" });

/** What a client has of a grant. */
export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
}

/** One person, with one client at a time. */
export class Person {
  constructor(
    private readonly front: Front,
    readonly name: string,
    readonly address: string,
  ) {}

  /** Registers a client. */
  async register(): Promise<string> {
    const { status, text } = await this.front.ask("/oauth/register", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        client_name: `Client of ${this.name}`,
        redirect_uris: [REDIRECT],
        token_endpoint_auth_method: "none",
      }),
    }, this.address);
    if (status !== 201) throw new Error(`a registration was answered ${status} ${text}`);
    this.front.watch.count(audited("registered", "registration"));
    return JSON.parse(text).client_id;
  }

  /** Says yes, logs in and comes back with a code. */
  async logIn(client: string): Promise<string> {
    const { origin, watch } = this.front;
    const browser = newBrowser(
      (request) => this.#visit(request),
      (url) => url.startsWith(`${REDIRECT}?`),
    );
    const query = parameters({
      client_id: client,
      redirect_uri: REDIRECT,
      response_type: "code",
      code_challenge: CHALLENGE,
      code_challenge_method: "S256",
      state: "client state",
      scope: SCOPE,
      resource: `${origin}/mcp`,
    });
    const asked = await browser.open(`${origin}/oauth/authorize?${query}`);
    if (asked.status !== 200) throw new Error(`consent was answered ${asked.status}`);
    watch.count(audited("consented", "consent"));
    const back = await browser.press(asked, "decision", "approve");
    if (back.status === 502) throw new Unavailable("the login could not begin");
    if (back.status !== 0) throw new Error(`a login ended with ${back.status}\n${back.text}`);
    const { code, error, iss } = Object.fromEntries(new URL(back.url).searchParams);
    if (error === "temporarily_unavailable") throw new Unavailable("the login could not be ended");
    if (code === undefined || iss !== origin) throw new Error(`a login ended at ${back.url}`);
    watch.count(audited("issued", "login"));
    return code;
  }

  /** Asks the token endpoint. */
  async token(client: string, form: Changes): Promise<Answer> {
    const body = parameters({ client_id: client, ...form });
    return await this.front.ask("/oauth/token", { method: "POST", body }, this.address);
  }

  /** Redeems a code. */
  redeem(client: string, code: string, verifier = VERIFIER): Promise<Answer> {
    return this.token(client, {
      grant_type: "authorization_code",
      code,
      code_verifier: verifier,
      redirect_uri: REDIRECT,
    });
  }

  /** Goes the whole way. */
  async connect(): Promise<{ readonly client: string; readonly tokens: Tokens }> {
    const client = await this.register();
    const { status, text } = await this.redeem(client, await this.logIn(client));
    if (status !== 200) throw new Error(`a code was answered ${status} ${text}`);
    this.front.watch.count(audited("issued", "token"));
    return { client, tokens: JSON.parse(text) };
  }

  /** Refreshes. */
  async refresh(client: string, { refresh_token }: Tokens): Promise<Tokens> {
    const form = { grant_type: "refresh_token", refresh_token };
    const { status, headers, text } = await this.token(client, form);
    const { watch } = this.front;
    if (status === 503 && headers.has("retry-after")) {
      watch.count(audited("refused", "token", "the identity provider cannot be asked"));
      throw new Unavailable("a refresh could not be made");
    }
    if (status !== 200) throw new Error(`a refresh was answered ${status} ${text}`);
    watch.count(audited("refreshed", "token"));
    return JSON.parse(text);
  }

  /** Ends a grant. */
  async revoke(client: string, { refresh_token }: Tokens): Promise<void> {
    const body = parameters({ client_id: client, token: refresh_token });
    const init = { method: "POST", body };
    const { status, text } = await this.front.ask("/oauth/revoke", init, this.address);
    if (status !== 200) throw new Error(`a revocation was answered ${status} ${text}`);
    this.front.watch.count(audited("revoked", "revocation"));
  }

  /** Calls a tool in the revision of 2026. */
  callModern({ access_token }: Tokens): Promise<void> {
    return this.#call(modernCall("tools/call", WHOAMI, bearerHeader(access_token)));
  }

  /** Calls a tool in a session of a 2025 revision. */
  callLegacy({ access_token }: Tokens, session: string): Promise<void> {
    const headers = { ...bearerHeader(access_token), "mcp-session-id": session };
    return this.#call(legacyCall("tools/call", WHOAMI, headers));
  }

  async #call(init: RequestInit): Promise<void> {
    const { watch } = this.front;
    const started = performance.now();
    const { status, text } = await this.front.ask("/mcp", init, this.address, "accepted");
    watch.latencies.push(performance.now() - started);
    if (status !== 200) throw new Error(`a call was answered ${status} ${text}`);
    watch.count(CALLED);
    const { result } = messageOf(text);
    const { subject } = result?.structuredContent ?? {};
    if (subject !== this.name) throw new Error(`a call of ${this.name} was answered ${text}`);
  }

  async #visit(request: Request): Promise<Response> {
    const { headers, method, url } = request;
    if (url.startsWith(`${this.front.origin}/`)) {
      const body = method === "POST" ? await request.text() : null;
      const { pathname, search } = new URL(url);
      const init = { method, headers, body };
      const answer = await this.front.ask(`${pathname}${search}`, init, this.address);
      return new Response(answer.text === "" ? null : answer.text, answer);
    }
    headers.set("x-person", this.name);
    try {
      return await fetch(new Request(request, { headers }));
    } catch {
      throw new Unavailable("the login page could not be opened");
    }
  }
}

/** The last message of an answer, be it JSON or a stream of events. */
function messageOf(
  text: string,
): { readonly result?: { structuredContent?: { subject?: string } } } {
  const last = text.startsWith("{")
    ? text
    : text.split("\n").findLast((line) => line.startsWith("data: {"))?.slice("data: ".length);
  return last === undefined ? {} : JSON.parse(last);
}
