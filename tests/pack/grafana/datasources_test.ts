import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { grafana as pack } from "../../../lib/pack/grafana.ts";
import { datasources } from "../../../lib/pack/grafana/datasources.ts";
import { ALICE, callTool, newGrafana } from "./grafana.ts";

// As the documentation of Grafana's data source API shows them.
const PROM = {
  id: 1,
  uid: "prom",
  orgId: 1,
  name: "Metrics EU",
  type: "prometheus",
  typeName: "Prometheus",
  typeLogoUrl: "public/app/plugins/datasource/prometheus/img/prometheus_logo.svg",
  access: "proxy",
  url: "http://reader:s3cret@prometheus:9090",
  user: "",
  database: "",
  basicAuth: false,
  isDefault: true,
  jsonData: { httpMethod: "POST" },
  readOnly: true,
};
const LOGS = {
  ...PROM,
  id: 2,
  uid: "logs",
  name: "Logs EU",
  type: "loki",
  isDefault: false,
  url: "http://loki:3100",
  jsonData: null,
};
const ALERTS = { ...LOGS, id: 3, uid: "alerts", name: "Alertmanager", type: "alertmanager" };
const LIST = { "GET /api/datasources": [PROM, LOGS, ALERTS] };

const DENIED = () =>
  Response.json(
    { message: "You'll need additional permissions: datasources:read", accessErrorId: "ACE1" },
    { status: 403 },
  );

// A viewer gets these, with logins for browsers where a data source is asked from there.
const SETTINGS = {
  defaultDatasource: "Metrics EU",
  datasources: {
    "Metrics EU": { ...PROM, basicAuth: "Basic cmVhZGVyOnMzY3JldA==", password: "s3cret" },
    "Logs EU": LOGS,
    "-- Mixed --": { type: "datasource", uid: "-- Mixed --", name: "-- Mixed --", meta: {} },
    "-- Grafana --": { id: -1, uid: "grafana", name: "-- Grafana --", type: "datasource" },
  },
};
const VIEWER = {
  "GET /api/datasources": DENIED(),
  "GET /api/datasources/uid/prom": DENIED(),
  "GET /api/datasources/uid/nope": DENIED(),
  "GET /api/datasources/name/Metrics%20EU": DENIED(),
  "GET /api/frontend/settings": SETTINGS,
};

const uids = (value: Record<string, unknown> | undefined) =>
  (value?.datasources as { uid: string }[]).map(({ uid }) => uid);

Deno.test("list_datasources() lists what a query needs, and no more", async () => {
  const { asked, value } = await callTool(datasources, "list_datasources", {}, LIST);
  deepEqual((value!.datasources as unknown[])[0], {
    uid: "prom",
    name: "Metrics EU",
    type: "prometheus",
    isDefault: true,
  });
  deepEqual([value!.total, value!.hasMore], [3, false]);
  equal(asked[0]!.headers.get("authorization"), "Bearer alice-token");
});

const SELECTED: [args: Record<string, unknown>, found: string[], total: number, more: boolean][] = [
  [{ type: "PROM" }, ["prom"], 1, false],
  [{ name: "eu" }, ["prom", "logs"], 2, false],
  [{ name: "eu", type: "loki" }, ["logs"], 1, false],
  [{ limit: 1 }, ["prom"], 3, true],
  [{ limit: 1, offset: 2 }, ["alerts"], 3, false],
  [{ offset: 9 }, [], 3, false],
];
for (const [args, found, total, hasMore] of SELECTED) {
  Deno.test(`list_datasources() selects ${found} by ${JSON.stringify(args)}`, async () => {
    const { value } = await callTool(datasources, "list_datasources", args, LIST);
    deepEqual([uids(value), value!.total, value!.hasMore], [found, total, hasMore]);
  });
}

Deno.test("list_datasources() takes the settings for pages when the caller may not list", async () => {
  const { asked, value } = await callTool(datasources, "list_datasources", {}, VIEWER);
  deepEqual(uids(value), ["prom", "logs"]);
  deepEqual(asked.map(({ path }) => path), ["/api/datasources", "/api/frontend/settings"]);
});

