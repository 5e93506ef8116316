/**
 * The identity provider of `logins.ts` with what comes after a login: refreshing with rotation, user
 * info, and revocation.
 *
 * @module
 */

import { NOW } from "../fakes.ts";
import { ISSUER, keyOf, signWith } from "../idp.ts";
import { type Logins, type Members, newLogins } from "./logins.ts";

/** A provider that knows its grants. */
export interface Upstream extends Logins {
  /** Refresh requests so far. */
  readonly renewals: URLSearchParams[];
  /** Revocation requests so far. */
  readonly revocations: URLSearchParams[];
  /** `Authorization` headers of all requests to token and revocation endpoint; "" without one. */
  readonly credentials: string[];
  /** Changes to the answer of a refresh. */
  renewal: Members;
  /** Claims of the ID token in that answer; none is in it when absent. */
  renewed: Members | undefined;
  /** What a refresh gets instead. */
  renewalRefusal: Response | undefined;
  /** What a revocation gets. */
  revocation: Response;
}

/** An ID token for the server under test, good but for `claims`. */
export async function idToken(claims: Members = {}): Promise<string> {
  const good = {
    iss: ISSUER,
    sub: "dora-1",
    aud: "gatehouse",
    iat: NOW,
    exp: NOW + 10 * 365 * 86_400,
    email: "dora@example.com",
    email_verified: true,
    name: "Dora",
  };
  return await signWith(await keyOf("logins"), { ...good, ...claims }, { typ: "JWT" });
}

/** Makes a provider that takes each refresh token once, and gives another. */
export async function newUpstream(): Promise<Upstream> {
  const logins = await newLogins();
  const { fetch } = logins;
  let current = "upstream refresh";
  logins.document = { ...logins.document, revocation_endpoint: `${ISSUER}/revoke` };

  const renew = async (form: URLSearchParams): Promise<Response> => {
    upstream.renewals.push(form);
    if (upstream.renewalRefusal) return upstream.renewalRefusal.clone();
    if (form.get("refresh_token") !== current) {
      return Response.json({ error: "invalid_grant" }, { status: 400 });
    }
    const { renewed, renewal, renewals } = upstream;
    const body: Members = {
      access_token: `upstream access ${renewals.length}`,
      refresh_token: `upstream refresh ${renewals.length}`,
      token_type: "Bearer",
      expires_in: 3600,
      ...(renewed && { id_token: await idToken(renewed) }),
      ...renewal,
    };
    current = String(body.refresh_token ?? current);
    return Response.json(body);
  };

  const upstream: Upstream = Object.assign(logins, {
    renewals: [],
    revocations: [],
    credentials: [],
    renewal: {},
    renewed: undefined,
    renewalRefusal: undefined,
    revocation: new Response(null, { status: 200 }),
    fetch: async (request: Request) => {
      if (!upstream.up) return await fetch(request);
      const isToken = request.url === `${ISSUER}/token`;
      const isRevocation = request.url === `${ISSUER}/revoke`;
      if (!isToken && !isRevocation) return await fetch(request);
      upstream.credentials.push(request.headers.get("authorization") ?? "");
      const form = new URLSearchParams(await request.clone().text());
      if (isRevocation) {
        upstream.revocations.push(form);
        return upstream.revocation.clone();
      }
      return form.get("grant_type") === "refresh_token" ? await renew(form) : await fetch(request);
    },
  });
  return upstream;
}
