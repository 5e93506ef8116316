/**
 * The whole program as one handler: chooses implementations and holds the route table.
 *
 * @module
 */

import type { Grounds } from "./actings.ts";
import { allowed } from "./allow.ts";
import { type Audit, UNREADY } from "./audit.ts";
import { bearer } from "./bearer.ts";
import { challenges } from "./challenge.ts";
import { type Config, resourceOf } from "./config.ts";
import type { OAuthConfig } from "./config/oauth.ts";
import { discovery, metadataUrlOf } from "./discovery.ts";
import { front } from "./front.ts";
import { factsOf } from "./front/facts.ts";
import { guard, type Handler, type Methods, plain, routes } from "./http.ts";
import type { Identity } from "./identity.ts";
import { issuing } from "./issuing.ts";
import { mcp } from "./mcp.ts";
import { issuerPorts, packPorts } from "./metered.ts";
import type { Meter } from "./meter.ts";
import { type NewServer, serverFactory, type ServerInfo } from "./mcp/server.ts";
import { observe } from "./observe.ts";
import { origins } from "./origin.ts";
import type { Pack } from "./pack.ts";
import { packsOf } from "./packs.ts";
import type { Ports } from "./ports.ts";
import { partsOf, readiness } from "./readiness.ts";
import { scopeCover, toolScopes } from "./scope.ts";
import { shared } from "./share.ts";
import { sparing } from "./sparing.ts";
import { tracer } from "./trace.ts";
import { VERSION } from "./version.ts";

const INFO: ServerInfo = { name: "gatehouse", title: "Gatehouse", version: VERSION };

/** Where those ask who have logged in, and whoever sends them here. */
const CALLERS: ReadonlySet<string> = new Set(["/mcp", "/readyz"]);

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
   * @param completed Settles when the answer is out, or its reader gone. @default With the answer.
   */
  fetch(request: Request, remote?: string, completed?: Promise<void>): Promise<Response>;
  /** Ends the streams that wait for news, so that only calls at work are left. */
  drain(): Promise<void>;
  /** Ends everything, and lets the packs go. */
  close(): Promise<void>;
  readonly packs: readonly Pack[];
}

/** Prepares what is served. @param grounds What acting as callers can rest on, with OAuth. */
export async function prepare(config: Config, ports: Ports, grounds?: Grounds): Promise<Served> {
  const packs = await packsOf(config, grounds, packPorts(ports));
  registerNames(packs, ports.meter);
  const direct = { identity: undefined, trace: tracer(ports)() };
  return { packs, newServer: serverFactory(packs, INFO, direct, ports) };
}

/** Composes the handler for HTTP. @param newServer An MCP server to serve instead of the packs'. */
export async function app(config: Config, ports: Ports, newServer?: NewServer): Promise<App> {
  const { http, oauth, grafana } = config;
  const states = grafana?.auth === "assertion";
  const issued = oauth && await issuing(oauth, http, states, issuerPorts(ports));
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
  const guarded = guard<Identity | undefined>(gate, shared(endpoint.handle, ports.meter));
  const fromOrigin = (next: Handler) =>
    guard(
      origin.origin,
      async (request, trace, from) => origin.allow(await next(request, trace), from),
    );

  const parts = partsOf(served.packs, ports.audit, issued);
  for (const { word, isReady } of parts) ports.meter.watchReady(word, isReady);
  const table: (readonly [path: string, methods: Methods])[] = [
    ["/", { GET: await front(factsOf(INFO, config, served.packs)) }],
    ["/mcp", {
      POST: fromOrigin(guarded),
      GET: fromOrigin(guarded),
      DELETE: fromOrigin(guarded),
      OPTIONS: fromOrigin(origin.preflight),
    }],
    ["/healthz", { GET: () => plain(200, "ok") }],
    ["/readyz", { GET: () => readiness(parts) }],
    ...(provider && permission ? discovery(provider, { resource, ...permission }) : []),
    ...(issued?.routes ?? []).map(([path, methods]) =>
      [path, audited(methods, ports.audit)] as const
    ),
  ];
  const paths = table.map(([path]) => path);
  ports.meter.register("route", paths);
  const audit = sparing(ports.audit, ports.now);
  const handle = guard(origin.host, routes(table));
  return {
    packs: served.packs,
    fetch: observe(handle, { ...ports, audit }, http, { served: new Set(paths), callers: CALLERS }),
    drain: endpoint.drain,
    close: async () => {
      await endpoint.close();
      await issued?.store?.close();
      await Promise.all(served.packs.map((pack) => pack.close()));
    },
  };
}

// A row that fits nothing protects nothing, and is most likely misspelt.
function warnOfIdleRows(
  oauth: OAuthConfig | undefined,
  packs: readonly Pack[],
  { log }: Ports,
): void {
  const names = packs.flatMap(({ tools, resources = [], prompts = [] }) => [
    ...[...tools, ...prompts].map(({ name }) => name),
    ...resources.map(({ uri }) => uri),
  ]);
  for (const row of oauth?.toolScopes ?? []) {
    const scopesOf = toolScopes([row]);
    if (!names.some((name) => scopesOf(name).length > 0)) {
      log("warn", "tool scope fits no tool", { glob: row.glob });
    }
  }
}

// Only these are counted by name: whoever calls can ask for anything.
function registerNames(packs: readonly Pack[], meter: Meter): void {
  for (const { tools, resources = [], prompts = [] } of packs) {
    meter.register("tool", tools.map(({ name }) => name));
    meter.register("resource", resources.map(({ uri }) => uri));
    meter.register("prompt", prompts.map(({ name }) => name));
  }
}

// Who lets whom do what is not decided without a line of it.
function audited(methods: Methods, audit: Audit): Methods {
  const gate = () => audit.ready() ? undefined : plain(503, UNREADY, { "retry-after": "5" });
  return Object.fromEntries(
    Object.entries(methods).map(([method, handler]) => [method, guard(gate, handler)]),
  );
}
