/**
 * The whole program as one handler: chooses implementations and holds the route table.
 *
 * @module
 */

import type { Grounds } from "./actings.ts";
import { allowed } from "./allow.ts";
import { bearer } from "./bearer.ts";
import { challenges } from "./challenge.ts";
import { type Config, resourceOf } from "./config.ts";
import type { OAuthConfig } from "./config/oauth.ts";
import { discovery, metadataUrlOf } from "./discovery.ts";
import { guard, type Handler, type Methods, plain, routes } from "./http.ts";
import type { Identity } from "./identity.ts";
import { type Issuing, issuing } from "./issuing.ts";
import { mcp } from "./mcp.ts";
import { type NewServer, serverFactory } from "./mcp/server.ts";
import { observe } from "./observe.ts";
import { origins } from "./origin.ts";
import type { Pack } from "./pack.ts";
import { packsOf } from "./packs.ts";
import type { Ports } from "./ports.ts";
import { scopeCover, toolScopes } from "./scope.ts";
import { tracer } from "./trace.ts";
import { VERSION } from "./version.ts";

/** What is served, prepared once for every transport. */
export interface Served {
  readonly packs: readonly Pack[];
  readonly newServer: NewServer;
}

/** The program behind an HTTP listener. */
export interface App {
  /**
   * Answers every request and never rejects.
   *
   * @param remote Address of the socket's other end.
   */
  fetch(request: Request, remote?: string): Promise<Response>;
  /** Ends the streams that wait for news, so that only calls at work are left. */
  drain(): Promise<void>;
  /** Ends everything, and lets the packs go. */
  close(): Promise<void>;
  readonly packs: readonly Pack[];
}

/** Prepares what is served. @param grounds What acting as callers can rest on, with OAuth. */
export async function prepare(config: Config, ports: Ports, grounds?: Grounds): Promise<Served> {
  const packs = await packsOf(config, grounds, ports);
  const direct = { identity: undefined, trace: tracer(ports)() };
  const info = { name: "gatehouse", title: "Gatehouse", version: VERSION };
  return { packs, newServer: serverFactory(packs, info, direct) };
}

/** Composes the handler for HTTP. @param newServer An MCP server to serve instead of the packs'. */
export async function app(config: Config, ports: Ports, newServer?: NewServer): Promise<App> {
  const { http, oauth, grafana } = config;
  const states = grafana?.auth === "assertion";
  const issued = oauth && await issuing(oauth, http, states, ports);
  const served = await prepare(config, ports, issued?.grounds);
  const resource = resourceOf(http);
  const origin = origins({ ...http, listenHost: http.host, allowed: http.allowedOrigins });
  const provider = issued?.provider;
  // Asked for early, so that the first request need not wait. A failure is logged, and tried again.
  provider?.metadata().catch(() => {});
  const permission = oauth && {
    challenges: challenges(metadataUrlOf(resource), oauth.scopesRequired),
    scopesRequired: oauth.scopesRequired,
    toolScopes: toolScopes(oauth.toolScopes),
    missing: scopeCover(oauth.scopeHierarchy),
    mayCall: allowed(oauth.allow),
  };
  warnOfIdleRows(oauth, served.packs, ports);
  const endpoint = await mcp({
    newServer: newServer ?? served.newServer,
    sessions: http.sessions,
    ...(permission && { authorization: permission }),
  }, ports);
  const gate = provider && permission ? bearer(provider, ports, permission) : () => undefined;
  const guarded = guard<Identity | undefined>(gate, endpoint.handle);
  const fromOrigin = (next: Handler) =>
    guard(
      origin.origin,
      async (request, trace, from) => origin.allow(await next(request, trace), from),
    );

  const table: [path: string, methods: Methods][] = [
    ["/mcp", {
      POST: fromOrigin(guarded),
      GET: fromOrigin(guarded),
      DELETE: fromOrigin(guarded),
      OPTIONS: fromOrigin(origin.preflight),
    }],
    ["/healthz", { GET: () => plain(200, "ok") }],
    ["/readyz", { GET: () => readiness(served.packs, issued) }],
    ...(provider && permission ? discovery(provider, { resource, ...permission }) : []),
    ...issued?.routes ?? [],
  ];
  return {
    packs: served.packs,
    fetch: observe(guard(origin.host, routes(table)), ports, http),
    drain: endpoint.drain,
    close: async () => {
      await endpoint.close();
      await issued?.store?.close();
      await Promise.all(served.packs.map((pack) => pack.close()));
    },
  };
}

// A row that fits no tool protects nothing, and is most likely misspelt.
function warnOfIdleRows(
  oauth: OAuthConfig | undefined,
  packs: readonly Pack[],
  { log }: Ports,
): void {
  const names = packs.flatMap(({ tools }) => tools.map(({ name }) => name));
  for (const row of oauth?.toolScopes ?? []) {
    const scopesOf = toolScopes([row]);
    if (!names.some((name) => scopesOf(name).length > 0)) {
      log("warn", "tool scope fits no tool", { glob: row.glob });
    }
  }
}

async function readiness(packs: readonly Pack[], issued?: Issuing): Promise<Response> {
  const waiting: string[] = [];
  if (issued && !await issued.provider.metadata().then(() => true, () => false)) {
    waiting.push(`the issuer ${issued.provider.issuer}`);
  }
  if (issued?.store && !await issued.store.ready()) waiting.push("the store");
  for (const pack of packs) if (!await pack.ready()) waiting.push(pack.name);
  return waiting.length === 0
    ? plain(200, "ready")
    : plain(503, `waiting for ${waiting.join(", ")}`, { "retry-after": "5" });
}
