import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { dashboards } from "../../../lib/pack/grafana/dashboards.ts";
import { type Called, callTool } from "./grafana.ts";

// `GET /api/dashboards/uid/:uid`, as Grafana's documentation shows it, with panels of a real one.
const DASHBOARD = {
  id: 1,
  uid: "cIBgcSjkk",
  title: "Production Overview",
  description: "All of it",
  tags: ["templated"],
  timezone: "browser",
  schemaVersion: 39,
  version: 3,
  time: { from: "now-6h", to: "now" },
  templating: {
    list: [{ name: "job", type: "query", query: "label_values(job)" }, {
      name: "ds",
      type: "datasource",
    }],
  },
  panels: [
    {
      id: 1,
      type: "timeseries",
      title: "Requests",
      datasource: { type: "prometheus", uid: "${ds}" },
      targets: [
        { refId: "A", expr: 'rate(http{job="$job"}[$__rate_interval])' },
        { refId: "B", datasource: { type: "loki", uid: "logs" }, expr: '{job="${job:regex}"}' },
      ],
    },
    {
      id: 2,
      type: "row",
      title: "Collapsed",
      collapsed: true,
      panels: [
        {
          id: 3,
          type: "table",
          title: "Rows",
          datasource: "old name",
          targets: [{ refId: "A", rawSql: "SELECT 1" }],
        },
      ],
    },
    { id: 4, type: "text", title: "Notes" },
  ],
};
const META = {
  type: "db",
  canSave: false,
  url: "/d/cIBgcSjkk/production-overview",
  folderUid: "nErXDvCkzz",
  folderTitle: "Ops",
  version: 3,
};

const call = (
  name: string,
  args: Record<string, unknown> = {},
  dashboard: unknown = DASHBOARD,
): Promise<Called> =>
  callTool(dashboards, name, { uid: "x", ...args }, {
    "GET /api/dashboards/uid/x": { dashboard, meta: META },
  });

Deno.test("get_dashboard_by_uid() hands on the whole dashboard", async () => {
  deepEqual((await call("get_dashboard_by_uid")).value, { dashboard: DASHBOARD, meta: META });
});

Deno.test("get_dashboard_by_uid() sends a model to the smaller tools when a dashboard is too large for it", async () => {
  const { told } = await call("get_dashboard_by_uid", {}, { filler: "x".repeat(200_000) });
  match(
    told!,
    /has 200013 characters, over 200000\. Use get_dashboard_summary, or get_dashboard_property/,
  );
});

Deno.test("get_dashboard_summary() tells title, variables and panels, those in collapsed rows too", async () => {
  deepEqual((await call("get_dashboard_summary")).value, {
    uid: "cIBgcSjkk",
    title: "Production Overview",
    description: "All of it",
    tags: ["templated"],
    folderTitle: "Ops",
    version: 3,
    timeRange: { from: "now-6h", to: "now" },
    variables: [{ name: "job", type: "query" }, { name: "ds", type: "datasource" }],
    panels: [
      { id: 1, title: "Requests", type: "timeseries", datasourceUid: "${ds}", queryCount: 2 },
      { id: 3, title: "Rows", type: "table", datasourceUid: "old name", queryCount: 1 },
      { id: 4, title: "Notes", type: "text", queryCount: 0 },
    ],
  });
});

Deno.test("get_dashboard_summary() makes do with a dashboard that has nothing", async () => {
  deepEqual((await call("get_dashboard_summary", {}, {})).value, {
    uid: "x",
    title: "",
    tags: [],
    folderTitle: "Ops",
    variables: [],
    panels: [],
  });
});

Deno.test("get_dashboard_summary() hands on the panels that fit, and says what it left out", async () => {
  const panels = Array.from(
    { length: 1000 },
    (_, id) => ({ id, title: "x".repeat(400), type: "text" }),
  );
  const { value } = await call("get_dashboard_summary", {}, { title: "Large", panels });
  const kept = (value!.panels as unknown[]).length;
  ok(kept > 400 && kept < 500);
  equal(
    value!.truncated,
    `${1000 - kept} of 1000 left out: use get_dashboard_property with $.panels`,
  );
});

Deno.test("get_dashboard_property() finds what a path leads to", async () => {
  const { value } = await call("get_dashboard_property", {
    jsonPath: "$.panels[?@.id==1].targets[*].refId",
  });
  deepEqual(value, { values: ["A", "B"] });
});

const REFUSED: [path: string, told: RegExp][] = [
  ["$..*..*..*", /at most once/],
  ["$..[?$..*]", /at most once/],
  ["$.panels[?match(@.title, 'x')]", /cannot be read/],
  ["panels", /cannot be read/],
  ["", /bad arguments/],
  [`$${".a".repeat(150)}`, /bad arguments/],
];
for (const [jsonPath, told] of REFUSED) {
  Deno.test(`get_dashboard_property() refuses ${JSON.stringify(jsonPath.slice(0, 30))} before it asks`, async () => {
    const called = await call("get_dashboard_property", { jsonPath });
    match(called.told!, told);
    equal(called.asked.length, 0);
  });
}

