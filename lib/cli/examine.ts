/**
 * Examining an issuer as a client of it would: discovery, keys, clock, and what clients need. In
 * proxy mode this server is the client, and has a store besides.
 *
 * @module
 */

import type { OAuthConfig } from "../config/oauth.ts";
import type { ProxyConfig } from "../config/proxy.ts";
import type { Problem } from "../config/sources.ts";
import { SKEW_SECONDS } from "../jwt.ts";
import { type Outbound, outbound } from "../outbound.ts";
import { documentIssuer } from "../provider/azure.ts";
import { discover, fetchKeys, type IssuerDocument, IssuerMismatch } from "../provider/discover.ts";
import type { Store } from "../store.ts";
import { storeOf } from "../stores.ts";
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
  return [
    ...oauth.proxy ? judgeLogin(oauth.proxy, document) : await judgeKeys(document, fetch),
    ...judgeClock(dates, host.now()),
    ...judgePkce(document, oauth.proxy !== undefined),
    ...judgeAsking(oauth, document),
  ];
}

/** Opens the store as the server would, and tells whether it can be used. */
export async function examineStore(
  { store: url, client }: ProxyConfig,
  host: Pick<Host, "now">,
): Promise<Finding[]> {
  let store: Store;
  try {
    store = await storeOf(url, { now: host.now, log: () => {} });
  } catch (error) {
    // Of the others only the URL can be wrong, and what is said of it could have a password in it.
    const reason = url.startsWith("sqlite:") ? reasonOf(error) : "it is no URL of a Redis database";
    return [unusableStore(`cannot be used: ${reason}`)];
  }
  const isReady = await store.ready();
  await store.close();
  if (!isReady) return [unusableStore("does not answer, or does not let this server in")];
  return url === "memory:" && client ? [FORGETFUL] : [];
}

function unusableStore(what: string): Finding {
  const fix =
    "see that it runs, that this server may reach and use it, and that user and password are right";
  return { where: "STORE_URL", what, fix };
}

const FORGETFUL: Finding = {
  where: "STORE_URL",
  what: "is memory:, so that everybody has to log in again after a restart",
  fix: "use sqlite:PATH, or redis://HOST:PORT for several replicas",
  advice: true,
};

async function judgeKeys(document: IssuerDocument, fetch: Outbound): Promise<Finding[]> {
  return await fetchKeys(document, fetch).then(() => [], (error) => [{
    where: `${document.jwks_uri}`,
    what: `gives no keys: ${reasonOf(error)}`,
    fix: "let this server reach it, and see that the issuer publishes its signing keys there",
  }]);
}

// What this server needs as a client. Keys are not: an ID token comes straight from the issuer.
function judgeLogin({ client }: ProxyConfig, document: IssuerDocument): Finding[] {
  const lacking = ["authorization_endpoint", "token_endpoint"].filter((name) => !document[name]);
  return [
    ...lacking.map((name) => ({
      where: "OIDC_ISSUER",
      what: `names an issuer without ${name.replace("_", " ")}, at which nobody can log in`,
      fix: "set it to an issuer that logs people in by authorization code",
    })),
    ...judgeSecret(client?.secret, document),
  ];
}

function judgeSecret(secret: string | undefined, document: IssuerDocument): Finding[] {
  // RFC 8414 section 2.
  const offered = document.token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
  const isOffered = (...methods: string[]) => methods.some((method) => offered.includes(method));
  if (secret === undefined && !isOffered("none")) {
    return [{
      where: "OIDC_CLIENT_SECRET",
      what: "is not set, and the issuer does not advertise clients without a secret",
      fix: "set it, unless the client is registered there as a public one",
      advice: true,
    }];
  }
  if (secret !== undefined && !isOffered("client_secret_basic", "client_secret_post")) {
    return [{
      where: "OIDC_CLIENT_SECRET",
      what: `is set, and the issuer takes no secrets but ${offered.join(", ")}`,
      fix: "have the issuer accept client_secret_basic or client_secret_post from this client",
    }];
  }
  return [];
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

function judgePkce(document: IssuerDocument, isOurs: boolean): Finding[] {
  if (document.code_challenge_methods_supported?.includes("S256")) return [];
  const where = "The issuer's metadata";
  return isOurs
    ? [{
      where,
      what: "does not advertise PKCE with S256, by which this server protects logins there",
      fix: "turn it on at the issuer; one that does not know it ignores it, and logins still work",
      advice: true,
    }]
    : [{
      where,
      what: "does not advertise PKCE with S256, without which MCP clients do not log in there",
      fix: "turn it on at the issuer; tokens that clients have already are not affected",
      advice: true,
    }];
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
