/**
 * The contract suite for providers that have an issuer, over one in memory.
 *
 * @module
 */

import { providerOf } from "../../lib/providers.ts";
import { fakePorts, NOW, testConfig } from "../fakes.ts";
import { keyOf, newIdp, newKey, signWith } from "../idp.ts";
import { type Candidate, type ProviderSuite, providerSuite } from "./provider.ts";

/** What tells one issuer's provider from another's. */
export interface IssuerSuite extends Omit<ProviderSuite, "make"> {
  readonly env: Record<string, string>;
  /** Claims of a good token over the common ones. */
  readonly claims: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
  readonly idToken?: Readonly<Record<string, unknown>>;
  /** What it answers besides its documents, by URL. */
  readonly answers?: Readonly<Record<string, () => Response>>;
}

/** Defines the contract's tests for a provider that has an issuer. */
export function issuerSuite(suite: IssuerSuite): void {
  providerSuite({ ...suite, make: () => make(suite) });
}

async function make({ env, claims: own, header: typ = {}, idToken, answers }: IssuerSuite) {
  const { http, oauth } = testConfig(env);
  const key = await keyOf("k1");
  const idp = newIdp([key], oauth!.issuer);
  // A private key and a secret, as an issuer may publish by mistake.
  idp.keys.push({ ...key.jwk, kid: "private", d: "AA" }, { kty: "oct", kid: "secret", k: "AA" });
  for (const [url, answer] of Object.entries(answers ?? {})) idp.answers.set(url, answer);
  const provider = await providerOf(oauth!, http.publicUrl, fakePorts(idp.fetch));
  const claims = {
    iss: oauth!.issuer,
    sub: "5ba552d67",
    aud: oauth!.audiences[0],
    iat: NOW - 60,
    exp: NOW + 600,
    ...own,
  };
  const candidate: Candidate = {
    provider,
    claims,
    sign: (over, header) => signWith(key, { ...claims, ...over }, { ...typ, ...header }),
    forge: async () => signWith(await newKey("k1"), claims, typ),
    ...(idToken && { idToken }),
    published: JSON.stringify(key.jwk),
    break: () => void (idp.up = false),
  };
  return candidate;
}
