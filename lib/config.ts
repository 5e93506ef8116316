/**
 * From flags and environment to a configuration, or to every problem at once.
 *
 * Pure but for reading the files that `NAME_FILE` variables name. It checks what can be known
 * without the network; `gatehouse check` does the rest.
 *
 * @module
 */

import { type Level, LEVELS } from "./ports.ts";
import { isLoopback } from "./origin.ts";
import { type GrafanaConfig, readGrafana } from "./config/grafana.ts";
import { type KafkaConfig, readKafka } from "./config/kafka.ts";
import { isProvider, type OAuthConfig, type Read, readOAuth } from "./config/oauth.ts";
import { NEW_SECRET } from "./config/secret.ts";
import { type SettingName, SETTINGS } from "./config/settings.ts";
import {
  collect,
  type Given,
  type Problem,
  type Settings,
  type Sources,
} from "./config/sources.ts";
import { type AuditTarget, auditTarget } from "./config/audit.ts";
import { judgeKeyPair } from "./config/certificate.ts";
import { type KeyPairFiles, readKeyPair } from "./config/tls.ts";
import { trustedProxies } from "./config/trusted.ts";
import * as values from "./config/values.ts";

/** How to run. */
export interface Config {
  readonly transport: "stdio" | "http";
  readonly http: HttpConfig;
  /** Absent without OAuth. */
  readonly oauth?: OAuthConfig;
  /** Absent without a URL of Grafana. */
  readonly grafana?: GrafanaConfig;
  /** Absent without brokers of Kafka. */
  readonly kafka?: KafkaConfig;
  /** Where metrics are served. Absent when they are off. */
  readonly metrics?: { readonly host: string; readonly port: number };
  /** Where the audit log goes. */
  readonly audit: AuditTarget;
  /** Whether tools that write are left out. */
  readonly readOnly: boolean;
  readonly log: { readonly level: Level; readonly format: "text" | "json" | "auto" };
}

/** Where HTTP is served. */
export interface HttpConfig {
  readonly host: string;
  readonly port: number;
  /** Whether only this machine can reach the server. */
  readonly loopback: boolean;
  readonly publicUrl: URL;
  readonly allowedOrigins: readonly string[];
  readonly sessions: boolean;
  /** Addresses and CIDR blocks of the proxies in front, whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  /** What HTTPS is served with. Absent for plain HTTP. */
  readonly tls?: KeyPairFiles;
}

/** A configuration, or all that is wrong. */
export type Configured =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** URL of the MCP endpoint: the protected resource (RFC 9728). */
export function resourceOf({ publicUrl }: HttpConfig): URL {
  return new URL("/mcp", publicUrl);
}

/** Values of settings that nobody gave. */
export type Defaults = Readonly<Partial<Record<SettingName, string>>>;

/**
 * Reads the configuration.
 *
 * @param defaults A command's own defaults; they give way to flags and environment.
 */
export function configure(sources: Sources, defaults: Defaults = {}): Configured {
  const problems: Problem[] = [];
  const settings = collect(sources, problems);
  const given = (name: SettingName) => settings.get(name) ?? fromDefaults(defaults, name);
  const read: Read = (name, reader, fallback) => {
    const found = given(name);
    return found ? values.read(found, reader, problems) ?? fallback : fallback;
  };
  const demand: Read = (name, reader, fallback) => {
    if (!given(name)) problems.push(missing(name));
    return read(name, reader, fallback);
  };
  const transport = read("transport", values.choice("stdio", "http"), "stdio");
  const http = readHttp(read, sources, problems);
  const provider = settings.get("oauthProvider")?.text;
  // What a provider needs is asked for once it is known which.
  const isProviderRead = provider === undefined || isProvider(provider, sources.providers);
  const oauth = read("oauthEnabled", values.toggle, false)
    ? readOAuth(read, isProviderRead ? demand : read, selfOf(http), sources.providers)
    : undefined;
  const insecure = read("insecure", values.toggle, false);
  if (transport === "http") {
    if (!given("oauthEnabled")) problems.push(...halfConfigured(settings));
    problems.push(...exposure(http, oauth, insecure, settings));
    problems.push(...openLogin(http, oauth));
  }
  // Over stdio nobody logs in.
  const callers = transport === "http" ? oauth : undefined;
  const grafana = readGrafana(read, callers, problems);
  const kafka = readKafka(read, callers, problems);
  const metrics = read("metricsListen", values.listenAddress, undefined);
  const audit = read("audit", auditTarget, { kind: "off" } as const);
  const readOnly = read("readOnly", values.toggle, false);
  const log = {
    level: read("logLevel", values.choice(...LEVELS), "info"),
    format: read("logFormat", values.choice("text", "json"), "auto"),
  } as const;
  return problems.length > 0 ? { ok: false, problems } : {
    ok: true,
    config: {
      transport,
      http,
      ...(oauth && { oauth }),
      ...(grafana && { grafana }),
      ...(kafka && { kafka }),
      ...(metrics && { metrics }),
      audit,
      readOnly,
      log,
    },
  };
}

