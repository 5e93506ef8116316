import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
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
