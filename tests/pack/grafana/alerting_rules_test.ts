import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { grafana as pack } from "../../../lib/pack/grafana.ts";
import {
  ALERT,
  ALL,
  answer,
  CPU,
  DISK,
  group,
  manageRules as call,
  query,
  R,
} from "./alerting_shapes.ts";
import { newGrafana } from "./grafana.ts";

const uids = (value: Record<string, unknown> | undefined) =>
  (value!.rules as { uid: string }[]).map(({ uid }) => uid);

Deno.test("alerting_manage_rules() lists rules with their states", async () => {
  const { asked, value } = await call({ operation: "list" }, ALL);
  equal(asked[0]!.headers.get("authorization"), "Bearer alice-token");
  deepEqual(query(asked[0]!.path), { limit_alerts: ["0"], rule_limit: ["200"] });
  deepEqual((value!.rules as unknown[]).slice(0, 2), [
    {
      uid: "cpu",
      title: "High CPU",
      type: "alerting",
      state: "firing",
      health: "ok",
      last_evaluation: "2026-01-01T00:00:10Z",
      folder_uid: "infra",
      folder: "Team/Infra",
      rule_group: "hosts",
      for: "300s",
      labels: { severity: "critical", team: "backend" },
      annotations: { summary: "CPU" },
    },
    {
      uid: "disk",
      title: "Disk of the API fills",
      type: "alerting",
      state: "normal",
      health: "nodata",
      folder_uid: "infra",
      folder: "Team/Infra",
      rule_group: "hosts",
      is_paused: true,
      labels: { severity: "warning" },
    },
  ]);
  deepEqual([uids(value).length, value!.truncated, value!.hint], [3, undefined, undefined]);
});

// A Grafana that knows no filter answers with everything; the result is the same.
const FILTERS: [args: Record<string, unknown>, asked: Record<string, string[]>, uids: string[]][] =
  [
    [{ folder_uid: "infra" }, { folder_uid: ["infra"] }, ["cpu", "disk"]],
    [{ folder_uid: "gone" }, { folder_uid: ["gone"] }, []],
    [{ search_folder: "team INFRA" }, { "search.folder": ["team INFRA"] }, ["cpu", "disk"]],
    [{ search_folder: "infra team" }, { "search.folder": ["infra team"] }, []],
    [{ rule_group: "records" }, { rule_group: ["records"] }, ["rec"]],
    [{ search_rule_name: "disk fills" }, { "search.rule_name": ["disk fills"] }, ["disk"]],
    [{ rule_type: "recording" }, { rule_type: ["recording"] }, ["rec"]],
    [{ states: ["firing", "pending"] }, { state: ["firing", "pending"] }, ["cpu"]],
    [{ states: ["normal"] }, { state: ["normal"] }, ["disk"]],
    [{ rule_uid: "", folder_uid: "", states: [] }, {}, ["cpu", "disk", "rec"]],
  ];
for (const [args, expected, found] of FILTERS) {
  Deno.test(`alerting_manage_rules() lists by ${JSON.stringify(args)}`, async () => {
    const { asked, value } = await call({ operation: "list", ...args }, ALL);
    const { limit_alerts: _, rule_limit: limit, ...rest } = query(asked[0]!.path);
    deepEqual([limit, rest], [["200"], expected]);
    deepEqual(uids(value), found);
    equal(value!.hint === undefined, found.length > 0);
  });
}

// Grafana would count what is left out only here.
const ONLY_HERE: [args: Record<string, unknown>, uids: string[]][] = [
  [{ states: ["nodata"] }, ["disk"]],
  [{ states: ["error", "firing"] }, ["cpu"]],
  [{ label_selectors: ['{severity="critical", team=~"back.*"}'] }, ["cpu"]],
  [{ label_selectors: ['severity!="critical"', "severity=warning"] }, ["disk"]],
];
for (const [args, found] of ONLY_HERE) {
  Deno.test(`alerting_manage_rules() lists by ${JSON.stringify(args)} among all rules`, async () => {
    const { asked, value } = await call({ operation: "list", ...args, rule_limit: 1 }, ALL);
    deepEqual(query(asked[0]!.path), { limit_alerts: ["0"] });
    deepEqual(uids(value), found);
  });
}

Deno.test("alerting_manage_rules() has Grafana match alerts, and lists rules that have some", async () => {
  const matchers = ['instance=~"a|b"', "env!=dev"];
  const { asked, value } = await call({ operation: "list", matchers, limit_alerts: 1 }, {
    [R]: answer([group([{ ...CPU, alerts: [ALERT, ALERT] }, DISK])]),
  });
  deepEqual(query(asked[0]!.path), {
    limit_alerts: ["1"],
    matcher: [
      '{"name":"instance","value":"a|b","isRegex":true,"isEqual":true}',
      '{"name":"env","value":"dev","isRegex":false,"isEqual":false}',
    ],
  });
  deepEqual(uids(value), ["cpu"]);
  deepEqual((value!.rules as { alerts: unknown }[])[0]!.alerts, [ALERT]);
});

Deno.test("alerting_manage_rules() says what a limit leaves out", async () => {
  const { asked, value } = await call({ operation: "list", rule_limit: 1 }, ALL);
  deepEqual(query(asked[0]!.path).rule_limit, ["1"]);
  deepEqual(uids(value), ["cpu"]);
  match(value!.truncated as string, /^2 of 3 left out: narrow it by folder_uid/);
});

Deno.test("alerting_manage_rules() says when Grafana has more rules", async () => {
  const { value } = await call({ operation: "list" }, {
    [R]: answer([group([CPU])], { groupNextToken: "x" }),
  });
  match(value!.truncated as string, /more rules than this/);
});

