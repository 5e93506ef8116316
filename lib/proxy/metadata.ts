/**
 * Reads what a client says of itself (RFC 7591 section 2), be it registering, publishing a
 * client-ID metadata document, or in the operator's configuration.
 *
 * It believes nothing and proves nothing. What this server has no use for is not looked at: scopes,
 * contacts, logos, links, translations, and `application_type`, as web clients on loopback and
 * native clients on https are both about. Fields that are `null` count as absent.
 *
 * @module
 */

import type { JWK } from "@panva/jose";
import {
  AUTH_METHODS,
  type AuthMethod,
  type MetadataProblem,
  type MetadataRead,
} from "./client.ts";
import { judgeRedirect, redirectFault, redirectHost, type RedirectPolicy } from "./redirect.ts";

/** Most redirect URIs of a client. */
export const MAX_REDIRECTS = 10;

/** How long they may be together, in characters. */
export const MAX_REDIRECTS_LENGTH = 2048;

/** Longest client name, in code points. */
export const MAX_NAME_LENGTH = 100;

/** Most public keys of a client. */
export const MAX_KEYS = 10;

/** Longest member of a key, in characters: enough for a modulus of 8192 bits. */
const MAX_MEMBER_LENGTH = 1400;

/** Settings of {@linkcode readClientMetadata}. */
export interface MetadataOptions {
  readonly redirects: RedirectPolicy;
  /** The client id, when the metadata is the document at that URL. */
  readonly document?: string;
}

type Fields = Readonly<Record<string, unknown>>;
type Read<T> = { readonly value: T } | { readonly fault: string };

/**
 * Reads client metadata.
 *
 * A document has to name its own URL as `client_id`, and a `client_name`; it can share no secret
 * with this server (draft-ietf-oauth-client-id-metadata-document section 4.1). Others without a
 * name get the host of their first redirect URI.
 *
 * Without `token_endpoint_auth_method` the method is RFC 7591's default, `client_secret_basic`. A
 * document cannot have that: there, keys mean `private_key_jwt`, and no keys mean `none`.
 *
 * @param value What JSON was parsed to.
 */
export function readClientMetadata(value: unknown, options: MetadataOptions): MetadataRead {
  const fields = fieldsOf(value);
  if (!fields) return wrong("The metadata is not a JSON object");
  const redirectUris = readRedirects(fields.redirect_uris, options.redirects);
  if ("fault" in redirectUris) return wrong(redirectUris.fault, "invalid_redirect_uri");
  const fault = documentFault(fields, options.document) ?? grantFault(fields);
  if (fault) return wrong(fault);
  const name = readName(fields.client_name, redirectUris.value[0]!);
  if ("fault" in name) return wrong(name.fault);
  const keys = readKeys(fields);
  if ("fault" in keys) return wrong(keys.fault);
  const hasKeys = Object.keys(keys.value).length > 0;
  const authMethod = readAuthMethod(fields, options.document !== undefined, hasKeys);
  if ("fault" in authMethod) return wrong(authMethod.fault);
  const metadata = { name: name.value, redirectUris: redirectUris.value };
  return authMethod.value === "private_key_jwt"
    ? { ok: true, metadata: { ...metadata, authMethod: authMethod.value, ...keys.value } }
    : { ok: true, metadata: { ...metadata, authMethod: authMethod.value } };
}

function wrong(
  description: string,
  error: MetadataProblem["error"] = "invalid_client_metadata",
): MetadataRead {
  return { ok: false, problem: { error, description } };
}

function fieldsOf(value: unknown): Fields | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null));
}

function readRedirects(value: unknown, policy: RedirectPolicy): Read<string[]> {
  if (!isTexts(value)) return { fault: "redirect_uris is not a list of strings" };
  if (value.length === 0) return { fault: "redirect_uris is empty" };
  if (value.length > MAX_REDIRECTS) {
    return { fault: `redirect_uris has more than ${MAX_REDIRECTS} entries` };
  }
  for (const [index, uri] of value.entries()) {
    const fault = judgeRedirect(uri, policy);
    if (fault) return { fault: `redirect_uris[${index}] ${fault}` };
  }
  if (value.join("").length > MAX_REDIRECTS_LENGTH) {
    return { fault: `redirect_uris is longer than ${MAX_REDIRECTS_LENGTH} characters together` };
  }
  return { value };
}

function documentFault(fields: Fields, document: string | undefined): string | undefined {
  if (document === undefined) return undefined;
  // Byte for byte: whoever can publish under another spelling of a URL need not own that URL.
  if (fields.client_id !== document) return "client_id is not the URL of the document";
  if (fields.client_name === undefined) return "client_name is missing";
  // What everybody can read is no secret, and there is no other way to agree on one.
  const hasSecret = Object.keys(fields).some((name) => name.startsWith("client_secret"));
  return hasSecret ? "client_secret has no place in a document" : undefined;
}

