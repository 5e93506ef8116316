/**
 * Development: HTTP on this machine with OAuth on, a login without passwords, tokens ready to use,
 * and lines to paste.
 *
 * @module
 */

import { isIPv6 } from "node:net";
import { type Config, type Defaults, resourceOf } from "../config.ts";
import type { GrafanaConfig } from "../config/grafana.ts";
import type { HmacOAuth, OAuthConfig } from "../config/oauth.ts";
import type { Problem } from "../config/sources.ts";
import { metadataUrlOf } from "../discovery.ts";
import { INSPECTOR } from "../front/clients.ts";
import { MODERN_REVISION } from "../mcp/server.ts";
import { mint } from "../mint.ts";
import type { Person } from "../proxy/grants.ts";
import { PEOPLE } from "../proxy/people.ts";
import { VERSION } from "../version.ts";
import type { ExitCode, Host, Listener } from "./host.ts";
import { serve } from "./serve.ts";
import { standIn } from "./standin.ts";

/** Lifetime of the printed tokens, in seconds. */
const TTL_SECONDS = 12 * 3600;

/** Defaults of the command: everything an empty environment lacks, with a fresh secret. */
export function devDefaults(host: Host): Defaults {
  return {
    transport: "http",
    oauthEnabled: "on",
    oauthMode: "proxy",
    oauthProvider: "hmac",
    secret: host.random(32).toHex(),
  };
}

/** What stands in the way of the command, given what flags and environment made of its defaults. */
export function devProblems({ transport, http, oauth }: Config): Problem[] {
  const fix = "unset it for dev, or use serve";
  const problems: Problem[] = [];
  if (transport !== "http") problems.push({ where: "MCP_TRANSPORT", what: "is not http", fix });
  if (!http.loopback) {
    problems.push({ where: "MCP_HTTP_HOST", what: "reaches beyond this machine", fix });
  }
  if (http.tls) {
    problems.push({ where: "MCP_TLS_CERT_FILE", what: "is set: dev speaks plain HTTP", fix });
  }
  if (!oauth) problems.push({ where: "OAUTH_ENABLED", what: "is off", fix });
  return problems;
}

/** Serves and prints what a developer needs. Without a Grafana it brings a stand-in. */
export async function dev(config: Config & { oauth: HmacOAuth }, host: Host): Promise<ExitCode> {
  const beside = config.grafana ? undefined : besides(config, host);
  const tell = async () => {
    const tokens = await Promise.all(PEOPLE.map((person) => tokenFor(person, config.oauth, host)));
    host.stdout(banner(config, tokens, beside?.grafana.url));
  };
  const ended = await serve(beside ? { ...config, grafana: beside.grafana } : config, host, tell);
  await beside?.listener.shutdown();
  return ended;
}

function tokenFor(person: Person, oauth: HmacOAuth, host: Host): Promise<string> {
  const scopes = scopesFor(oauth, person.roles);
  const grant = { ...person, ...oauth, scopes, ttl: TTL_SECONDS };
  return mint(grant, oauth.provider.secret, host.random(16).toHex(), host.now());
}

/** A stand-in for Grafana that runs beside the server, and how to act there. */
function besides({ http }: Config, host: Host): { grafana: GrafanaConfig; listener: Listener } {
  const audience = "grafana-stand-in";
  const listener = host.listen(
    { hostname: "127.0.0.1", port: 0 },
    standIn({
      issuer: http.publicUrl.origin,
      audience,
      // Where the server listens: its public URL may be that of a proxy.
      jwksUri: `http://${
        isIPv6(http.host) ? `[${http.host}]` : http.host
      }:${http.port}/.well-known/jwks.json`,
    }, host),
  );
  const grafana: GrafanaConfig = {
    url: new URL(`http://127.0.0.1:${listener.port}`),
    auth: "assertion",
    audience,
    tokenHeader: "authorization",
    timeout: 10,
    tls: {},
  };
  return { grafana, listener };
}

// Everyone may call the server; the tools that need more are the admin's.
function scopesFor(
  { scopesRequired, toolScopes }: OAuthConfig,
  roles: readonly string[],
): string[] {
  const more = roles.includes("admin") ? toolScopes.map(({ scope }) => scope) : [];
  return [...new Set([...scopesRequired, ...more])];
}

function banner(
  { http, oauth }: Config,
  tokens: readonly string[],
  standIn: URL | undefined,
): string {
  const url = resourceOf(http);
  const [alice, bob, carol] = tokens;
  const who = PEOPLE.map(({ subject, roles }, index) =>
    `  ${`${subject} (${roles})`.padEnd(16)}${tokens[index]}`
  );
  // Clients that can log in need no token.
  const header = oauth?.proxy ? "" : ` --header "Authorization: Bearer ${alice}"`;
  return `
Gatehouse ${VERSION}, for development: OAuth is on and ${
    oauth?.proxy ? "people log in here, without passwords" : "tokens are signed here"
  }.

  MCP endpoint    ${url}
  For people      ${new URL("/", url)}
  Metadata        ${metadataUrlOf(url)}
  Health          ${new URL("/healthz", url)}  ${new URL("/readyz", url)}

${
    standIn
      ? `There is no GRAFANA_URL, so a stand-in for Grafana runs at ${standIn.origin}: alice and bob\nmay write there, carol may not.\n\n`
      : ""
  }Tokens for 12 hours. Treat them like passwords.

${who.join("\n")}

List the tools, as alice:

${curl(url, alice!, "tools/list")}

Ask who you are, as bob:

${curl(url, bob!, "tools/call", "whoami")}
${
    standIn
      ? `
Create a folder in the stand-in as carol, which it refuses; take alice's token, and it works:

${curl(url, carol!, "tools/call", "create_folder", { title: "Mine" })}
`
      : ""
  }
Claude Code${oauth?.proxy ? ", which then logs in by /mcp in your browser" : ""}:

claude mcp add --transport http gatehouse ${url}${header}

MCP Inspector:

npx -y ${INSPECTOR} --cli ${url} --header "Authorization: Bearer ${alice}" --method tools/list

Press Ctrl+C to stop.

`;
}

function curl(
  url: URL,
  token: string,
  method: string,
  tool?: string,
  args: Readonly<Record<string, unknown>> = {},
): string {
  const message = {
    jsonrpc: "2.0",
    id: 1,
    method,
    params: {
      ...(tool && { name: tool, arguments: args }),
      _meta: {
        "io.modelcontextprotocol/protocolVersion": MODERN_REVISION,
        "io.modelcontextprotocol/clientCapabilities": {},
      },
    },
  };
  const headers = [
    `Authorization: Bearer ${token}`,
    "Content-Type: application/json",
    "Accept: application/json, text/event-stream",
    `MCP-Protocol-Version: ${MODERN_REVISION}`,
    `Mcp-Method: ${method}`,
    ...(tool ? [`Mcp-Name: ${tool}`] : []),
  ].map((header) => `-H "${header}"`);
  return `curl -s ${url} ${headers.join(" ")} -d '${JSON.stringify(message)}'`;
}
