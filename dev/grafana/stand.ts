/**
 * A stand-in for Grafana that judges tokens as compose.yml tells Grafana to, by Keycloak's keys.
 *
 * It has as much of Grafana as the tests ask for, and keeps nothing.
 *
 * @module
 */

import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from "@panva/jose";
import { parse } from "yaml";

/** How Grafana is to judge. */
export interface Judging {
  readonly issuer: string;
  readonly audience: string[];
  readonly loginClaim: string;
  readonly emailClaim: string;
  readonly rolePath: string;
}

/** Who somebody is to Grafana. */
export interface StandUser {
  readonly login: unknown;
  /** Absent for who has no role. */
  readonly role: string | undefined;
}

/** What compose.yml tells Grafana, with `issuer` in the place of the one there. */
export function grafanaSettings(issuer: string): Judging {
  const text = Deno.readTextFileSync(new URL("compose.yml", import.meta.url))
    .replaceAll("http://localhost:${KEYCLOAK_PORT}/realms/grafana", issuer);
  const { environment } = parse(text, { merge: true }).services.grafana;
  const expected = JSON.parse(environment.GF_AUTH_JWT_EXPECT_CLAIMS);
  return {
    issuer: expected.iss,
    audience: expected.aud,
    loginClaim: environment.GF_AUTH_JWT_USERNAME_CLAIM,
    emailClaim: environment.GF_AUTH_JWT_EMAIL_CLAIM,
    rolePath: environment.GF_AUTH_JWT_ROLE_ATTRIBUTE_PATH,
  };
}

/** Judges a token. @returns `undefined` for one that Grafana would refuse. */
export async function judge(
  token: string,
  keys: JSONWebKeySet,
  { issuer, audience, loginClaim, rolePath }: Judging,
): Promise<StandUser | undefined> {
  const verified = await jwtVerify(token, createLocalJWKSet(keys), { issuer, audience })
    .catch(() => undefined);
  if (!verified) return undefined;
  const { [loginClaim]: login, roles } = verified.payload;
  const given = rolePath.matchAll(/contains\(roles\[\*\], '(\w+)'\) && '(\w+)'/g)
    .find(([, name]) => (roles as string[]).includes(name!));
  return { login, role: given?.[2] };
}

/** As much of Grafana as is asked for. @param userOf Judges a token. */
export function grafanaStand(
  userOf: (token: string) => Promise<StandUser | undefined>,
): (request: Request) => Promise<Response> {
  return async (asked) => {
    const user = await userOf(asked.headers.get("authorization")?.replace("Bearer ", "") ?? "");
    if (!user) return Response.json({ message: "Invalid JWT" }, { status: 401 });
    const { pathname } = new URL(asked.url);
    switch (pathname) {
      case "/api/user":
        return Response.json({ login: user.login, orgId: 1 });
      case "/api/user/orgs":
        return Response.json([{ orgId: 1, name: "Main Org.", role: user.role }]);
      case "/api/search":
        return Response.json([{ uid: "smoke", title: "Smoke" }]);
      case "/api/dashboards/db":
        return user.role === "Viewer"
          ? Response.json({ message: "Permissions needed: dashboards:write" }, { status: 403 })
          : Response.json({ uid: "smoke", status: "success", version: 1 });
      default:
        return new Response(null, { status: 404 });
    }
  };
}
