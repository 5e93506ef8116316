/**
 * The part of the configuration that says which Grafana there is, and as whom to act there.
 *
 * @module
 */

import { exchangeMisfits } from "./exchange.ts";
import type { OAuthConfig, Read } from "./oauth.ts";
import { NEW_SECRET } from "./secret.ts";
import type { Problem } from "./sources.ts";
import { readTlsFiles, type TlsFiles } from "./tls.ts";
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
  /** As people reach it, for links; the same when absent. */
  readonly publicUrl?: URL;
  readonly auth: GrafanaAuth;
  /** The server's own token, for `service-account`. */
  readonly token?: string;
  /** What Grafana is called in tokens that are for it. */
  readonly audience?: string;
  /** Lower-case. */
  readonly tokenHeader: string;
  readonly orgId?: string;
  /** Claim that names a caller's organization; {@linkcode GrafanaConfig.orgId} only without it. */
  readonly orgClaim?: string;
  /** In seconds. */
  readonly timeout: number;
  readonly tls: TlsFiles;
}

const HOW_CALLERS_COME = "set MCP_TRANSPORT=http and OAUTH_ENABLED=on";

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
  const url = plain(read("grafanaUrl", values.serviceUrl, undefined));
  if (!url) return undefined;
  const publicUrl = plain(read("grafanaPublicUrl", values.serviceUrl, undefined));
  const auth = read("grafanaAuth", values.choice(...GRAFANA_AUTH), defaultAuth(oauth));
  const token = read("grafanaToken", credential, undefined);
  const audience = read("grafanaAudience", values.words, undefined);
  const orgId = read("grafanaOrgId", values.digits, undefined);
  const orgClaim = read("grafanaOrgClaim", values.claim, undefined);
  const tls = readTlsFiles(read, ["grafanaCaFile", "grafanaCertFile", "grafanaKeyFile"], problems);
  problems.push(...misfits(auth, { token, audience }, oauth));
  if (orgClaim && oauth?.proxy) {
    problems.push({
      where: "GRAFANA_ORG_CLAIM",
      what: "is set, and in proxy mode callers have tokens of this server, which lack it",
      fix: "unset it and set GRAFANA_ORG_ID, or set OAUTH_MODE=native",
    });
  }
  return {
    url,
    ...(publicUrl && { publicUrl }),
    auth,
    ...(token && { token }),
    ...(audience && { audience }),
    tokenHeader: read("grafanaTokenHeader", values.headerName, "authorization"),
    ...(orgId && { orgId }),
    ...(orgClaim && { orgClaim }),
    timeout: read("grafanaTimeout", values.duration(1, 300, "1s to 5m"), 30),
    tls,
  };
}

/** Without the "?" or "#" that may stand at the end with nothing behind it. */
function plain(url: URL | undefined): URL | undefined {
  return url && new URL(url.origin + url.pathname);
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
      fix: oauth ? "set it, or choose another GRAFANA_AUTH" : `set it, or ${HOW_CALLERS_COME}`,
    }];
  }
  if (!oauth) {
    return [{
      where,
      what: `is ${auth}, which needs callers who log in, as they do over HTTP with OAuth alone`,
      fix: `${HOW_CALLERS_COME}; or set GRAFANA_AUTH=service-account`,
    }];
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
      fix: NEW_SECRET,
    }];
  }
  if (auth === "exchange") {
    return exchangeMisfits({ service: "Grafana", audience, where: "GRAFANA_AUDIENCE" }, oauth);
  }
  return [];
}