Deno.test("list_datasources() tells the permission that lacks when the settings are closed as well", async () => {
  const closed = Response.json({ message: "Unauthorized" }, { status: 401 });
  const answers = { ...VIEWER, "GET /api/frontend/settings": closed };
  const { told } = await callTool(datasources, "list_datasources", {}, answers);
  match(told!, /does not let you.*datasources:read/);
});

Deno.test("list_datasources() tells a login page in front of Grafana", async () => {
  const answers = { "GET /api/datasources": PAGE() };
  match((await callTool(datasources, "list_datasources", {}, answers)).told!, /web page/);
});

Deno.test("get_datasource() tells settings without the login in the URL", async () => {
  const answers = { "GET /api/datasources/uid/prom": { ...PROM, secureJsonFields: { key: true } } };
  const { value } = await callTool(datasources, "get_datasource", { uid: "prom" }, answers);
  equal(value!.url, "http://prometheus:9090");
  deepEqual(value!.jsonData, { httpMethod: "POST" });
  deepEqual(value!.secureJsonFields, { key: true });
  ok(!("typeLogoUrl" in value!));
});

Deno.test("get_datasource() finds by name, encoded; a uid goes before", async () => {
  const answers = {
    "GET /api/datasources/name/Metrics%20EU": PROM,
    "GET /api/datasources/uid/logs": LOGS,
  };
  const args = { name: "Metrics EU" };
  equal((await callTool(datasources, "get_datasource", args, answers)).value!.uid, "prom");
  const both = { ...args, uid: "logs" };
  equal((await callTool(datasources, "get_datasource", both, answers)).value!.uid, "logs");
});

for (const wanted of [{ uid: "prom" }, { name: "Metrics EU" }]) {
  Deno.test(`get_datasource() tells a viewer by ${Object.keys(wanted)} no login of a browser`, async () => {
    const { value } = await callTool(datasources, "get_datasource", wanted, VIEWER);
    equal(value!.type, "prometheus");
    ok(!JSON.stringify(value).includes("s3cret"), "not the password");
    ok(!JSON.stringify(value).includes("Basic"), "not the header");
  });
}

const UNKNOWN: [who: string, answers: Record<string, unknown>][] = [
  ["that Grafana does not know", {}],
  ["that a viewer may not use", VIEWER],
];
for (const [which, answers] of UNKNOWN) {
  Deno.test(`get_datasource() points to list_datasources for one ${which}`, async () => {
    const { told } = await callTool(datasources, "get_datasource", { uid: "nope" }, answers);
    match(told!, /no data source with the uid "nope".*list_datasources/);
  });
}

Deno.test("get_datasource() leaves out settings that are too long, and says so", async () => {
  const answers = {
    "GET /api/datasources/uid/prom": { ...PROM, jsonData: { x: "y".repeat(60_000) } },
  };
  const { value } = await callTool(datasources, "get_datasource", { uid: "prom" }, answers);
  equal(value!.jsonData, undefined);
  match(value!.truncated as string, /too long/);
});

Deno.test("get_datasource() needs a uid or a name, and no uid leads elsewhere", async () => {
  match((await callTool(datasources, "get_datasource", {})).told!, /uid or the name/);
  const odd = await callTool(datasources, "get_datasource", { uid: "a/x" });
  equal(odd.asked[0]!.path, "/api/datasources/uid/a%2Fx");
  equal((await callTool(datasources, "get_datasource", { uid: ".." })).asked.length, 0);
});

const PAGE = () => new Response("<html>", { headers: { "content-type": "text/html" } });

const HEALTH = {
  ...LIST,
  "GET /api/datasources/uid/prom/health": { status: "OK", message: "Successfully queried" },
  "GET /api/datasources/uid/logs/health": Response.json(
    { status: "ERROR", message: "connection refused", details: { verbose: "stack" } },
    { status: 400 },
  ),
  "GET /api/datasources/uid/alerts/health": Response.json(
    { statusCode: 500, messageId: "plugin.unavailable", message: "Plugin unavailable" },
    { status: 500 },
  ),
};

