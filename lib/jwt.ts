/**
 * Judging a JSON Web Token, as a printed sequence of steps (RFC 7519, RFC 8725, RFC 9068):
 *
 * size → parse → header → issuer → key and signature → lifetime → audience → subject
 *
 * Signatures are `jose`'s work. Nothing here fetches, and nothing trusts a header that says where
 * to find a key. Scopes are not judged here.
 *
 * @module
 */

import { compactVerify, type CryptoKey, errors } from "@panva/jose";
import type { Refusal } from "./errors.ts";

/** Longest token that is looked at, in bytes. */
export const MAX_TOKEN_BYTES = 16 * 1024;

/** Tolerated difference between the issuer's clock and ours, in seconds. */
export const SKEW_SECONDS = 30;

/** A protected header that passed, and the claims behind it. */
export interface Claims extends Readonly<Record<string, unknown>> {
  readonly iss: string;
  readonly sub: string;
  readonly exp: number;
}

/** What the claims of a token must satisfy, whoever vouches for them. */
export interface ClaimRules {
  /** At least one of these must be in `aud`, compared byte for byte. */
  readonly audiences: readonly string[];
  /** Whether ID tokens pass for access tokens, as one vendor documents. */
  readonly idTokens?: boolean;
  /**
   * Claims of which an access token has one and a bare ID token none, for tokens that do not say
   * what they are; absent when nothing has to tell.
   */
  readonly accessClaims?: readonly string[];
}

/** What a token must satisfy. */
export interface Rules extends ClaimRules {
  /** The `iss` values that are accepted, compared byte for byte. */
  readonly issuers: readonly string[];
  /** `typ` values that are accepted, in lower case; those of access tokens in general when absent. */
  readonly types?: ReadonlySet<string | undefined>;
  /** `alg` values that are accepted; `none` is never one. */
  readonly algorithms: readonly string[];
  /** The key for an accepted header; `undefined` when the issuer has none that fits. */
  readonly key: (header: KeyHeader) => CryptoKey | undefined | Promise<CryptoKey | undefined>;
}

/** Members of a JSON object. */
export type Members = Readonly<Record<string, unknown>>;

/** The part of an accepted header that chooses a key. */
export interface KeyHeader {
  readonly alg: string;
  readonly kid?: string;
}

/** Claims of an accepted token, or the first reason to refuse it. */
export type Judgement =
  | { readonly ok: true; readonly claims: Claims }
  | { readonly ok: false; readonly refusal: Refusal };

/**
 * Runs the sequence and stops at the first reason to refuse.
 *
 * @param now Unix seconds.
 * @throws When `rules.key` does, or when the platform's cryptography fails.
 */
export async function judge(token: string, rules: Rules, now: number): Promise<Judgement> {
  const parsed = parse(token);
  if ("reason" in parsed) return refuse(parsed);
  const { header, claims } = parsed;
  const early = judgeHeader(header, rules) ?? judgeIssuer(claims, rules.issuers);
  if (early) return refuse(early);
  const { alg, kid } = header as unknown as KeyHeader;
  const key = await rules.key({ alg, ...(kid !== undefined && { kid }) });
  if (!key) return refuse({ reason: "key", kid: describe(kid) });
  if (!await isSigned(token, key, alg)) return refuse({ reason: "signature" });
  const isTyped = /^(?:application\/)?at\+jwt$/i.test(String(header.typ));
  const { accessClaims: _, ...typed } = rules;
  return judgeClaims(claims, isTyped ? typed : rules, now);
}

/**
 * The last steps alone, for claims that another authority vouches for: lifetime, audience, use,
 * subject, binding.
 *
 * @param now Unix seconds.
 */
export function judgeClaims(claims: Members, rules: ClaimRules, now: number): Judgement {
  const refusal = judgeLifetime(claims, now) ?? judgeAudience(claims, rules.audiences) ??
    (rules.idTokens ? undefined : judgeUse(claims, rules.accessClaims)) ?? judgeSubject(claims) ??
    judgeBinding(claims);
  return refusal ? refuse(refusal) : { ok: true, claims: claims as unknown as Claims };
}

function refuse(refusal: Refusal): Judgement {
  return { ok: false, refusal };
}

function parse(token: string): { header: Members; claims: Members } | Refusal {
  if (token.length > MAX_TOKEN_BYTES) {
    return { reason: "oversized", bytes: token.length, limit: MAX_TOKEN_BYTES };
  }
  const parts = token.split(".");
  if (parts.length !== 3) return { reason: "malformed", detail: `${parts.length} parts, not 3` };
  const [header, claims] = [members(parts[0]!), members(parts[1]!)];
  if (!bytes(parts[2]!)) return { reason: "malformed", detail: "the signature is not base64url" };
  if (!header) return { reason: "malformed", detail: "the header is not a JSON object" };
  if (!claims) return { reason: "malformed", detail: "the payload is not a JSON object" };
  return { header, claims };
}

const UTF8 = new TextDecoder("utf-8", { fatal: true });

// RFC 7515 section 2: no padding, no white space; and one spelling for each byte string, so that a
// token cannot be altered and stay valid.
function bytes(part: string): Uint8Array | undefined {
  if (!/^[\w-]+$/.test(part)) return undefined;
  try {
    const padded = part.padEnd(Math.ceil(part.length / 4) * 4, "=");
    return Uint8Array.fromBase64(padded, { alphabet: "base64url", lastChunkHandling: "strict" });
  } catch {
    return undefined;
  }
}