// Other grants and response types are dropped, as RFC 7591 section 2 allows; these are needed.
function grantFault(fields: Fields): string | undefined {
  const needed = { grant_types: "authorization_code", response_types: "code" };
  for (const [name, word] of Object.entries(needed)) {
    const value = fields[name];
    if (value === undefined) continue;
    if (!isTexts(value)) return `${name} is not a list of strings`;
    if (!value.includes(word)) return `${name} lacks ${word}`;
  }
  return undefined;
}

// A name is shown to people who decide by it. Controls, direction marks, and what takes no ink
// would let it rearrange the page, or look like a name that it is not.
function readName(value: unknown, firstRedirect: string): Read<string> {
  // The end of a host says whose it is, so the start is what is cut.
  if (value === undefined) return { value: redirectHost(firstRedirect).slice(-MAX_NAME_LENGTH) };
  if (typeof value !== "string") return { fault: "client_name is not a string" };
  const name = value.replaceAll(/(?!\s)[\p{C}\p{DI}\u2800]/gu, "").replaceAll(/\s+/g, " ").trim();
  if (name === "") return { fault: "client_name is blank" };
  if ([...name].length > MAX_NAME_LENGTH) {
    return { fault: `client_name is longer than ${MAX_NAME_LENGTH} characters` };
  }
  return { value: name };
}

function readAuthMethod(
  { token_endpoint_auth_method: told }: Fields,
  isDocument: boolean,
  hasKeys: boolean,
): Read<AuthMethod> {
  const fallback = !isDocument ? "client_secret_basic" : hasKeys ? "private_key_jwt" : "none";
  const value = AUTH_METHODS.find((method) => method === (told ?? fallback));
  if (value === undefined) return { fault: "token_endpoint_auth_method is not a supported one" };
  if (isDocument && value.startsWith("client_secret_")) {
    return { fault: "token_endpoint_auth_method needs a secret, which a document cannot have" };
  }
  if (value === "private_key_jwt" && !hasKeys) {
    return { fault: "token_endpoint_auth_method needs jwks or jwks_uri" };
  }
  return { value };
}

type Keys = { readonly jwks: { readonly keys: readonly JWK[] } } | { readonly jwksUri: string };

// Keys are judged whether or not the method needs them: a client whose private key is public had
// better learn of it here.
function readKeys({ jwks, jwks_uri: jwksUri }: Fields): Read<Keys | Record<never, never>> {
  if (jwks !== undefined && jwksUri !== undefined) {
    return { fault: "jwks and jwks_uri exclude each other" };
  }
  if (jwksUri !== undefined) {
    const isPlain = typeof jwksUri === "string" && jwksUri.startsWith("https://") &&
      !redirectFault(jwksUri);
    return isPlain ? { value: { jwksUri } } : { fault: "jwks_uri is not a plain https URL" };
  }
  if (jwks === undefined) return { value: {} };
  const list = fieldsOf(jwks)?.keys;
  if (!Array.isArray(list) || list.length === 0 || list.length > MAX_KEYS) {
    return { fault: `jwks is not a set of 1 to ${MAX_KEYS} keys` };
  }
  const keys: JWK[] = [];
  for (const [index, item] of list.entries()) {
    const key = readKey(fieldsOf(item) ?? {});
    if ("fault" in key) return { fault: `jwks.keys[${index}] ${key.fault}` };
    keys.push(key.value);
  }
  return { value: { jwks: { keys } } };
}

/** Members that make a public key, by type (RFC 7518 section 6, RFC 8037 section 2). */
const KEY_MEMBERS: ReadonlyMap<unknown, readonly string[]> = new Map([
  ["RSA", ["n", "e"]],
  ["EC", ["crv", "x", "y"]],
  ["OKP", ["crv", "x"]],
]);

const PRIVATE_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

function readKey(fields: Fields): Read<JWK> {
  if (PRIVATE_MEMBERS.some((name) => name in fields)) return { fault: "is not only public" };
  const needed = KEY_MEMBERS.get(fields.kty);
  if (!needed) return { fault: "is of no supported type" };
  const members = [...needed, "kid", "alg", "use"].filter((name) =>
    needed.includes(name) || fields[name] !== undefined
  );
  const isSound = members.every((name) => isMember(fields[name]));
  if (!isSound) return { fault: "lacks a member, or has one that is no short string" };
  return { value: Object.fromEntries(["kty", ...members].map((name) => [name, fields[name]])) };
}

/** The keys of a published set that can be used; whatever else is in it is left out. */
export function usableKeys(set: unknown): JWK[] {
  const keys = fieldsOf(set)?.keys;
  return (Array.isArray(keys) ? keys : []).flatMap((item) => {
    const key = readKey(fieldsOf(item) ?? {});
    return "value" in key ? [key.value] : [];
  });
}

const isMember = (value: unknown) =>
  typeof value === "string" && value !== "" && value.length <= MAX_MEMBER_LENGTH;

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === "string");
