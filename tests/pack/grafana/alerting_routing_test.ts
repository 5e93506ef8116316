import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { alertingRouting } from "../../../lib/pack/grafana/alerting_routing.ts";
import { type Answers, callTool } from "./grafana.ts";

const V1 = "/api/v1/provisioning";

const call = (args: Record<string, unknown>, answers: Answers = {}) =>
  callTool(alertingRouting, "alerting_manage_routing", args, answers, true);

// As the documentation of the provisioning API shows them.
const POLICIES = {
  receiver: "grafana-default-email",
  group_by: ["grafana_folder", "alertname"],
  routes: [{
    receiver: "pager",
    object_matchers: [["severity", "=", "critical"]],
    mute_time_intervals: ["nights"],
  }],
  provenance: "api",
};
const PAGER = {
  uid: "p1",
  name: "pager/main",
  type: "webhook",
  settings: { url: "https://bot:hunter2@hooks.example/x", password: "[REDACTED]", maxAlerts: 3 },
  disableResolveMessage: false,
};
const MAIL = { ...PAGER, uid: "m1", name: "mail", type: "email", settings: { addresses: "a@b.c" } };
const NIGHTS = {
  name: "nights/all",
  time_intervals: [{ times: [{ start_time: "22:00", end_time: "24:00" }] }],
  version: "abc",
  provenance: "",
};

const ALL = {
  [`GET ${V1}/policies`]: POLICIES,
  [`GET ${V1}/contact-points`]: [PAGER, MAIL],
  [`GET ${V1}/mute-timings`]: [NIGHTS, { name: "never", time_intervals: null }],
};

Deno.test("alerting_manage_routing() gets the notification policies", async () => {
  const { asked, value } = await call({ operation: "get_notification_policies" }, ALL);
  deepEqual(value, { policies: POLICIES });
  equal(asked[0]!.headers.get("authorization"), "Bearer alice-token");
});

Deno.test("alerting_manage_routing() gets policies without routes", async () => {
  const { value } = await call({ operation: "get_notification_policies" }, {
    [`GET ${V1}/policies`]: { receiver: "mail", routes: null },
  });
  deepEqual(value, { policies: { receiver: "mail" } });
});

Deno.test("alerting_manage_routing() says which routes are left out", async () => {
  const routes = Array(50).fill({ receiver: "r".repeat(10_000) });
  const { value } = await call({ operation: "get_notification_policies" }, {
    [`GET ${V1}/policies`]: { receiver: "mail", routes },
  });
  ok(JSON.stringify(value).length < 210_000);
  match(value!.truncated as string, /of 50 left out/);
});

Deno.test("alerting_manage_routing() lists contact points without their settings", async () => {
  const { asked, value } = await call({ operation: "get_contact_points", name: "", limit: 1 }, ALL);
  equal(asked[0]!.path, `${V1}/contact-points`);
  deepEqual(value!.contact_points, [{ uid: "p1", name: "pager/main", type: "webhook" }]);
  match(value!.truncated as string, /^1 of 2 left out: raise limit/);
});

Deno.test("alerting_manage_routing() has Grafana find contact points by name", async () => {
  const { asked } = await call({ operation: "get_contact_points", name: "a&b=c" }, ALL);
  equal(asked[0]!.path, `${V1}/contact-points?name=a%26b%3Dc`);
});

Deno.test("alerting_manage_routing() gets a contact point, without logins in its URLs", async () => {
  const { asked, value } = await call({
    operation: "get_contact_point",
    contact_point_title: "pager/main",
  }, { [`GET ${V1}/contact-points`]: [PAGER] });
  equal(asked[0]!.path, `${V1}/contact-points?name=pager%2Fmain`);
  deepEqual(value!.contact_points, [{
    ...PAGER,
    settings: { ...PAGER.settings, url: "https://hooks.example/x" },
  }]);
});

Deno.test("alerting_manage_routing() keeps addresses in a contact point", async () => {
  const { value } = await call({ operation: "get_contact_point", contact_point_title: "mail" }, {
    [`GET ${V1}/contact-points`]: [MAIL],
  });
  deepEqual(value!.contact_points, [MAIL]);
});

Deno.test("alerting_manage_routing() gets time intervals", async () => {
  const nights = { name: NIGHTS.name, time_intervals: NIGHTS.time_intervals };
  const all = await call({ operation: "get_time_intervals" }, ALL);
  deepEqual(all.value!.time_intervals, [nights, { name: "never", time_intervals: null }]);
  const one = await call({
    operation: "get_time_interval",
    time_interval_name: "nights/all",
  }, ALL);
  deepEqual(one.value, { time_intervals: [nights] });
});

