/**
 * The part of the configuration that says which Grafana there is, and as whom to act there.
 *
 * @module
 */

import type { OAuthConfig, Read } from "./oauth.ts";
import type { Problem } from "./sources.ts";
import * as values from "./values.ts";

/** What Grafana receives as the caller's credential. */
export const GRAFANA_AUTH = [
  "forward",
  "exchange",
  "upstream",
  "assertion",
  "service-account",
] as const;

/** One of {@linkcode GRAFANA_AUTH}. */
export type GrafanaAuth = (typeof GRAFANA_AUTH)[number];

/** Which Grafana, and as whom. */
export interface GrafanaConfig {
  readonly url: URL;
  readonly auth: GrafanaAuth;
  /** The server's own token, for `service-account`. */
  readonly token?: string;
  /** What Grafana is called in tokens that are for it. */
  readonly audience?: string;
  /** Lower-case. */
  readonly tokenHeader: string;
  readonly orgId?: string;
  /** Claim that names the organization of a caller, over {@linkcode GrafanaConfig.orgId}. */
  readonly orgClaim?: string;
  /** In seconds. */
  readonly timeout: number;
  /** Files in PEM. */
  readonly tls: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string };
}

// What it was never appears in the complaint.
const credential: values.Reader<string> = (text) =>
  /^[\x21-\x7e]+$/.test(text) ? { value: text } : {
    what: "has a space, a line break or a letter that no header takes",
    fix: "copy the token again, without anything around it",
  };

/**
 * Reads the Grafana part.
 *
 * @param problems Gets what does not fit together.
 * @returns `undefined` without a URL.
 */
export function readGrafana(
  read: Read,
  oauth: OAuthConfig | undefined,
  problems: Problem[],
): GrafanaConfig | undefined {
  const given = read("grafanaUrl", values.serviceUrl, undefined);
  if (!given) return undefined;
  // Without the "?" or "#" that may stand at its end with nothing behind it.
  const url = new URL(given.origin + given.pathname);
  const auth = read("grafanaAuth", values.choice(...GRAFANA_AUTH), defaultAuth(oauth));
  const token = read("grafanaToken", credential, undefined);
  const audience = read("grafanaAudience", values.words, undefined);
  const orgId = read("grafanaOrgId", values.digits, undefined);
  const orgClaim = read("grafanaOrgClaim", values.claim, undefined);
  const caFile = read("grafanaCaFile", values.words, undefined);
  const certFile = read("grafanaCertFile", values.words, undefined);
  const keyFile = read("grafanaKeyFile", values.words, undefined);
  problems.push(...misfits(auth, { token, audience }, oauth));
  if ((certFile === undefined) !== (keyFile === undefined)) {
    problems.push({
      where: certFile ? "GRAFANA_TLS_KEY_FILE" : "GRAFANA_TLS_CERT_FILE",
      what: "is not set, although the other half of the client certificate is",
      fix: "set both or neither",
    });
  }
  return {
    url,
    auth,
    ...(token && { token }),
    ...(audience && { audience }),
    tokenHeader: read("grafanaTokenHeader", values.headerName, "authorization"),
    ...(orgId && { orgId }),
    ...(orgClaim && { orgClaim }),
    timeout: read("grafanaTimeout", values.duration(1, 300, "1s to 5m"), 30),
    tls: {
      ...(caFile && { caFile }),
      ...(certFile && keyFile && { certFile, keyFile }),
    },
  };
}

function defaultAuth(oauth: OAuthConfig | undefined): GrafanaAuth {
  if (!oauth) return "service-account";
  if (!oauth.proxy) return "forward";
  return oauth.provider.kind === "hmac" ? "assertion" : "upstream";
}

function misfits(
  auth: GrafanaAuth,
  { token, audience }: { token?: string | undefined; audience?: string | undefined },
  oauth: OAuthConfig | undefined,
): Problem[] {
  const where = "GRAFANA_AUTH";
  if (auth === "service-account") {
    return token ? [] : [{
      where: "GRAFANA_SERVICE_ACCOUNT_TOKEN",
      what: "is not set, and Grafana is to be used with it",
      fix: oauth ? "set it, or choose another GRAFANA_AUTH" : "set it, or set OAUTH_ENABLED=on",
    }];
  }
  if (!oauth) {
    return [{ where, what: `is ${auth}, which needs callers`, fix: "set OAUTH_ENABLED=on" }];
  }
  if (auth === "forward" && oauth.proxy) {
    return [{
      where,
      what: "is forward, and in proxy mode callers have tokens for this server alone",
      fix: "choose upstream, exchange or assertion",
    }];
  }
  if (auth === "upstream" && !(oauth.proxy && oauth.proxy.client)) {
    return [{
      where,
      what: "is upstream, and this server logs nobody in at an identity provider",
      fix: "set OAUTH_MODE=proxy with an identity provider, or choose another GRAFANA_AUTH",
    }];
  }
  if (auth === "assertion" && !oauth.keeping) {
    return [{
      where: "JWT_SECRET",
      what: "is not set, and statements about callers are signed with keys that it seals",
      fix: values.NEW_SECRET,
    }];
  }
  if (auth === "exchange") return exchangeMisfits(audience, oauth);
  return [];
}

function exchangeMisfits(audience: string | undefined, oauth: OAuthConfig): Problem[] {
  const problems: Problem[] = [];
  const { provider, proxy } = oauth;
  const client = proxy?.client ?? (provider.kind === "hmac" ? undefined : provider.client);
  if (provider.kind === "hmac" || !client?.secret) {
    problems.push({
      where: "OIDC_CLIENT_ID",
      what: "is not set together with OIDC_CLIENT_SECRET, and tokens are exchanged as that client",
      fix: "register this server at the identity provider and set both",
    });
  }
  if (!audience) {
    problems.push({
      where: "GRAFANA_AUDIENCE",
      what: "is not set, and tokens are to be exchanged for some that name it",
      fix: "set it to what Grafana is called at the identity provider, as its client id",
    });
  }
  return problems;
}
