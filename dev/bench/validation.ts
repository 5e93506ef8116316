/**
 * Token validation, without the gate's memory and with it: what a caller's first request costs, and
 * what the others do.
 *
 * A further algorithm is one more row of {@linkcode SUBJECTS}.
 *
 * @module
 */

import { type CryptoKey, exportJWK, generateKeyPair } from "@panva/jose";
import { bearer } from "../../lib/bearer.ts";
import { challenges } from "../../lib/challenge.ts";
import { UNMETERED } from "../../lib/meter.ts";
import type { Provider } from "../../lib/provider.ts";
import { hmac } from "../../lib/provider/hmac.ts";
import { oidc } from "../../lib/provider/oidc.ts";
import { UNTRACED } from "../../lib/spans.ts";
import { type Figures, figuresOf, type Row } from "./load.ts";
import { SECRET } from "./servers.ts";
import { type Signer, signer, SUBJECT } from "./tokens.ts";

/** How many tokens are validated in turn. */
const DISTINCT_TOKENS = 2000;

const ISSUER = "https://issuer.example.com";
const AUDIENCE = "https://mcp.example.com/mcp";

interface Subject {
  readonly alg: string;
  /** Makes the provider, and the key that signs what it accepts. */
  prepare(): Promise<{ provider: Provider; key: CryptoKey | Uint8Array }>;
}

const SUBJECTS: readonly Subject[] = [
  ...["HS256", "HS384", "HS512"].map((alg) => ({ alg, prepare: prepareHmac })),
  ...["RS256", "ES256", "EdDSA"].map((alg) => ({ alg, prepare: () => prepareIssuer(alg) })),
];

const MAPPING = { usernameClaims: ["email"], rolesClaims: ["roles"], emailTrusted: true };

async function prepareHmac() {
  const secret = new TextEncoder().encode(SECRET);
  const provider = await hmac({
    issuer: ISSUER,
    audiences: [AUDIENCE],
    secret,
    mapping: MAPPING,
    jwksUri: `${ISSUER}/jwks.json`,
  });
  return { provider, key: secret };
}

// An issuer whose documents are at hand, so that only judging is measured.
async function prepareIssuer(alg: string) {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const document = { issuer: ISSUER, jwks_uri: `${ISSUER}/jwks.json` };
  const keys = { keys: [{ ...await exportJWK(publicKey), alg, use: "sig" }] };
  const fetch = (request: Request) =>
    Promise.resolve(Response.json(request.url === document.jwks_uri ? keys : document));
  const options = { issuer: ISSUER, audiences: [AUDIENCE], mapping: MAPPING };
  return { provider: oidc(options, { now, fetch, log: () => {} }), key: privateKey };
}

/** Prepares the rows, and checks that each algorithm's provider tells good tokens from bad. */
export function validations(): Promise<Row[]> {
  const rows = SUBJECTS.map(async ({ alg, prepare }) => {
    const { provider, key } = await prepare();
    const sign = signer(alg, key, ISSUER, AUDIENCE);
    await checkRefusal(provider, sign, alg);
    const tokens = await Promise.all(
      Array.from({ length: DISTINCT_TOKENS }, (_, index) => sign(String(index))),
    );
    return [{
      name: `validate-${alg}`,
      label: `Token validation, ${alg}, uncached`,
      measure: (seconds: number) => validate(provider, tokens, seconds),
    }, {
      name: `remember-${alg}`,
      label: `Token validation, ${alg}, cached`,
      measure: (seconds: number) => validate(remembering(provider), tokens.slice(0, 1), seconds),
    }];
  });
  return Promise.all(rows).then((all) => all.flat());
}

// The gate over the provider, in the shape of a provider.
function remembering(provider: Provider): Provider {
  const gate = bearer(provider, { now, meter: UNMETERED, spans: UNTRACED }, {
    challenges: challenges(`${AUDIENCE}/metadata`, []),
    scopesRequired: [],
    missing: () => [],
    mayCall: () => true,
  });
  const trace = {
    address: "",
    completed: Promise.resolve(),
    id: "bench",
    note: () => {},
    log: () => {},
    audit: () => {},
  };
  return {
    ...provider,
    async verify(token) {
      const request = new Request(AUDIENCE, { headers: { authorization: `Bearer ${token}` } });
      const identity = await gate(request, trace);
      if (identity instanceof Response) throw new Error("The gate refused a good token");
      return { ok: true, identity };
    },
  };
}

async function checkRefusal(provider: Provider, sign: Signer, alg: string): Promise<void> {
  const [good, other] = [await sign("good"), await sign("other")];
  const forged = good.slice(0, good.lastIndexOf(".")) + other.slice(other.lastIndexOf("."));
  if ((await provider.verify(forged, now())).ok) throw new Error(`${alg}: accepted a forged token`);
}

async function validate(
  provider: Provider,
  tokens: readonly string[],
  seconds: number,
): Promise<Figures> {
  const latencies: number[] = [];
  const started = performance.now();
  let before = started;
  for (let turn = 0; before < started + seconds * 1000; turn++) {
    const verdict = await provider.verify(tokens[turn % tokens.length]!, now());
    if (!verdict.ok || verdict.identity.subject !== SUBJECT) {
      throw new Error(`A good token was refused: ${JSON.stringify(verdict)}`);
    }
    const after = performance.now();
    latencies.push(after - before);
    before = after;
  }
  return figuresOf(latencies, before - started);
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}
