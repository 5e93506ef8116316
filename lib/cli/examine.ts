/**
 * Examining an issuer as a client of it would: discovery, keys, clock, and what clients need.
 *
 * @module
 */

import type { OAuthConfig } from "../config/oauth.ts";
import type { Problem } from "../config/sources.ts";
import { SKEW_SECONDS } from "../jwt.ts";
import { type Outbound, outbound } from "../outbound.ts";
import { documentIssuer } from "../provider/azure.ts";
import { discover, fetchKeys, type IssuerDocument, IssuerMismatch } from "../provider/discover.ts";
import type { Host } from "./host.ts";

/** Something found. */
export interface Finding extends Problem {
  /** Whether it is only worth knowing, and nothing fails for it here. */
  readonly advice?: true;
}

/** Fetches what the server would fetch, once, and tells all that is wrong. */
export async function examine(oauth: OAuthConfig, host: Host): Promise<Finding[]> {
  const { provider, issuer } = oauth;
  const expected = provider.kind === "azure" ? documentIssuer(issuer) : issuer;
  const dates: string[] = [];
  const bare = outbound(host.fetch);
  const fetch: Outbound = async (url, init) => {
    const response = await bare(url, init);
    const date = response.headers.get("date");
    if (date) dates.push(date);
    return response;
  };
  let document: IssuerDocument;
  try {
    document = await discover(issuer, fetch, expected);
  } catch (error) {
    return [unusable(issuer, error), ...judgeClock(dates, host.now())];
  }
  const findings = await fetchKeys(document, fetch).then(() => [], (error) => [{
    where: `${document.jwks_uri}`,
    what: `gives no keys: ${reasonOf(error)}`,
    fix: "let this server reach it, and see that the issuer publishes its signing keys there",
  }]);
  return [
    ...findings,
    ...judgeClock(dates, host.now()),
    ...judgePkce(document),
    ...judgeAsking(oauth, document),
  ];
}

function judgeAsking({ provider }: OAuthConfig, document: IssuerDocument): Finding[] {
  if (provider.kind === "hmac" || provider.kind === "google" || !provider.client) return [];
  if (document.introspection_endpoint) return [];
  return [{
    where: "OIDC_CLIENT_ID",
    what: "is for asking about opaque tokens, and the issuer has no introspection endpoint",
    fix: "unset the client id; opaque tokens are refused either way",
    advice: true,
  }];
}

function unusable(issuer: string, error: unknown): Finding {
  if (error instanceof IssuerMismatch) {
    return {
      where: "OIDC_ISSUER",
      what: `is "${error.expected}", and the issuer calls itself "${error.actual}"`,
      fix: `set OIDC_ISSUER=${error.actual}`,
    };
  }
  return {
    where: "OIDC_ISSUER",
    what: `is "${issuer}", which cannot be used: ${reasonOf(error)}`,
    fix: "set it to the issuer's URL without /.well-known, and let this server reach it",
  };
}

function judgeClock(dates: readonly string[], now: number): Finding[] {
  const theirs = Date.parse(dates.at(-1) ?? "") / 1000;
  const ahead = Math.round(now - theirs);
  if (Number.isNaN(ahead) || Math.abs(ahead) <= SKEW_SECONDS) return [];
  return [{
    where: "The clock of this machine",
    what: `is ${Math.abs(ahead)} seconds ${ahead > 0 ? "ahead of" : "behind"} the issuer's`,
    fix: "synchronise both clocks; tokens are judged with a tolerance of 30 seconds",
  }];
}

function judgePkce(document: IssuerDocument): Finding[] {
  if (document.code_challenge_methods_supported?.includes("S256")) return [];
  return [{
    where: "The issuer's metadata",
    what: "does not advertise PKCE with S256, without which MCP clients do not log in there",
    fix: "turn it on at the issuer; tokens that clients have already are not affected",
    advice: true,
  }];
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
