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
    value: "COUNT",
    fallback: "0",
    help: "How many proxies stand in front and add to X-Forwarded-For",
  },
  sessions: {
    flag: "sessions",
    env: ["MCP_SESSIONS"],
    fallback: "off",
    help: "Give clients of the 2025 revisions sessions, held in this process",
  },
  readOnly: {
    flag: "read-only",
    env: ["MCP_READ_ONLY"],
    fallback: "off",
    help: "Leave out every tool that writes",
  },
} as const satisfies Record<string, Setting>;
