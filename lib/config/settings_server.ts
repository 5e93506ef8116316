/**
 * Settings: where and what is served.
 *
 * @module
 */

import type { Setting } from "./setting.ts";

/** Where and what is served. */
export const SERVER = {
  transport: {
    flag: "transport",
    env: ["MCP_TRANSPORT"],
    value: "stdio|http",
    fallback: "stdio",
    help: "How clients reach the server",
  },
  host: {
    flag: "host",
    env: ["MCP_HTTP_HOST"],
    value: "ADDRESS",
    fallback: "127.0.0.1",
    help: "Address to listen on",
  },
  port: {
    flag: "port",
    env: ["MCP_HTTP_PORT"],
    value: "PORT",
    fallback: "8080",
    help: "Port to listen on",
  },
  tlsCert: {
    flag: "tls-cert",
    env: ["MCP_TLS_CERT_FILE"],
    value: "PATH",
    fallback: "none: plain HTTP",
    help:
      "Certificate to serve HTTPS with, and those that vouch for it, in PEM; read anew on change",
  },
  tlsKey: {
    flag: "tls-key",
    env: ["MCP_TLS_KEY_FILE"],
    value: "PATH",
    fallback: "none: plain HTTP",
    help: "Key of that certificate, in PEM",
  },
  insecure: {
    flag: "insecure",
    env: ["MCP_INSECURE"],
    fallback: "off",
    help: "Allow an address beyond this machine without OAuth",
  },
  allowedOrigins: {
    flag: "allowed-origins",
    env: ["MCP_ALLOWED_ORIGINS"],
    value: "ORIGIN,...",
    fallback: "none",
    help: "Web origins whose pages may call the server, besides its own",
  },
  trustedProxies: {
    flag: "trusted-proxies",
    env: ["MCP_TRUSTED_PROXIES"],
    value: "ADDRESS,...",
    fallback: "none",
    help: "Addresses and CIDR blocks of the proxies in front, whose X-Forwarded-For is believed",
  },
  sessions: {
    flag: "sessions",
    env: ["MCP_SESSIONS"],
    fallback: "off",
    help: "Give clients of the 2025 revisions sessions, held in this process",
  },
  metricsListen: {
    flag: "metrics-listen",
    env: ["MCP_METRICS_LISTEN"],
    value: "HOST:PORT",
    fallback: "off",
    help: "Address that serves metrics for Prometheus, without a login",
  },
  audit: {
    flag: "audit",
    env: ["MCP_AUDIT"],
    value: "stderr|file:PATH|off",
    fallback: "off",
    help: "Where the audit log goes, each line chained to the one before by its hash",
  },
  readOnly: {
    flag: "read-only",
    env: ["MCP_READ_ONLY"],
    fallback: "off",
    help: "Leave out every tool that writes",
  },
} as const satisfies Record<string, Setting>;
