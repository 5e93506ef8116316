/**
 * Keycloak as its administrator has it, by its admin API.
 *
 * @module
 */

import { ADMIN } from "./keycloak.ts";

/** What an administrator does. */
export interface Admin {
  /** Locks a person out, or lets them in again. */
  setEnabled(username: string, enabled: boolean): Promise<void>;
  /** Ends every session of a person. */
  logOut(username: string): Promise<void>;
  /** How many sessions a person has. */
  sessionsOf(username: string): Promise<number>;
  /** Gives a person one role of the realm instead of another. */
  changeRole(username: string, from: string, to: string): Promise<void>;
  /** Changes settings of the realm. */
  setRealm(settings: Readonly<Record<string, unknown>>): Promise<void>;
}

/** The administrator of the realm that is `issuer`. */
export function adminOf(issuer: string): Admin {
  const { origin, pathname } = new URL(issuer);
  const realm = `${origin}/admin${pathname}`;

  const call = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${realm}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${await adminToken(origin)}`,
        "content-type": "application/json",
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`Cannot ${method} ${path}: ${response.status} ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  };
  const pathOf = async (username: string) => {
    const [user] = await call("GET", `/users?exact=true&username=${username}`);
    return `/users/${user.id}`;
  };
  const role = (name: string) => call("GET", `/roles/${name}`);
  return {
    async setEnabled(username, enabled) {
      await call("PUT", await pathOf(username), { enabled });
    },
    async logOut(username) {
      await call("POST", `${await pathOf(username)}/logout`);
    },
    async sessionsOf(username) {
      return (await call("GET", `${await pathOf(username)}/sessions`)).length;
    },
    async changeRole(username, from, to) {
      const mappings = `${await pathOf(username)}/role-mappings/realm`;
      await call("DELETE", mappings, [await role(from)]);
      await call("POST", mappings, [await role(to)]);
    },
    async setRealm(settings) {
      await call("PUT", "", settings);
    },
  };
}

async function adminToken(origin: string): Promise<string> {
  const response = await fetch(`${origin}/realms/master/protocol/openid-connect/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "password",
      client_id: "admin-cli",
      username: ADMIN.username,
      password: ADMIN.password,
    }),
  });
  const { access_token } = await response.json();
  if (typeof access_token !== "string") throw new Error("Cannot be administrator");
  return access_token;
}
