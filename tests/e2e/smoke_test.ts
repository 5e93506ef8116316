/**
 * The programs of the development environment: what makes up its data, and what checks it.
 *
 * @module
 */

import { deepStrictEqual as deepEqual, rejects, strictEqual as equal } from "node:assert/strict";
import { counters, push, visit } from "../../dev/grafana/shop.ts";
import { PEOPLE, smoke } from "../../dev/grafana/smoke.ts";

Deno.test("counters().text() is a histogram whose buckets add up", () => {
  const shop = counters();
  for (const seconds of [0.01, 0.2, 9]) shop.add({ route: "/", status: 200, seconds });
  const bucket = (le: string) =>
    Number(
      new RegExp(`_bucket\\{route="/",le="${le.replace("+", "\\+")}"\\} (\\d+)`).exec(shop.text())
        ?.[1],
    );
  deepEqual(["0.05", "0.1", "0.25", "2.5", "+Inf"].map(bucket), [1, 1, 2, 2, 3]);
});

Deno.test("push() is what Loki takes: nanoseconds as text, and a line", () => {
  const { streams: [stream] } = push(visit(() => 0.5), 1_700_000_000_123);
  const [at, line] = stream!.values[0]!;
  deepEqual([stream!.stream.app, at], ["shop", "1700000000123000000"]);
  equal(JSON.parse(line!).route, "/cart");
});

const mayWrite = (role: string) => role !== "Viewer";
for (
  const { name, roleOf, writes, status, says } of [
    { name: "a role is not what it should be", roleOf: () => "Viewer", says: /alice is alice, V/ },
    { name: "carol may write", writes: () => true, says: /carol saves a dashboard/ },
    { name: "carol is refused for another reason", status: 500, says: /Grafana refuses: 500/ },
  ] as {
    name: string;
    roleOf?: (username: string) => string;
    writes?: (role: string) => boolean;
    status?: number;
    says: RegExp;
  }[]
) {
  Deno.test(`smoke() does not pass when ${name}`, async () => {
    await using stand = serveStack({ roleOf, writes, status });
    await rejects(Array.fromAsync(smoke(stand)), says);
  });
}

Deno.test("smoke() passes when everybody has the rights of their role", async () => {
  await using stand = serveStack({});
  equal((await Array.fromAsync(smoke(stand))).length, 1 + PEOPLE.length);
});

/** Keycloak and Gatehouse, as far as the smoke test sees them; tokens are names. */
function serveStack({
  roleOf = (username) => PEOPLE.find((one) => one.username === username)!.role,
  writes = mayWrite,
  status = 403,
}: {
  roleOf?: ((username: string) => string) | undefined;
  writes?: ((role: string) => boolean) | undefined;
  status?: number | undefined;
}) {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (asked) => {
      if (new URL(asked.url).pathname !== "/mcp") {
        return Response.json({ access_token: (await asked.formData()).get("username") });
      }
      const login = asked.headers.get("authorization")?.replace("Bearer ", "");
      if (login === undefined) return new Response(null, { status: 401 });
      const { params } = await asked.json();
      const role = roleOf(login);
      const text = status === 403 ? "Grafana does not let you do this." : `${status}`;
      const result = params.name === "get_current_user"
        ? { content: [], structuredContent: { login, role } }
        : { content: [{ text }], isError: !writes(role) };
      return Response.json({ jsonrpc: "2.0", id: 1, result });
    },
  );
  const origin = `http://127.0.0.1:${server.addr.port}`;
  return {
    keycloak: origin,
    gatehouse: origin,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
