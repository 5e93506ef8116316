/**
 * Checking a configuration without serving it: what is in force, and whether tokens would pass.
 *
 * @module
 */

import { type Config, resourceOf } from "../config.ts";
import { type HmacOAuth, isHmac, type ProviderConfig } from "../config/oauth.ts";
import { metadataUrlOf } from "../discovery.ts";
import { mint } from "../mint.ts";
import { providerOf } from "../providers.ts";
import { portsOf } from "./serve.ts";
import { examine, type Finding } from "./examine.ts";
import { EXIT, type ExitCode, type Host, tellProblems } from "./host.ts";

/** Prints the configuration in force, secrets hidden, and what the checks found. */
export async function check(config: Config, json: boolean, host: Host): Promise<ExitCode> {
  const { oauth } = config;
  const findings = !oauth
    ? []
    : isHmac(oauth)
    ? await checkMinting(oauth, config, host)
    : await examine(oauth, host);
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

function describe({ transport, http, oauth, log }: Config): Record<string, string> {
  const words = (list: readonly string[], none = "none") => list.join(", ") || none;
  return {
    transport,
    ...(transport === "http" && {
      listen: `${http.host}:${http.port}`,
      endpoint: resourceOf(http).href,
      "web origins": words(http.allowedOrigins),
      sessions: http.sessions ? "on" : "off",
    }),
    ...(!oauth && { oauth: "off" }),
    ...(oauth && {
      oauth: `native, ${oauth.provider.kind}`,
      metadata: metadataUrlOf(resourceOf(http)),
      issuer: oauth.issuer,
      audiences: words(oauth.audiences),
      "required scopes": words(oauth.scopesRequired),
      "tool scopes": words(oauth.toolScopes.map(({ glob, scope }) => `${glob}=${scope}`)),
      "scope hierarchy": words(oauth.scopeHierarchy.map((chain) => chain.join(">"))),
      username: `${oauth.usernameClaims.join(", then ")}, then sub`,
      roles: oauth.rolesClaims.join(" and "),
      allowed: words(oauth.allow.map(({ kind, name }) => `${kind}:${name}`), "everyone"),
      ...describeProvider(oauth.provider),
    }),
    log: `${log.level}, ${log.format}`,
  };
}

function describeProvider(provider: ProviderConfig): Record<string, string> {
  if (provider.kind === "hmac") return { secret: `hidden, ${provider.secret.length} bytes` };
  const { client, tenants, hostedDomain } = provider;
  return {
    "opaque tokens": client ? `asked about as ${client.id}, secret hidden` : "refused",
    ...(tenants.length > 0 && { tenants: tenants.join(", ") }),
    ...(hostedDomain && { "hosted domain": hostedDomain }),
  };
}