Deno.test("check_datasources_health() tells what works, what does not, and what cannot tell", async () => {
  const { value } = await callTool(datasources, "check_datasources_health", {}, HEALTH);
  deepEqual(value, {
    results: [
      {
        uid: "prom",
        name: "Metrics EU",
        type: "prometheus",
        status: "OK",
        message: "Successfully queried",
      },
      {
        uid: "logs",
        name: "Logs EU",
        type: "loki",
        status: "ERROR",
        message: "connection refused",
      },
      {
        uid: "alerts",
        name: "Alertmanager",
        type: "alertmanager",
        status: "UNKNOWN",
        message: "Its plugin has no health check",
      },
    ],
    total: 3,
    healthy: 1,
    unhealthy: 1,
    hasMore: false,
  });
});

const CHECKED: [what: string, answer: unknown, status: string, message: RegExp][] = [
  [
    "has no check",
    Response.json({ message: "Not found" }, { status: 404 }),
    "UNKNOWN",
    /no health/,
  ],
  ["may not be checked", DENIED(), "ERROR", /does not let you/],
  ["breaks the check", Response.json({ message: "boom" }, { status: 500 }), "ERROR", /boom/],
  ["is behind a login page", PAGE(), "ERROR", /web page/],
  ["cannot be reached", new TypeError("connection reset"), "ERROR", /cannot be reached/],
];
for (const [what, answer, status, message] of CHECKED) {
  Deno.test(`check_datasources_health() says ${status} of one that ${what}, and checks the others`, async () => {
    const answers = { ...HEALTH, "GET /api/datasources/uid/logs/health": answer };
    const { value } = await callTool(datasources, "check_datasources_health", {}, answers);
    const [first, second] = value!.results as { status: string; message?: string }[];
    equal(first!.status, "OK");
    equal(second!.status, status);
    match(second!.message ?? "", message);
  });
}

Deno.test("check_datasources_health() checks those that are named once each, and tells which there are not", async () => {
  const args = { uids: ["prom", "nope", "prom"], type: "loki" };
  const { asked, value } = await callTool(datasources, "check_datasources_health", args, HEALTH);
  deepEqual(
    (value!.results as { uid: string; status: string }[]).map((one) => [one.uid, one.status]),
    [
      ["prom", "OK"],
      ["nope", "ERROR"],
    ],
  );
  deepEqual(asked.map(({ path }) => path), [
    "/api/datasources",
    "/api/datasources/uid/prom/health",
  ]);
});

Deno.test("check_datasources_health() checks ten at a time, and tells how far it is", async () => {
  const many = Array.from({ length: 12 }, (_, at) => ({ ...PROM, uid: `p${at}` }));
  const grafana = newGrafana({
    "GET /api/datasources": many,
    ...Object.fromEntries(
      many.map(({ uid }) => [`GET /api/datasources/uid/${uid}/health`, { status: "OK" }]),
    ),
  });
  const tool = datasources(grafana).find(({ name }) => name === "check_datasources_health")!;
  const seen: [number, number | undefined][] = [];
  const check = (offset: number) =>
    tool.run({ offset }, {
      identity: ALICE,
      signal: new AbortController().signal,
      log: () => {},
      progress: (done, total) => Promise.resolve(void seen.push([done, total])),
    });
  const first = await check(0) as Record<string, unknown>;
  deepEqual([first.healthy, first.total, first.hasMore], [10, 12, true]);
  deepEqual(seen.at(-1), [10, 10]);
  const second = await check(10) as Record<string, unknown>;
  deepEqual([second.healthy, second.hasMore], [2, false]);
});

Deno.test("datasources() has tools that only read, and refuse what they do not know", async () => {
  for (const tool of pack({ ...newGrafana({}), readOnly: true }).tools) {
    if (!/datasource|prometheus|loki/.test(tool.name)) continue;
    equal(tool.annotations.readOnlyHint, true, tool.name);
    equal(tool.input.safeParse({ datasourceUid: "x", bogus: 1 }).success, false, tool.name);
  }
  match((await callTool(datasources, "list_datasources", { limit: 101 })).told!, /bad arguments/);
});
