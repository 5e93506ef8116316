/**
 * What a configuration lacks for production: each thing that is unsafe where others can reach the
 * server, why, and what to do. It looks at the configuration alone.
 *
 * @module
 */

import type { Config, HttpConfig } from "../config.ts";
import type { GrafanaConfig } from "../config/grafana.ts";
import type { KafkaConfig } from "../config/kafka.ts";
import type { IssuerConfig, OAuthConfig } from "../config/oauth.ts";
import type { ProxyConfig } from "../config/proxy.ts";
import { isGuessable } from "../config/secret.ts";
import { isLoopback } from "../origin.ts";
import { toolScopes } from "../scope.ts";
import type { Finding } from "./examine.ts";

/** A password that is shorter is not worth having. */
const SHORTEST_PASSWORD = 16;

/** Judges a configuration. Findings without `advice` are reasons not to go into production. */
export function posture(config: Config): Finding[] {
  const { transport, http, oauth, grafana, kafka } = config;
  if (transport === "stdio") {
    return [{
      where: "MCP_TRANSPORT",
      what: "is stdio, where nobody logs in",
      fix: "set MCP_TRANSPORT=http and OAUTH_ENABLED=on",
    }];
  }
  return [
    ...ofServer(http),
    ...oauth ? ofOAuth(oauth, http) : [{
      where: "OAUTH_ENABLED",
      what: "is off, so that everybody who reaches the server may call",
      fix: "set OAUTH_ENABLED=on and OAUTH_PROVIDER",
    }],
    ...grafana ? ofGrafana(grafana) : [],
    ...kafka ? ofKafka(kafka, oauth, config.readOnly) : [],
    ...ofWatching(config),
  ];
}

function ofServer({ publicUrl, allowedOrigins, tls, loopback, trustedProxies }: HttpConfig) {
  const findings: Finding[] = [];
  if (publicUrl.protocol !== "https:" || isLoopback(publicUrl.hostname)) {
    findings.push({
      where: "OAUTH_SERVER_URL",
      what: `is ${publicUrl.origin}, which is not a public https URL`,
      fix: "set it to the https origin that clients use, such as https://mcp.example.com",
    });
  }
  const open = allowedOrigins.filter((origin) => !origin.startsWith("https:"));
  if (open.length > 0) {
    findings.push({
      where: "MCP_ALLOWED_ORIGINS",
      what: `lets in pages that anybody on the way can change: ${open.join(", ")}`,
      fix: "name https origins only",
    });
  }
  if (!tls && !loopback) {
    findings.push({
      where: "MCP_HTTP_HOST",
      what: "takes plain HTTP from other machines, and tokens are in it",
      fix: "see that only the proxy that ends TLS reaches this port, or set MCP_TLS_CERT_FILE",
      advice: true,
    });
  }
  if (!tls && trustedProxies.length === 0) {
    findings.push({
      where: "MCP_TRUSTED_PROXIES",
      what: "is not set, so that limits count everybody behind a proxy as one",
      fix: "set it to the proxy's address",
      advice: true,
    });
  }
  const wide = trustedProxies.filter(isWide);
  if (wide.length > 0) {
    findings.push({
      where: "MCP_TRUSTED_PROXIES",
      what: `believes much of the internet: ${wide.join(", ")}`,
      fix: "name the addresses of your own proxies",
    });
  }
  return findings;
}

// The largest network of one's own is 10.0.0.0/8; of IPv6 it has a prefix of 48 bits.
function isWide(block: string): boolean {
  const [, bits] = block.split("/");
  return bits !== undefined && Number(bits) < (block.includes(":") ? 16 : 8);
}

function ofOAuth(oauth: OAuthConfig, http: HttpConfig): Finding[] {
  const { provider, proxy, toolScopes } = oauth;
  if (provider.kind === "hmac") {
    return [{
      where: "OAUTH_PROVIDER",
      what: proxy
        ? "is hmac, whose login asks for no password"
        : "is hmac, whose tokens anybody makes who has the secret",
      fix: "set it to your identity provider: okta, azure, google, keycloak or oidc",
    }];
  }
  return [
    ...ofIssuer(oauth, provider),
    ...proxy ? ofProxy(proxy, toolScopes.length > 0) : [],
    ...proxy || isBound(oauth, http) ? [] : [{
      where: "OIDC_AUDIENCE",
      what: "names something else than this server, whose tokens are then accepted too",
      fix: "let the identity provider issue tokens for this server's URL, where it can",
      advice: true as const,
    }],
  ];
}

// Google's tokens always name a client, and never a resource.
function isBound({ provider, audiences }: OAuthConfig, { publicUrl }: HttpConfig): boolean {
  return provider.kind === "google" ||
    audiences.every((audience) => URL.parse(audience)?.origin === publicUrl.origin);
}

function ofIssuer({ issuer, allow }: OAuthConfig, provider: IssuerConfig): Finding[] {
  const findings: Finding[] = [];
  if (URL.parse(issuer)?.protocol !== "https:") {
    findings.push({
      where: "OIDC_ISSUER",
      what: "is not https, so that anybody on the way can hand out keys",
      fix: "set it to the issuer's https URL",
    });
  }
  if (provider.kind === "google" && !provider.hostedDomain && allow.length === 0) {
    findings.push({
      where: "OAUTH_ALLOW",
      what: "is not set, and everybody in the world can have a Google account",
      fix: "set OAUTH_ALLOW=domain:example.com, or the hosted domain",
    });
  }
  return findings;
}

