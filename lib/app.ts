/**
 * The whole program as one handler: chooses implementations and holds the route table.
 *
 * @module
 */

import { allowed } from "./allow.ts";
import { bearer } from "./bearer.ts";
import { challenges } from "./challenge.ts";
import { type Config, type HttpConfig, resourceOf } from "./config.ts";
import type { OAuthConfig } from "./config/oauth.ts";
import type { ProxyConfig } from "./config/proxy.ts";
import { discovery, metadataUrlOf } from "./discovery.ts";
import { guard, type Handler, type Methods, plain, routes } from "./http.ts";
import type { Identity } from "./identity.ts";
import { mcp } from "./mcp.ts";
import { type NewServer, serverFactory } from "./mcp/server.ts";
import { observe } from "./observe.ts";
import { isLoopback, origins } from "./origin.ts";
import type { Pack } from "./pack.ts";
import { whoami } from "./pack/whoami.ts";
import type { Ports } from "./ports.ts";
import type { Provider } from "./provider.ts";
import { providerOf, vendorOf } from "./providers.ts";
import { proxy } from "./proxy.ts";
import { QUIRKS } from "./proxy/quirks.ts";
import { grantable, type RoleScope, scopeCover, toolScopes } from "./scope.ts";
import type { Store } from "./store.ts";
import { storeOf } from "./stores.ts";
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
}

/** Prepares the packs. */
export function prepare(ports: Ports): Served {
  const packs = [whoami()];
  const direct = { identity: undefined, trace: tracer(ports)() };
  const info = { name: "gatehouse", title: "Gatehouse", version: VERSION };
  return { packs, newServer: serverFactory(packs, info, direct) };
}

/** Composes the handler for HTTP. */
export async function app(config: Config, ports: Ports, served: Served): Promise<App> {
  const { http, oauth } = config;
  const resource = resourceOf(http);
  const origin = origins({ ...http, listenHost: http.host, allowed: http.allowedOrigins });
  const issued = oauth && await issuing(oauth, http, ports);
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
    newServer: served.newServer,
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
    fetch: observe(guard(origin.host, routes(table)), ports, http),
    drain: endpoint.drain,
    close: async () => {
      await endpoint.close();
      await issued?.store?.close();
      await Promise.all(served.packs.map((pack) => pack.close()));
    },
  };
}

/** Whose tokens are accepted, and what it takes to issue them here. */
interface Issuing {
  readonly provider: Provider;
  readonly routes: readonly [path: string, methods: Methods][];
  /** Absent in native mode. */
  readonly store?: Store;
}

async function issuing(oauth: OAuthConfig, http: HttpConfig, ports: Ports): Promise<Issuing> {
  const { provider: upstream, proxy: config, scopesRequired } = oauth;
  const native = await providerOf(oauth, http.publicUrl, ports);
  if (!config) return { provider: native, routes: [] };
  const store = await storeOf(config.store, ports);
  const proxied = proxy({
    config,
    store,
    publicUrl: http.publicUrl,
    loopback: http.loopback && isLoopback(http.publicUrl.hostname),
    resource: resourceOf(http).href,
    scopes: [...new Set([...scopesRequired, ...oauth.toolScopes.map(({ scope }) => scope)])],
    scopesRequired,
    grantable: grantable(roleScopesOf(oauth, config, ports)),
    mayCall: allowed(oauth.allow),
    ...(upstream.kind === "hmac" ? { minted: native } : {
      vendor: { options: vendorOf(oauth, upstream), quirks: QUIRKS[upstream.kind] },
    }),
  }, ports);
  return { ...proxied, store };
}

// Who logs in for development has roles of ours, so the rows that make sense are known.
function roleScopesOf(
  { provider, toolScopes }: OAuthConfig,
  { roleScopes }: ProxyConfig,
  { log }: Ports,
): readonly RoleScope[] {
  if (roleScopes.length > 0 || toolScopes.length === 0) return roleScopes;
  if (provider.kind === "hmac") return toolScopes.map(({ scope }) => ({ role: "admin", scope }));
  log("warn", "everybody can grant the scopes of tools", { fix: "set OAUTH_ROLE_SCOPES" });
  return roleScopes;
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
