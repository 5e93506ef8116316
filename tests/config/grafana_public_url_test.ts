import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { configure } from "../../lib/config.ts";
import { bearerHeader, modernCall, sign, subject } from "../fakes.ts";

const INSIDE = "http://grafana.monitoring.svc:3000";
const OUTSIDE = "https://example.com/grafana";

const LINKS: [env: Record<string, string>, base: string][] = [
  [{ GRAFANA_PUBLIC_URL: OUTSIDE }, OUTSIDE],
  [{ GRAFANA_PUBLIC_URL: `${OUTSIDE}/` }, OUTSIDE],
  [{}, INSIDE],
];
for (const [env, base] of LINKS) {
  Deno.test(`packsOf() links to ${base} with ${JSON.stringify(env)}, and asks inside either way`, async () => {
    const asked: string[] = [];
    const { app, send } = await subject({ GRAFANA_URL: INSIDE, ...env }, undefined, ({ url }) => {
      asked.push(new URL(url).origin);
      return Promise.resolve(Response.json([]));
    });
    const headers = bearerHeader(await sign());
    const call = async (name: string, args: Record<string, unknown>) => {
      const params = { name, arguments: args };
      const response = await send("/mcp", modernCall("tools/call", params, headers));
      return (await response.json()).result.structuredContent;
    };
    const link = { resourceType: "dashboard", dashboardUid: "abc" };
    equal((await call("generate_deeplink", link)).url, `${base}/d/abc`);
    deepEqual(asked, []);
    await call("search_folders", {});
    deepEqual(asked, [INSIDE]);
    await app.close();
  });
}

for (const text of ["grafana.example.com", "javascript:alert(1)", "https://a:hunter2@b.example"]) {
  Deno.test(`readGrafana() refuses GRAFANA_PUBLIC_URL=${text}, with a fix`, () => {
    const env = { GRAFANA_URL: INSIDE, GRAFANA_API_KEY: "key", GRAFANA_PUBLIC_URL: text };
    const configured = configure({ flags: {}, env, readFile: () => "" });
    ok(!configured.ok);
    deepEqual(configured.problems.map(({ where }) => where), ["GRAFANA_PUBLIC_URL"]);
    ok(configured.problems[0]!.fix.length > 0);
    ok(!JSON.stringify(configured).includes("hunter2"));
  });
}
