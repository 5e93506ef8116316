import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { manageRules as call, P, RULE } from "./alerting_shapes.ts";

const NEW = {
  operation: "create",
  title: "High CPU",
  folder_uid: "infra",
  rule_group: "hosts",
  condition: "B",
  data: [
    { datasourceUid: "prom", model: { expr: "cpu", datasource: { uid: "prom" } } },
    { datasourceUid: "__expr__", model: { type: "threshold", expression: "A" } },
  ],
  no_data_state: "NoData",
  exec_err_state: "Error",
  for: "5m",
};

const MADE = { [`POST ${P}`]: Response.json(RULE, { status: 201 }) };

Deno.test("alerting_manage_rules() creates a rule, with what a query may lack", async () => {
  const { asked, value } = await call(NEW, MADE);
  deepEqual(JSON.parse(asked[0]!.body), {
    title: "High CPU",
    folderUID: "infra",
    ruleGroup: "hosts",
    condition: "B",
    data: [
      {
        relativeTimeRange: { from: 600, to: 0 },
        datasourceUid: "prom",
        model: { expr: "cpu", datasource: { uid: "prom" }, refId: "A" },
        refId: "A",
      },
      {
        datasourceUid: "__expr__",
        model: { type: "threshold", expression: "A", refId: "B" },
        refId: "B",
      },
    ],
    noDataState: "NoData",
    execErrState: "Error",
    for: "5m",
  });
  equal(asked[0]!.headers.get("x-disable-provenance"), "true");
  equal(asked[0]!.headers.get("authorization"), "Bearer alice-token");
  const { uid, rule_group, state } = value!.rule as Record<string, unknown>;
  deepEqual([uid, rule_group, state], ["cpu", "hosts", undefined]);
});

Deno.test("alerting_manage_rules() creates a rule with everything that is given", async () => {
  const { asked } = await call({
    ...NEW,
    data: [{
      datasourceUid: "prom",
      refId: "Q",
      queryType: "instant",
      relativeTimeRange: { from: 60, to: 0 },
      model: {},
    }],
    rule_uid: "mine",
    keep_firing_for: "1m30s",
    is_paused: true,
    notification_settings: {
      receiver: "email",
      groupBy: ["a"],
      groupWait: "30s",
      groupInterval: "5m",
      repeatInterval: "4d",
      muteTimeIntervals: ["nights"],
      activeTimeIntervals: ["days"],
    },
    missing_series_evals_to_resolve: 3,
    annotations: { summary: "s" },
    labels: { team: "a" },
    org_id: 1,
    disable_provenance: false,
  }, MADE);
  const { data, notification_settings, ...rest } = JSON.parse(asked[0]!.body);
  deepEqual(data, [{
    relativeTimeRange: { from: 60, to: 0 },
    datasourceUid: "prom",
    refId: "Q",
    queryType: "instant",
    model: { refId: "Q" },
  }]);
  deepEqual(notification_settings, {
    receiver: "email",
    group_by: ["a"],
    group_wait: "30s",
    group_interval: "5m",
    repeat_interval: "4d",
    mute_time_intervals: ["nights"],
    active_time_intervals: ["days"],
  });
  deepEqual(rest, {
    uid: "mine",
    title: "High CPU",
    folderUID: "infra",
    ruleGroup: "hosts",
    condition: "B",
    noDataState: "NoData",
    execErrState: "Error",
    for: "5m",
    keep_firing_for: "1m30s",
    isPaused: true,
    missingSeriesEvalsToResolve: 3,
    annotations: { summary: "s" },
    labels: { team: "a" },
    orgID: 1,
  });
  equal(asked[0]!.headers.get("x-disable-provenance"), null);
});

Deno.test("alerting_manage_rules() creates a recording rule, which decides nothing", async () => {
  const { condition: _c, no_data_state: _n, exec_err_state: _e, for: _f, ...rest } = NEW;
  const record = { from: "A", metric: "cpu:rate", targetDatasourceUid: "prom" };
  const { asked } = await call({ ...rest, record }, MADE);
  deepEqual(JSON.parse(asked[0]!.body).record, {
    from: "A",
    metric: "cpu:rate",
    target_datasource_uid: "prom",
  });
});

for (
  const name of [
    "title",
    "folder_uid",
    "rule_group",
    "data",
    "condition",
    "no_data_state",
    "exec_err_state",
    "for",
  ]
) {
  Deno.test(`alerting_manage_rules() names ${name} when it lacks for a new rule`, async () => {
    const { [name]: _, ...rest } = NEW as Record<string, unknown>;
    const { asked, told } = await call(rest, MADE);
    equal(told, `The operation "create" needs ${name}`);
    equal(asked.length, 0);
  });
}

Deno.test("alerting_manage_rules() takes empty for missing", async () => {
  const { told } = await call({ ...NEW, title: "", data: [] }, MADE);
  equal(told, 'The operation "create" needs title, data');
});

