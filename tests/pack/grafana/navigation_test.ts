import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { navigation } from "../../../lib/pack/grafana/navigation.ts";
import { callTool, GRAFANA } from "./grafana.ts";

async function link(args: Record<string, unknown>): Promise<URL> {
  const { asked, value, told } = await callTool(navigation, "generate_deeplink", args);
  ok(value, told);
  equal(asked.length, 0);
  return new URL(value.url as string);
}

Deno.test("generate_deeplink() links to a dashboard, with time and variables", async () => {
  const url = await link({
    resourceType: "dashboard",
    dashboardUid: "a b/c",
    panelId: 3,
    timeRange: { from: "now-6h", to: "now" },
    variables: { job: "a&b", region: "=#" },
  });
  equal(url.origin + url.pathname, `${GRAFANA}/d/a%20b%2Fc`);
  deepEqual([...url.searchParams], [
    ["from", "now-6h"],
    ["to", "now"],
    ["var-job", "a&b"],
    ["var-region", "=#"],
  ]);
  equal((await link({ resourceType: "dashboard", dashboardUid: "x" })).href, `${GRAFANA}/d/x`);
});

Deno.test("generate_deeplink() links to a panel, number 0 too", async () => {
  equal(
    (await link({ resourceType: "panel", dashboardUid: "x", panelId: 0 })).href,
    `${GRAFANA}/d/x?viewPanel=0`,
  );
});

Deno.test("generate_deeplink() links to Explore with the queries", async () => {
  const url = await link({
    resourceType: "explore",
    datasourceUid: "prom",
    queries: [{ expr: 'up{a="b&c"}' }, { expr: "x", refId: "Z" }],
  });
  equal(url.origin + url.pathname, `${GRAFANA}/explore`);
  equal(url.searchParams.get("schemaVersion"), "1");
  deepEqual(JSON.parse(url.searchParams.get("panes")!), {
    a: {
      datasource: "prom",
      queries: [
        { refId: "A", datasource: { uid: "prom" }, expr: 'up{a="b&c"}' },
        { refId: "Z", datasource: { uid: "prom" }, expr: "x" },
      ],
      range: { from: "now-1h", to: "now" },
    },
  });
});

const LACKING: [args: Record<string, unknown>, told: RegExp][] = [
  [{ resourceType: "dashboard" }, /link to dashboard needs dashboardUid/],
  [{ resourceType: "panel", dashboardUid: "x" }, /link to panel needs panelId/],
  [{ resourceType: "panel", panelId: 1 }, /link to panel needs dashboardUid/],
  [{ resourceType: "explore" }, /link to explore needs datasourceUid/],
  [{ resourceType: "dashboard", dashboardUid: ".." }, /cannot be part of a path/],
  [{ resourceType: "alert" }, /bad arguments/],
  [{ resourceType: "dashboard", dashboardUid: "x", variables: { "a-b": "c" } }, /bad arguments/],
  [{ resourceType: "dashboard", dashboardUid: "x", timeRange: { from: "now" } }, /bad arguments/],
];
for (const [args, told] of LACKING) {
  Deno.test(`generate_deeplink() makes no link of ${JSON.stringify(args)}`, async () => {
    match((await callTool(navigation, "generate_deeplink", args)).told!, told);
  });
}

Deno.test("generate_deeplink() never links out of Grafana", async () => {
  const words = fc.oneof(
    fc.string({ unit: "binary", maxLength: 20 }),
    fc.constantFrom(
      "//evil.example",
      "..",
      "\\evil",
      "@evil.example",
      "?",
      "#",
      "javascript:alert(1)",
    ),
  );
  const args = fc.record({
    resourceType: fc.constantFrom("dashboard", "panel", "explore"),
    dashboardUid: words,
    panelId: fc.integer(),
    datasourceUid: words,
    timeRange: fc.record({ from: words, to: words }),
    variables: fc.dictionary(fc.stringMatching(/^\w{1,9}$/), words),
  });
  await fc.assert(fc.asyncProperty(args, async (given) => {
    const { value } = await callTool(navigation, "generate_deeplink", given);
    if (!value) return;
    const { origin, pathname, hash } = new URL(value.url as string);
    equal(origin, new URL(GRAFANA).origin);
    match(pathname, /^\/sub\/(?:d\/[^/]+|explore)$/);
    equal(hash, "");
  }));
});
