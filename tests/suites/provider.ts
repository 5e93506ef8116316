/**
 * What every provider does, whatever it is: the contract of `lib/provider.ts` as tests.
 *
 * A provider that cannot meet a case names it and says why.
 *
 * @module
 */

import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import fc from "fast-check";
import type { Refusal, Verdict } from "../../lib/errors.ts";
import { MAX_TOKEN_BYTES } from "../../lib/jwt.ts";
import type { Provider } from "../../lib/provider.ts";
import { NOW } from "../fakes.ts";
import { encode } from "../idp.ts";

type Members = Readonly<Record<string, unknown>>;

/** A provider, and whoever signs for it. */
export interface Candidate {
  readonly provider: Provider;
  /** Claims of a token that it accepts. */
  readonly claims: Members;
  /** Signs claims over the good ones; `undefined` takes one out. */
  sign(claims?: Members, header?: Members): Promise<string>;
  /** Signs as somebody who does not have the key, but says that he has. */
  forge(): Promise<string>;
  /** What its ID tokens say that others do not; a nonce when absent. */
  readonly idToken?: Members;
  /** The text of the published key, for those who take it for a secret. */
  readonly published?: string;
  /** Takes away what judging needs. */
  break?(): void;
}

/** How a provider differs. */
export interface ProviderSuite {
  readonly name: string;
  /** Makes a provider that was not used before. */
  readonly make: () => Promise<Candidate>;
  /** The cases that it cannot meet, with the reason. */
  readonly exempt?: Readonly<Record<string, string>>;
  /** The reasons that it gives where they are not the usual ones. */
  readonly reasons?: Readonly<Record<string, Refusal["reason"]>>;
}

interface Bad {
  readonly name: string;
  readonly token: (candidate: Candidate) => string | Promise<string>;
  readonly reason: Refusal["reason"];
  readonly cites: string;
}

const BAD: readonly Bad[] = [
  {
    name: "an expired token",
    token: ({ sign }) => sign({ exp: NOW - 30 }),
    reason: "expired",
    cites: "SPEC A3.1, A4.1",
  },
  {
    name: "a token without an expiry",
    token: ({ sign }) => sign({ exp: undefined }),
    reason: "claim",
    cites: "SPEC A4.6",
  },
  {
    name: "a token that is not yet valid",
    token: ({ sign }) => sign({ nbf: NOW + 31 }),
    reason: "not yet valid",
    cites: "SPEC A4.6",
  },
  {
    name: "a token of another issuer",
    token: ({ sign, claims }) => sign({ iss: `${claims.iss}.evil.example` }),
    reason: "issuer",
    cites: "SPEC A4.6",
  },
  {
    name: "a token without an issuer",
    token: ({ sign }) => sign({ iss: undefined }),
    reason: "issuer",
    cites: "SPEC A4.6",
  },
  {
    name: "a token for another audience",
    token: ({ sign }) => sign({ aud: "https://other.example/mcp" }),
    reason: "audience",
    cites: "SPEC A4.2, A4.3",
  },
  {
    name: "a token for nobody in particular",
    token: ({ sign }) => sign({ aud: undefined }),
    reason: "audience",
    cites: "SPEC A4.2, A4.7",
  },
  {
    name: "a token without a subject",
    token: ({ sign }) => sign({ sub: undefined }),
    reason: "claim",
    cites: "SPEC A4.6",
  },
  {
    name: "a token signed by somebody else",
    token: ({ forge }) => forge(),
    reason: "signature",
    cites: "SPEC A4.6",
  },
  {
    name: "a token whose claims were changed",
    token: async ({ sign, claims }) => {
      const [header, , signature] = (await sign()).split(".");
      return `${header}.${encode({ ...claims, sub: "mallory" })}.${signature}`;
    },
    reason: "signature",
    cites: "SPEC A4.6",
  },
  {
    name: "alg none with somebody's signature",
    token: async ({ sign }) => {
      const [, claims, signature] = (await sign()).split(".");
      return `${encode({ alg: "none", typ: "JWT" })}.${claims}.${signature}`;
    },
    reason: "algorithm",
    cites: "SPEC A4.6, RFC 8725 3.2",
  },
  {
    name: "alg none without a signature",
    token: ({ claims }) => `${encode({ alg: "none", typ: "JWT" })}.${encode(claims)}.`,
    reason: "malformed",
    cites: "SPEC A4.6, RFC 8725 3.2",
  },
  {
    name: "HS256 with the public key for a secret",
    token: ({ claims, published }) => hmacWith(published!, claims),
    reason: "algorithm",
    cites: "SPEC A4.6, RFC 8725 2.1",
  },
  {
    name: "a key that is not published",
    token: ({ sign }) => sign({}, { kid: "nobody's" }),
    reason: "key",
    cites: "SPEC A4.6",
  },
  {
    name: "an ID token",
    token: ({ sign, idToken }) => sign(idToken ?? { nonce: "n-0S6_WzA2Mj" }, { typ: "JWT" }),
    reason: "id token",
    cites: "SPEC A4.6",
  },
  {
    name: "a token of another type",
    token: ({ sign }) => sign({}, { typ: "logout+jwt" }),
    reason: "type",
    cites: "SPEC A4.6, RFC 8725 3.11",
  },
  {
    name: "a token of more than 16 KiB",
    token: ({ sign }) => sign({ filler: "f".repeat(MAX_TOKEN_BYTES) }),
    reason: "oversized",
    cites: "SPEC A4.6",
  },
];

