/**
 * The upstream leg alone: `issuer()` over a provider in memory.
 *
 * @module
 */

import { vendorOf } from "../../lib/providers.ts";
import { issuer } from "../../lib/proxy/issuer.ts";
import { QUIRKS } from "../../lib/proxy/quirks.ts";
import type { Leg, Upstream } from "../../lib/proxy/upstream.ts";
import { type FakePorts, fakePorts, NOW, ORIGIN, testConfig } from "../fakes.ts";
import { type Idp, ISSUER, keyOf, newIdp, signWith } from "../idp.ts";
import type { Members } from "./logins.ts";

/** What belongs to a login of a test. */
export const LEG: Leg = { verifier: "v".repeat(43), nonce: "the nonce" };

/** The sealed state of a test; nothing here opens it. */
export const STATE = "the state";

/** Where this server gets its answers. */
export const CALLBACK = `${ORIGIN}/oauth/callback`;

/** A request that the provider's token endpoint got. */
export interface Sent {
  readonly form: Readonly<Record<string, string>>;
  readonly authorization: string | null;
}

/** The upstream leg, and the provider at its other end. */
export interface Leading {
  readonly idp: Idp;
  readonly ports: FakePorts;
  readonly upstream: Upstream;
  readonly sent: Sent[];
  /** Changes to the claims of the ID token. */
  claims: Members;
  /** Changes to the token response. */
  tokens: Members;
  /** What the token endpoint answers instead. */
  refusal: Response | undefined;
  /** Finishes a login whose answer is good but for `changes`. */
  finish(changes?: Members): ReturnType<Upstream["finish"]>;
}

/** Prepares the leg. @param env Settings on top of a public client at a plain OpenID provider. */
export async function lead(
  env: Readonly<Record<string, string>> = {},
  issuerId: string = env.OIDC_ISSUER ?? ISSUER,
): Promise<Leading> {
  const { oauth } = testConfig({
    OAUTH_MODE: "proxy",
    OAUTH_PROVIDER: "oidc",
    OIDC_ISSUER: issuerId,
    OIDC_CLIENT_ID: "gatehouse",
    ...env,
  });
  if (!oauth?.proxy?.client || oauth.provider.kind === "hmac") throw new Error("Cannot lead there");
  const key = await keyOf("issuers");
  const idp = newIdp([key], issuerId);
  idp.document = { ...idp.document, id_token_signing_alg_values_supported: ["ES256"] };
  const ports = fakePorts(idp.fetch);
  const sent: Sent[] = [];
  const leading: Leading = {
    idp,
    ports,
    sent,
    claims: {},
    tokens: {},
    refusal: undefined,
    upstream: issuer({
      vendor: vendorOf(oauth, oauth.provider),
      client: oauth.proxy.client,
      quirks: QUIRKS[oauth.provider.kind],
      callback: CALLBACK,
    }, ports),
    finish: (changes = {}) => {
      const answer = { code: "the code", state: STATE, ...changes };
      const given = Object.entries(answer).filter(([, value]) => value !== undefined);
      return leading.upstream.finish(
        new URLSearchParams(given.map(([name, value]) => [name, String(value)])),
        STATE,
        LEG,
      );
    },
  };
  idp.answers.set(String(idp.document.token_endpoint), async (request) => {
    const form = Object.fromEntries(new URLSearchParams(await request.text()));
    sent.push({ form, authorization: request.headers.get("authorization") });
    if (leading.refusal) return leading.refusal.clone();
    const claims = {
      iss: issuerId,
      sub: "dora-1",
      aud: "gatehouse",
      iat: NOW,
      exp: NOW + 3600,
      nonce: LEG.nonce,
      email: "dora@example.com",
      email_verified: true,
      ...leading.claims,
    };
    return Response.json({
      access_token: "upstream access",
      refresh_token: "upstream refresh",
      token_type: "Bearer",
      expires_in: 3600,
      id_token: await signWith(key, claims, { typ: "JWT" }),
      ...leading.tokens,
    });
  });
  return leading;
}
