/**
 * What every provider must do, whoever issues the tokens and however they are signed.
 *
 * @module
 */

import {
  deepStrictEqual as deepEqual,
  notStrictEqual as notEqual,
  ok,
  strictEqual as equal,
} from "node:assert/strict";
import fc from "fast-check";
import type { Provider } from "../../lib/provider.ts";
import { SKEW_SECONDS } from "../../lib/jwt.ts";
import { NOW } from "../fakes.ts";
import { expand, leaks } from "../tokens.ts";

/** A provider, and the means of its issuer and of a stranger. */
export interface ProviderUnderTest {
  readonly provider: Provider;
  /** Claims of a token that every check accepts at {@linkcode NOW}; `exp` is after it. */
  readonly claims: Readonly<Record<string, unknown>> & { readonly exp: number };
  /** Signs as the issuer does; `crit` may name `ext`. */
  sign(claims: object, header?: object): string | Promise<string>;
  /** Signs with a key of the same kind that the issuer never had. */
  forge(claims: object, header?: object): string | Promise<string>;
  /** Signs with an HMAC over whatever the issuer publishes, where it publishes keys. */
  confuse?(claims: object): string | Promise<string>;
  /** Texts that must not show, beside the tokens. */
  readonly secrets: readonly string[];
}

/** A case that a provider need not pass, and why. */
export type Exemptions = Readonly<Record<string, string>>;

const ABSENT = { $absent: true };

/** A token that an issuer might sign, and the reason to refuse it nevertheless. */
interface Refused {
  readonly name: string;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
  readonly reason: string;
  readonly cites: string;
}

const REFUSED: readonly Refused[] = [
  {
    name: "another issuer",
    claims: { iss: "https://evil.example" },
    reason: "issuer",
    cites: "SPEC A4.6",
  },
  { name: "no issuer", claims: { iss: ABSENT }, reason: "issuer", cites: "SPEC A4.6" },
  {
    name: "another audience",
    claims: { aud: "https://other.example" },
    reason: "audience",
    cites: "SPEC A4.2",
  },
  { name: "no audience", claims: { aud: ABSENT }, reason: "audience", cites: "SPEC A4.2" },
  {
    name: "an empty list of audiences",
    claims: { aud: [] },
    reason: "audience",
    cites: "SPEC A4.2",
  },
  { name: "no exp", claims: { exp: ABSENT }, reason: "claim", cites: "SPEC A4.6" },
  { name: "text as exp", claims: { exp: `${NOW + 60}` }, reason: "claim", cites: "SPEC A4.6" },
  {
    name: "exp as long ago as the skew",
    claims: { exp: NOW - SKEW_SECONDS },
    reason: "expired",
    cites: "SPEC A4.1, A4.6",
  },
  {
    name: "nbf further ahead than the skew",
    claims: { nbf: NOW + SKEW_SECONDS + 1 },
    reason: "not yet valid",
    cites: "SPEC A4.6",
  },
  {
    name: "iat further ahead than the skew",
    claims: { iat: NOW + SKEW_SECONDS + 1 },
    reason: "not yet valid",
    cites: "SPEC A4.6",
  },
  { name: "no subject", claims: { sub: ABSENT }, reason: "claim", cites: "SPEC A4.6" },
  { name: "an empty subject", claims: { sub: "" }, reason: "claim", cites: "SPEC A4.6" },
  {
    name: "the nonce of an ID token",
    claims: { nonce: "n-0S6_WzA2Mj" },
    reason: "id token",
    cites: "SPEC A4.6",
  },
  {
    name: "the type of a logout token",
    header: { typ: "logout+jwt" },
    reason: "type",
    cites: "SPEC A4.6",
  },
  {
    name: "extensions that must be understood",
    header: { crit: ["ext"], ext: 1 },
    reason: "header",
    cites: "SPEC A4.6",
  },
  {
    name: "a key of its own",
    header: { jwk: { kty: "oct", k: "AAAA" } },
    reason: "header",
    cites: "SPEC A4.6",
  },
  {
    name: "the address of a key",
    header: { jku: "https://evil.example/keys" },
    reason: "header",
    cites: "SPEC A4.6",
  },
];

const ACCEPTED: readonly (readonly [name: string, claims: Readonly<Record<string, unknown>>])[] = [
  ["exp one second less long ago than the skew", { exp: NOW - SKEW_SECONDS + 1 }],
  ["nbf as far ahead as the skew", { nbf: NOW + SKEW_SECONDS }],
  ["iat as far ahead as the skew", { iat: NOW + SKEW_SECONDS }],
  ["no scope at all, which is the gate's affair", { scope: ABSENT, scp: ABSENT }],
  ["claims nobody knows", { "https://claims.example/x": [{ y: 1 }] }],
];

/**
 * Registers the tests of a provider.
 *
 * @param name Of the provider, as tests show it.
 * @param make A new one for every test.
 * @param exempt Names of cases it need not pass, each with the reason.
 */