const MISSING: [args: Record<string, unknown>, told: RegExp][] = [
  [
    { operation: "get_contact_point", contact_point_title: "../x" },
    /no contact point named "\.\.\/x"\. get_contact_points tells/,
  ],
  [
    { operation: "get_time_interval", time_interval_name: ".." },
    /no time interval named "\.\."\. get_time_intervals tells/,
  ],
];
for (const [args, expected] of MISSING) {
  Deno.test(`alerting_manage_routing() says that there is nothing for ${JSON.stringify(args)}`, async () => {
    const answers = { ...ALL, [`GET ${V1}/contact-points`]: [] };
    match((await call(args, answers)).told!, expected);
  });
}

const AM = { uid: "am", name: "AM", type: "alertmanager" };
const IMPLEMENTATIONS: [jsonData: Record<string, unknown> | null, path: string][] = [
  [{ implementation: "prometheus" }, "/api/v2/receivers"],
  [{ implementation: "mimir" }, "/alertmanager/api/v2/receivers"],
  [{ implementation: "cortex" }, "/alertmanager/api/v2/receivers"],
  [{}, "/api/v2/receivers"],
  [null, "/api/v2/receivers"],
];
for (const [jsonData, path] of IMPLEMENTATIONS) {
  Deno.test(`alerting_manage_routing() lists receivers of an Alertmanager with ${JSON.stringify(jsonData)}`, async () => {
    const args = { operation: "get_contact_points", datasource_uid: "am", name: "b" };
    const { value } = await call(args, {
      "GET /api/datasources/uid/am": { ...AM, jsonData },
      [`GET /api/datasources/proxy/uid/am${path}`]: [{ name: "a" }, { name: "b" }],
    });
    deepEqual(value, { contact_points: [{ name: "b" }] });
  });
}

const NO_ALERTMANAGER: [source: unknown, receivers: unknown, told: RegExp][] = [
  [{ ...AM, type: "loki" }, [], /of type loki, not Alertmanager/],
  [AM, { status: "success" }, /does not answer as an Alertmanager/],
  [AM, new Response("<p>", { headers: { "content-type": "text/html" } }), /web page/],
  [
    AM,
    Response.json({ message: "needs alert.instances.external:read" }, { status: 403 }),
    /external/,
  ],
  [undefined, [], /no data source with the uid "am"/],
];
for (const [source, receivers, expected] of NO_ALERTMANAGER) {
  Deno.test(`alerting_manage_routing() tells ${expected.source} of an Alertmanager`, async () => {
    const { told } = await call({ operation: "get_contact_points", datasource_uid: "am" }, {
      "GET /api/datasources/uid/am": source,
      "GET /api/datasources/proxy/uid/am/api/v2/receivers": receivers,
    });
    match(told!, expected);
  });
}

const BAD: [args: Record<string, unknown>, told: RegExp][] = [
  [{ operation: "get_contact_point" }, /needs contact_point_title/],
  [{ operation: "get_contact_point", contact_point_title: "" }, /needs contact_point_title/],
  [{ operation: "get_time_interval" }, /needs time_interval_name/],
  [{ operation: "get_contact_points", limit: 0 }, /bad arguments/],
  [{ operation: "delete_contact_point", name: "x" }, /bad arguments/],
  [{ operation: "get_contact_points", uid: "x" }, /bad arguments/],
];
for (const [args, expected] of BAD) {
  Deno.test(`alerting_manage_routing() refuses ${JSON.stringify(args)} before it asks`, async () => {
    const { asked, told } = await call(args, ALL);
    match(told!, expected);
    equal(asked.length, 0);
  });
}

const OPERATIONS: Record<string, unknown>[] = [
  { operation: "get_notification_policies" },
  { operation: "get_contact_points" },
  { operation: "get_contact_point", contact_point_title: "x" },
  { operation: "get_time_intervals" },
  { operation: "get_time_interval", time_interval_name: "x" },
];
for (const args of OPERATIONS) {
  Deno.test(`alerting_manage_routing() tells what Grafana refuses ${args.operation} for`, async () => {
    const denied = Response.json({ message: "needs alert.provisioning:read" }, { status: 403 });
    const { told } = await call(args, {
      [`GET ${V1}/policies`]: denied,
      [`GET ${V1}/contact-points`]: denied,
      [`GET ${V1}/mute-timings`]: denied,
    });
    match(told!, /does not let you.*needs alert\.provisioning:read/);
  });
}