const FIXES: Readonly<Partial<Record<SettingName, string>>> = {
  secret: NEW_SECRET,
  issuer: "set it to the issuer's URL, as its tokens have it in iss",
  audience: "set it to the client id that clients log in with",
  clientId: "set it to the id that this server has at the issuer as a client",
  clientSecret: "set it to the secret of the client, or unset the client id",
  tenants: "list the ids of the tenants whose people may call",
};

function missing(name: SettingName): Problem {
  return { where: SETTINGS[name].env[0], what: "is not set", fix: FIXES[name] ?? "set it" };
}

function selfOf(http: HttpConfig) {
  return { origin: http.publicUrl.origin, resource: resourceOf(http).href };
}

function fromDefaults(defaults: Defaults, name: SettingName): Given | undefined {
  const text = defaults[name];
  return text === undefined ? undefined : { text, where: `the default of ${name}` };
}

function readHttp(read: Read, { readFile }: Sources, problems: Problem[]): HttpConfig {
  const host = read("host", values.hostname, "127.0.0.1");
  const port = read("port", values.port, 8080);
  const tls = readKeyPair(read, ["tlsCert", "tlsKey"], "certificate to serve with", problems);
  if (tls) problems.push(...brokenKeyPair(tls, readFile));
  const self = new URL(`${tls ? "https" : "http"}://localhost:${port}`);
  return {
    host,
    port,
    loopback: isLoopback(host),
    publicUrl: read("publicUrl", values.origin, self),
    allowedOrigins: read("allowedOrigins", values.webOrigins, []),
    sessions: read("sessions", values.toggle, false),
    trustedProxies: read("trustedProxies", trustedProxies, []),
    ...(tls && { tls }),
  };
}

function brokenKeyPair(files: KeyPairFiles, readFile: Sources["readFile"]): Problem[] {
  const verdict = judgeKeyPair(files, readFile);
  if (verdict.ok) return [];
  const where = SETTINGS[verdict.half === "cert" ? "tlsCert" : "tlsKey"].env[0];
  return [{ where, what: verdict.what, fix: "name files of one certificate and its key, in PEM" }];
}

const OAUTH_ONLY: readonly SettingName[] = [
  "oauthMode",
  "oauthProvider",
  "issuer",
  "audience",
  "secret",
];

// Whoever sets these wants OAuth; a switch that was forgotten or misspelt must not turn it off.
function halfConfigured(settings: Settings): Problem[] {
  const set = OAUTH_ONLY.map((name) => settings.get(name)).find(Boolean);
  if (!set) return [];
  return [{
    where: "OAUTH_ENABLED",
    what: `is not set, although ${set.where} is`,
    fix: "set it to on; or to off, to serve everyone",
  }];
}

// Whoever reaches the development login can be anybody.
function openLogin(
  { loopback, publicUrl, trustedProxies }: HttpConfig,
  oauth: OAuthConfig | undefined,
): Problem[] {
  if (!oauth?.proxy || oauth.provider.kind !== "hmac") return [];
  if (loopback && isLoopback(publicUrl.hostname) && trustedProxies.length === 0) return [];
  return [{
    where: "OAUTH_PROVIDER",
    what: "is hmac, whose login asks for no password, and others can reach this server",
    fix: "choose an identity provider, or serve on this machine only",
  }];
}

function exposure(
  { loopback, publicUrl }: HttpConfig,
  oauth: OAuthConfig | undefined,
  insecure: boolean,
  settings: Settings,
): Problem[] {
  const where = settings.get(loopback ? "publicUrl" : "host")?.where ?? "MCP_HTTP_HOST";
  if (oauth) {
    if (loopback || settings.has("publicUrl")) return [];
    return [{
      where: "OAUTH_SERVER_URL",
      what: `is not set, and ${where} makes the server reachable from elsewhere`,
      fix: "set it to the origin that clients use, such as https://mcp.example.com",
    }];
  }
  if (insecure || (loopback && isLoopback(publicUrl.hostname))) return [];
  return [{
    where,
    what: "makes the server reachable from elsewhere without OAuth",
    fix: "set OAUTH_ENABLED=on, or --insecure if everyone who can reach it may use it",
  }];
}