const HEADER = encode({ alg: "ES256", kid: "k1", typ: "at+jwt" });

const GARBAGE: readonly string[] = [
  "",
  ".",
  "..",
  "...",
  "opaque-8xLOxBtZp8",
  "a b",
  "\0",
  "é.é.é",
  "🔑.🔑.🔑",
  `${HEADER}..`,
  `${HEADER}.e30.`,
  `${HEADER}.e30.AA`,
  `${encode("null")}.${encode("null")}.AA`,
  `${encode([])}.${encode([])}.AA`,
  `${encode(1)}.${encode(2)}.AA`,
  `${HEADER}.${encode('{"iss":')}.AA`,
  `${encode({ alg: ["ES256"], kid: {} })}.e30.AA`,
  `${encode({ alg: "dir", enc: "A256GCM" })}..aXY.Y2lwaGVydGV4dA.dGFn`,
  `${encode({ __proto__: null, alg: "__proto__" })}.e30.AA`,
];

async function hmacWith(secret: string, claims: Members): Promise<string> {
  const input = `${encode({ alg: "HS256", kid: "k1", typ: "at+jwt" })}.${encode(claims)}`;
  const bytes = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", bytes.encode(secret), algorithm, false, [
    "sign",
  ]);
  const mac = await crypto.subtle.sign("HMAC", key, bytes.encode(input));
  const signature = new Uint8Array(mac).toBase64({ alphabet: "base64url", omitPadding: true });
  return `${input}.${signature}`;
}

function reasonOf(verdict: Verdict): string {
  return verdict.ok ? "accepted" : verdict.refusal.reason;
}

/** Defines the tests of one provider. */
export function providerSuite({ name, make, exempt = {}, reasons = {} }: ProviderSuite): void {
  const titles = new Set<string>();
  const test = (title: string, cites: string, body: (candidate: Candidate) => Promise<void>) => {
    titles.add(title);
    if (Object.hasOwn(exempt, title)) return;
    Deno.test(`${name} ${title} (${cites})`, async () => body(await make()));
  };

  test("accepts a good token and says who calls", "SPEC A4.1", async (candidate) => {
    const { provider, claims } = candidate;
    const token = await candidate.sign();
    const verdict = await provider.verify(token, NOW);
    ok(verdict.ok, JSON.stringify(verdict));
    const { identity } = verdict;
    deepEqual([identity.subject, identity.issuer], [claims.sub, claims.iss]);
    equal(identity.expiresAt, claims.exp);
    deepEqual(identity.claims, { ...claims });
    ok(identity.username.length > 0);
    for (const one of [...identity.scopes, ...identity.roles]) equal(typeof one, "string");
    equal(JSON.stringify(verdict).includes(token.split(".")[2]!), false);
  });

  test("judges by the time that it is told", "SPEC A4.6", async ({ provider, claims, sign }) => {
    const token = await sign();
    const expiry = claims.exp as number;
    equal((await provider.verify(token, expiry + 29)).ok, true);
    equal(reasonOf(await provider.verify(token, expiry + 30)), "expired");
    equal((await provider.verify(token, NOW)).ok, true);
  });

  test("judges many at a time", "SPEC A4.1", async ({ provider, sign, forge }) => {
    const tokens = [await sign(), await forge(), await sign(), await sign({ exp: NOW - 30 })];
    const flights = Array.from({ length: 40 }, (_, at) => provider.verify(tokens[at % 4]!, NOW));
    const found = (await Promise.all(flights)).slice(-4).map(reasonOf);
    deepEqual(found, ["accepted", "signature", "accepted", "expired"]);
  });

  for (const { name: title, token, reason, cites } of BAD) {
    test(`refuses ${title}`, cites, async (candidate) => {
      const bad = await token(candidate);
      const verdict = await candidate.provider.verify(bad, NOW);
      equal(reasonOf(verdict), reasons[title] ?? reason);
      equal(bad.length > 20 && JSON.stringify(verdict).includes(bad), false);
    });
  }

  test("refuses garbage, and never rejects", "SPEC A4.1", async ({ provider }) => {
    for (const token of GARBAGE) equal((await provider.verify(token, NOW)).ok, false, token);
    const part = fc.oneof(fc.base64String({ maxLength: 40 }), fc.json().map(encode));
    const parts = fc.array(part, { maxLength: 6 }).map((all) => all.join("."));
    const codes = fc.array(fc.nat({ max: 0xffff }), { maxLength: 200 });
    const text = fc.oneof(codes.map((all) => String.fromCharCode(...all)), parts);
    await fc.assert(
      fc.asyncProperty(text, async (token) => equal((await provider.verify(token, NOW)).ok, false)),
      { seed: 1, numRuns: 200 },
    );
  });

  test("rejects while it cannot judge, and does not refuse", "SPEC A3.1", async (candidate) => {
    candidate.break!();
    await rejects(candidate.provider.verify(await candidate.sign(), NOW), Error);
  });

  test("publishes its issuer, and public keys only", "SPEC B1.4", async ({ provider }) => {
    const { authorizationServer, openid, jwks } = await provider.metadata();
    deepEqual([authorizationServer.issuer, openid.issuer], [provider.issuer, provider.issuer]);
    ok(Array.isArray(jwks.keys));
    for (const key of jwks.keys) {
      equal(["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"].some((one) => one in key), false);
    }
  });

  const stale = Object.keys(exempt).filter((title) => !titles.has(title));
  if (stale.length > 0) throw new Error(`Cannot exempt ${name} from what is no case: ${stale}`);
}
