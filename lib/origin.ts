/**
 * Which hosts and web origins may talk to this server (MCP transport, security warning on DNS
 * rebinding), and CORS for those that may.
 *
 * It does not authenticate anybody: a request without `Origin` comes from no web page and passes.
 *
 * @module
 */

import { type Gate, type Handler, rpcError } from "./http.ts";

/** Settings of {@linkcode origins}. */
export interface OriginOptions {
  /** Public URL of the server; its own host and origin are always welcome. */
  readonly publicUrl: URL;
  /** Name or address that the server listens on. */
  readonly listenHost: string;
  /** Whether the server listens on loopback only, and so answers to loopback names only. */
  readonly loopback: boolean;
  /** Further web origins, exact. */
  readonly allowed: readonly string[];
}

/** Gates over the host and the origin of a request, and the CORS answers for the MCP endpoint. */
export interface Origins {
  /** Refuses a malformed host: 400; and on loopback a request to another host: 403. */
  readonly host: Gate<true>;
  /** Refuses a request from another web origin: 403. Yields the origin, or `null` when none. */
  readonly origin: Gate<string | null>;
  /** Answers a CORS preflight of an admitted origin. */
  readonly preflight: Handler;
  /** Lets an admitted origin read `response`. */
  allow(response: Response, origin: string | null): Response;
}

const LOOPBACK_NAMES = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** JSON-RPC code for a request refused before its message was looked at. */
const INVALID_REQUEST = -32600;

/** Whether a host name or address as given for `--host` stands for this machine only. */
export function isLoopback(hostname: string): boolean {
  return LOOPBACK_NAMES.has(hostname) || hostname === "::1" ||
    /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

/** Prepares the rules. */
export function origins({ publicUrl, listenHost, loopback, allowed }: OriginOptions): Origins {
  const welcome = new Set([publicUrl.origin, ...allowed]);
  const names = new Set([...LOOPBACK_NAMES, listenHost]);
  const isHost = (host: string) =>
    host.toLowerCase() === publicUrl.host || names.has(hostnameOf(host));
  const isOrigin = (origin: string) =>
    welcome.has(origin) || (loopback && LOOPBACK_NAMES.has(originHostname(origin)));
  return {
    host: (request, trace) => {
      // HTTP/2 has no Host header; its authority is in the URL, as in a request for a whole URL,
      // where it wins over the header (RFC 9112 section 3.2.2). Both have to be welcome.
      const authority = authorityOf(request.url);
      const host = request.headers.get("host") ?? authority;
      // A host that reaches into the path would choose another route than the log and the paths
      // of a proxy in front say.
      if (!/^[\w.:[\]-]*$/.test(host) || !URL.canParse(request.url)) {
        return rpcError(400, INVALID_REQUEST, "The host is malformed");
      }
      if (!loopback || (isHost(host) && isHost(authority))) return true;
      trace.log("warn", "host refused", { host, authority });
      return rpcError(403, INVALID_REQUEST, "This host name is not served here");
    },
    origin: (request, trace) => {
      const origin = request.headers.get("origin");
      if (origin === null || isOrigin(origin)) return origin;
      trace.log("warn", "origin refused", { origin });
      return rpcError(403, INVALID_REQUEST, "This web origin may not call this server");
    },
    preflight: (request) => {
      const asked = request.headers.get("access-control-request-headers") ?? "";
      return new Response(null, {
        status: 204,
        headers: {
          "access-control-allow-methods": "GET, POST, DELETE",
          "access-control-allow-headers": [...REQUEST_HEADERS, ...parameterHeaders(asked)].join(
            ", ",
          ),
          "access-control-max-age": "7200",
        },
      });
    },
    allow: (response, origin) => {
      response.headers.append("vary", "origin");
      if (origin !== null) {
        response.headers.set("access-control-allow-origin", origin);
        response.headers.set("access-control-expose-headers", RESPONSE_HEADERS);
      }
      return response;
    },
  };
}

const REQUEST_HEADERS = [
  "authorization",
  "content-type",
  "accept",
  "last-event-id",
  "mcp-protocol-version",
  "mcp-session-id",
  "mcp-method",
  "mcp-name",
];

const RESPONSE_HEADERS = "www-authenticate, mcp-session-id, mcp-protocol-version, x-request-id";

// Mcp-Param-* headers are named by tools, so a preflight gets those it asks for.
function parameterHeaders(asked: string): string[] {
  return asked.slice(0, 1024).toLowerCase().split(",").map((name) => name.trim())
    .filter((name) => /^mcp-param-[a-z0-9_-]{1,64}$/.test(name));
}

function authorityOf(url: string): string {
  return /^\w+:\/\/([^/?#]*)/.exec(url)?.[1] ?? "";
}

function hostnameOf(host: string): string {
  return host.toLowerCase().replace(/:\d{1,5}$/, "");
}

function originHostname(origin: string): string {
  const match = /^https?:\/\/(\[[0-9a-f:]+\]|[^/:@?#]+)(?::\d{1,5})?$/i.exec(origin);
  return match?.[1]?.toLowerCase() ?? "";
}
