import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import fc from "fast-check";
import { judge, type Judgement, MAX_TOKEN_BYTES, type Rules, SKEW_SECONDS } from "../lib/jwt.ts";
import { CLAIMS, NOW, ORIGIN, RESOURCE, SECRET } from "./fakes.ts";
import { forge, hmacOf, leaks, type Plan } from "./tokens.ts";

const KEY = await hmacKey(new TextEncoder().encode(SECRET));

const RULES: Rules = {
  issuers: [ORIGIN],
  audiences: [RESOURCE],
  algorithms: ["HS256"],
  key: () => KEY,
};

function hmacKey(secret: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  return crypto.subtle.importKey("raw", secret, algorithm, false, ["verify"]);
}

function reasonOf(judgement: Judgement): string {
  return judgement.ok ? "none" : judgement.refusal.reason;
}

Deno.test("judge() yields the claims as the token has them (SPEC A4.6)", async () => {
  const judgement = await judge(forge({ claims: { extra: { deep: [1] } } }), RULES, NOW);
  deepEqual(judgement, { ok: true, claims: { ...CLAIMS, extra: { deep: [1] } } });
});

// Each token fails at its own step and at every later one, so the reason tells the order.
const STEPS: readonly (readonly [reason: string, plan: Plan])[] = [
  ["signature", { secret: "another secret, as long as it has to be" }],
  ["issuer", { claims: { iss: "https://evil.example" } }],
  ["header", { header: { crit: ["exp"] } }],
  ["header", { header: { kid: 1 } }],
  ["algorithm", { header: { alg: "none" } }],
  ["type", { header: { typ: "logout+jwt" } }],
];
const LATE: readonly (readonly [reason: string, plan: Plan])[] = [
  ["claim", { claims: { sub: "" } }],
  ["id token", { claims: { nonce: "n" } }],
  ["audience", { claims: { aud: "https://other.example" } }],
  ["not yet valid", { claims: { iat: NOW + 31 } }],
  ["not yet valid", { claims: { nbf: NOW + 31 } }],
  ["expired", { claims: { exp: NOW - 30 } }],
];

function pileUp(steps: readonly (readonly [string, Plan])[]): [string, Plan][] {
  let all: Plan = {};
  return steps.map(([reason, plan]) => {
    const header = { ...all.header, ...plan.header };
    all = { ...all, ...plan, header, claims: { ...all.claims, ...plan.claims } };
    return [reason, all];
  });
}

for (const [index, [reason, plan]] of pileUp([...LATE, ...STEPS]).entries()) {
  Deno.test(`judge() gives the reason ${reason} before ${index} later ones (SPEC A4.6)`, async () => {
    equal(reasonOf(await judge(forge(plan), RULES, NOW)), reason);
  });
}

Deno.test("judge() looks at the size before anything else (SPEC A4.1)", async () => {
  const token = ".".repeat(MAX_TOKEN_BYTES + 1);
  deepEqual(await judge(token, RULES, NOW), {
    ok: false,
    refusal: { reason: "oversized", bytes: MAX_TOKEN_BYTES + 1, limit: MAX_TOKEN_BYTES },
  });
  equal(reasonOf(await judge(token.slice(1), RULES, NOW)), "malformed");
});

Deno.test("judge() asks for a key only when header and issuer passed (SPEC A4.6)", async () => {
  const asked: unknown[] = [];
  const rules = { ...RULES, key: (header: unknown) => (asked.push(header), KEY) };
  for (const [, plan] of STEPS.slice(1)) await judge(forge(plan), rules, NOW);
  await judge("not.a.token", rules, NOW);
  deepEqual(asked, []);
  await judge(forge({ header: { kid: "2026" } }), rules, NOW);
  deepEqual(asked, [{ alg: "HS256", kid: "2026" }]);
});

Deno.test("judge() rejects when the key cannot be had: that is no bad token (SPEC A4.6)", async () => {
  const error = new Error("Cannot fetch keys: the issuer is down");
  await rejects(judge(forge({}), { ...RULES, key: () => Promise.reject(error) }, NOW), error);
});

