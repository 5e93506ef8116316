/**
 * Asks the development environment whether everybody acts as themselves: `smoke.ts` gets a token of
 * each person with a password, as `curl` would, and calls tools with it through Gatehouse.
 *
 * Leaves a dashboard behind, which bob has made.
 *
 * @module
 */

import { type Origins, origins } from "./settings.ts";

/** People of the realm, and what Grafana should make of them. */
export const PEOPLE = [
  { username: "alice", role: "Admin", mayWrite: true },
  { username: "bob", role: "Editor", mayWrite: true },
  { username: "carol", role: "Viewer", mayWrite: false },
] as const;

const DASHBOARD = { uid: "smoke", title: "Smoke", panels: [] };

/** What a tool said. */
export interface Said {
  readonly isError: boolean;
  readonly text: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/**
 * Tries it out, one line at a time.
 *
 * @throws {Error} At the first thing that is not as it should be.
 */
export async function* smoke(at: Pick<Origins, "keycloak" | "gatehouse">): AsyncGenerator<string> {
  const refused = await post(`${at.gatehouse}/mcp`, {}, undefined);
  await refused.body?.cancel();
  expect(refused.status === 401, `without a token the status is ${refused.status}, not 401`);
  yield "nobody: 401";
  for (const { username, role, mayWrite } of PEOPLE) {
    const token = await tokenOf(at.keycloak, username);
    const me = await call(at.gatehouse, token, "get_current_user", {});
    expect(!me.isError, `${username} is not told who they are: ${me.text}`);
    const { login, role: given } = me.value;
    expect(login === username && given === role, `${username} is ${login}, ${given}`);
    const saved = await call(at.gatehouse, token, "update_dashboard", {
      dashboard: DASHBOARD,
      overwrite: true,
    });
    expect(saved.isError !== mayWrite, `${username} saves a dashboard: ${saved.text}`);
    // A refusal for another reason would prove nothing.
    expect(mayWrite || /does not let you/.test(saved.text), `Grafana refuses: ${saved.text}`);
    yield `${username}: ${given}, ${mayWrite ? "saved a dashboard" : saved.text}`;
  }
}

async function tokenOf(keycloak: string, username: string): Promise<string> {
  const response = await fetch(`${keycloak}/realms/grafana/protocol/openid-connect/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "password",
      client_id: "mcp-claude",
      username,
      password: `${username}123`,
      scope: "openid email profile",
    }),
  });
  const { access_token: token, error } = await response.json();
  expect(typeof token === "string", `Keycloak gives no token for ${username}: ${error}`);
  return token;
}

/** Calls a tool. @throws {Error} When it is not reached. */
export async function call(
  gatehouse: string,
  token: string | undefined,
  name: string,
  args: unknown,
): Promise<Said> {
  const response = await post(
    `${gatehouse}/mcp`,
    { method: "tools/call", params: { name, arguments: args } },
    token,
  );
  const text = await response.text();
  expect(response.status === 200, `${name} answers ${response.status}: ${text}`);
  const { result, error } = JSON.parse(text);
  expect(result !== undefined, `${name} cannot be called: ${error?.message}`);
  return {
    isError: result.isError === true,
    text: result.content.map(({ text }: { text?: string }) => text).join("\n"),
    value: result.structuredContent ?? {},
  };
}

function post(url: string, message: object, token: string | undefined): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, ...message }),
  });
}

function expect(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(`Cannot confirm: ${otherwise}`);
}

if (import.meta.main) {
  const say = (text: string) => Deno.stdout.write(new TextEncoder().encode(`${text}\n`));
  for await (const line of smoke(origins())) await say(line);
}
