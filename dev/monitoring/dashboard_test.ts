import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { metrics } from "../../lib/metrics.ts";
import dashboard from "./dashboard.json" with { type: "json" };

/** The labels of each metric, those that a scrape adds included. */
async function labelsByName(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const { meter, text } = metrics({
    version: "1",
    deno: "2",
    now: () => 0,
    memory: () => ({ rss: 0, heapUsed: 0 }),
    linesDropped: () => 0,
  });
  // Of each something, so that its labels show.
  meter.request("/mcp", "POST", 200, 1);
  meter.judged({ result: "accepted" });
  meter.remembered(true);
  meter.asked("grafana", "ok", 1);
  meter.called("tool", "whoami", "ok", 1);
  meter.limited("requests");
  meter.storeFailed("get");
  meter.watchReady("store", () => Promise.resolve(true));
  const known = new Map<string, Set<string>>([["up", new Set(["job", "instance"])]]);
  for (const line of (await text()).split("\n")) {
    const [, name, labels = ""] = /^(\w+)(?:\{(.*)\})? /.exec(line) ?? [];
    if (name === undefined) continue;
    const names = [...labels.matchAll(/(\w+)="/g)].map(([, label]) => label!);
    known.set(name, new Set(["job", "instance", ...known.get(name) ?? [], ...names]));
  }
  return known;
}

const RULES = await Deno.readTextFile(new URL("alerts.yml", import.meta.url));

const EXPRESSIONS = [
  ...dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => [`panel "${title}"`, expr] as const)
  ),
  ...RULES.split("- alert: ").slice(1).map((rule) => {
    const [, expr = ""] = /expr:([^]*?)\n {8}(?:for|labels):/.exec(rule) ?? [];
    return [`alert ${rule.split("\n")[0]}`, expr] as const;
  }),
];

for (const [where, expr] of EXPRESSIONS) {
  Deno.test(`${where} asks for metrics and labels that there are`, async () => {
    const known = await labelsByName();
    const asked = [...expr.matchAll(/\b((?:gatehouse|process)_\w+|up)\{([^}]*)\}/g)];
    ok(asked.length > 0, expr);
    const possible = new Set<string>();
    for (const [, name, matchers] of asked) {
      const labels = known.get(name!);
      ok(labels, name);
      for (const label of labels) possible.add(label);
      const wanted = [...matchers!.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label]) => label!);
      ok(wanted.includes("job"), `${name} of any job`);
      for (const label of wanted) ok(labels.has(label), `${name} has no label ${label}`);
    }
    for (const [, groups] of expr.matchAll(/\b(?:by|on) \(([^)]*)\)/g)) {
      for (const label of groups!.split(/,\s*/)) {
        ok(possible.has(label), `nothing here has a label ${label}`);
      }
    }
    // Whatever looks like a metric was looked at above.
    const names = expr.match(/\b(?:gatehouse|process)_\w+/g) ?? [];
    equal(names.length, asked.filter(([, name]) => name !== "up").length, expr);
  });
}

Deno.test("the dashboard shows every metric there is", async () => {
  const shown = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  const text = shown.join("\n");
  for (const name of (await labelsByName()).keys()) {
    if (name === "up" || /_(?:sum|count)$/.test(name)) continue;
    ok(text.includes(name), name);
  }
});

Deno.test("the dashboard is one that Grafana can import into any installation", () => {
  const { panels, templating, uid, schemaVersion } = dashboard;
  match(uid, /^[a-z0-9-]{1,40}$/);
  ok(schemaVersion >= 36);
  deepEqual(templating.list.map(({ name }) => name), ["datasource", "instance"]);
  equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  for (const { title, type, datasource, gridPos, targets = [] } of panels) {
    ok(gridPos.x + gridPos.w <= 24, title);
    if (type === "row") continue;
    equal(datasource?.uid, "${datasource}", title);
    ok(targets.length > 0, title);
    equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, title);
  }
});

Deno.test("no two panels of the dashboard lie over each other", () => {
  const { panels } = dashboard;
  for (const [at, { title, gridPos: a }] of panels.entries()) {
    for (const { title: other, gridPos: b } of panels.slice(at + 1)) {
      const apart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
      ok(apart, `${title} and ${other}`);
    }
  }
});