Deno.test("get_dashboard_panel_queries() tells each query with its data source", async () => {
  const { value } = await call("get_dashboard_panel_queries");
  deepEqual(value, {
    queries: [
      {
        panelId: 1,
        panelTitle: "Requests",
        refId: "A",
        query: 'rate(http{job="$job"}[$__rate_interval])',
        datasourceUid: "${ds}",
        datasourceType: "prometheus",
      },
      {
        panelId: 1,
        panelTitle: "Requests",
        refId: "B",
        query: '{job="${job:regex}"}',
        datasourceUid: "logs",
        datasourceType: "loki",
      },
      { panelId: 3, panelTitle: "Rows", refId: "A", query: "SELECT 1", datasourceUid: "old name" },
    ],
  });
});

Deno.test("get_dashboard_panel_queries() puts variables in, once, and leaves the others as they are", async () => {
  const variables = { job: "$ds $& $1", ds: "prom", __proto__: "x" };
  const { value } = await call("get_dashboard_panel_queries", { panelId: 1, variables });
  const queries = value!.queries as { query: string; datasourceUid: string }[];
  deepEqual(queries.map(({ query }) => query), [
    'rate(http{job="$ds $& $1"}[$__rate_interval])',
    '{job="$ds $& $1"}',
  ]);
  equal(queries[0]!.datasourceUid, "prom");
});

Deno.test("get_dashboard_panel_queries() puts in nothing that variables inherit", async () => {
  const panels = [{ id: 1, targets: [{ expr: "$constructor ${toString} $__proto__" }] }];
  const { value } = await call("get_dashboard_panel_queries", { variables: { a: "b" } }, {
    panels,
  });
  equal((value!.queries as { query: string }[])[0]!.query, "$constructor ${toString} $__proto__");
});

Deno.test("get_dashboard_panel_queries() shows a query of an unknown kind as it is", async () => {
  const panels = [{ id: 1, targets: [{ refId: "A", metrics: [7] }] }];
  const { value } = await call("get_dashboard_panel_queries", {}, { panels });
  equal((value!.queries as { query: string }[])[0]!.query, '{"refId":"A","metrics":[7]}');
});

Deno.test("get_dashboard_panel_queries() says that there is no such panel, and where to look", async () => {
  match(
    (await call("get_dashboard_panel_queries", { panelId: 9 })).told!,
    /no panel 9\. See get_dashboard_summary/,
  );
});

const NAMES = [
  "get_dashboard_by_uid",
  "get_dashboard_summary",
  "get_dashboard_property",
  "get_dashboard_panel_queries",
];
for (const name of NAMES) {
  const more = name === "get_dashboard_property" ? { jsonPath: "$" } : {};
  Deno.test(`${name}() tells what Grafana says of a dashboard that is not there, or not theirs`, async () => {
    const answers = (status: number, message: string) => ({
      "GET /api/dashboards/uid/x": Response.json({ message }, { status }),
    });
    const gone = await callTool(
      dashboards,
      name,
      { uid: "x", ...more },
      answers(404, "Dashboard not found"),
    );
    match(
      gone.told!,
      /has nothing at GET \/api\/dashboards\/uid\/x\. Grafana says: Dashboard not found/,
    );
    const closed = await callTool(
      dashboards,
      name,
      { uid: "x", ...more },
      answers(403, "needed: dashboards:read"),
    );
    match(closed.told!, /does not let you.*dashboards:read/);
  });

  Deno.test(`${name}() keeps an odd uid within one segment, or asks nothing`, async () => {
    const { asked } = await callTool(dashboards, name, { uid: "a/b?c#d", ...more });
    equal(asked[0]!.path, "/api/dashboards/uid/a%2Fb%3Fc%23d");
    for (const uid of ["", ".", "..", "x".repeat(201), "../../../../admin"]) {
      const odd = await callTool(dashboards, name, { uid, ...more });
      ok(odd.told);
      equal(odd.asked.length, 0);
    }
  });

  Deno.test(`${name}() fails for no dashboard, however odd`, async () => {
    const key = fc.constantFrom(
      "toString",
      "name",
      "panels",
      "targets",
      "title",
      "type",
      "id",
      "templating",
      "list",
      "tags",
      "time",
      "from",
      "datasource",
      "uid",
      "expr",
    );
    const { odd } = fc.letrec((tie) => ({
      odd: fc.oneof(
        { maxDepth: 5 },
        fc.jsonValue({ maxDepth: 1 }),
        fc.array(tie("odd"), { maxLength: 3 }),
        fc.dictionary(key, tie("odd"), { noNullPrototype: true }),
      ),
    }));
    const dashboard = fc.dictionary(key, odd, { noNullPrototype: true });
    await fc.assert(
      fc.asyncProperty(dashboard, async (given) => {
        const { value, told } = await call(name, more, given);
        ok(value, told);
      }),
      { numRuns: 300 },
    );
  });
}