Deno.test("judge() accepts any of several audiences and no other (SPEC A4.2)", async () => {
  const rules = { ...RULES, audiences: ["https://a.example", "https://b.example"] };
  for (const aud of ["https://a.example", "https://b.example"]) {
    ok((await judge(forge({ claims: { aud } }), rules, NOW)).ok);
  }
  equal(reasonOf(await judge(forge({}), rules, NOW)), "audience");
  equal(reasonOf(await judge(forge({}), { ...rules, audiences: [] }, NOW)), "audience");
});

const BOUNDARIES: readonly (readonly [name: string, now: number, reason: string])[] = [
  ["as exp and the skew end", CLAIMS.exp + SKEW_SECONDS, "expired"],
  ["a second before exp and the skew end", CLAIMS.exp + SKEW_SECONDS - 1, "none"],
  ["as the skew before iat begins", CLAIMS.iat - SKEW_SECONDS, "none"],
  ["a second before the skew before iat", CLAIMS.iat - SKEW_SECONDS - 1, "not yet valid"],
];
for (const [name, now, reason] of BOUNDARIES) {
  const verb = reason === "none" ? "accepts" : "refuses";
  Deno.test(`judge() ${verb} a token ${name} (SPEC A4.1, A4.6)`, async () => {
    equal(reasonOf(await judge(forge({}), RULES, now)), reason);
  });
}

// RFC 7515 appendix A: signatures of others over the same payload. The payload has no audience, so
// a good signature is one that lets the judgement come as far as that.
const RFC_PAYLOAD =
  "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const RFC_7515 = [
  {
    section: "A.1",
    alg: "HS256",
    header: "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9",
    signature: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    key: {
      kty: "oct",
      k: "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
    },
    algorithm: { name: "HMAC", hash: "SHA-256" },
  },
  {
    section: "A.2",
    alg: "RS256",
    header: "eyJhbGciOiJSUzI1NiJ9",
    signature:
      "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
    key: {
      kty: "RSA",
      n: "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
      e: "AQAB",
    },
    algorithm: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  },
  {
    section: "A.3",
    alg: "ES256",
    header: "eyJhbGciOiJFUzI1NiJ9",
    signature:
      "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
    key: {
      kty: "EC",
      crv: "P-256",
      x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
      y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    },
    algorithm: { name: "ECDSA", namedCurve: "P-256" },
  },
];

for (const { section, alg, header, signature, key, algorithm } of RFC_7515) {
  Deno.test(`judge() checks ${alg} as RFC 7515 appendix ${section} does (SPEC A4.6)`, async () => {
    const imported = await crypto.subtle.importKey("jwk", key, algorithm, false, ["verify"]);
    const rules = { ...RULES, issuers: ["joe"], algorithms: [alg], key: () => imported };
    const now = 1300819379;
    equal(
      reasonOf(await judge([header, RFC_PAYLOAD, signature].join("."), rules, now)),
      "audience",
    );
    const other = signature.replace(/^./, (first) => first === "A" ? "B" : "A");
    equal(reasonOf(await judge([header, RFC_PAYLOAD, other].join("."), rules, now)), "signature");
    const payload = btoa('{"iss":"joe","exp":1300819380,"aud":"http://localhost:8080/mcp"}');
    const altered = [header, payload.replaceAll("=", ""), signature].join(".");
    equal(reasonOf(await judge(altered, rules, now)), "signature");
  });
}

Deno.test("judge() does not take a public key for an HMAC secret (SPEC A4.6, RFC 8725 2.1)", async () => {
  const { key, algorithm } = RFC_7515[1]!;
  const imported = await crypto.subtle.importKey("jwk", key, algorithm, false, ["verify"]);
  const rules = { ...RULES, algorithms: ["RS256"], key: () => imported };
  const token = forge({ secret: key.n! });
  deepEqual(await judge(token, rules, NOW), {
    ok: false,
    refusal: { reason: "algorithm", actual: "HS256", expected: ["RS256"] },
  });
});

