import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import {
  ALERT,
  ALL,
  answer,
  CPU,
  DISK,
  group,
  manageRules as call,
  P,
  query,
  R,
  RULE,
} from "./alerting_shapes.ts";

Deno.test("alerting_manage_rules() gets a rule with its state, named as it is written", async () => {
  const { asked, value } = await call({ operation: "get", rule_uid: "cpu", limit_alerts: 0 }, {
    ...ALL,
    [`GET ${P}/cpu`]: RULE,
  });
  deepEqual(query(asked[1]!.path), {
    rule_uid: ["cpu"],
    folder_uid: ["infra"],
    rule_group: ["hosts"],
    limit_alerts: ["200"],
  });
  deepEqual(value, {
    rule: {
      uid: "cpu",
      title: "High CPU",
      folder_uid: "infra",
      rule_group: "hosts",
      condition: "B",
      data: RULE.data,
      no_data_state: "NoData",
      exec_err_state: "Error",
      for: "5m",
      keep_firing_for: "0s",
      is_paused: false,
      notification_settings: { receiver: "email", groupBy: ["alertname"], groupWait: "30s" },
      annotations: { summary: "CPU" },
      labels: { severity: "critical" },
      updated: "2026-01-01T00:00:00Z",
      type: "alerting",
      state: "firing",
      health: "ok",
      last_evaluation: "2026-01-01T00:00:10Z",
      alerts: [ALERT],
    },
  });
});

const STATELESS: [what: string, answer: unknown, hint: RegExp][] = [
  [
    "may not be read",
    Response.json({ message: "needs alert.rules:read" }, { status: 403 }),
    /cannot be read: .*needs alert.rules:read/,
  ],
  ["is not told", answer([group([DISK])]), /Grafana tells none/],
];
for (const [what, states, hint] of STATELESS) {
  Deno.test(`alerting_manage_rules() gets a rule whose state ${what}`, async () => {
    const { value } = await call({ operation: "get", rule_uid: "cpu" }, {
      [R]: states,
      [`GET ${P}/cpu`]: RULE,
    });
    match(value!.hint as string, hint);
    const { title, state } = value!.rule as Record<string, unknown>;
    deepEqual([title, state], ["High CPU", undefined]);
  });
}

Deno.test("alerting_manage_rules() cuts alerts that are too long beside their rule", async () => {
  const alert = { ...ALERT, annotations: { summary: "s".repeat(5000) } };
  const { value } = await call({ operation: "get", rule_uid: "cpu" }, {
    [R]: answer([group([{ ...CPU, alerts: Array(150).fill(alert) }])]),
    [`GET ${P}/cpu`]: { ...RULE, annotations: { description: "d".repeat(90_000) } },
  });
  ok(JSON.stringify(value).length < 200_000);
  match(value!.truncated as string, /of 150 left out: lower limit_alerts/);
});

Deno.test("alerting_manage_rules() gets as many alerts as asked, whatever Grafana answers", async () => {
  const { value } = await call({ operation: "get", rule_uid: "cpu", limit_alerts: 1 }, {
    [R]: answer([group([{ ...CPU, alerts: [ALERT, ALERT] }])]),
    [`GET ${P}/cpu`]: RULE,
  });
  deepEqual((value!.rule as Record<string, unknown>).alerts, [ALERT]);
});

Deno.test("alerting_manage_rules() does not show a rule that is too long", async () => {
  const { told } = await call({ operation: "get", rule_uid: "cpu" }, {
    ...ALL,
    [`GET ${P}/cpu`]: { ...RULE, annotations: { description: "d".repeat(200_000) } },
  });
  match(told!, /too long to show/);
});

Deno.test("alerting_manage_rules() gets the versions of a rule, whatever its uid", async () => {
  const versions = [2, 1].map((version) => ({ grafana_alert: { uid: "a/x", version } }));
  const { value } = await call({ operation: "versions", rule_uid: "a/x" }, {
    "GET /api/ruler/grafana/api/v1/rule/a%2Fx/versions": versions,
  });
  deepEqual(value, { versions });
});

Deno.test("alerting_manage_rules() says which versions are left out", async () => {
  const version = { grafana_alert: { title: "t".repeat(50_000) } };
  const { value } = await call({ operation: "versions", rule_uid: "cpu" }, {
    "GET /api/ruler/grafana/api/v1/rule/cpu/versions": Array(5).fill(version),
  });
  equal((value!.versions as unknown[]).length, 3);
  match(value!.truncated as string, /^2 of 5 left out/);
});

const REFUSED: [what: string, answer: unknown, told: RegExp][] = [
  [
    "that a permission lacks",
    Response.json({ message: "You'll need alert.rules:read" }, { status: 403 }),
    /alert\.rules:read/,
  ],
  ["that there is nothing", new Response(null, { status: 404 }), /nothing at GET/],
  [
    "of a login page",
    new Response("<p>", { headers: { "content-type": "text/html" } }),
    /web page/,
  ],
  ["that Grafana cannot be reached", new TypeError("refused"), /cannot be reached/],
  [
    "of a failure",
    Response.json({ status: "error", error: "no namespaces" }, {
      status: 500,
    }),
    /status 500.*no namespaces/,
  ],
  ["of an answer that is too large", new Response(new Uint8Array(10 * 1024 * 1024 + 1)), /10 MiB/],
];
for (const [what, refusal, expected] of REFUSED) {
  Deno.test(`alerting_manage_rules() tells ${what}`, async () => {
    const answers = { [R]: refusal, [`GET ${P}/cpu`]: refusal };
    match((await call({ operation: "list" }, answers)).told!, expected);
    match((await call({ operation: "get", rule_uid: "cpu" }, answers)).told!, expected);
  });
}
