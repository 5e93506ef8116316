/**
 * Checking a configuration without serving it: what is in force, and whether tokens would pass.
 *
 * @module
 */

import { type Config, type HttpConfig, resourceOf } from "../config.ts";
import type { KafkaConfig } from "../config/kafka.ts";
import { type HmacOAuth, isHmac, type OAuthConfig, type ProviderConfig } from "../config/oauth.ts";
import type { ProxyConfig } from "../config/proxy.ts";
import { metadataUrlOf } from "../discovery.ts";
import { mint } from "../mint.ts";
import { providerOf } from "../providers.ts";
import { portsOf } from "./serve.ts";
import { examine, examineStore, type Finding } from "./examine.ts";
import { posture } from "./posture.ts";
import { EXIT, type ExitCode, type Host, tellProblems } from "./host.ts";

/** How to check. */
export interface CheckOptions {
  /** Whether scripts read the answer. */
  readonly json: boolean;
  /** Whether to refuse what is unsafe where others can reach the server. */
  readonly production: boolean;
}

/** Prints the configuration in force, secrets hidden, and what the checks found. */
export async function check(
  config: Config,
  { json, production }: CheckOptions,
  host: Host,
): Promise<ExitCode> {
  const { oauth } = config;
  const examined = !oauth ? [] : [
    ...isHmac(oauth) ? await checkMinting(oauth, config, host) : await examine(oauth, host),
    ...oauth.proxy ? await examineStore(oauth.proxy, host) : [],
  ];
  const findings = [...production ? posture(config) : [], ...examined];
  const problems = findings.filter(({ advice }) => !advice);
  const effective = describe(config);
  if (json) {
    host.stdout(`${JSON.stringify({ ok: problems.length === 0, config: effective, findings })}\n`);
  } else {
    for (const [name, value] of Object.entries(effective)) {
      host.stdout(`${name.padEnd(18)}${value}\n`);
    }
    for (const { where, what, fix } of findings.filter(({ advice }) => advice)) {
      host.stdout(`\nWorth knowing: ${where} ${what}\n  ${fix}\n`);
    }
    if (problems.length > 0) tellProblems(host, problems);
    else host.stdout("\nNo problems found.\n");
  }
  return problems.length > 0 ? EXIT.failed : EXIT.ok;
}

// Mints a token for a moment and puts it through the judge that requests will meet.
async function checkMinting(oauth: HmacOAuth, config: Config, host: Host): Promise<Finding[]> {
  const provider = await providerOf(oauth, config.http.publicUrl, portsOf(config, host));
  const grant = { ...oauth, subject: "check", roles: [], scopes: [], ttl: 60 };
  const now = host.now();
  const minted = await mint(grant, oauth.provider.secret, host.random(16).toHex(), now);
  const verdict = await provider.verify(minted, now);
  if (verdict.ok) return [];
  const { reason } = verdict.refusal;
  return [{
    where: "OIDC_ISSUER, OIDC_AUDIENCE or JWT_SECRET",
    what: `would refuse a token minted here (${reason})`,
    fix: "unset OIDC_ISSUER and OIDC_AUDIENCE to use the server's own URL",
  }];
}