export function providerSuite(
  name: string,
  make: () => Promise<ProviderUnderTest>,
  exempt: Exemptions = {},
): void {
  const left = new Set(Object.keys(exempt));
  const test = (
    title: string,
    cites: string,
    act: (subject: ProviderUnderTest) => Promise<void>,
  ) => {
    if (left.delete(title)) return;
    Deno.test(`${name}: ${title} (${cites})`, async () => await act(await make()));
  };

  test("verify() accepts a good token and names its owner", "SPEC A4.1, A4.6", async (subject) => {
    const { provider, claims } = subject;
    const token = await subject.sign(claims);
    const verdict = await provider.verify(token, NOW);
    ok(verdict.ok, "The token was refused");
    const { identity } = verdict;
    equal(identity.issuer, provider.issuer);
    equal(identity.subject, claims.sub);
    equal(identity.expiresAt, claims.exp);
    deepEqual(identity.claims, claims);
    notEqual(identity.username, "");
    equal(Object.hasOwn(identity, "token"), false);
    deepEqual(leaks(JSON.stringify(identity), token, ...subject.secrets), []);
  });

  for (const [what, claims] of ACCEPTED) {
    test(`verify() accepts ${what}`, "SPEC A4.1, A4.6", async (subject) => {
      const token = await subject.sign(expand({ ...subject.claims, ...claims }) as object);
      deepEqual((await subject.provider.verify(token, NOW)).ok, true);
    });
  }

  for (const { name: what, claims, header, reason, cites } of REFUSED) {
    test(`verify() refuses ${what}`, cites, async (subject) => {
      const changed = expand({ ...subject.claims, ...claims }) as object;
      await refuses(subject, await subject.sign(changed, header), reason);
    });
  }

  test("verify() refuses a key that is not the issuer's", "SPEC A4.6", async (subject) => {
    await refuses(subject, await subject.forge(subject.claims), "signature");
  });

  test(
    "verify() refuses what the issuer signed for another payload",
    "SPEC A4.6",
    async (subject) => {
      const [header, , signature] = (await subject.sign(subject.claims)).split(".");
      const [, claims] = (await subject.sign({ ...subject.claims, sub: "mallory" })).split(".");
      await refuses(subject, [header, claims, signature].join("."), "signature");
    },
  );

  for (const alg of ["none", "None", "nOnE", "HS1", ""]) {
    test(`verify() refuses alg "${alg}"`, "SPEC A4.6, RFC 8725 3.1", async (subject) => {
      const [, claims, signature] = (await subject.sign(subject.claims)).split(".");
      const header = btoa(JSON.stringify({ alg })).replaceAll("=", "");
      await refuses(subject, [header, claims, signature].join("."), "algorithm");
      await refuses(subject, [header, claims, ""].join("."), "malformed");
    });
  }

  test(
    "verify() refuses an HMAC over a published key",
    "SPEC A4.6, RFC 8725 2.1",
    async (subject) => {
      if (!subject.confuse) return equal((await keysOf(subject.provider)).length, 0);
      await refuses(subject, await subject.confuse(subject.claims), "algorithm");
    },
  );

  test(
    "verify() refuses any text, and never rejects",
    "SPEC A4.1",
    async ({ provider, sign, claims }) => {
      const [header, payload, signature] = (await sign(claims)).split(".");
      const part = fc.constantFrom(header!, payload!, signature!, "", "e30", "bm9uZQ");
      const text = fc.oneof(
        fc.string({ unit: "binary", maxLength: 100 }),
        fc.array(part, { maxLength: 6 }).map((parts) => parts.join(".")),
      ).filter((token) => token !== [header, payload, signature].join("."));
      await fc.assert(
        fc.asyncProperty(
          text,
          async (token) => equal((await provider.verify(token, NOW)).ok, false),
        ),
        { seed: 1, numRuns: 200 },
      );
    },
  );

  test(
    "verify() judges tokens on their own when they come together",
    "SPEC A4.1",
    async (subject) => {
      const { provider, claims } = subject;
      const names = Array.from({ length: 20 }, (_, index) => `user-${index}`);
      const tokens = await Promise.all(names.map((sub) => subject.sign({ ...claims, sub })));
      const verdicts = await Promise.all(tokens.map((token) => provider.verify(token, NOW)));
      deepEqual(verdicts.map((verdict) => verdict.ok && verdict.identity.subject), names);
    },
  );

  test(
    "verify() goes by the clock it is given",
    "SPEC A4.1, A4.6",
    async ({ provider, sign, claims }) => {
      const token = await sign(claims);
      const at = async (now: number) => (await provider.verify(token, now)).ok;
      equal(await at(claims.exp + SKEW_SECONDS - 1), true);
      equal(await at(claims.exp + SKEW_SECONDS), false);
      equal(await at(NOW), true);
    },
  );

  test("metadata() names the same issuer", "SPEC A2.11", async ({ provider, secrets }) => {
    const metadata = await provider.metadata();
    equal(metadata.authorizationServer.issuer, provider.issuer);
    equal(metadata.openid.issuer, provider.issuer);
    equal(typeof metadata.authorizationServer.jwks_uri, "string");
    const text = JSON.stringify(metadata);
    deepEqual(JSON.parse(text), metadata);
    deepEqual(leaks(text, "", ...secrets), []);
    deepEqual(await provider.metadata(), metadata);
  });

  test("metadata() has no private or shared key", "SPEC A4.5", async ({ provider }) => {
    for (const key of await keysOf(provider)) {
      notEqual(key.kty, "oct");
      for (const member of ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"]) {
        equal(Object.hasOwn(key, member), false);
      }
    }
  });

  Deno.test(`${name}: every exemption names a case of the suite, and a reason`, () => {
    deepEqual([...left], []);
    for (const reason of Object.values(exempt)) ok(reason.length > 10);
  });
}

async function refuses(
  { provider, secrets }: ProviderUnderTest,
  token: string,
  reason: string,
): Promise<void> {
  const verdict = await provider.verify(token, NOW);
  ok(!verdict.ok, "The token was accepted");
  equal(verdict.refusal.reason, reason);
  deepEqual(leaks(JSON.stringify(verdict.refusal), token, ...secrets), []);
}

async function keysOf(provider: Provider): Promise<readonly Record<string, unknown>[]> {
  return (await provider.metadata()).jwks.keys as Record<string, unknown>[];
}
