import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { MOST_AT_ONCE, MOST_WAITING } from "../lib/pack/turns.ts";
import { bearerHeader, modernCall, sign, subject } from "./fakes.ts";

const GRAFANA = { GRAFANA_URL: "https://grafana.example", GRAFANA_SERVICE_ACCOUNT_TOKEN: "server" };
const PARAMS = { name: "search_dashboards", arguments: {} };

async function asked(env: Record<string, string>, headers: Record<string, string>) {
  const seen: Request[] = [];
  const server = await subject({ ...GRAFANA, ...env }, undefined, (request) => {
    seen.push(request);
    return Promise.resolve(Response.json([]));
  });
  const token = await sign();
  const call = modernCall("tools/call", PARAMS, { ...bearerHeader(token), ...headers });
  const response = await server.send("/mcp", call);
  equal(response.status, 200);
  ok((await response.text()).includes('"dashboards":[]'));
  await server.app.close();
  return { seen, token };
}

Deno.test("packsOf() takes no credential, organization or address for Grafana from a request (SPEC A5.5)", async () => {
  const { seen, token } = await asked({}, {
    "x-grafana-api-key": "stolen",
    "x-grafana-service-account-token": "stolen",
    "x-grafana-url": "https://evil.example",
    "x-grafana-org-id": "7",
    "x-jwt-assertion": "stolen",
  });
  deepEqual(seen.map(({ url }) => new URL(url).origin), ["https://grafana.example"]);
  const [{ headers }] = seen as [Request];
  equal(headers.get("authorization"), `Bearer ${token}`);
  equal(headers.get("x-grafana-org-id"), null);
  ok(![...headers.values()].some((value) => value.includes("stolen")));
});

Deno.test("packsOf() leaves the server's token where it is while somebody is logged in (SPEC A5.3)", async () => {
  for (const auth of ["forward", "assertion"]) {
    const { seen } = await asked({ GRAFANA_AUTH: auth }, {});
    ok(![...seen[0]!.headers.values()].some((value) => value.includes("server")));
  }
  const { seen } = await asked({ GRAFANA_AUTH: "service-account" }, {});
  equal(seen[0]!.headers.get("authorization"), "Bearer server");
});

/** The packs that ask elsewhere, and a tool of each that takes no arguments. */
const ELSEWHERE = [
  ["grafana", "list_datasources", () => ({ ...GRAFANA })],
  ["kafka", "list_topics", (port: number) => ({ KAFKA_BROKERS: `127.0.0.1:${port}` })],
] as const;

for (const [name, tool, env] of ELSEWHERE) {
  Deno.test(`packsOf() bounds how many calls of one person are under way in ${name}`, async () => {
    // Nobody answers, neither here nor there.
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const leave = new AbortController();
    const never = (request: Request) =>
      new Promise<Response>((_, reject) => {
        for (const { signal } of [request, leave]) {
          signal.addEventListener("abort", () => reject(new Error("given up")));
        }
      });
    const { send, app } = await subject(env(listener.addr.port), undefined, never);
    const header = bearerHeader(await sign());
    const call = () =>
      send("/mcp", modernCall("tools/call", { name: tool, arguments: {} }, header));
    const waiting = Array.from({ length: MOST_AT_ONCE + MOST_WAITING }, call);
    const told = await (await call()).text();
    ok(told.includes(`116 of your ${name} calls are under way. Wait for some of them`), told);
    leave.abort();
    await app.close();
    for (const response of await Promise.all(waiting)) await response.body?.cancel();
  });
}
