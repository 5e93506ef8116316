import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import fc from "fast-check";
import { outbound } from "../../lib/outbound.ts";
import { fetchKeys, type IssuerDocument } from "../../lib/provider/discover.ts";
import { ISSUER, keyOf, newIdp } from "../idp.ts";

const JWKS_URI = `${ISSUER}/keys`;

/** Fetches the keys of an issuer whose key set is `body`, or whose location answers so. */
function fetching(body: unknown | (() => Response)) {
  const idp = newIdp([]);
  idp.answers.set(
    JWKS_URI,
    typeof body === "function" ? body as () => Response : () => Response.json(body),
  );
  return fetchKeys({ issuer: ISSUER, jwks_uri: JWKS_URI } as IssuerDocument, outbound(idp.fetch));
}

const GOOD = await keyOf("good");

const EMPTY: readonly (readonly [name: string, body: unknown, why?: RegExp])[] = [
  ["a page", () => new Response("<!doctype html>")],
  ["nothing", () => new Response("")],
  ["a list", [GOOD.jwk]],
  ["null", null],
  ["an object", {}],
  ["keys that are no list", { keys: { 0: GOOD.jwk } }],
  ["no keys", { keys: [] }],
  ["keys of other types", { keys: [null, "key", 7, [], [[GOOD.jwk]]] }],
  ["a secret only", { keys: [{ kty: "oct", k: "c2VjcmV0", kid: "s" }] }],
  ["a private key only", { keys: [{ ...GOOD.jwk, d: "c2VjcmV0" }] }],
  ["a key of an unknown kind", { keys: [{ kty: "QQ" }, { kid: "a" }, { kty: ["EC"] }] }],
  ["more than 512 KiB", { keys: [GOOD.jwk], filler: "f".repeat(512 * 1024) }, /more than/],
  ["an answer 404", () => Response.json({ keys: [GOOD.jwk] }, { status: 404 }), /status 404/],
  ["an answer 500", () => Response.json({ keys: [GOOD.jwk] }, { status: 500 }), /status 500/],
  ["a redirect", () => Response.redirect("https://idp.example/elsewhere"), /status 302/],
];

for (const [name, body, why = /no public key is published/] of EMPTY) {
  Deno.test(`fetchKeys() refuses ${name} (SPEC A4.6)`, async () => {
    await rejects(
      fetching(body),
      (error: Error) => (match(error.message, why), error.message.startsWith("Cannot")),
    );
  });
}

Deno.test("fetchKeys() leaves out what is not public, and does not pass it on (SPEC A4.5)", async () => {
  const rsa = { kty: "RSA", n: "r9QkRPHM", e: "AQAB", alg: "RS256" };
  const { document } = await fetching({
    keys: [
      { ...rsa, kid: "private", d: "xSu1qM", p: "37ahQPY3", q: "yTRZ5sz" },
      { ...rsa, kid: "without d, with its primes", p: "37ahQPY3", q: "yTRZ5sz" },
      { kty: "oct", k: "c2VjcmV0", kid: "a secret" },
      { kty: "AKP", alg: "ML-DSA-44", pub: "AA", priv: "AA", kid: "of another family" },
      GOOD.jwk,
    ],
  });
  deepEqual(document, { keys: [GOOD.jwk] });
});

const crowd = (size: number) =>
  Array.from({ length: size }, (_, at) => ({ kty: "oct", kid: `${at}` }));

Deno.test("fetchKeys() looks at a hundred keys and no more (SPEC A4.6)", async () => {
  const { find } = await fetching({ keys: [...crowd(99), GOOD.jwk, GOOD.jwk] });
  equal((await find({ alg: "ES256", kid: "good" })).type, "public");
  await rejects(fetching({ keys: [...crowd(100), GOOD.jwk] }), /no public key is published/);
});

Deno.test("fetchKeys() finds a key by name, and by kind when there is no name (SPEC A4.6)", async () => {
  const other = await keyOf("other", "EdDSA");
  const { find } = await fetching({
    keys: [GOOD.jwk, other.jwk, { ...GOOD.jwk, kid: "enc", use: "enc" }],
  });
  equal((await find({ alg: "ES256", kid: "good" })).algorithm.name, "ECDSA");
  equal((await find({ alg: "EdDSA" })).algorithm.name, "Ed25519");
  for (
    const header of [
      { alg: "ES256", kid: "enc" },
      { alg: "ES256", kid: "other" },
      { alg: "RS256", kid: "good" },
      { alg: "ES384", kid: "good" },
      { alg: "ES256", kid: "" },
    ]
  ) await rejects(find(header), { code: "ERR_JWKS_NO_MATCHING_KEY" });
});

Deno.test("fetchKeys() yields public keys or an error that says why, whatever is published", async () => {
  const member = fc.oneof(
    fc.jsonValue({ maxDepth: 1 }),
    fc.constantFrom("EC", "RSA", "OKP", "P-256", "ES256"),
  );
  const names = [
    "kty",
    "crv",
    "alg",
    "kid",
    "use",
    "key_ops",
    "ext",
    "x",
    "y",
    "n",
    "e",
    "d",
    "k",
    "__proto__",
  ];
  const key = fc.oneof(
    fc.jsonValue({ maxDepth: 1 }),
    fc.dictionary(fc.constantFrom(...names), member).map((over) => ({ ...GOOD.jwk, ...over })),
  );
  const body = fc.oneof(fc.jsonValue(), fc.record({ keys: fc.array(key, { maxLength: 5 }) }));
  let used = 0;
  await fc.assert(
    fc.asyncProperty(body, async (published) => {
      const keys = await fetching(published).catch((error: unknown) => {
        ok(error instanceof Error && error.message.startsWith("Cannot "), String(error));
      });
      if (!keys) return;
      used++;
      for (const one of keys.document.keys) {
        ok(["RSA", "EC", "OKP"].includes(one.kty!));
        equal(one.d, undefined);
      }
      await keys.find({ alg: "ES256", kid: "good" }).then(
        (found) => equal(found.type, "public"),
        (error: unknown) => ok(error instanceof Error),
      );
    }),
    { seed: 1, numRuns: 400 },
  );
  ok(used > 10, `${used} were used`);
});
