/**
 * A stand-in for Grafana, for development only: a few dashboards, folders and data sources in
 * memory, and the roles of Grafana's basic access control.
 *
 * It trusts nobody's word but a signed one: each request is judged by the published keys of the
 * issuer, as Grafana's own JWT authentication does it. It is not Grafana, and says so.
 *
 * @see {@link https://grafana.com/docs/grafana/latest/setup-grafana/configure-access/configure-authentication/jwt/}
 *
 * @module
 */

import { createLocalJWKSet, errors, type JSONWebKeySet, jwtVerify } from "@panva/jose";
import type { Ports } from "../ports.ts";
import { dashboards, type Database } from "./standin_data.ts";

/** Settings of {@linkcode standIn}. */
export interface StandInOptions {
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUri: string;
}

/** Who asks, as the token says. */
export interface StandInUser {
  readonly login: string;
  readonly name: string;
  readonly email: string;
  readonly role: Role;
}

const ROLES = ["Viewer", "Editor", "Admin"] as const;
type Role = (typeof ROLES)[number];

/** How long keys are kept, in seconds. */
const KEYS_SECONDS = 60;

const CAPITALS: Readonly<Record<string, Role>> = {
  admin: "Admin",
  editor: "Editor",
  viewer: "Viewer",
};

/** Makes a stand-in with data of its own. */
export function standIn(
  { issuer, audience, jwksUri }: StandInOptions,
  { fetch, now }: Pick<Ports, "fetch" | "now">,
): (request: Request) => Promise<Response> {
  const database = dashboards();
  let keys: { set: JSONWebKeySet; until: number } | undefined;

  const keySet = async () => {
    if (!keys || keys.until <= now()) {
      const response = await fetch(new Request(jwksUri));
      keys = { set: await response.json() as JSONWebKeySet, until: now() + KEYS_SECONDS };
    }
    return createLocalJWKSet(keys.set);
  };
  const userOf = async (request: Request): Promise<StandInUser | undefined> => {
    const [, token] = /^Bearer (\S+)$/.exec(request.headers.get("authorization") ?? "") ?? [];
    if (token === undefined) return undefined;
    try {
      const { payload } = await jwtVerify(token, await keySet(), {
        issuer,
        audience,
        algorithms: ["ES256"],
        requiredClaims: ["exp"],
        currentDate: new Date(now() * 1000),
      });
      const { preferred_username: login, name = login, email = login, roles } = payload;
      const given = Array.isArray(roles) ? roles.map((role) => CAPITALS[String(role)]) : [];
      const role = ROLES.findLast((one) => given.includes(one)) ?? "Viewer";
      return { login: String(login), name: String(name), email: String(email), role };
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  };

  return async (request) => {
    const user = await userOf(request);
    if (!user) return tell(401, "Unauthorized");
    const { pathname, searchParams } = new URL(request.url);
    for (const { method, pattern, needs, permission, answer } of ROUTES) {
      const match = method === request.method ? pattern.exec(pathname) : undefined;
      if (!match) continue;
      if (ROLES.indexOf(user.role) < ROLES.indexOf(needs)) {
        return tell(
          403,
          `You'll need additional permissions to perform this action. Permissions needed: ${permission}`,
        );
      }
      const body = method === "GET" ? undefined : await request.json().catch(() => undefined);
      return answer({ database, user, id: match[1] ?? "", query: searchParams, body });
    }
    return tell(404, "This stand-in for Grafana has nothing here");
  };
}

interface Asked {
  readonly database: Database;
  readonly user: StandInUser;
  /** The part of the path that varies. */
  readonly id: string;
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

interface Route {
  readonly method: string;
  readonly pattern: RegExp;
  readonly needs: Role;
  readonly permission: string;
  readonly answer: (asked: Asked) => Response;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function tell(status: number, message: string): Response {
  return Response.json({ message }, { status });
}

const route = (
  method: string,
  pattern: RegExp,
  needs: Role,
  permission: string,
  answer: Route["answer"],
): Route => ({ method, pattern, needs, permission, answer });

const ROUTES: readonly Route[] = [
  route(
    "GET",
    /^\/api\/user$/,
    "Viewer",
    "",
    ({ user }) =>
      Response.json({ id: 1, login: user.login, name: user.name, email: user.email, orgId: 1 }),
  ),
  route(
    "GET",
    /^\/api\/user\/orgs$/,
    "Viewer",
    "",
    ({ user }) => Response.json([{ orgId: 1, name: "Stand-in", role: user.role }]),
  ),
  route("GET", /^\/api\/org$/, "Viewer", "", () => Response.json({ id: 1, name: "Stand-in" })),
  route(
    "GET",
    /^\/api\/search$/,
    "Viewer",
    "",
    ({ database, query }) =>
      Response.json(database.search(query.get("type") ?? "", query.get("query") ?? "")),
  ),
  route("GET", /^\/api\/dashboards\/uid\/([^/]+)$/, "Viewer", "", ({ database, id }) => {
    const found = database.dashboard(decoded(id));
    return found ? Response.json(found) : tell(404, "Dashboard not found");
  }),
  route("POST", /^\/api\/dashboards\/db$/, "Editor", "dashboards:write", ({ database, body }) => {
    const saved = database.save(body?.dashboard);
    return saved ? Response.json(saved) : tell(400, "Dashboard title cannot be empty");
  }),
  route("POST", /^\/api\/folders$/, "Editor", "folders:create", ({ database, body }) => {
    const made = database.folder(body?.title);
    return made ? Response.json(made) : tell(400, "Folder title cannot be empty");
  }),
  route(
    "GET",
    /^\/api\/datasources$/,
    "Viewer",
    "",
    ({ database }) => Response.json(database.datasources),
  ),
  route(
    "GET",
    /^\/api\/annotations$/,
    "Viewer",
    "",
    ({ database }) => Response.json(database.annotations),
  ),
  route("POST", /^\/api\/annotations$/, "Editor", "annotations:create", ({ database, body }) => {
    const id = database.annotate(body);
    return Response.json({ id, message: "Annotation added" });
  }),
];
