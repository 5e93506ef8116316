/**
 * Tokens of an OpenID Connect or OAuth issuer, judged here by its published keys, or by asking it.
 *
 * The issuer is not needed for starting: until its metadata and keys have been had once, tokens
 * cannot be judged and `verify` rejects. After that, an outage of the issuer changes nothing for
 * tokens signed with known keys.
 *
 * @module
 */

import { type CryptoKey, errors, type JWK } from "@panva/jose";
import type { Refusal, Verdict } from "../errors.ts";
import { judge, type KeyHeader } from "../jwt.ts";
import { type Outbound, outbound } from "../outbound.ts";
import type { Ports } from "../ports.ts";
import type { Provider } from "../provider.ts";
import { conclude, type JudgeVendor, type Mapping } from "./claims.ts";
import { discover, fetchKeys, type IssuerDocument, type Keys } from "./discover.ts";
import { refreshed } from "./refreshed.ts";

/** After how many seconds metadata and keys are renewed. */
export const FRESH_SECONDS = 600;

/** How many seconds lie at least between two requests for the same document. */
export const COOL_DOWN_SECONDS = 30;

/** How many seconds lie at least between two attempts while an issuer was never found. */
export const RETRY_SECONDS = 5;

/** Algorithms that are accepted: asymmetric only, since a published key is no secret. */
export const ALGORITHMS: readonly string[] = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];

// Scopes and the client are what an access token is about; an ID token is about a login.
const ACCESS_CLAIMS = ["scope", "scp", "client_id", "cid"];

/** Judges a token that is no JSON Web Token, or one the issuer keeps the keys of, by asking. */
export type Ask = (token: string, issuer: IssuerDocument, now: number) => Promise<Verdict>;

/** Settings of {@linkcode oidc}; vendors fill in what they do differently. */
export interface OidcOptions {
  /** As configured, byte for byte: what clients are told. */
  readonly issuer: string;
  /** The `issuer` of the metadata, where a vendor documents another than the configured one. */
  readonly documentIssuer?: string;
  readonly audiences: readonly string[];
  /** The `iss` values that are accepted; the issuer alone when absent. */
  readonly issuers?: readonly string[];
  readonly mapping: Mapping;
  /** Whether ID tokens pass, as one vendor documents. */
  readonly idTokens?: boolean;
  /** Claims of which the vendor's access tokens have one and its ID tokens none. */
  readonly accessClaims?: readonly string[];
  /** Whether a published key may sign these tokens; all may when absent. */
  readonly isOwnKey?: (key: JWK) => boolean;
  /** A vendor's own last step over claims that passed all others. */
  readonly judgeVendor?: JudgeVendor;
  /** Whether the vendor knows more of a token than the token says, after what it was refused for. */
  readonly isPartial?: (refusal: Refusal) => boolean;
  /** Absent when tokens that cannot be judged here are refused. */
  readonly ask?: (fetch: Outbound) => Ask;
}

/** Makes the provider. Fetches nothing before it is used. */
export function oidc(options: OidcOptions, ports: Pick<Ports, "now" | "fetch" | "log">): Provider {
  const { issuer, audiences, mapping, judgeVendor, isPartial } = options;
  const fetch = outbound(ports.fetch);
  const ask = options.ask?.(fetch);
  const keep = {
    now: ports.now,
    freshSeconds: FRESH_SECONDS,
    coolDownSeconds: COOL_DOWN_SECONDS,
    retrySeconds: RETRY_SECONDS,
  };
  const document = refreshed(() => discover(issuer, fetch, options.documentIssuer), {
    ...keep,
    onError: (error) => ports.log("warn", "issuer not found", { issuer, error: String(error) }),
  });
  const keys = refreshed(async () => fetchKeys(await document.get(), fetch, options.isOwnKey), {
    ...keep,
    onError: (error) => ports.log("warn", "keys not fetched", { issuer, error: String(error) }),
  });
  const rules = {
    issuers: options.issuers ?? [issuer],
    audiences,
    algorithms: ALGORITHMS,
    idTokens: options.idTokens ?? false,
    accessClaims: options.accessClaims ?? ACCESS_CLAIMS,
    key: (header: KeyHeader) => findKey(header, keys),
  };
  return {
    issuer,
    async metadata() {
      const [published, { document: jwks }] = await Promise.all([document.get(), keys.get()]);
      return { authorizationServer: published, openid: published, jwks };
    },
    async verify(token, now) {
      const judged = await judge(token, rules, now);
      if (judged.ok) return conclude(judged.claims, mapping, judgeVendor);
      // What cannot be read, or whose key is not published, may still be known to the issuer.
      const { reason } = judged.refusal;
      const isOpaque = reason === "malformed" || reason === "key" || isPartial?.(judged.refusal);
      return ask && isOpaque && token !== "" ? await ask(token, await document.get(), now) : judged;
    },
  };
}

async function findKey(
  header: KeyHeader,
  keys: { get(): Promise<Keys>; renew(): Promise<Keys> },
): Promise<CryptoKey | undefined> {
  const { find } = await keys.get();
  try {
    return await find({ ...header });
  } catch (error) {
    if (!isNoFit(error)) throw error;
  }
  // The issuer may have changed its keys. The cool-down bounds how often a stranger can make us ask.
  const renewed = await keys.renew();
  try {
    return await renewed.find({ ...header });
  } catch (error) {
    if (isNoFit(error)) return undefined;
    throw error;
  }
}

function isNoFit(error: unknown): boolean {
  return error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys;
}
