import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { alertingSilences } from "../../../lib/pack/grafana/alerting_silences.ts";
import { NOW } from "../../fakes.ts";
import { type Answers, callTool, newGrafana } from "./grafana.ts";

const V2 = "/api/alertmanager/grafana/api/v2";

const call = (args: Record<string, unknown>, answers: Answers = {}, readOnly = false) =>
  callTool(alertingSilences, "alerting_manage_silences", args, answers, readOnly);

// As Alertmanager's API shows it.
const SILENCE = {
  id: "s1",
  status: { state: "active" },
  updatedAt: "2026-01-01T00:00:00.000Z",
  comment: "maintenance",
  createdBy: "alice",
  startsAt: "2026-01-01T00:00:00.000Z",
  endsAt: "2026-01-01T02:00:00.000Z",
  matchers: [{ name: "severity", value: "critical", isRegex: false, isEqual: true }],
};
const inState = (id: string, state: string) => ({ ...SILENCE, id, status: { state } });
const ids = (value: Record<string, unknown> | undefined) =>
  (value!.silences as { id: string }[]).map(({ id }) => id);

Deno.test("alerting_manage_silences() lists silences, those that are over last", async () => {
  const { asked, value } = await call({ operation: "list", rule_uid: "" }, {
    [`GET ${V2}/silences`]: [inState("c", "expired"), inState("b", "pending"), SILENCE],
  });
  equal(asked[0]!.path, `${V2}/silences`);
  equal(asked[0]!.headers.get("authorization"), "Bearer alice-token");
  deepEqual(ids(value), ["s1", "b", "c"]);
  deepEqual((value!.silences as unknown[])[0], SILENCE);
});

Deno.test("alerting_manage_silences() filters by rule and matchers, whatever they hold", async () => {
  const { asked, value } = await call({
    operation: "list",
    rule_uid: 'a"b',
    matchers: [
      { name: "env", value: "dev" },
      { name: "env", value: "x", isEqual: false },
      { name: "pod", value: "api-.*\\d", isRegex: true },
      { name: "http.status", value: "5..", isRegex: true, isEqual: false },
    ],
  }, { [`GET ${V2}/silences`]: [] });
  deepEqual(new URLSearchParams(asked[0]!.path.split("?")[1]).getAll("filter"), [
    '__alert_rule_uid__="a\\"b"',
    'env="dev"',
    'env!="x"',
    'pod=~"api-.*\\\\d"',
    '"http.status"!~"5.."',
  ]);
  deepEqual(value, { silences: [], hint: "No silence matches" });
});

Deno.test("alerting_manage_silences() says how many silences are left out", async () => {
  const all = Array.from({ length: 120 }, (_, at) => inState(`${at}`, "expired"));
  const { value } = await call({ operation: "list" }, {
    [`GET ${V2}/silences`]: [...all, SILENCE],
  });
  deepEqual([ids(value).length, ids(value)[0]], [100, "s1"]);
  match(value!.truncated as string, /^21 of 121 left out: filter by/);
});

Deno.test("alerting_manage_silences() gets a silence, whatever its id", async () => {
  const { value } = await call({ operation: "get", silence_id: "a/x" }, {
    [`GET ${V2}/silence/a%2Fx`]: SILENCE,
  });
  deepEqual(value, { silence: SILENCE });
});

Deno.test("alerting_manage_silences() deletes nothing where an id leads to another endpoint", async () => {
  for (const silence_id of ["../../../../dashboards/uid/prod", "..\\..\\x", "a/../b", "..;/x"]) {
    const { asked, told } = await call({ operation: "delete", silence_id }, {});
    match(told!, /leads out/);
    equal(asked.length, 0);
  }
});

const NEW = {
  operation: "create",
  matchers: [{ name: "severity", value: "critical" }],
  starts_at: "now",
  ends_at: "now+2h",
  comment: "maintenance",
};
const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
const saved = (silenceID: string) => ({
  [`POST ${V2}/silences`]: Response.json({ silenceID }, { status: 202 }),
});

Deno.test("alerting_manage_silences() creates a silence in the caller's name", async () => {
  const { asked, value } = await call(NEW, saved("s2"));
  deepEqual(JSON.parse(asked[0]!.body), {
    matchers: [{ name: "severity", value: "critical", isRegex: false, isEqual: true }],
    startsAt: iso(NOW),
    endsAt: iso(NOW + 7200),
    comment: "maintenance",
    createdBy: "alice@example.com",
  });
  deepEqual(value, { silence_id: "s2" });
});

Deno.test("alerting_manage_silences() creates a silence in another name, where there is no caller", async () => {
  const grafana = newGrafana(saved("s2"));
  const [tool] = alertingSilences(grafana);
  const run = (more: Record<string, unknown>) =>
    tool!.run(tool!.input.parse({ ...NEW, ...more }), {
      identity: undefined,
      signal: new AbortController().signal,
      log: () => {},
      progress: () => Promise.resolve(),
    });
  await run({});
  await run({ created_by: "ops" });
  deepEqual(grafana.asked.map(({ body }) => JSON.parse(body).createdBy), ["gatehouse", "ops"]);
});

