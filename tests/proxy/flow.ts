/**
 * Proxy mode as its users meet it, in few lines: a client registers, a person says yes and logs in,
 * the client redeems its code.
 *
 * It runs the real program without a network. Every step can be taken alone and sent with
 * something changed: `undefined` takes a parameter out.
 *
 * @example
 * ```ts
 * const gate = await newGate();
 * const { client, tokens } = await gate.connect(); // everything, as Alice
 * const code = await gate.code(client, { scope: "mcp:read" }, { as: "bob" }); // up to the code
 * const { status, body } = await gate.redeem(client, code, { code_verifier: undefined });
 * ```
 *
 * @module
 */

import { type App, app } from "../../lib/app.ts";
import { type Browser, newBrowser, type Shown } from "../browser.ts";
import { type FakePorts, fakePorts, type Strangers, testConfig } from "../fakes.ts";
import type { Idp } from "../idp.ts";

/** Where a test's client is answered. */
export const REDIRECT = "http://127.0.0.1:33418/callback";

/** The PKCE code verifier of a test's client, and its S256 challenge (RFC 7636 appendix B). */
export const VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
export const CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/** Where a request comes from unless a test says otherwise. */
export const ADDRESS = "127.0.0.1";

/** Parameters by name; `undefined` takes one out, and several values are sent one by one. */
export type Changes = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A client of a test. */
export interface TestClient {
  readonly id: string;
  readonly secret?: string;
  /** How it proves itself at the token endpoint; `none` by default. */
  readonly method?: string;
  /** `REDIRECT` by default. */
  readonly redirectUri?: string;
}

/** What the token endpoint and its kin answer. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  // deno-lint-ignore no-explicit-any
  readonly body: any;
}

/** Who goes through a login, and where. */
export interface Visitor {
  /** A subject of the development login; alice by default. */
  readonly as?: string;
  /** A new one by default. */
  readonly browser?: Browser;
}

/** A running program in proxy mode. */
export interface Gate {
  readonly app: App;
  readonly ports: FakePorts;
  readonly origin: string;
  /** The protected resource. */
  readonly resource: string;
  /** Sends a request; a path is one of this server. */
  send(path: string, init?: RequestInit, address?: string): Promise<Response>;
  /** A new browser. @param stopAt A path of this server at which it stops, instead of visiting. */
  browser(stopAt?: string): Browser;
  /** Registers a client (RFC 7591): a public one on loopback, but for `metadata`. */
  register(metadata?: Record<string, unknown>): Promise<TestClient>;
  /** URL of an authorization request that is good but for `changes`. */
  requestOf(client: TestClient, changes?: Changes): string;
  /** Opens that URL: what the person sees, or where the client got its answer. */
  ask(client: TestClient, changes?: Changes, visitor?: Visitor): Promise<Shown>;
  /** Says yes on a consent page and logs in. */
  approve(page: Shown, visitor: Visitor): Promise<Shown>;
  /** Goes the whole way to the client. @returns The parameters of its answer. */
  authorize(client: TestClient, changes?: Changes, visitor?: Visitor): Promise<URLSearchParams>;
  /** Like {@linkcode Gate.authorize}, for the code alone. */
  code(client: TestClient, changes?: Changes, visitor?: Visitor): Promise<string>;
  /** Posts a form to a path, authenticated as the client unless `form` or `headers` say otherwise. */
  post(path: string, client: TestClient, form: Changes, headers?: HeadersInit): Promise<Answered>;
  /** Redeems a code. */
  redeem(client: TestClient, code: string, changes?: Changes): Promise<Answered>;
  /** Refreshes. */
  refresh(client: TestClient, refreshToken: string, changes?: Changes): Promise<Answered>;
  /** Goes the whole way to tokens. */
  connect(
    client?: TestClient,
    changes?: Changes,
    visitor?: Visitor,
  ): Promise<{ readonly client: TestClient; readonly tokens: Answered["body"] }>;
}

/** The outside of a gate. */
export interface Outside {
  /** Who logs people in; this server's development login when absent. */
  readonly idp?: Idp;
  /** Hosts of client metadata documents. */
  readonly strangers?: Strangers;
  /** Ports of an earlier gate, to start again or to be a second replica. */
  readonly ports?: FakePorts;
}

/** Settings that put a gate in front of `idp`. */
export function idpSettings({ issuer }: Idp): Record<string, string> {
  return { OAUTH_PROVIDER: "oidc", OIDC_ISSUER: issuer, OIDC_CLIENT_ID: "gatehouse" };
}