Deno.test("alerting_manage_rules() cuts rules that are too long together", async () => {
  const long = { ...CPU, annotations: { description: "d".repeat(5000) } };
  const { value } = await call({ operation: "list" }, {
    [R]: answer([group(Array(100).fill(long))]),
  });
  ok(uids(value).length > 0 && JSON.stringify(value).length < 210_000);
  match(value!.truncated as string, /of 100 left out/);
});

for (const groups of [[], null]) {
  Deno.test(`alerting_manage_rules() says that there are no rules in ${JSON.stringify(groups)}`, async () => {
    const { value } = await call({ operation: "list" }, { [R]: answer(groups) });
    deepEqual(value!.rules, []);
    match(value!.hint as string, /No rule matches/);
  });
}

const PROM = { uid: "prom", name: "Metrics", type: "prometheus" };
const SOURCE = {
  "GET /api/datasources/uid/prom": PROM,
  "GET /api/prometheus/prom/api/v1/rules": answer([{
    name: "node",
    file: "node.yml",
    rules: [
      { ...CPU, uid: undefined, folderUid: undefined },
      {
        name: "cpu:rate",
        query: "rate(cpu[5m])",
        labels: { severity: "critical" },
        health: "ok",
        type: "recording",
      },
    ],
  }]),
};

Deno.test("alerting_manage_rules() lists the rules of a data source, filtered here", async () => {
  const args = {
    operation: "list",
    datasource_uid: "prom",
    rule_type: "recording",
    label_selectors: ["severity=critical"],
    search_folder: "node",
  };
  const { asked, value } = await call(args, SOURCE);
  equal(asked[1]!.path, "/api/prometheus/prom/api/v1/rules");
  deepEqual(value!.rules, [{
    title: "cpu:rate",
    type: "recording",
    health: "ok",
    folder: "node.yml",
    rule_group: "node",
    labels: { severity: "critical" },
    query: "rate(cpu[5m])",
  }]);
});

Deno.test("alerting_manage_rules() refuses a data source that has no rules, and does not ask it", async () => {
  const { asked, told } = await call({ operation: "list", datasource_uid: "prom" }, {
    "GET /api/datasources/uid/prom": { ...PROM, type: "tempo" },
  });
  match(told!, /of type tempo, not Prometheus or Loki/);
  equal(asked.length, 1);
});

Deno.test("alerting_manage_rules() encodes the uid of a data source", async () => {
  const { asked } = await call({ operation: "list", datasource_uid: "a/x" }, {
    "GET /api/datasources/uid/a%2Fx": { ...PROM, uid: "a/x" },
  });
  equal(asked[1]!.path, "/api/prometheus/a%2Fx/api/v1/rules");
});

Deno.test("alerting_manage_rules() says when a data source answers with something else", async () => {
  const { told } = await call({ operation: "list", datasource_uid: "prom" }, {
    ...SOURCE,
    "GET /api/prometheus/prom/api/v1/rules": ["x"],
  });
  match(told!, /no rules that "prom" answers with/);
});

const BAD: [args: Record<string, unknown>, told: RegExp][] = [
  [
    { operation: "list", folder_uid: "a", search_folder: "b" },
    /either folder_uid or search_folder/,
  ],
  [{ operation: "list", matchers: ["critical"] }, /no matcher of labels/],
  [{ operation: "list", label_selectors: ["critical"] }, /no matcher of labels/],
  [{ operation: "list", label_selectors: ['team=~"(a+)+"'] }, /too rich/],
  [{ operation: "list", datasource_uid: "prom", matchers: ["a=b"] }, /use label_selectors/],
  [{ operation: "list", datasource_uid: "prom", folder_uid: "x" }, /search_folder/],
  [{ operation: "list", states: ["alerting"] }, /bad arguments/],
  [{ operation: "list", rule_limit: 201 }, /bad arguments/],
  [{ operation: "list", limit_alerts: 201 }, /bad arguments/],
  [{ operation: "find" }, /bad arguments/],
  [{}, /bad arguments/],
  [{ operation: "get" }, /"get" needs rule_uid/],
  [{ operation: "get", rule_uid: "" }, /"get" needs rule_uid/],
  [{ operation: "versions" }, /"versions" needs rule_uid/],
  [{ operation: "get", rule_uid: ".." }, /cannot be part of a path/],
];
for (const [args, expected] of BAD) {
  Deno.test(`alerting_manage_rules() refuses ${JSON.stringify(args)} before it asks`, async () => {
    const { asked, told } = await call(args, ALL);
    match(told!, expected);
    equal(asked.length, 0);
  });
}

for (const operation of ["create", "update", "delete"]) {
  Deno.test(`alerting_manage_rules() does not have the operation ${operation} when it only reads`, async () => {
    const { asked, told } = await call({ operation, rule_uid: "cpu" }, ALL, true);
    match(told!, /bad arguments/);
    equal(asked.length, 0);
  });
}

Deno.test("alerting_manage_rules() takes nothing to write when it only reads", async () => {
  match((await call({ operation: "list", title: "x" }, ALL, true)).told!, /title/);
  equal(uids((await call({ operation: "list" }, ALL, true)).value).length, 3);
});

for (const readOnly of [true, false]) {
  Deno.test(`grafana() ${readOnly ? "keeps the alerting tools as reading" : "marks alerting tools as writing"}`, () => {
    const tools = pack(newGrafana({}, readOnly)).tools.filter(({ name }) =>
      name.startsWith("alerting_")
    );
    deepEqual(tools.map(({ name, annotations }) => [name, annotations.readOnlyHint]), [
      ["alerting_manage_rules", readOnly],
      ["alerting_manage_routing", true],
      ["alerting_manage_silences", readOnly],
    ]);
  });
}