Deno.test("alerting_manage_silences() updates a silence", async () => {
  const args = { ...NEW, operation: "update", silence_id: "s1", starts_at: SILENCE.startsAt };
  const { asked, value } = await call(args, saved("s1"));
  const { id, startsAt } = JSON.parse(asked[0]!.body);
  deepEqual([id, startsAt], ["s1", SILENCE.startsAt]);
  deepEqual(value, { silence_id: "s1" });
});

Deno.test("alerting_manage_silences() says when an update made another silence", async () => {
  const args = { ...NEW, operation: "update", silence_id: "s1" };
  const { value } = await call(args, saved("s9"));
  deepEqual(value, { silence_id: "s9", hint: "Replaces s1, which is expired" });
});

Deno.test("alerting_manage_silences() deletes a silence", async () => {
  const { value } = await call({ operation: "delete", silence_id: "s1" }, {
    [`DELETE ${V2}/silence/s1`]: new Response(null, { status: 200 }),
  });
  deepEqual(value, { deleted: "s1" });
});

const BAD: [args: Record<string, unknown>, told: RegExp][] = [
  [{ operation: "get" }, /"get" needs silence_id/],
  [{ operation: "get", silence_id: ".." }, /part of a path/],
  [{ operation: "delete", silence_id: "" }, /"delete" needs silence_id/],
  [{ ...NEW, operation: "update" }, /"update" needs silence_id/],
  [{ operation: "create" }, /needs matchers, starts_at, ends_at, comment$/],
  [{ ...NEW, matchers: [] }, /needs matchers$/],
  [{ ...NEW, comment: "" }, /needs comment$/],
  [{ ...NEW, silence_id: "s1" }, /takes no silence_id\. Use update/],
  [{ ...NEW, rule_uid: "cpu" }, /"create" takes no rule_uid.*__alert_rule_uid__/],
  [
    { ...NEW, operation: "update", silence_id: "s1", rule_uid: "cpu" },
    /"update" takes no rule_uid/,
  ],
  [{ ...NEW, ends_at: "now" }, /not after starts_at/],
  [{ ...NEW, starts_at: "now+3h" }, /not after starts_at/],
  [{ ...NEW, starts_at: "now-2d", ends_at: "now-1d" }, /delete it/],
  [{ ...NEW, starts_at: "tomorrow" }, /"tomorrow" is no point in time/],
  [{ ...NEW, matchers: [{ name: "", value: "x" }] }, /bad arguments/],
  [{ ...NEW, matchers: [{ name: "a" }] }, /bad arguments/],
  [{ operation: "expire", silence_id: "s1" }, /bad arguments/],
];
for (const [args, expected] of BAD) {
  Deno.test(`alerting_manage_silences() refuses ${JSON.stringify(args)} before it asks`, async () => {
    const { asked, told } = await call(args, saved("s2"));
    match(told!, expected);
    equal(asked.length, 0);
  });
}

const WRITES: Record<string, unknown>[] = [
  NEW,
  { ...NEW, operation: "update", silence_id: "s1" },
  { operation: "delete", silence_id: "s1" },
  { operation: "list", comment: "x" },
];
for (const args of WRITES) {
  Deno.test(`alerting_manage_silences() does not have ${args.operation} with ${Object.keys(args).length} arguments when it only reads`, async () => {
    const { asked, told } = await call(args, saved("s2"), true);
    match(told!, /bad arguments/);
    equal(asked.length, 0);
  });
}

Deno.test("alerting_manage_silences() reads when it only reads", async () => {
  const { value } = await call({ operation: "list" }, { [`GET ${V2}/silences`]: [SILENCE] }, true);
  ok(ids(value).length === 1);
});

const REFUSED: [what: string, answer: Response | Error, told: RegExp][] = [
  [
    "that a permission lacks",
    Response.json({ message: "needs alert.silences:create" }, { status: 403 }),
    /does not let you.*alert\.silences:create/,
  ],
  [
    "what is wrong",
    Response.json({
      message: "silence invalid: at least one matcher must not match the empty string",
    }, {
      status: 400,
    }),
    /at least one matcher/,
  ],
  [
    "that there is nothing",
    Response.json({ message: "silence not found" }, { status: 404 }),
    /not found/,
  ],
  ["of a login page", new Response(null, { status: 302 }), /login page/],
  ["that Grafana cannot be reached", new TypeError("refused"), /cannot be reached/],
];
for (const [what, answer, expected] of REFUSED) {
  Deno.test(`alerting_manage_silences() tells ${what}`, async () => {
    const answers = {
      [`GET ${V2}/silences`]: answer,
      [`GET ${V2}/silence/s1`]: answer,
      [`POST ${V2}/silences`]: answer,
      [`DELETE ${V2}/silence/s1`]: answer,
    };
    const one = { silence_id: "s1" };
    for (
      const args of [
        { operation: "list" },
        { operation: "get", ...one },
        NEW,
        { ...NEW, operation: "update", ...one },
        { operation: "delete", ...one },
      ]
    ) {
      match((await call(args, answers)).told!, expected);
    }
  });
}
