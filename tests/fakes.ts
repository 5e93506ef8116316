/**
 * The ports of a test, and the real program over them: a clock that stands until it is moved, a
 * log that is kept, and tokens of the embedded minter.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { SignJWT } from "@panva/jose";
import { type App, app } from "../lib/app.ts";
import { type Config, configure } from "../lib/config.ts";
import { logger } from "../lib/log.ts";
import type { NewServer } from "../lib/mcp/server.ts";
import { UNMETERED } from "../lib/meter.ts";
import type { Fields, Ports } from "../lib/ports.ts";
import { UNTRACED } from "../lib/spans.ts";

/** Where the clock of a test stands at first, in Unix seconds. */
export const NOW = 1_800_000_000;

/** A secret long enough for HS512. */
export const SECRET = "kR7vQ2mXw9LzT4bN8pYc1HsD6fGjA3eU5oVi0KqWxZrMtBnEyPdFhCgSaJlUvOiR";

/** Where a test's server is, to its clients. */
export const ORIGIN = "http://localhost:8080";

/** The protected resource of a test's server. */
export const RESOURCE = `${ORIGIN}/mcp`;

/** Ports whose clock a test moves and whose log lines it reads. */
export interface FakePorts extends Ports {
  /** Moves the clock. */
  advance(seconds: number): void;
  /** Every line logged so far, at every level, as it would be printed. */
  readonly lines: string[];
  /** Every event audited so far, with its facts. */
  readonly audited: Fields[];
}

function draw(length: number, nth: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 32) {
    const block = createHash("sha256").update(`${nth} ${at}`).digest();
    bytes.set(block.subarray(0, length - at), at);
  }
  return bytes;
}

/** Fetches nothing: a test that asks the outside says who answers. */
const nobody = ({ method, url }: Request): Promise<Response> =>
  Promise.reject(new TypeError(`Nobody answers ${method} ${url} in this test`));

/** Ports to hosts that the operator did not name. */
export type Strangers = Partial<Pick<Ports, "resolve" | "fetchAt">>;

/**
 * Makes ports; log lines are JSON, as a collector would get them.
 *
 * @param fetch What the outside answers.
 * @param strangers What hosts that the operator did not name are and answer. Nothing, by default.
 */
export function fakePorts(fetch: Ports["fetch"] = nobody, strangers: Strangers = {}): FakePorts {
  let now = NOW;
  let draws = 0;
  const lines: string[] = [];
  const audited: Fields[] = [];
  return {
    now: () => now,
    elapsedMs: () => now * 1000,
    // Different at every draw and the same in every run.
    random: (length) => draw(length, draws++),
    fetch,
    fetchWith: () => fetch,
    resolve: (name) => Promise.reject(new TypeError(`Nothing resolves ${name} in this test`)),
    fetchAt: nobody,
    readFile: Deno.readTextFileSync,
    audit: {
      write: (event, fields) => void audited.push({ event, ...fields }),
      ready: () => true,
    },
    meter: UNMETERED,
    spans: UNTRACED,
    ...strangers,
    log: logger({
      level: "debug",
      format: "json",
      wallMs: () => now * 1000,
      write: (line) => lines.push(line),
    }),
    advance: (seconds) => void (now += seconds),
    lines,
    audited,
  };
}

/** The configuration that `env` stands for, on top of HTTP with OAuth and the hmac provider. */
export function testConfig(env: Record<string, string> = {}): Config {
  const configured = configure({
    flags: {},
    env: {
      MCP_TRANSPORT: "http",
      OAUTH_ENABLED: "on",
      OAUTH_PROVIDER: "hmac",
      JWT_SECRET: SECRET,
      ...env,
    },
    readFile: () => "",
  });
  if (!configured.ok) throw new Error(JSON.stringify(configured.problems));
  return configured.config;
}

/** A program under test. */
export interface Subject {
  readonly app: App;
  readonly ports: FakePorts;
  /** Sends a request to `path` of the program, without a network. */
  send(path: string, init?: RequestInit): Promise<Response>;
}

/**
 * The real program over fake ports.
 *
 * @param env Settings on top of those of {@linkcode testConfig}.
 * @param newServer An MCP server to serve instead of the program's own.
 * @param fetch What the outside answers.
 */
export async function subject(
  env: Record<string, string> = {},
  newServer?: NewServer,
  fetch?: Ports["fetch"],
): Promise<Subject> {
  const ports = fakePorts(fetch);
  const program = await app(testConfig(env), ports, newServer);
  return {
    app: program,
    ports,
    send: (path, init = {}) => {
      const headers = new Headers(init.headers);
      if (!headers.has("host")) headers.set("host", "localhost:8080");
      return program.fetch(new Request(new URL(path, ORIGIN), { ...init, headers }));
    },
  };
}

/**
 * Waits for the keys that proxy mode makes in the background, for tests that would end before them.
 */
export async function keysMade({ fetch }: Pick<App, "fetch">): Promise<void> {
  const headers = { host: "localhost:8080" };
  const response = await fetch(new Request(`${ORIGIN}/.well-known/jwks.json`, { headers }));
  if (!response.ok) throw new Error(`Cannot get the keys: ${await response.text()}`);
}

/** Claims of a token that every check accepts. */
export const CLAIMS = {
  iss: ORIGIN,
  sub: "alice",
  aud: RESOURCE,
  iat: NOW,
  exp: NOW + 600,
  email: "alice@example.com",
  name: "Alice",
  roles: ["admin"],
  scope: "mcp:read",
} as const;

/** Signs claims, good or bad; `undefined` takes one of {@linkcode CLAIMS} out. */
export function sign(
  claims: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
  secret: string = SECRET,
): Promise<string> {
  return new SignJWT({ ...CLAIMS, ...claims })
    .setProtectedHeader({ alg: "HS256", typ: "at+jwt", ...header })
    .sign(new TextEncoder().encode(secret));
}

/** A request to the MCP endpoint in the shape of the 2025 revisions. */
export function legacyCall(
  method: string,
  params: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): RequestInit {
  return {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  };
}

/** A request to the MCP endpoint in the shape of 2026-07-28. */
export function modernCall(
  method: string,
  params: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): RequestInit {
  const named = params.name ?? params.uri;
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    ...params._meta as Record<string, unknown>,
  };
  return legacyCall(method, { ...params, _meta }, {
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": method,
    ...(typeof named === "string" && { "mcp-name": named }),
    ...headers,
  });
}

/** The header that carries `token`. */
export function bearerHeader(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}
