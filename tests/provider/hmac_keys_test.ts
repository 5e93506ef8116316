import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { hmac } from "../../lib/provider/hmac.ts";
import { CLAIMS, NOW, ORIGIN, RESOURCE, SECRET } from "../fakes.ts";
import { forge } from "../tokens.ts";

const JWKS_URI = `${ORIGIN}/.well-known/jwks.json`;

function hmacOver(secret: string) {
  return hmac({
    issuer: ORIGIN,
    audiences: [RESOURCE],
    secret: new TextEncoder().encode(secret),
    mapping: { usernameClaims: ["email"], rolesClaims: ["roles"], emailTrusted: true },
    jwksUri: JWKS_URI,
  });
}

const ALGORITHMS = [
  ["HS256", "sha256", 32],
  ["HS384", "sha384", 48],
  ["HS512", "sha512", 64],
] as const;
for (const length of [32, 47, 48, 63, 64, 65]) {
  for (const [alg, mac, least] of ALGORITHMS) {
    const verb = length >= least ? "accepts" : "refuses";
    Deno.test(`hmac() ${verb} ${alg} when the secret has ${length} bytes (SPEC A4.6, RFC 7518 3.2)`, async () => {
      const secret = SECRET.padEnd(length, "z").slice(0, length);
      const verdict = await (await hmacOver(secret)).verify(
        forge({ header: { alg }, mac, secret }),
        NOW,
      );
      if (length >= least) return equal(verdict.ok, true);
      const expected = ALGORITHMS.filter(([, , bytes]) => length >= bytes).map(([name]) => name);
      deepEqual(verdict, { ok: false, refusal: { reason: "algorithm", actual: alg, expected } });
    });
  }
}

Deno.test("hmac() takes the bytes of the secret as they are (SPEC A4.6)", async () => {
  const secret = "Schlüssel für Ölförderanlagen, geheim";
  equal((await (await hmacOver(secret)).verify(forge({ secret }), NOW)).ok, true);
});

Deno.test("hmac() takes the username from the claims it is told (SPEC A4.6)", async () => {
  const verdict = await (await hmacOver(SECRET)).verify(forge({}), NOW);
  equal(verdict.ok && verdict.identity.username, CLAIMS.email);
});

Deno.test("hmac() publishes no endpoint but an empty key set (SPEC A2.10)", async () => {
  const common = { issuer: ORIGIN, jwks_uri: JWKS_URI, response_types_supported: [] };
  deepEqual(await (await hmacOver(SECRET)).metadata(), {
    authorizationServer: { ...common, grant_types_supported: [] },
    openid: {
      ...common,
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: [],
    },
    jwks: { keys: [] },
  });
});
