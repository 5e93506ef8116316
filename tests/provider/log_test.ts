import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { bearerHeader, CLAIMS, legacyCall, NOW, RESOURCE, subject } from "../fakes.ts";
import { encode, ISSUER, keyOf, newIdp, newKey, signWith } from "../idp.ts";

const KEY = await keyOf("k1");
const ALGORITHMS = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
];

type Members = Readonly<Record<string, unknown>>;

interface Row {
  readonly name: string;
  readonly claims?: Members;
  readonly header?: Members;
  readonly token?: (good: string) => string | Promise<string>;
  /** The facts in the line, and all of them. */
  readonly facts: Members;
}

const ROWS: readonly Row[] = [
  {
    name: "both issuers",
    claims: { iss: "https://other.example" },
    facts: { reason: "issuer", actual: "https://other.example", expected: [ISSUER] },
  },
  {
    name: "both audiences",
    claims: { aud: ["account", "https://other.example/mcp"] },
    facts: {
      reason: "audience",
      actual: ["account", "https://other.example/mcp"],
      expected: [RESOURCE],
    },
  },
  {
    name: "the algorithm and those that are accepted",
    token: (good) => [encode({ alg: "HS256" }), ...good.split(".").slice(1)].join("."),
    facts: { reason: "algorithm", actual: "HS256", expected: ALGORITHMS },
  },
  {
    name: "how long ago it expired",
    claims: { exp: NOW - 4000 },
    facts: { reason: "expired", expiresAt: NOW - 4000, secondsAgo: 4000 },
  },
  {
    name: "how long until it begins",
    claims: { nbf: NOW + 90 },
    facts: { reason: "not yet valid", claim: "nbf", inSeconds: 90 },
  },
  {
    name: "the key that nobody has",
    header: { kid: "k2" },
    facts: { reason: "key", kid: "k2" },
  },
  {
    name: "a signature that does not fit, and nothing else",
    token: async () => signWith(await newKey("k1"), { ...CLAIMS, iss: ISSUER }),
    facts: { reason: "signature" },
  },
  {
    name: "what tells an ID token",
    claims: { nonce: "n-0S6_WzA2Mj" },
    header: { typ: "JWT" },
    facts: { reason: "id token", claim: "nonce" },
  },
  {
    name: "the type and those that are accepted",
    header: { typ: "logout+jwt" },
    facts: { reason: "type", actual: "logout+jwt", expected: "at+jwt or JWT" },
  },
  {
    name: "that it was no token at all",
    token: () => "opaque-8xLOxBtZp8-which-is-secret",
    facts: { reason: "malformed", detail: "1 parts, not 3" },
  },
];

for (const { name, claims, header, token, facts } of ROWS) {
  Deno.test(`bearer() logs of a refused token ${name}, and never the token (SPEC A4.5)`, async () => {
    const idp = newIdp([KEY]);
    const env = { OAUTH_PROVIDER: "oidc", OIDC_ISSUER: ISSUER };
    const { ports, send } = await subject(env, undefined, idp.fetch);
    const good = await signWith(KEY, { ...CLAIMS, iss: ISSUER, ...claims }, header);
    const bad = await (token?.(good) ?? good);
    const response = await send("/mcp", legacyCall("tools/list", {}, bearerHeader(bad)));
    equal(response.status, 401);

    const [line] = ports.lines.filter((one) => one.includes("token refused"));
    const { time: _, id, ...rest } = JSON.parse(line!);
    deepEqual(rest, { level: "warn", event: "token refused", ...facts });
    equal(id, response.headers.get("x-request-id"));
    const seen = [...ports.lines, await response.text(), ...response.headers.values()].join("\n");
    for (const part of [bad, ...bad.split(".")]) equal(seen.includes(part), false);
    equal(/issuer|k2|nonce|account/.test(headerTexts(response)), false);
  });
}

// What the client hears is the same whatever the reason.
function headerTexts(response: Response): string {
  return response.headers.get("www-authenticate")!.replace(/resource_metadata="[^"]*"/, "");
}
