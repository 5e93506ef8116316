/**
 * The well-known documents: protected resource metadata (RFC 9728), authorization server metadata
 * (RFC 8414), OpenID Connect Discovery, and the key set.
 *
 * They are public, the same for everybody, readable from any web page, and never depend on what a
 * request says about its host.
 *
 * @module
 */

import { deliver } from "./delivery.ts";
import { type Handler, type Methods, plain } from "./http.ts";
import type { Document, Metadata, Provider } from "./provider.ts";

/** How long clients may keep a document, in seconds. */
const MAX_AGE_SECONDS = 300;

const PUBLIC_HEADERS = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "x-request-id",
};

const DOCUMENT_HEADERS = {
  ...PUBLIC_HEADERS,
  "content-type": "application/json",
  "cache-control": `public, max-age=${MAX_AGE_SECONDS}`,
};

/** Settings of {@linkcode discovery}. */
export interface DiscoveryOptions {
  /** Exact public URL of the MCP endpoint. */
  readonly resource: URL;
  /** The least a client should ask for: the scopes every request needs. */
  readonly scopesRequired: readonly string[];
}

/** URL of the metadata document of `resource` (RFC 9728 section 3.1). */
export function metadataUrlOf(resource: URL): string {
  return new URL(`/.well-known/oauth-protected-resource${resource.pathname}`, resource).href;
}

/**
 * Rows of the route table for the documents of one resource and its issuer.
 *
 * The resource's own document also stands at the root. The issuer's documents stand at the root,
 * under the path of the resource and under the path of the issuer, because clients try all three
 * (MCP 2025-03-26 to 2026-07-28).
 */
export function discovery(
  provider: Provider,
  { resource, scopesRequired }: DiscoveryOptions,
): [string, Methods][] {
  const own = document(() => ({
    resource: resource.href,
    authorization_servers: [provider.issuer],
    bearer_methods_supported: ["header"],
    ...(scopesRequired.length > 0 && { scopes_supported: scopesRequired }),
  }));
  const issued = (select: (metadata: Metadata) => Document) =>
    document(async () => select(await provider.metadata()));
  const server = issued((metadata) => metadata.authorizationServer);
  const openid = issued((metadata) => metadata.openid);
  const suffixes = new Set([
    "",
    resource.pathname,
    new URL(provider.issuer).pathname.replace(/\/$/, ""),
  ]);
  return [
    ["/.well-known/oauth-protected-resource", own],
    [`/.well-known/oauth-protected-resource${resource.pathname}`, own],
    ["/.well-known/jwks.json", issued((metadata) => metadata.jwks)],
    ...[...suffixes].flatMap((suffix): [string, Methods][] => [
      [`/.well-known/oauth-authorization-server${suffix}`, server],
      [`/.well-known/openid-configuration${suffix}`, openid],
      [`${suffix}/.well-known/openid-configuration`, openid],
    ]),
  ];
}

function document(read: () => Document | Promise<Document>): Methods {
  const get: Handler = async (_request, trace) => {
    let found: Document;
    try {
      found = await read();
    } catch (error) {
      trace.log("error", "metadata not available", { error: String(error) });
      return plain(503, "The issuer's metadata is not available at the moment", PUBLIC_HEADERS);
    }
    return deliver(JSON.stringify(found), { headers: DOCUMENT_HEADERS });
  };
  return { GET: get, OPTIONS: preflight };
}

function preflight(): Response {
  return new Response(null, {
    status: 204,
    headers: {
      ...PUBLIC_HEADERS,
      "access-control-allow-methods": "GET, HEAD, OPTIONS",
      "access-control-allow-headers": "*, authorization, mcp-protocol-version",
      "access-control-max-age": "86400",
    },
  });
}