/** Starts the program in proxy mode. @param env Settings on top of the least. */
export async function newGate(
  env: Readonly<Record<string, string>> = {},
  { idp, strangers, ports = newPorts(idp, strangers) }: Outside = {},
): Promise<Gate> {
  const config = testConfig({ OAUTH_MODE: "proxy", ...(idp && idpSettings(idp)), ...env });
  const program = await app(config, ports);
  const { origin, host } = config.http.publicUrl;
  const resource = `${origin}/mcp`;

  const deliver = (request: Request, address = ADDRESS): Promise<Response> => {
    if (new URL(request.url).origin !== origin) return idp!.fetch(request);
    const headers = new Headers(request.headers);
    if (!headers.has("host")) headers.set("host", host);
    return program.fetch(new Request(request, { headers }), address);
  };
  const gate: Gate = {
    app: program,
    ports,
    origin,
    resource,
    send: (path, init = {}, address) =>
      deliver(new Request(new URL(path, origin), { redirect: "manual", ...init }), address),
    browser: (stopAt) => {
      const origins = [origin, idp && originOf(idp.issuer)];
      return newBrowser(
        deliver,
        (url) =>
          !origins.includes(originOf(url)) ||
          (stopAt !== undefined && url.startsWith(`${origin}${stopAt}?`)),
      );
    },
    async register(metadata = {}) {
      const said = {
        client_name: "Test client",
        redirect_uris: [REDIRECT],
        token_endpoint_auth_method: "none",
        ...metadata,
      };
      const response = await gate.send("/oauth/register", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(said),
      });
      const body = await response.json();
      if (response.status !== 201) throw new Error(`Cannot register: ${JSON.stringify(body)}`);
      return {
        id: body.client_id,
        method: said.token_endpoint_auth_method,
        redirectUri: said.redirect_uris[0]!,
        ...(body.client_secret && { secret: body.client_secret }),
      };
    },
    requestOf: ({ id, redirectUri = REDIRECT }, changes = {}) => {
      const query = parameters({
        client_id: id,
        redirect_uri: redirectUri,
        response_type: "code",
        code_challenge: CHALLENGE,
        code_challenge_method: "S256",
        state: "client state",
        resource,
        ...changes,
      });
      return `${origin}/oauth/authorize?${query}`;
    },
    ask: (client, changes = {}, { browser = gate.browser() } = {}) =>
      browser.open(gate.requestOf(client, changes)),
    async approve(page, { as = "alice", browser = gate.browser() }) {
      const next = await browser.press(page, "decision", "approve");
      return next.url.startsWith(`${origin}/oauth/login?`)
        ? await browser.press(next, "user", as)
        : next;
    },
    async authorize(client, changes = {}, visitor = {}) {
      const who = { browser: gate.browser(), ...visitor };
      const { url, text } = await gate.approve(await gate.ask(client, changes, who), who);
      if (originOf(url) === origin) throw new Error(`Cannot get back to the client:\n${text}`);
      return new URL(url).searchParams;
    },
    async code(client, changes = {}, visitor = {}) {
      const answer = await gate.authorize(client, changes, visitor);
      const code = answer.get("code");
      if (code === null) throw new Error(`Cannot get a code: ${answer}`);
      return code;
    },
    async post(path, client, form, headers = {}) {
      const response = await gate.send(path, {
        method: "POST",
        headers: { ...(basicOf(client)), ...Object.fromEntries(new Headers(headers)) },
        body: parameters({ ...bodyOf(client), ...form }),
      });
      const text = await response.text();
      const { status } = response;
      return {
        status,
        headers: response.headers,
        body: text === "" ? undefined : JSON.parse(text),
      };
    },
    redeem: (client, code, changes = {}) =>
      gate.post("/oauth/token", client, {
        grant_type: "authorization_code",
        code,
        code_verifier: VERIFIER,
        redirect_uri: client.redirectUri ?? REDIRECT,
        ...changes,
      }),
    refresh: (client, refreshToken, changes = {}) =>
      gate.post("/oauth/token", client, {
        grant_type: "refresh_token",
        refresh_token: refreshToken,
        ...changes,
      }),
    async connect(client, changes = {}, visitor = {}) {
      const known = client ?? await gate.register();
      const { status, body } = await gate.redeem(known, await gate.code(known, changes, visitor));
      if (status !== 200) throw new Error(`Cannot redeem: ${JSON.stringify(body)}`);
      return { client: known, tokens: body };
    },
  };
  // The program makes its keys in the background: a test that is over must not leave that to others.
  await gate.send("/.well-known/jwks.json");
  return gate;
}

function newPorts(idp: Idp | undefined, strangers: Strangers | undefined): FakePorts {
  let draws = 0;
  // Different at every draw, however many: states, codes and grants must not coincide.
  const random = (length: number) => {
    const draw = ++draws;
    return new Uint8Array(length).map((_, index) => (draw >>> (8 * (index % 4))) ^ index);
  };
  return { ...fakePorts(idp?.fetch, strangers), random };
}

/** Parameters as they are sent. */
export function parameters(changes: Changes): URLSearchParams {
  const sent = new URLSearchParams();
  for (const [name, value] of Object.entries(changes)) {
    for (const one of value === undefined ? [] : [value].flat()) sent.append(name, one);
  }
  return sent;
}

function originOf(url: string): string {
  return new URL(url).origin;
}

function basicOf({ id, secret, method }: TestClient): Record<string, string> {
  if (method !== "client_secret_basic") return {};
  const text = `${encodeURIComponent(id)}:${encodeURIComponent(secret ?? "")}`;
  return { authorization: `Basic ${btoa(text)}` };
}

function bodyOf({ id, secret, method = "none" }: TestClient): Changes {
  if (method === "client_secret_basic") return {};
  return { client_id: id, ...(method === "client_secret_post" && { client_secret: secret }) };
}
