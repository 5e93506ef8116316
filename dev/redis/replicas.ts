/**
 * Two replicas of the real program on one real Redis, a balancer in front, an identity provider
 * behind, and a client that talks to either replica or to the balancer.
 *
 * @module
 */

import { Redis } from "ioredis";
import { type Browser, newBrowser, type Shown } from "../../tests/browser.ts";
import { type Program, start } from "../../tests/e2e/program.ts";
import { bearerHeader, legacyCall, SECRET } from "../../tests/fakes.ts";
import {
  type Answered,
  CHALLENGE,
  type Changes,
  parameters,
  REDIRECT,
  VERIFIER,
} from "../../tests/proxy/flow.ts";
import { type Balancer, type Choice, inTurn, startBalancer } from "./balancer.ts";
import { type RedisServer, startRedis } from "./redis.ts";
import { CLIENT, startUpstream, type Upstream } from "./upstream.ts";

/** What tokens are for. */
export const SCOPE = "mcp:read";

/** Tokens as the token endpoint gives them. */
export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
}

/** A client of a test: from an address of its own, so that tests do not share limits. */
export interface TestClient {
  readonly id: string;
  readonly address: string;
}

/** A client that somebody let in. */
export interface Connected {
  readonly client: TestClient;
  readonly tokens: Tokens;
}

/** What clients and their people do. An `at` is the origin of a replica; the balancer's if absent. */
export interface Clients {
  /** Origin of one replica. */
  readonly a: string;
  /** Origin of the other. */
  readonly b: string;
  /** The protected resource. */
  readonly resource: string;
  /** Balances anew over both. */
  balance(choose?: Choice): void;
  send(path: string, init?: RequestInit, at?: string, address?: string): Promise<Response>;
  /** Registers a client; a public one, but for `metadata`. */
  register(metadata?: Record<string, unknown>): Promise<TestClient>;
  /** A browser of the client's person, that goes no further than to `isEnd`. */
  browser(client: TestClient, isEnd?: (url: string) => boolean): Browser;
  /** URL of an authorization request. */
  requestOf(client: TestClient): string;
  /** Opens that URL, says yes and logs in. */
  logIn(client: TestClient, browser: Browser): Promise<Shown>;
  /** Goes the whole way to a code. */
  code(client: TestClient): Promise<string>;
  post(path: string, client: TestClient, form: Changes, at?: string): Promise<Answered>;
  redeem(client: TestClient, code: string, at?: string): Promise<Answered>;
  refresh(client: TestClient, refreshToken: string, at?: string): Promise<Answered>;
  revoke(client: TestClient, token: string, at?: string): Promise<Answered>;
  /** Registers, logs in and redeems. */
  connect(): Promise<Connected>;
  /** Calls `whoami`. @returns Status, and who it is. */
  call(token: string, at?: string): Promise<readonly [status: number, username?: string]>;
}

/** Everything that runs. */
export interface Stage extends Clients, AsyncDisposable {
  readonly redis: RedisServer;
  /** A client of that Redis. */
  readonly admin: Redis;
  readonly upstream: Upstream;
  readonly balancer: Balancer;
  readonly replicas: readonly [Program, Program];
}