function describe(
  { transport, http, oauth, grafana, kafka, metrics, audit, readOnly, log }: Config,
): Record<string, string> {
  return {
    transport,
    ...(transport === "http" && {
      listen: `${http.host}:${http.port}`,
      ...(http.tls && { certificate: http.tls.certFile }),
      ...(http.trustedProxies.length > 0 && { "trusted proxies": words(http.trustedProxies) }),
      endpoint: resourceOf(http).href,
      "web origins": words(http.allowedOrigins),
      sessions: http.sessions ? "on" : "off",
      metrics: metrics ? `${metrics.host}:${metrics.port}` : "off",
    }),
    ...(!oauth && { oauth: "off" }),
    ...(oauth && {
      oauth: `${oauth.proxy ? "proxy" : "native"}, ${oauth.provider.kind}`,
      metadata: metadataUrlOf(resourceOf(http)),
      ...(oauth.proxy
        ? describeProxy(oauth, oauth.proxy, http)
        : { issuer: oauth.issuer, audiences: words(oauth.audiences) }),
      "required scopes": words(oauth.scopesRequired),
      "tool scopes": words(oauth.toolScopes.map(({ glob, scope }) => `${glob}=${scope}`)),
      ...(oauth.proxy && {
        "role scopes": words(oauth.proxy.roleScopes.map(({ role, scope }) => `${role}=${scope}`)),
      }),
      "scope hierarchy": words(oauth.scopeHierarchy.map((chain) => chain.join(">"))),
      username: `${oauth.usernameClaims.join(", then ")}, then sub`,
      roles: oauth.rolesClaims.join(" and "),
      allowed: words(oauth.allow.map(({ kind, name }) => `${kind}:${name}`), "everyone"),
      ...describeProvider(oauth.provider, oauth.proxy),
    }),
    ...(grafana && { grafana: `${grafana.url.href}, by ${grafana.auth}` }),
    ...(kafka && { kafka: describeKafka(kafka) }),
    ...(readOnly && { tools: "those that read only" }),
    audit: audit.kind === "file" ? audit.path : audit.kind,
    log: `${log.level}, ${log.format}`,
  };
}

function describeKafka({ brokers, login, exchange, tls, topics }: KafkaConfig): string {
  const own = login ? `as ${login.user} by ${login.mechanism}` : "without a login";
  return [
    words(brokers),
    exchange ? "as the caller, by exchange" : own,
    tls ? "with TLS" : "in clear",
    `topics ${words(topics.allow)}${topics.deny.length > 0 ? ` but ${words(topics.deny)}` : ""}`,
  ].join("; ");
}

const words = (list: readonly string[], none = "none") => list.join(", ") || none;

function describeProvider(provider: ProviderConfig, proxy?: ProxyConfig): Record<string, string> {
  if (provider.kind === "hmac") {
    return proxy ? {} : { secret: `hidden, ${provider.secret.length} bytes` };
  }
  const { client, tenants, hostedDomain } = provider;
  return {
    ...(!proxy && {
      "opaque tokens": client ? `asked about as ${client.id}, secret hidden` : "refused",
    }),
    ...(tenants.length > 0 && { tenants: tenants.join(", ") }),
    ...(hostedDomain && { "hosted domain": hostedDomain }),
  };
}

function describeProxy(
  { issuer }: OAuthConfig,
  { client, secrets, store, clients, registration, redirects, accessTtl }: ProxyConfig,
  { publicUrl }: HttpConfig,
): Record<string, string> {
  const [{ length } = { length: 0 }, previous] = secrets;
  const custom = redirects.custom.length > 0 ? redirects.custom : ["no scheme of an app"];
  return {
    issuer: publicUrl.origin,
    logins: client
      ? `${issuer} as ${client.id}, ${client.secret ? "secret hidden" : "without a secret"}`
      : "here, by name and without a password",
    secret: `hidden, ${length} bytes${previous ? "; the previous one still opens" : ""}`,
    store: describeStore(store),
    clients: clients.length === 0 ? "none configured" : `${clients.length} configured`,
    registration: words(registration, "off"),
    redirects: words(["this computer", ...redirects.https ?? ["any https URI"], ...custom]),
    "access tokens": `live ${accessTtl} seconds`,
  };
}

/** A store without user and password; of one that does not read, the kind alone. */
function describeStore(store: string): string {
  if (!/^rediss?:/.test(store)) return store;
  const url = URL.parse(store);
  const isPlain = url?.hostname && /^\/?\d{0,4}$/.test(url.pathname) && !url.search && !url.hash;
  if (!isPlain) return `${store.split(":")[0]}:, the rest hidden`;
  const hidden = url.username || url.password ? ", user and password hidden" : "";
  return `${url.protocol}//${url.host}${url.pathname}${hidden}`;
}
