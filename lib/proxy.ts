/**
 * Proxy mode: this server as an authorization server in front of an identity provider.
 *
 * A client registers here, a person says yes here and logs in there, and the client gets tokens of
 * this server. The provider's own tokens stay in the store, sealed. All state is in the store or in
 * sealed values that come back, so any replica can do any step.
 *
 * @module
 */

import type { ProxyConfig } from "./config/proxy.ts";
import { CALLBACK_PATH } from "./config/proxy.ts";
import type { Methods } from "./http.ts";
import type { KnownIdentity } from "./identity.ts";
import type { Ports } from "./ports.ts";
import type { Provider } from "./provider.ts";
import type { OidcOptions } from "./provider/oidc.ts";
import { accessTokens } from "./proxy/access.ts";
import { answers } from "./proxy/answer.ts";
import { assertions } from "./proxy/assertion.ts";
import { authenticator } from "./proxy/authenticate.ts";
import { authorize } from "./proxy/authorize.ts";
import { binding } from "./proxy/browser.ts";
import { callback } from "./proxy/callback.ts";
import { clientKeys } from "./proxy/client_keys.ts";
import { clients } from "./proxy/clients.ts";
import { type Code, codes } from "./proxy/codes.ts";
import { consent } from "./proxy/consent.ts";
import { documents } from "./proxy/documents.ts";
import { type Grant, grants } from "./proxy/grants.ts";
import { type FindHeld, held } from "./proxy/held.ts";
import { issuer } from "./proxy/issuer.ts";
import { type KeyRow, type SigningKeys, signingKeys } from "./proxy/keys.ts";
import { login, LOGIN_PATH } from "./proxy/login.ts";
import { authorizationServer, type Endpoints } from "./proxy/metadata_document.ts";
import { readClientMetadata } from "./proxy/metadata.ts";
import { newPages } from "./proxy/pages.ts";
import { forBrowsers, forClients } from "./proxy/public.ts";
import type { Quirks } from "./proxy/quirks.ts";
import { records } from "./proxy/records.ts";
import { redeem } from "./proxy/redeem.ts";
import { refresh } from "./proxy/refresh.ts";
import { register } from "./proxy/register.ts";
import { revoke } from "./proxy/revoke.ts";
import { roster } from "./proxy/roster.ts";
import { token } from "./proxy/token.ts";
import type { Grantable } from "./scope.ts";
import { digests, seals } from "./seal.ts";
import type { Store } from "./store.ts";

/** Settings of {@linkcode proxy}. */
export interface ProxyOptions {
  readonly config: ProxyConfig;
  readonly publicUrl: URL;
  /** Whether only this machine can reach the server. */
  readonly loopback: boolean;
  /** Exact URL of the protected resource. */
  readonly resource: string;
  /** Scopes that can be granted. */
  readonly scopes: readonly string[];
  /** Scopes that every request to the resource needs. */
  readonly scopesRequired: readonly string[];
  /** Whether the operator lets a caller in. */
  readonly mayCall: (identity: KnownIdentity) => boolean;
  /** Which scopes a person can grant. */
  readonly grantable: Grantable;
  readonly store: Store;
  /** The identity provider; absent for the development login. */
  readonly vendor?: { readonly options: OidcOptions; readonly quirks: Quirks };
  /** Judges tokens that the `token` command minted, for development. */
  readonly minted?: Provider;
}

/** Proxy mode, as the rest of the program sees it. */
export interface Proxy {
  /** This server as an issuer. */
  readonly provider: Provider;
  /** Rows of the route table. */
  readonly routes: readonly [path: string, methods: Methods][];
  /** The key that this server signs with. */
  readonly key: SigningKeys["current"];
  /** The identity provider's token of a caller; absent where people log in here. */
  readonly held?: FindHeld;
}

