/**
 * What the suite is pointed at: the product's own handler and gate over the fixtures, on a real
 * port, behind a proxy that brings the token.
 *
 * @module
 */

import { app } from "../../lib/app.ts";
import { UNAUDITED } from "../../lib/audit.ts";
import { configure } from "../../lib/config.ts";
import { mint } from "../../lib/mint.ts";
import { isHmac } from "../../lib/config/oauth.ts";
import { UNMETERED } from "../../lib/meter.ts";
import type { Ports } from "../../lib/ports.ts";
import { UNTRACED } from "../../lib/spans.ts";
import { fixtureServer } from "./fixtures.ts";
import { tokenProxy } from "./proxy.ts";

const TTL_SECONDS = 3600;

/** A running target. */
export interface Target extends AsyncDisposable {
  /** URL of the endpoint for a client that has no token. */
  readonly url: string;
}

/**
 * Starts a target and waits until it answers.
 *
 * @throws {Error} When it does not answer, or answers somebody without a token.
 */
export async function target(sessions: "on" | "off"): Promise<Target> {
  const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
  const now = () => Math.floor(Date.now() / 1000);
  const fetch = () => Promise.reject(new Error("Nothing is fetched here"));
  const ports: Ports = {
    now,
    random,
    fetch,
    fetchWith: () => fetch,
    resolve: fetch,
    fetchAt: fetch,
    readFile: Deno.readTextFileSync,
    elapsedMs: () => performance.now(),
    log: () => {},
    audit: UNAUDITED,
    meter: UNMETERED,
    spans: UNTRACED,
  };
  const configured = configure({
    flags: {},
    env: {
      MCP_TRANSPORT: "http",
      MCP_SESSIONS: sessions,
      OAUTH_ENABLED: "on",
      OAUTH_PROVIDER: "hmac",
      JWT_SECRET: random(32).toHex(),
    },
    readFile: () => "",
  });
  if (!configured.ok) throw new Error(`Cannot configure: ${JSON.stringify(configured.problems)}`);
  const { config } = configured;
  const { oauth } = config;
  if (!isHmac(oauth)) throw new Error("Cannot mint tokens for another provider than hmac");
  const program = await app(config, ports, fixtureServer);
  const listener = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => program.fetch(request),
  );
  const token = await mint(
    { ...oauth, subject: "conformance", roles: [], scopes: [], ttl: TTL_SECONDS },
    oauth.provider.secret,
    random(16).toHex(),
    now(),
  );
  const proxy = await tokenProxy(listener.addr.port, token);
  await expectStatus(`http://localhost:${proxy.port}/readyz`, "GET", 200);
  await expectStatus(`http://localhost:${listener.addr.port}/mcp`, "POST", 401);
  return {
    url: `http://localhost:${proxy.port}/mcp`,
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await program.close();
      await listener.shutdown();
    },
  };
}

async function expectStatus(url: string, method: string, expected: number): Promise<void> {
  const response = await fetch(url, { method, signal: AbortSignal.timeout(5000) });
  await response.body?.cancel();
  if (response.status === expected) return;
  throw new Error(`Cannot use ${url}: ${response.status} instead of ${expected}`);
}
