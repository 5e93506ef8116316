/**
 * Clients that register by having a metadata document, whose URL is their id
 * (draft-ietf-oauth-client-id-metadata-document-01, "CIMD").
 *
 * The document is fetched under the guard of `visit.ts`, judged, and kept for as long as its host
 * says, within bounds. What is not valid is not kept. A client vouches for itself here: only the
 * host in its id is proven, and only by TLS.
 *
 * @module
 */

import type { JWK } from "@panva/jose";
import type { Ports } from "../ports.ts";
import type { Client, MetadataRead } from "./client.ts";
import { freshness } from "./freshness.ts";
import { kept, type Loaded } from "./kept.ts";
import { usableKeys } from "./metadata.ts";
import { matchesRedirect } from "./redirect.ts";
import { type Failure, lasting, type VisitOptions, visitor } from "./visit.ts";

/** Longest client id that is a URL, in characters. */
export const MAX_ID_LENGTH = 512;

/** Largest metadata document, in bytes: what CIMD recommends. */
export const MAX_METADATA_BYTES = 5 * 1024;

/** Largest document of a key set, in bytes. */
export const MAX_KEY_SET_BYTES = 64 * 1024;

/** How many documents are kept. */
export const KEPT_DOCUMENTS = 500;

/** How many key sets are kept. */
export const KEPT_KEY_SETS = 100;

/** How long a key set is kept, in seconds. */
export const KEY_SET_SECONDS = 600;

/** Settings of {@linkcode documents}. */
export interface DocumentsOptions extends VisitOptions {
  /** Judges the metadata in the document at `id`, including that it names `id` as its own. */
  readonly read: (value: unknown, id: string) => MetadataRead;
}

/** The client, or why it is not known. `reason` is for the log. */
export type Found = { readonly ok: true; readonly client: Client } | Failure;

/** The public keys of a client, or why they are not at hand. `reason` is for the log. */
export type KeysFound = { readonly ok: true; readonly keys: readonly JWK[] } | Failure;

/** Clients with metadata documents. */
export interface Documents {
  /**
   * Finds the client that has its metadata at `id`, which is not fetched unless it
   * {@linkcode isDocumentId}.
   *
   * @param redirectUri A redirect URI that the client should know. When the copy at hand does not
   * have it, the document is fetched again, at most once a minute; it may lack it still.
   */
  find(id: string, redirectUri?: string): Promise<Found>;
  /**
   * The keys of a client, wherever it was registered. A set at a URL is fetched again, at most once
   * a minute, when it lacks `kid`; it may lack it still.
   */
  keys(client: Client, kid?: string): Promise<KeysFound>;
}

/** Prepares the finding. Nothing is fetched before it is asked for. */
export function documents(
  { allowLoopback, read }: DocumentsOptions,
  ports: Pick<Ports, "now" | "resolve" | "fetchAt">,
): Documents {
  const { now } = ports;
  const visit = visitor(ports, { allowLoopback });

  const loadClient = async (id: string): Promise<Loaded<Client>> => {
    const visited = await visit(id, MAX_METADATA_BYTES);
    if (!visited.ok) return visited;
    const judged = read(visited.value, id);
    if (!judged.ok) return lasting(`${judged.problem.error}: ${judged.problem.description}`);
    const value: Client = { ...judged.metadata, id, origin: "document" };
    return { ok: true, value, seconds: freshness(visited.headers, now()) };
  };
  const loadKeys = async (url: string): Promise<Loaded<readonly JWK[]>> => {
    const visited = await visit(url, MAX_KEY_SET_BYTES);
    if (!visited.ok) return visited;
    const keys = usableKeys(visited.value);
    if (keys.length === 0) return lasting("the key set has no public key");
    return { ok: true, value: keys, seconds: KEY_SET_SECONDS };
  };
  const clients = kept({ now, max: KEPT_DOCUMENTS, load: loadClient });
  const keySets = kept({ now, max: KEPT_KEY_SETS, load: loadKeys });

  return {
    find: async (id, redirectUri) => {
      if (!isDocumentId(id)) return lasting("the id is not the URL of a metadata document");
      const knows = ({ redirectUris }: Client) =>
        redirectUri === undefined || matchesRedirect(redirectUris, redirectUri);
      let found = await clients(id);
      if (found.ok && !knows(found.value)) found = await clients(id, true);
      return found.ok ? { ok: true, client: found.value } : found;
    },
    keys: async ({ jwks, jwksUri }, kid) => {
      if (jwks) return { ok: true, keys: jwks.keys };
      if (jwksUri === undefined) return lasting("the client has no keys");
      const has = (keys: readonly JWK[]) => keys.some((key) => key.kid === kid);
      let found = await keySets(jwksUri);
      if (found.ok && kid !== undefined && !has(found.value)) found = await keySets(jwksUri, true);
      return found.ok ? { ok: true, keys: found.value } : found;
    },
  };
}

/**
 * Whether a client id can be the URL of a metadata document (CIMD section 3): https with a path;
 * no dot segments, query, fragment or user information. It has to be spelled as it parses, since
 * ids are compared as text and one document must not have several.
 *
 * @example
 * ```ts
 * import { strictEqual } from "node:assert/strict";
 * import { isDocumentId } from "./documents.ts";
 *
 * strictEqual(isDocumentId("https://client.example/oauth/metadata.json"), true);
 * strictEqual(isDocumentId("https://client.example/"), false);
 * strictEqual(isDocumentId("https://client.example/a/%2e%2e/b"), false);
 * ```
 */
export function isDocumentId(text: string): boolean {
  // The characters of RFC 3986 but for "?" and "#".
  if (text.length > MAX_ID_LENGTH || !/^https:\/\/[\w.~:/[\]@!$&'()*+,;=%-]+$/.test(text)) {
    return false;
  }
  if (/%(?![0-9a-f]{2})/i.test(text)) return false;
  const url = URL.parse(text);
  if (url?.href !== text || url.username || url.password) return false;
  // With the dot a name is the same host under another id.
  return url.pathname !== "/" && !hasDotSegment(url.pathname) && !url.hostname.endsWith(".");
}

// Servers differ in whether they decode a path before they resolve it.
function hasDotSegment(path: string): boolean {
  const segments = path.replaceAll(/%2e/gi, ".").split(/\/|%2f|%5c/i);
  return segments.some((segment) => segment === "." || segment === "..");
}

// A published secret proves nothing of who signs with it.