/** Prepares proxy mode. Stores and fetches nothing before it is used. */
export function proxy(
  options: ProxyOptions,
  ports: Pick<Ports, "now" | "random" | "fetch" | "resolve" | "fetchAt" | "log" | "meter">,
): Proxy {
  const { config, publicUrl, resource, scopes, scopesRequired, mayCall, store, vendor } = options;
  const { now, random } = ports;
  const { origin } = publicUrl;
  const { redirects, registration } = config;
  const seal = seals(config.secrets, origin);
  const rows = <T>(kind: string) => records<T>(store, seal(`row ${kind}`), kind, now);
  const digestOf = digests(config.secrets[0]!, origin, "person");
  const at = (path: string) => `${origin}${path}`;

  const known = documents({
    allowLoopback: options.loopback,
    read: (value, document) => readClientMetadata(value, { redirects, document }),
  }, ports);
  const directory = clients({
    configured: config.clients,
    seal: seal("client"),
    ...(registration.includes("dynamic") && { dynamic: true }),
    ...(registration.includes("documents") && { findDocument: known.find }),
  }, ports);
  const endpoints: Endpoints = {
    issuer: origin,
    authorize: at("/oauth/authorize"),
    token: at("/oauth/token"),
    revoke: at("/oauth/revoke"),
    ...(registration.includes("dynamic") && { register: at("/oauth/register") }),
    jwks: at("/.well-known/jwks.json"),
  };
  const keys = signingKeys(rows<KeyRow>("keys"), ports);
  const family = grants(rows<Grant>("grant"), ports);
  const code = codes(rows<Code>("code"), ports);
  const access = accessTokens({
    issuer: origin,
    resource,
    ttl: config.accessTtl,
    keys,
    grants: family,
  }, ports);
  const authenticate = authenticator(
    directory,
    assertions({
      audiences: [origin, endpoints.token],
      findKey: clientKeys(known),
      used: rows<true>("assertion"),
      now,
    }),
  );

  const pages = newPages();
  const answer = answers(origin, pages);
  const secure = publicUrl.protocol === "https:";
  const form = { seal: seal("consent"), browser: binding("form", secure, random) };
  const way = { seal: seal("login"), browser: binding("login", secure, random) };
  const rules = { clients: directory, redirects, resource, scopes, defaultScopes: scopesRequired };
  const development = vendor ? undefined : login({
    origin,
    callback: at(CALLBACK_PATH),
    seal: seal("development login"),
    pages,
    answers: answer,
  }, ports);
  const upstream = development?.upstream ?? issuer({
    vendor: vendor!.options,
    quirks: vendor!.quirks,
    client: config.client!,
    callback: at(CALLBACK_PATH),
  }, ports);

  const renewing = {
    grants: family,
    turns: rows<true>("turn"),
    upstream,
    mayCall,
    grantable: options.grantable,
    sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
  };

  const page = forBrowsers(pages, ports);
  const api = forClients(ports);
  const table: [path: string, methods: Methods][] = [
    [
      "/oauth/authorize",
      page({
        GET: authorize({
          rules,
          answers: answer,
          pages,
          ...form,
          upstream,
          action: "/oauth/consent",
        }, ports),
      }),
    ],
    [
      "/oauth/consent",
      page({
        POST: consent({ rules, answers: answer, pages, upstream, origin, form, login: way }, ports),
      }),
    ],
    [
      CALLBACK_PATH,
      page({
        GET: callback({
          rules,
          answers: answer,
          upstream,
          login: way,
          finished: rows<true>("login"),
          grants: family,
          roster: roster(rows<readonly string[]>("person"), family, digestOf),
          codes: code,
          mayCall,
          grantable: options.grantable,
        }, ports),
      }),
    ],
    [
      "/oauth/token",
      api({
        POST: token({
          authenticate,
          access,
          types: {
            authorization_code: redeem(code, family),
            refresh_token: refresh(renewing, ports),
          },
        }),
      }, 300),
    ],
    [
      "/oauth/revoke",
      api({
        POST: revoke({ authenticate, access, grants: family, upstream }, ports),
      }, 60),
    ],
  ];
  if (registration.includes("dynamic")) {
    table.push(["/oauth/register", api({ POST: register(directory, redirects, now) }, 30)]);
  }
  if (development) table.push([LOGIN_PATH, page(development.page)]);
  return {
    provider: ownProvider(),
    routes: table,
    key: keys.current,
    ...(vendor && { held: held(renewing, ports) }),
  };

  function ownProvider(): Provider {
    const documented = authorizationServer(endpoints, {
      scopes,
      documents: registration.includes("documents"),
    });
    return {
      issuer: origin,
      metadata: async () => ({ ...documented, jwks: await keys.document() }),
      verify: async (text, at) => {
        const verdict = await access.verify(text, at);
        const isForeign = !verdict.ok && verdict.refusal.reason === "algorithm";
        return isForeign && options.minted ? await options.minted.verify(text, at) : verdict;
      },
    };
  }
}
