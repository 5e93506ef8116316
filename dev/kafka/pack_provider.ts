/**
 * An identity provider on loopback that exchanges tokens (RFC 8693) and gives clients some of their
 * own (RFC 6749 section 4.4).
 *
 * @module
 */

import { jwtVerify } from "@panva/jose";
import { newKey, signWith } from "../../tests/idp.ts";

/** What tokens for Kafka name. */
export const AUDIENCE = "kafka";

/** This server at the provider, which may exchange tokens. */
export const SELF = { id: "gatehouse", secret: "a secret of gatehouse and the provider" } as const;

/** Another client of it, with a token of its own. */
export const SERVICE = { id: "kafka-service", secret: "a secret of the service itself" } as const;

/** Whom the provider lets nobody act for, and whose tokens it gives for another service. */
export const PEOPLE = { refused: "mallory", misled: "trudy" } as const;

const LIFETIME = 120;

/** A provider that runs. */
export interface Provider extends AsyncDisposable {
  readonly issuer: string;
  readonly jwks: string;
  /** An access token of a person, for a service. */
  tokenOf(subject: string, audience: string): Promise<string>;
  /** Every token that it gave, to whomever. */
  readonly given: readonly string[];
  /** For whom tokens were exchanged, in order. */
  readonly exchanged: readonly string[];
}

/** Starts a provider. */
export async function startProvider(): Promise<Provider> {
  const key = await newKey("provider");
  const given: string[] = [];
  const exchanged: string[] = [];
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    (request) => answer(request),
  );
  const issuer = `http://127.0.0.1:${server.addr.port}`;
  const jwks = `${issuer}/jwks`;
  const tokenOf = async (sub: string, aud: string) => {
    const now = Math.floor(Date.now() / 1000);
    const jti = crypto.randomUUID();
    const claims = { iss: issuer, sub, aud, iat: now, exp: now + LIFETIME, jti, scope: "any" };
    const token = await signWith(key, claims);
    given.push(token);
    return token;
  };
  const granted = async (sub: string, aud: string, more: Record<string, unknown> = {}) =>
    Response.json({
      access_token: await tokenOf(sub, aud),
      token_type: "Bearer",
      expires_in: LIFETIME,
      ...more,
    });
  const refused = (error: string, status = 400) => Response.json({ error }, { status });

  const answer = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url);
    if (pathname === "/.well-known/openid-configuration") {
      return Response.json({
        issuer,
        jwks_uri: jwks,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        response_types_supported: ["code"],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["ES256"],
      });
    }
    if (pathname === "/jwks") return Response.json({ keys: [key.jwk] });
    if (pathname !== "/token") return new Response(null, { status: 404 });
    const client = clientOf(request);
    const form = new URLSearchParams(await request.text());
    if (form.get("grant_type") === "client_credentials") {
      return client === SERVICE ? granted(SERVICE.id, AUDIENCE) : refused("invalid_client", 401);
    }
    if (client !== SELF) return refused("invalid_client", 401);
    const { payload } = await jwtVerify(form.get("subject_token") ?? "", key.jwk, { issuer });
    const { sub = "" } = payload;
    if (form.get("audience") !== AUDIENCE || sub === PEOPLE.refused) {
      return refused("access_denied");
    }
    exchanged.push(sub);
    return granted(sub, sub === PEOPLE.misled ? "another-service" : AUDIENCE, {
      issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
    });
  };
  return {
    issuer,
    jwks,
    tokenOf,
    given,
    exchanged,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** Which client shows its secret (RFC 6749 section 2.3.1: both parts are form-encoded first). */
function clientOf(request: Request): typeof SELF | typeof SERVICE | undefined {
  const [, shown = ""] = /^Basic (.+)$/.exec(request.headers.get("authorization") ?? "") ?? [];
  const [id, secret] = atob(shown).split(":").map((part) =>
    new URLSearchParams(`part=${part}`).get("part")
  );
  return [SELF, SERVICE].find((client) => client.id === id && client.secret === secret);
}
