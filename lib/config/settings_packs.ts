/**
 * Settings: the services behind the tools.
 *
 * @module
 */

import type { Setting } from "./setting.ts";

/** The services behind the tools. */
export const PACKS = {
  grafanaUrl: {
    flag: "grafana-url",
    env: ["GRAFANA_URL"],
    value: "URL",
    fallback: "none: no Grafana tools",
    help: "Grafana to act at",
  },
  grafanaPublicUrl: {
    flag: "grafana-public-url",
    env: ["GRAFANA_PUBLIC_URL"],
    value: "URL",
    fallback: "GRAFANA_URL",
    help: "Grafana as people reach it, for links",
  },
  grafanaAuth: {
    flag: "grafana-auth",
    env: ["GRAFANA_AUTH"],
    value: "forward|exchange|upstream|assertion|service-account",
    fallback: "forward; proxy: upstream; without OAuth: service-account",
    help: "What Grafana receives as the caller's credential",
  },
  grafanaToken: {
    flag: "grafana-token",
    env: ["GRAFANA_SERVICE_ACCOUNT_TOKEN", "GRAFANA_API_KEY"],
    value: "TOKEN",
    secret: true,
    fallback: "none",
    help: "This server's own token at Grafana, for service-account",
  },
  grafanaAudience: {
    flag: "grafana-audience",
    env: ["GRAFANA_AUDIENCE"],
    value: "AUDIENCE",
    fallback: "none; for assertion the URL of Grafana",
    help: "What Grafana is called in tokens for it; forward then demands it",
  },
  grafanaTokenHeader: {
    flag: "grafana-token-header",
    env: ["GRAFANA_TOKEN_HEADER"],
    value: "NAME",
    fallback: "Authorization",
    help: "Header that the credential goes into, such as X-JWT-Assertion",
  },
  grafanaOrgId: {
    flag: "grafana-org-id",
    env: ["GRAFANA_ORG_ID"],
    value: "ID",
    fallback: "Grafana's choice",
    help: "Organization in which to act",
  },
  grafanaOrgClaim: {
    flag: "grafana-org-claim",
    env: ["GRAFANA_ORG_CLAIM"],
    value: "CLAIM",
    fallback: "none",
    help:
      "native: claim with the number of a caller's organization; without it GRAFANA_ORG_ID, else refusal",
  },
  grafanaTimeout: {
    flag: "grafana-timeout",
    env: ["GRAFANA_TIMEOUT"],
    value: "DURATION",
    fallback: "30s",
    help: "How long Grafana may take for one answer",
  },
  grafanaCaFile: {
    flag: "grafana-tls-ca-file",
    env: ["GRAFANA_TLS_CA_FILE"],
    value: "PATH",
    fallback: "the system's",
    help: "Certificates in PEM that vouch for Grafana",
  },
  grafanaCertFile: {
    flag: "grafana-tls-cert-file",
    env: ["GRAFANA_TLS_CERT_FILE"],
    value: "PATH",
    fallback: "none",
    help: "Certificate in PEM to show to Grafana",
  },
  grafanaKeyFile: {
    flag: "grafana-tls-key-file",
    env: ["GRAFANA_TLS_KEY_FILE"],
    value: "PATH",
    fallback: "none",
    help: "Its key in PEM",
  },
} as const satisfies Record<string, Setting>;
