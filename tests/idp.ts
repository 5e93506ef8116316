/**
 * An identity provider in memory: what it publishes, what it signs, and what it was asked.
 *
 * It answers through the port that the program fetches with, so that nothing leaves the process.
 * Everything it publishes can be changed while it runs, as issuers do.
 *
 * @module
 */

import { exportJWK, generateKeyPair, type JWK, SignJWT } from "@panva/jose";
import type { Ports } from "../lib/ports.ts";

/** Where the provider of a test is, unless the test says otherwise. */
export const ISSUER = "https://idp.example/tenant";

/** A key pair: the private half signs, the public half is published. */
export interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

/** Makes a key pair. */
export async function newKey(kid: string, alg = "ES256"): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...await exportJWK(publicKey), kid, alg, use: "sig" };
  return { kid, alg, privateKey, jwk };
}

const KEYS = new Map<string, Promise<SigningKey>>();

/** The key pair of that name: made once for a whole file, since keys take their time. */
export function keyOf(kid: string, alg = "ES256"): Promise<SigningKey> {
  const name = `${alg} ${kid}`;
  const key = KEYS.get(name) ?? newKey(kid, alg);
  KEYS.set(name, key);
  return key;
}

/** Answers one URL. */
export type Answer = (request: Request) => Response | Promise<Response>;

/** A provider that a test runs. */
export interface Idp {
  readonly issuer: string;
  /** Its metadata, as published. */
  document: Record<string, unknown>;
  /** Its key set, as published. */
  keys: unknown[];
  /** What it answers at URLs, instead of or besides its documents. */
  readonly answers: Map<string, Answer>;
  /** Whether it can be reached. */
  up: boolean;
  /** Every request it got while it could be reached, and those that found it down. */
  readonly requests: string[];
  /** How many of the requests were for its metadata and for its keys. */
  count(): { readonly documents: number; readonly keys: number; readonly all: number };
  readonly fetch: Ports["fetch"];
}

/** The location of an issuer's OpenID metadata. */
export function openidUrl(issuer: string): string {
  return `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
}

/** Makes a provider that publishes `keys`. */
export function newIdp(keys: readonly SigningKey[], issuer = ISSUER): Idp {
  const base = issuer.replace(/\/$/, "");
  const jwksUri = `${base}/keys`;
  const requests: string[] = [];
  const idp: Idp = {
    issuer,
    document: {
      issuer,
      authorization_endpoint: `${base}/authorize`,
      token_endpoint: `${base}/token`,
      jwks_uri: jwksUri,
      response_types_supported: ["code"],
      code_challenge_methods_supported: ["S256"],
    },
    keys: keys.map(({ jwk }) => jwk),
    answers: new Map(),
    up: true,
    requests,
    count: () => ({
      documents: requests.filter((one) => one.includes("/.well-known/")).length,
      keys: requests.filter((one) => one === `GET ${idp.document.jwks_uri}`).length,
      all: requests.length,
    }),
    fetch: async (request) => {
      requests.push(`${request.method} ${request.url}`);
      if (!idp.up) throw new TypeError("error sending request: connection refused");
      const answer = idp.answers.get(request.url);
      if (answer) return await answer(request);
      if (request.url === openidUrl(issuer)) return Response.json(idp.document);
      if (request.url === idp.document.jwks_uri) return Response.json({ keys: idp.keys });
      return new Response("Nothing here", { status: 404 });
    },
  };
  return idp;
}

/** Signs claims with a key; `undefined` takes a member out. */
export function signWith(
  key: SigningKey,
  claims: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const given = { alg: key.alg, kid: key.kid, typ: "at+jwt", ...header };
  const members = Object.entries(given).filter(([, value]) => value !== undefined);
  return new SignJWT({ ...claims })
    .setProtectedHeader(Object.fromEntries(members) as { alg: string })
    .sign(key.privateKey);
}

/** A text as a part of a token. */
export function encode(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return new TextEncoder().encode(text).toBase64({ alphabet: "base64url", omitPadding: true });
}
