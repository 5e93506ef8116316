/**
 * Whose tokens are accepted, and what it takes to issue them here: mode is decided in this file and
 * nowhere else.
 *
 * @module
 */

import type { AuthorizationServer } from "oauth4webapi";
import type { Grounds } from "./actings.ts";
import { allowed } from "./allow.ts";
import { type HttpConfig, resourceOf } from "./config.ts";
import type { OAuthConfig } from "./config/oauth.ts";
import type { Keeping, ProxyConfig } from "./config/proxy.ts";
import type { Methods } from "./http.ts";
import { isLoopback } from "./origin.ts";
import type { Ports } from "./ports.ts";
import type { Provider } from "./provider.ts";
import { providerOf, vendorOf } from "./providers.ts";
import { proxy } from "./proxy.ts";
import { type KeyRow, type SigningKeys, signingKeys } from "./proxy/keys.ts";
import { QUIRKS } from "./proxy/quirks.ts";
import { records } from "./proxy/records.ts";
import { grantable, type RoleScope } from "./scope.ts";
import { seals } from "./seal.ts";
import type { Store } from "./store.ts";
import { metered } from "./store/metered.ts";
import { storeOf } from "./stores.ts";

/** An issuer of tokens, as the program uses it. */
export interface Issuing {
  readonly provider: Provider;
  /** Rows of the route table; none in native mode. */
  readonly routes: readonly [path: string, methods: Methods][];
  /** What acting as callers can rest on. */
  readonly grounds: Grounds;
  /** Absent where nothing is kept. */
  readonly store?: Store;
}

/** Prepares the issuer that `oauth` names. @param states Whether statements about callers are made. */
export async function issuing(
  oauth: OAuthConfig,
  http: HttpConfig,
  states: boolean,
  ports: Ports,
): Promise<Issuing> {
  const native = await providerOf(oauth, http.publicUrl, ports);
  const server = async () => (await native.metadata()).authorizationServer as AuthorizationServer;
  const grounds = { issuer: http.publicUrl.origin, server };
  if (oauth.proxy) return await proxied(oauth, oauth.proxy, http, native, grounds, ports);
  const { provider, keeping } = oauth;
  const client = provider.kind === "hmac" ? undefined : provider.client;
  const known = { ...grounds, ...(client && { client }) };
  if (!states || !keeping) return { provider: native, routes: [], grounds: known };
  const store = await openStore(keeping.store, ports);
  const keys = ownKeys(keeping, store, grounds.issuer, ports);
  return {
    provider: publishing(native, keys),
    routes: [],
    grounds: { ...known, key: keys.current },
    store,
  };
}

async function proxied(
  oauth: OAuthConfig,
  config: ProxyConfig,
  http: HttpConfig,
  native: Provider,
  grounds: Grounds,
  ports: Ports,
): Promise<Issuing> {
  const { provider: upstream, scopesRequired, toolScopes } = oauth;
  const store = await openStore(config.store, ports);
  const { provider, routes, key, held } = proxy({
    config,
    store,
    publicUrl: http.publicUrl,
    loopback: http.loopback && isLoopback(http.publicUrl.hostname),
    resource: resourceOf(http).href,
    scopes: [...new Set([...scopesRequired, ...toolScopes.map(({ scope }) => scope)])],
    scopesRequired,
    grantable: grantable(roleScopesOf(oauth, config, ports)),
    mayCall: allowed(oauth.allow),
    ...(upstream.kind === "hmac" ? { minted: native } : {
      vendor: { options: vendorOf(oauth, upstream), quirks: QUIRKS[upstream.kind] },
    }),
  }, ports);
  const { client } = config;
  return {
    provider,
    routes,
    store,
    grounds: { ...grounds, key, ...(client && { client }), ...(held && { held }) },
  };
}

async function openStore(url: string, ports: Ports): Promise<Store> {
  return metered(await storeOf(url, ports), ports.meter);
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

function ownKeys(
  { secrets }: Keeping,
  store: Store,
  server: string,
  ports: Ports,
): SigningKeys {
  const seal = seals(secrets, server)("row keys");
  return signingKeys(records<KeyRow>(store, seal, "keys", ports.now), ports);
}

/** The provider with our own keys beside its own in the published set. */
function publishing(provider: Provider, keys: SigningKeys): Provider {
  return {
    ...provider,
    async metadata() {
      const [metadata, own] = await Promise.all([provider.metadata(), keys.document()]);
      const theirs = metadata.jwks.keys as unknown[];
      return { ...metadata, jwks: { keys: [...theirs, ...own.keys as unknown[]] } };
    },
  };
}