// The bytes of strangers. Seeds are fixed, so that every run is the same run.
const RUNS = { seed: 1, numRuns: 300 };

Deno.test("judge() refuses any text, and never throws (SPEC A4.1)", async () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.array(fc.base64String({ maxLength: 40 }), { maxLength: 6 }).map((parts) => parts.join(".")),
  );
  await fc.assert(
    fc.asyncProperty(text, async (token) => equal((await judge(token, RULES, NOW)).ok, false)),
    RUNS,
  );
});

// JSON objects in which the members that matter turn up with every kind of value.
function objects(good: Readonly<Record<string, unknown>>, names: readonly string[]) {
  const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(...Object.values(good)));
  const members = [...Object.keys(good), ...names, "__proto__", "constructor", "toString"];
  return fc.dictionary(fc.constantFrom(...members), value, { maxKeys: 4 })
    .map((changes) => JSON.stringify({ ...good, ...changes }));
}
const HEADERS = objects(
  { alg: "HS256", typ: "at+jwt" },
  ["kid", "crit", "b64", "jwk", "jku", "x5u", "x5c", "zip", "enc"],
);
const PAYLOADS = objects(CLAIMS, ["nbf", "nonce", "at_hash"]);

Deno.test("judge() never accepts what was not signed, whatever it says (SPEC A4.1, A4.6)", async () => {
  const signature = fc.oneof(
    fc.constant(hmacOf(forge({}).split(".").slice(0, 2).join("."))),
    fc.uint8Array({ minLength: 0, maxLength: 64 }).map((bytes) =>
      bytes.toBase64({ alphabet: "base64url", omitPadding: true })
    ),
  );
  const property = async (headerText: string, claimsText: string, forged: string) => {
    const signed = forge({ headerText, claimsText });
    const token = signed.replace(/[^.]*$/, forged);
    if (token !== signed) equal((await judge(token, RULES, NOW)).ok, false);
  };
  await fc.assert(fc.asyncProperty(HEADERS, PAYLOADS, signature, property), RUNS);
});

Deno.test("judge() accepts a signed token only when its claims are good (SPEC A4.1, A4.6)", async () => {
  let accepted = 0;
  const property = async (headerText: string, claimsText: string) => {
    const token = forge({ headerText, claimsText });
    const judgement = await judge(token, RULES, NOW);
    if (!judgement.ok) return deepEqual(leaks(JSON.stringify(judgement), token, SECRET), []);
    accepted++;
    const { alg, crit, jwk } = JSON.parse(headerText);
    deepEqual({ alg, crit, jwk }, { alg: "HS256", crit: undefined, jwk: undefined });
    const { iss, sub, aud, exp } = JSON.parse(claimsText);
    equal(iss, ORIGIN);
    ok(typeof sub === "string" && sub !== "");
    ok(aud === RESOURCE || (Array.isArray(aud) && aud.includes(RESOURCE)));
    ok(typeof exp === "number" && exp + SKEW_SECONDS > NOW);
  };
  await fc.assert(fc.asyncProperty(HEADERS, PAYLOADS, property), RUNS);
  ok(accepted > 10 && accepted < RUNS.numRuns, `${accepted} were accepted`);
});

Deno.test("judge() refuses a good token when any one character is changed (SPEC A4.6)", async () => {
  const good = forge({});
  const property = async (at: number, character: string) => {
    const token = good.slice(0, at) + character + good.slice(at + 1);
    if (token !== good) equal((await judge(token, RULES, NOW)).ok, false);
  };
  const place = fc.nat({ max: good.length - 1 });
  const character = fc.constantFrom(
    ..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_.=+/ ",
  );
  await fc.assert(fc.asyncProperty(place, character, property), { ...RUNS, numRuns: 1000 });
});