const BAD: Record<string, unknown>[] = [
  { for: "five minutes" },
  { for: "1.5h" },
  { no_data_state: "Error" },
  { exec_err_state: "NoData" },
  { notification_settings: { groupBy: ["a"] } },
  { notification_settings: { receiver: "email", group_by: ["a"] } },
  { record: { from: "A" } },
  { data: [{ model: {} }] },
  { data: [{ datasourceUid: "prom" }] },
  { org_id: 0 },
  { color: "red" },
];
for (const args of BAD) {
  Deno.test(`alerting_manage_rules() refuses a new rule with ${JSON.stringify(args)}`, async () => {
    const { asked, told } = await call({ ...NEW, ...args }, MADE);
    match(told!, /bad arguments/);
    equal(asked.length, 0);
  });
}

const update = async (args: Record<string, unknown>, current: unknown = RULE) => {
  const { asked, told, value } = await call({ operation: "update", rule_uid: "cpu", ...args }, {
    [`GET ${P}/cpu`]: current,
    [`PUT ${P}/cpu`]: RULE,
  });
  const put = asked.find(({ method }) => method === "PUT");
  return {
    asked,
    told,
    value,
    body: put && JSON.parse(put.body),
    header: put?.headers.get("x-disable-provenance"),
  };
};

Deno.test("alerting_manage_rules() changes of a rule only what is given", async () => {
  const { body, header, value } = await update({ is_paused: true, labels: {}, title: "" });
  const { id: _id, updated: _updated, ...rest } = RULE;
  deepEqual(body, { ...rest, isPaused: true, labels: {} });
  equal(header, "true");
  equal((value!.rule as Record<string, unknown>).uid, "cpu");
});

Deno.test("alerting_manage_rules() removes notification settings when told so", async () => {
  equal((await update({ notification_settings: null })).body.notification_settings, null);
});

const ORIGINS: [provenance: string, args: Record<string, unknown>, header: string | null][] = [
  ["", { for: "1m" }, "true"],
  ["api", { for: "1m" }, null],
  ["api", { disable_provenance: true }, "true"],
  ["", { disable_provenance: false }, null],
];
for (const [provenance, args, expected] of ORIGINS) {
  Deno.test(`alerting_manage_rules() ${expected ? "lets a rule be edited" : "keeps a rule from being edited"} elsewhere when it is of "${provenance}" and given ${JSON.stringify(args)}`, async () => {
    const { body, header } = await update(args, { ...RULE, provenance });
    deepEqual([header, body.provenance], [expected, undefined]);
  });
}

Deno.test("alerting_manage_rules() does not update a rule with nothing, or without its uid", async () => {
  const nothing = await update({});
  match(nothing.told!, /what to change/);
  const uidless = await update({ rule_uid: undefined, for: "1m" });
  match(uidless.told!, /"update" needs rule_uid/);
  deepEqual([nothing.asked.length, uidless.asked.length], [0, 0]);
});

Deno.test("alerting_manage_rules() does not write a rule that it cannot read", async () => {
  const { asked, told } = await update({ for: "1m" }, new Response(null, { status: 404 }));
  match(told!, /nothing at GET .*cpu/);
  deepEqual(asked.map(({ method }) => method), ["GET"]);
});

Deno.test("alerting_manage_rules() deletes a rule, whatever its uid", async () => {
  const { asked, value } = await call({ operation: "delete", rule_uid: "a/x" }, {
    [`DELETE ${P}/a%2Fx`]: new Response(null, { status: 204 }),
  });
  deepEqual(value, { deleted: "a/x" });
  equal(asked.length, 1);
});

Deno.test("alerting_manage_rules() deletes nothing without a uid", async () => {
  for (const rule_uid of [undefined, "", ".."]) {
    const { asked, told } = await call({ operation: "delete", rule_uid }, {});
    match(told!, /needs rule_uid|part of a path/);
    equal(asked.length, 0);
  }
});

const REFUSED: [what: string, answer: Response | Error, told: RegExp][] = [
  [
    "that a permission lacks",
    Response.json({ message: "needs alert.provisioning:write" }, { status: 403 }),
    /alert\.provisioning:write/,
  ],
  [
    "what is wrong with a rule",
    Response.json({ message: "invalid alert rule: no condition" }, { status: 400 }),
    /invalid alert rule: no condition/,
  ],
  [
    "that somebody else was first",
    Response.json({ message: "version conflict" }, { status: 409 }),
    /changed by somebody else/,
  ],
  ["that Grafana is away, once", new Response("", { status: 503 }), /status 503/],
  ["that Grafana cannot be reached", new TypeError("refused"), /cannot be reached/],
];
for (const [what, answer, expected] of REFUSED) {
  Deno.test(`alerting_manage_rules() tells ${what} when it writes`, async () => {
    const answers = {
      [`POST ${P}`]: answer,
      [`GET ${P}/cpu`]: RULE,
      [`PUT ${P}/cpu`]: answer,
      [`DELETE ${P}/cpu`]: answer,
    };
    for (
      const args of [NEW, { operation: "update", rule_uid: "cpu", for: "1m" }, {
        operation: "delete",
        rule_uid: "cpu",
      }]
    ) {
      const { asked, told } = await call(args, answers);
      match(told!, expected);
      equal(asked.filter(({ method }) => method !== "GET").length, 1);
    }
  });
}