function members(part: string): Members | undefined {
  const decoded = bytes(part);
  if (!decoded) return undefined;
  try {
    const value: unknown = JSON.parse(UTF8.decode(decoded));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? value as Members
      : undefined;
  } catch {
    return undefined;
  }
}

// RFC 8725 section 3.11: a token of another kind must not pass for an access token. Many issuers
// send plain `JWT` or nothing, which RFC 9068 does not know but RFC 7519 section 5.1 allows.
const TYPES = new Set([undefined, "jwt", "at+jwt", "application/jwt", "application/at+jwt"]);

// RFC 8725 section 3.10: a key that comes with the token proves nothing.
const KEY_BEARING = ["jwk", "jku", "x5u", "x5c"];

function judgeHeader(
  header: Members,
  { algorithms, types = TYPES }: Rules,
): Refusal | undefined {
  const { typ, alg, kid } = header;
  if (!types.has(typeof typ === "string" ? typ.toLowerCase() : typ as undefined)) {
    return { reason: "type", actual: describe(typ), expected: "at+jwt or JWT" };
  }
  if (typeof alg !== "string" || !algorithms.includes(alg)) {
    return { reason: "algorithm", actual: describe(alg), expected: algorithms };
  }
  if (kid !== undefined && typeof kid !== "string") {
    return { reason: "header", detail: "kid is not a string" };
  }
  const bearing = KEY_BEARING.find((name) => name in header);
  if (bearing) return { reason: "header", detail: `${bearing} brings its own key` };
  if ("crit" in header) return { reason: "header", detail: "crit names extensions" };
  return undefined;
}

function judgeIssuer({ iss }: Members, expected: readonly string[]): Refusal | undefined {
  if (typeof iss === "string" && expected.includes(iss)) return undefined;
  return { reason: "issuer", actual: describe(iss), expected };
}

async function isSigned(token: string, key: CryptoKey, alg: string): Promise<boolean> {
  try {
    await compactVerify(token, key, { algorithms: [alg] });
    return true;
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return false;
    if (error instanceof errors.JWSInvalid) return false;
    throw error;
  }
}

function judgeLifetime(claims: Members, now: number): Refusal | undefined {
  const { exp, nbf, iat } = claims;
  if (!isDate(exp)) return { reason: "claim", claim: "exp", detail: "missing or not a date" };
  if (nbf !== undefined && !isDate(nbf)) {
    return { reason: "claim", claim: "nbf", detail: "not a date" };
  }
  if (iat !== undefined && !isDate(iat)) {
    return { reason: "claim", claim: "iat", detail: "not a date" };
  }
  if (now >= exp + SKEW_SECONDS) {
    return { reason: "expired", expiresAt: exp, secondsAgo: now - exp };
  }
  if (nbf !== undefined && nbf > now + SKEW_SECONDS) {
    return { reason: "not yet valid", claim: "nbf", inSeconds: nbf - now };
  }
  if (iat !== undefined && iat > now + SKEW_SECONDS) {
    return { reason: "not yet valid", claim: "iat", inSeconds: iat - now };
  }
  return undefined;
}

// The last date that the platform can name.
const LAST_DATE_SECONDS = 8_640_000_000_000;

// A NumericDate may have a fraction (RFC 7519 section 2).
function isDate(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= LAST_DATE_SECONDS;
}

function judgeAudience({ aud }: Members, expected: readonly string[]): Refusal | undefined {
  const actual = typeof aud === "string" ? [aud] : Array.isArray(aud) ? aud : [];
  if (actual.some((one) => typeof one === "string" && expected.includes(one))) return undefined;
  return { reason: "audience", actual: actual.map(describe), expected };
}

// `nonce`, `at_hash` and `c_hash` are an ID token's own (OpenID Connect Core sections 2, 3.1.3.6);
// `typ` and `token_use` are how Keycloak and Cognito tell tokens apart in the payload.
const ID_TOKEN_CLAIMS = ["nonce", "at_hash", "c_hash"];

function judgeUse(claims: Members, accessClaims?: readonly string[]): Refusal | undefined {
  if (claims.typ === "Bearer" || claims.token_use === "access") return undefined;
  const telling = ["typ", "token_use"].find((name) => claims[name] !== undefined);
  if (telling) return { reason: "use", claim: telling, actual: describe(claims[telling]) };
  const idToken = ID_TOKEN_CLAIMS.find((name) => name in claims);
  if (idToken) return { reason: "id token", claim: idToken };
  if (!accessClaims || accessClaims.some((name) => name in claims)) return undefined;
  return { reason: "id token", claim: `none of ${accessClaims.join(", ")}` };
}

function judgeSubject({ sub }: Members): Refusal | undefined {
  if (typeof sub === "string" && sub !== "" && sub.length <= 255) return undefined;
  return { reason: "claim", claim: "sub", detail: "missing, empty or over 255 characters" };
}

// RFC 8705 section 3, RFC 9449 section 7: a token bound to a key counts only with proof of that key,
// and no proof is checked here.
function judgeBinding({ cnf }: Members): Refusal | undefined {
  if (cnf === undefined) return undefined;
  return { reason: "claim", claim: "cnf", detail: "bound to a key whose proof is not checked" };
}

function describe(value: unknown): string {
  return typeof value === "string"
    ? value.slice(0, 200)
    : value === undefined
    ? "none"
    : "not text";
}
