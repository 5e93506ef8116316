/**
 * Client assertions: a client with a key proves who it is by a token of its own (RFC 7523 section
 * 3, OpenID Connect Core section 9).
 *
 * Each counts once, for this server, and for minutes.
 *
 * @module
 */

import {
  type CryptoKey,
  decodeJwt,
  errors,
  type JWTHeaderParameters,
  jwtVerify,
} from "@panva/jose";
import { LRUCache } from "lru-cache";
import { SKEW_SECONDS } from "../jwt.ts";
import type { Client } from "./client.ts";
import { hashOf } from "./clients.ts";
import type { Records } from "./records.ts";

/** `client_assertion_type` of a JSON Web Token. */
export const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/** Algorithms that are accepted: asymmetric only. */
export const ASSERTION_ALGORITHMS: readonly string[] = [
  "ES256",
  "ES384",
  "RS256",
  "PS256",
  "EdDSA",
  "Ed25519",
];

/** How far ahead an assertion may expire, in seconds. */
export const LONGEST_ASSERTION_SECONDS = 600;

// Room for the longest client id, twice and in base64.
const LONGEST_ASSERTION = 16 * 1024;

/** Finds the key of a client for a header; `undefined` when it has none that fits. */
export type FindClientKey = (
  client: Client,
  header: JWTHeaderParameters,
) => Promise<CryptoKey | undefined>;

/** Settings of {@linkcode assertions}. */
export interface AssertionOptions {
  /** What `aud` may name: this issuer and its token endpoint. */
  readonly audiences: readonly string[];
  readonly findKey: FindClientKey;
  /** Assertions that were used. */
  readonly used: Records<true>;
  /** Unix seconds. */
  readonly now: () => number;
}

/** Why an assertion that was used before is refused, for the log. */
export const USED = "the assertion was used already";

/** Judges assertions. */
export interface Assertions {
  judge(assertion: string, client: Client): Promise<AssertionJudged>;
}

/**
 * Uses a good assertion up on all replicas. Whoever grants something for it calls this first: a
 * request in vain stores nothing, so that strangers with keys cannot fill the store.
 *
 * @returns Whether it was not used before.
 */
export type Claim = () => Promise<boolean>;

/** A good assertion, or what is wrong with it, for the log. */
export type AssertionJudged =
  | { readonly ok: true; readonly claim: Claim }
  | { readonly ok: false; readonly reason: string };

/** How many assertions this process remembers, whatever came of them. */
const REMEMBERED = 10_000;

/** The client that an assertion names; nothing about it is checked yet. */
export function clientOf(assertion: string): string | undefined {
  if (assertion.length > LONGEST_ASSERTION) return undefined;
  try {
    return decodeJwt(assertion).sub;
  } catch {
    return undefined;
  }
}

/** Prepares the judging. */
export function assertions({ audiences, findKey, used, now }: AssertionOptions): Assertions {
  const seen = new LRUCache<string, true>({ max: REMEMBERED });
  return {
    async judge(assertion, client) {
      if (assertion.length > LONGEST_ASSERTION) return refuse("the assertion is too long");
      const { id } = client;
      try {
        const { payload } = await jwtVerify(assertion, async (header) => {
          const key = await findKey(client, header);
          if (!key) throw new errors.JWKSNoMatchingKey();
          return key;
        }, {
          algorithms: [...ASSERTION_ALGORITHMS],
          issuer: id,
          subject: id,
          audience: [...audiences],
          clockTolerance: SKEW_SECONDS,
          currentDate: new Date(now() * 1000),
          requiredClaims: ["exp", "jti"],
        });
        const left = payload.exp! - now() + SKEW_SECONDS;
        if (left > LONGEST_ASSERTION_SECONDS + SKEW_SECONDS) {
          return refuse("the assertion lives too long");
        }
        const name = hashOf(JSON.stringify([id, payload.jti]));
        if (seen.has(name)) return refuse(USED);
        seen.set(name, true);
        const seconds = Math.max(1, Math.ceil(left));
        return { ok: true, claim: () => used.add(name, true, seconds) };
      } catch (error) {
        if (error instanceof errors.JOSEError) {
          return refuse(`the assertion is refused: ${error.code}`);
        }
        throw error;
      }
    },
  };
}

function refuse(reason: string): AssertionJudged {
  return { ok: false, reason };
}
