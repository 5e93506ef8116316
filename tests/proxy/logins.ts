/**
 * An identity provider that logs people in (OpenID Connect Core 1.0 section 3.1), in memory.
 *
 * It is as strict to its client as real ones are, and every answer of it can be changed.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { NOW } from "../fakes.ts";
import { type Idp, ISSUER, keyOf, newIdp, signWith } from "../idp.ts";

/** Members of an answer by name; `undefined` takes one out. */
export type Members = Record<string, unknown>;

/** A provider with logins. */
export interface Logins extends Idp {
  /** Changes to the authorization response. */
  response: Members;
  /** Changes to the claims of the ID token. */
  claims: Members;
  /** Changes to the token response. */
  tokens: Members;
  /** What the token endpoint answers instead. */
  refusal: Response | undefined;
  /** What the token endpoint waits for before it answers. */
  hold: () => Promise<void>;
  /** The authorization requests so far. */
  readonly asked: URLSearchParams[];
  /** The token requests so far. */
  readonly redeemed: URLSearchParams[];
}

/** The client id of the server under test, as in `idpSettings`. */
const CLIENT = "gatehouse";

/** Makes a provider with one person, Dora, who always says yes. */
export async function newLogins(): Promise<Logins> {
  const key = await keyOf("logins");
  const codes = new Map<string, URLSearchParams>();
  const idp = newIdp([key]);
  const { fetch } = idp;
  idp.document = {
    ...idp.document,
    authorization_response_iss_parameter_supported: true,
    id_token_signing_alg_values_supported: [key.alg],
    token_endpoint_auth_methods_supported: ["none", "client_secret_basic"],
  };

  const authorize = (asked: URLSearchParams): Response => {
    logins.asked.push(asked);
    const code = `code-${logins.asked.length}`;
    codes.set(code, asked);
    const said = { code, state: asked.get("state"), iss: ISSUER, ...logins.response };
    const location = new URL(asked.get("redirect_uri")!);
    for (const [name, value] of Object.entries(said)) {
      if (value !== undefined) location.searchParams.set(name, String(value));
    }
    return new Response(null, { status: 302, headers: { location: location.href } });
  };

  const token = async (request: Request): Promise<Response> => {
    const form = new URLSearchParams(await request.text());
    logins.redeemed.push(form);
    await logins.hold();
    if (logins.refusal) return logins.refusal.clone();
    const asked = codes.get(form.get("code") ?? "");
    codes.delete(form.get("code") ?? "");
    const digest = createHash("sha256").update(form.get("code_verifier") ?? "").digest("base64url");
    const isGood = asked?.get("code_challenge") === digest && form.get("client_id") === CLIENT &&
      asked.get("redirect_uri") === form.get("redirect_uri");
    if (!isGood) return Response.json({ error: "invalid_grant" }, { status: 400 });
    const claims = {
      iss: ISSUER,
      sub: "dora-1",
      aud: CLIENT,
      iat: NOW,
      // The library that judges it has a clock of its own.
      exp: 2 * NOW,
      nonce: asked.get("nonce"),
      email: "dora@example.com",
      email_verified: true,
      name: "Dora",
      ...logins.claims,
    };
    return Response.json({
      access_token: "upstream access",
      refresh_token: "upstream refresh",
      token_type: "Bearer",
      expires_in: 3600,
      id_token: await signWith(key, claims, { typ: "JWT" }),
      ...logins.tokens,
    });
  };

  const logins: Logins = Object.assign(idp, {
    response: {},
    claims: {},
    tokens: {},
    refusal: undefined,
    hold: () => Promise.resolve(),
    asked: [],
    redeemed: [],
    fetch: (request: Request) => {
      const { origin, pathname, searchParams } = new URL(request.url);
      const at = `${origin}${pathname}`;
      if (idp.up && at === `${ISSUER}/authorize`) return Promise.resolve(authorize(searchParams));
      if (idp.up && at === `${ISSUER}/token`) return token(request);
      return fetch(request);
    },
  });
  return logins;
}