/** Starts everything. @param options Further options of `redis-server`. */
export async function setStage(options: readonly string[] = []): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedis(options));
  const admin = stack.adopt(new Redis(redis.url), (client) => client.disconnect());
  // Tests take the server away.
  admin.on("error", () => {});
  const balancer = stack.use(startBalancer());
  const upstream = stack.use(await startUpstream(`${balancer.origin}/oauth/callback`));
  const launch = () => start({ env: settings(redis, upstream, balancer.origin) });
  const replicas = await Promise.all([launch(), launch()]);
  for (const replica of replicas) stack.use(replica);
  const all = stack.move();
  return {
    ...clients(balancer, [replicas[0].origin, replicas[1].origin], true),
    redis,
    admin,
    upstream,
    balancer,
    replicas,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

function settings(redis: RedisServer, upstream: Upstream, publicUrl: string) {
  return {
    MCP_TRANSPORT: "http",
    MCP_TRUSTED_PROXIES: "127.0.0.1,::1",
    OAUTH_ENABLED: "on",
    OAUTH_MODE: "proxy",
    OAUTH_SERVER_URL: publicUrl,
    OAUTH_SCOPES_REQUIRED: SCOPE,
    OAUTH_PROVIDER: "oidc",
    OIDC_ISSUER: upstream.url,
    OIDC_CLIENT_ID: CLIENT.id,
    OIDC_CLIENT_SECRET: CLIENT.secret,
    JWT_SECRET: SECRET,
    STORE_URL: redis.url,
    LOG_FORMAT: "json",
  };
}

/**
 * Clients of replicas at these origins. Where people log in here, they are Alice.
 *
 * @param trusted Whether the replicas believe in forwarded addresses.
 */
export function clients(
  balancer: Balancer,
  [a, b]: readonly [string, string],
  trusted: boolean,
): Clients {
  const { origin } = balancer;
  const resource = `${origin}/mcp`;
  let count = 0;

  const balance = (choose: Choice = inTurn()) => balancer.serve([a, b], choose);
  balance();
  const send: Stage["send"] = (path, init = {}, at = origin, address = "127.0.0.1") => {
    const headers = new Headers(init.headers);
    if (trusted) headers.set("x-forwarded-for", address);
    return fetch(new URL(path, at), { redirect: "manual", ...init, headers });
  };
  const stage: Clients = {
    a,
    b,
    resource,
    balance,
    send,
    async register(metadata = {}) {
      const address = `127.9.${++count >> 8}.${count & 255}`;
      const said = {
        client_name: "A client of the replicas",
        redirect_uris: [REDIRECT],
        token_endpoint_auth_method: "none",
        ...metadata,
      };
      const headers = { "content-type": "application/json" };
      const init = { method: "POST", headers, body: JSON.stringify(said) };
      const response = await send("/oauth/register", init, undefined, address);
      const body = await response.json();
      if (response.status !== 201) throw new Error(`Cannot register: ${JSON.stringify(body)}`);
      return { id: body.client_id, address };
    },
    browser: ({ address }, isEnd = (url) => url.startsWith(`${REDIRECT}?`)) =>
      newBrowser((request) => {
        const headers = new Headers(request.headers);
        if (trusted && request.url.startsWith(origin)) headers.set("x-forwarded-for", address);
        return fetch(new Request(request, { headers }));
      }, isEnd),
    requestOf: ({ id }) =>
      `${origin}/oauth/authorize?${
        parameters({
          client_id: id,
          redirect_uri: REDIRECT,
          response_type: "code",
          code_challenge: CHALLENGE,
          code_challenge_method: "S256",
          state: "client state",
          scope: SCOPE,
          resource,
        })
      }`,
    async logIn(client, browser) {
      const asked = await browser.open(stage.requestOf(client));
      const next = await browser.press(asked, "decision", "approve");
      const isLogin = next.url.startsWith(`${origin}/oauth/login?`);
      return isLogin ? await browser.press(next, "user", "alice") : next;
    },
    async code(client) {
      const { url, text } = await stage.logIn(client, stage.browser(client));
      const code = new URL(url).searchParams.get("code");
      if (code === null) throw new Error(`Cannot get a code: ${url}\n${text}`);
      return code;
    },
    async post(path, { id, address }, form, at) {
      const body = parameters({ client_id: id, ...form });
      const response = await send(path, { method: "POST", body }, at, address);
      const text = await response.text();
      const { status, headers } = response;
      return { status, headers, body: text.startsWith("{") ? JSON.parse(text) : text };
    },
    redeem: (client, code, at) =>
      stage.post("/oauth/token", client, {
        grant_type: "authorization_code",
        code,
        code_verifier: VERIFIER,
        redirect_uri: REDIRECT,
      }, at),
    refresh: (client, refreshToken, at) =>
      stage.post("/oauth/token", client, {
        grant_type: "refresh_token",
        refresh_token: refreshToken,
      }, at),
    revoke: (client, token, at) => stage.post("/oauth/revoke", client, { token }, at),
    async connect() {
      const client = await stage.register();
      const { status, body } = await stage.redeem(client, await stage.code(client));
      if (status !== 200) throw new Error(`Cannot redeem: ${JSON.stringify(body)}`);
      return { client, tokens: body };
    },
    async call(token, at) {
      const init = legacyCall(
        "tools/call",
        { name: "whoami", arguments: {} },
        bearerHeader(token),
      );
      const response = await send("/mcp", init, at);
      const text = await response.text();
      return response.status === 200
        ? [200, JSON.parse(text).result.structuredContent.username]
        : [response.status];
    },
  };
  return stage;
}