function ofProxy({ client, store, registration, roleScopes }: ProxyConfig, hasToolScopes: boolean) {
  const findings: Finding[] = [];
  if (client?.secret !== undefined && isPoor(client.secret)) {
    findings.push(poor("OIDC_CLIENT_SECRET", "let the identity provider make a new one"));
  }
  if (store === "memory:") {
    findings.push({
      where: "STORE_URL",
      what: "is memory:, which a restart forgets and no other replica has",
      fix: "use redis://HOST:PORT, or sqlite:PATH for a single server",
    });
  }
  if (store.startsWith("sqlite:")) {
    findings.push({
      where: "STORE_URL",
      what: "is a file, which serves one process alone",
      fix: "use redis://HOST:PORT before there is a second replica",
      advice: true,
    });
  }
  const redis = store.startsWith("redis:") ? URL.parse(store) : undefined;
  if (redis && !isLoopback(redis.hostname)) {
    findings.push({
      where: "STORE_URL",
      what: "is redis:, which sends the password of Redis in clear",
      fix: "use rediss://HOST:PORT",
      ...(redis.password === "" && { advice: true as const }),
    });
  }
  if (hasToolScopes && roleScopes.length === 0) {
    findings.push({
      where: "OAUTH_ROLE_SCOPES",
      what: "is not set, so that everybody can grant the scopes of tools",
      fix: "set it to the roles that may, as in admin=kafka:write",
    });
  }
  if (registration.includes("dynamic")) {
    findings.push({
      where: "OAUTH_REGISTRATION",
      what: "lets every client register that asks",
      fix: "set it to documents, where your clients publish them",
      advice: true,
    });
  }
  return findings;
}

function ofGrafana({ url, auth, audience }: GrafanaConfig): Finding[] {
  const findings: Finding[] = [];
  if (auth === "forward" && !audience) {
    findings.push({
      where: "GRAFANA_AUDIENCE",
      what: "is not set, so that tokens go to Grafana that were never meant for it",
      fix: "set it to what Grafana is called in tokens, or set GRAFANA_AUTH=exchange",
    });
  }
  if (auth === "service-account") {
    findings.push({
      where: "GRAFANA_AUTH",
      what: "is service-account, so that everybody has the same rights at Grafana",
      fix: "choose exchange, upstream or assertion",
    });
  }
  if (url.protocol !== "https:" && !isLoopback(url.hostname)) {
    findings.push({
      where: "GRAFANA_URL",
      what: "is http:, so that credentials of callers cross the network in clear",
      fix: "use https, unless the network between them encrypts",
      advice: true,
    });
  }
  return findings;
}

function ofKafka(
  { brokers, login, exchange, tls, topics }: KafkaConfig,
  oauth: OAuthConfig | undefined,
  readOnly: boolean,
): Finding[] {
  const findings: Finding[] = [];
  const isRemote = brokers.some((broker) =>
    !isLoopback(broker.replace(/:\d+$/, "").replace(/^\[|\]$/g, ""))
  );
  if (!tls && isRemote) {
    const isScram = login?.mechanism.startsWith("scram") ?? false;
    findings.push({
      where: "KAFKA_TLS_ENABLE",
      what: "is off, so that records and logins cross the network in clear",
      fix: "set it to true",
      ...((!login && !exchange || isScram) && { advice: true as const }),
    });
  }
  if (login && isPoor(login.password)) {
    findings.push(poor("KAFKA_SASL_PASSWORD", "give the user a long random one"));
  }
  const isGuarded = oauth && toolScopes(oauth.toolScopes)("produce_message").length > 0;
  if (!exchange && !readOnly && !isGuarded) {
    findings.push({
      where: "OAUTH_TOOL_SCOPES",
      what: "does not name produce_message, so that everybody who may call may write to Kafka",
      fix: "add produce_message=kafka:write, or set MCP_READ_ONLY=true",
    });
  }
  if (!exchange && topics.allow.includes("*") && topics.deny.length === 0) {
    findings.push({
      where: "KAFKA_TOPICS_ALLOW",
      what: "is not set, so that everybody reads every topic that this server may read",
      fix: "name the topics that callers may use",
      advice: true,
    });
  }
  return findings;
}

function ofWatching({ log, audit, metrics }: Config): Finding[] {
  const findings: Finding[] = [];
  if (log.level === "debug") {
    findings.push({
      where: "LOG_LEVEL",
      what: "is debug, which tells more than an operator needs",
      fix: "set it to info",
      advice: true,
    });
  }
  if (audit.kind === "off") {
    findings.push({
      where: "MCP_AUDIT",
      what: "is off, so that nothing proves afterwards who did what",
      fix: "set MCP_AUDIT=file:data/audit.jsonl",
      advice: true,
    });
  }
  if (metrics && !isLoopback(metrics.host)) {
    findings.push({
      where: "MCP_METRICS_LISTEN",
      what: "answers other machines, and asks nobody who they are",
      fix: "see that only your Prometheus reaches it",
      advice: true,
    });
  }
  return findings;
}

function isPoor(secret: string): boolean {
  return secret.length < SHORTEST_PASSWORD || isGuessable(secret);
}

// What it was never appears in the complaint.
function poor(where: string, fix: string): Finding {
  return { where, what: "is short or easy to guess", fix };
}
