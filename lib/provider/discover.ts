/**
 * Finding an issuer's metadata and keys (OpenID Connect Discovery 1.0, RFC 8414, RFC 7517).
 *
 * A document counts only when it names its issuer to the letter, and its addresses only when they
 * may be fetched. Private and symmetric keys that an issuer publishes by mistake are not used and
 * not passed on.
 *
 * @module
 */

import { createLocalJWKSet, type JSONWebKeySet, type JWK } from "@panva/jose";
import * as oauth from "oauth4webapi";
import { isSafeUrl, type Outbound } from "../outbound.ts";

/** An issuer's metadata, as published. */
export type IssuerDocument = oauth.AuthorizationServer;

/** An issuer's public keys. */
export interface Keys {
  /** The keys as published, less those that are not public. */
  readonly document: { readonly keys: readonly JWK[] };
  /** Finds the key for a header. Rejects with `jose`'s errors when none or several fit. */
  readonly find: ReturnType<typeof createLocalJWKSet>;
}

/** Most keys that are looked at. */
const MAX_KEYS = 100;

/**
 * Fetches the metadata of `issuer`: at the OpenID location, then at RFC 8414's.
 *
 * @param expected The `issuer` that the document must name; another than `issuer` only where a
 *   vendor documents so.
 * @throws {Error} When neither location has a document, or what it says cannot be used.
 */
export async function discover(
  issuer: string,
  fetch: Outbound,
  expected: string = issuer,
): Promise<IssuerDocument> {
  const url = new URL(issuer);
  const options = { [oauth.customFetch]: fetch, [oauth.allowInsecureRequests]: true };
  const failures: string[] = [];
  for (const algorithm of ["oidc", "oauth2"] as const) {
    const response = await oauth.discoveryRequest(url, { ...options, algorithm });
    if (response.status === 200) {
      return judgeDocument(await documentOf(response, expected), expected);
    }
    failures.push(
      `${response.status} at its ${algorithm === "oidc" ? "OpenID" : "OAuth"} location`,
    );
  }
  throw new Error(`Cannot discover ${issuer}: ${failures.join(", ")}`);
}

async function documentOf(response: Response, expected: string): Promise<IssuerDocument> {
  const copy = response.clone();
  try {
    return await oauth.processDiscoveryResponse(new URL(expected), response);
  } catch {
    const body: unknown = await copy.json().catch(() => undefined);
    const issuer = (body as IssuerDocument | null | undefined)?.issuer;
    if (typeof issuer === "string") throw new IssuerMismatch(expected, issuer);
    throw new Error("Cannot read the issuer's metadata: it is no JSON object with an issuer");
  }
}

function judgeDocument(document: IssuerDocument, expected: string): IssuerDocument {
  // The library compares parsed URLs; clients compare letters, and so do tokens.
  if (document.issuer !== expected) throw new IssuerMismatch(expected, document.issuer);
  for (const [name, address] of Object.entries(document)) {
    if (name !== "jwks_uri" && !name.endsWith("_endpoint")) continue;
    const url = typeof address === "string" ? URL.parse(address) : null;
    if (!url || !isSafeUrl(url)) throw new Error(`Cannot use the issuer's ${name}: no https URL`);
  }
  if (!document.jwks_uri) throw new Error("Cannot use the issuer: its metadata has no jwks_uri");
  return document;
}

/** The issuer's document names another issuer than configured. */
export class IssuerMismatch extends Error {
  /** @param expected As configured. @param actual As the document says. */
  constructor(readonly expected: string, readonly actual: string) {
    super(`Cannot use the issuer: it calls itself "${actual}", not "${expected}"`);
  }
}

/**
 * Fetches the keys that `document` points to.
 *
 * @param isOwn Leaves out keys that are not for these tokens.
 * @throws {Error} When the answer is no key set with a public key.
 */
export async function fetchKeys(
  document: IssuerDocument,
  fetch: Outbound,
  isOwn: (key: JWK) => boolean = () => true,
): Promise<Keys> {
  const response = await fetch(document.jwks_uri!, { headers: { accept: "application/json" } });
  if (response.status !== 200) throw new Error(`Cannot fetch the keys: status ${response.status}`);
  const body: unknown = await response.json().catch(() => undefined);
  const listed = (body as { keys?: unknown } | undefined)?.keys;
  const keys = Array.isArray(listed)
    ? listed.slice(0, MAX_KEYS).filter(isPublic).filter(isOwn)
    : [];
  if (keys.length === 0) throw new Error("Cannot use the keys: no public key is published");
  const set = { keys } as JSONWebKeySet;
  return { document: set, find: createLocalJWKSet(set) };
}

// RFC 7518 sections 6.2.2 and 6.3.2, and the symmetric `k`.
const PRIVATE_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

function isPublic(key: unknown): key is JWK {
  if (typeof key !== "object" || key === null) return false;
  const { kty } = key as JWK;
  return ["RSA", "EC", "OKP"].includes(kty!) && !PRIVATE_MEMBERS.some((name) => name in key);
}
