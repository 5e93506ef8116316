import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { annotations } from "../../../lib/pack/grafana/annotations.ts";
import { NOW } from "../../fakes.ts";
import { type Answers, callTool } from "./grafana.ts";

// `GET /api/annotations`, as Grafana's documentation shows it.
const FOUND = [{
  id: 1124,
  alertId: 0,
  alertName: "",
  dashboardId: 468,
  dashboardUID: "uGlb_lG7z",
  panelId: 2,
  userId: 1,
  newState: "",
  prevState: "",
  time: 1507266395000,
  timeEnd: 1507266395000,
  text: "test",
  tags: ["tag1", "tag2"],
  login: "alice",
  email: "alice@example.com",
  avatarUrl: "/avatar/1",
  data: {},
}, {
  id: 1123,
  dashboardUID: null,
  panelId: 0,
  tags: null,
  time: 1507265111000,
  timeEnd: 0,
  text: "x",
}];

const read = (
  args: Record<string, unknown>,
  answers: Answers = { "GET /api/annotations": FOUND },
) => callTool(annotations, "get_annotations", args, answers);
const make = (
  args: Record<string, unknown>,
  answers: Answers = { "POST /api/annotations": { message: "Annotation added", id: 7 } },
) => callTool(annotations, "create_annotation", args, answers);

Deno.test("get_annotations() asks by time, place and tags, and leaves out what a model has no use for", async () => {
  const { asked, value } = await read({
    from: "now-1h",
    to: "2027-01-15T08:00:00Z",
    dashboardUid: "a/b",
    panelId: 2,
    tags: ["x y", "z"],
    matchAny: true,
    type: "alert",
    limit: 5,
  });
  const { searchParams } = new URL(asked[0]!.path, "https://x.example");
  deepEqual([...searchParams], [
    ["from", `${(NOW - 3600) * 1000}`],
    ["to", `${NOW * 1000}`],
    ["dashboardUID", "a/b"],
    ["panelId", "2"],
    ["tags", "x y"],
    ["tags", "z"],
    ["matchAny", "true"],
    ["type", "alert"],
    ["limit", "5"],
  ]);
  deepEqual(value, {
    annotations: [
      {
        id: 1124,
        dashboardUID: "uGlb_lG7z",
        panelId: 2,
        time: 1507266395000,
        timeEnd: 1507266395000,
        text: "test",
        tags: ["tag1", "tag2"],
        login: "alice",
      },
      {
        id: 1123,
        dashboardUID: null,
        panelId: 0,
        tags: null,
        time: 1507265111000,
        timeEnd: 0,
        text: "x",
      },
    ],
  });
});

Deno.test("get_annotations() asks for the last 100 when nothing is said", async () => {
  equal((await read({})).asked[0]!.path, "/api/annotations?limit=100");
});

Deno.test("get_annotations() hands on what fits, and says what it left out", async () => {
  const long = Array.from({ length: 50 }, (_, id) => ({ id, text: "x".repeat(10_000) }));
  const { value } = await read({}, { "GET /api/annotations": long });
  equal((value!.annotations as unknown[]).length, 19);
  equal(value!.truncated, "31 of 50 left out: ask for a shorter time");
});

Deno.test("create_annotation() marks a span on a panel", async () => {
  const { asked, value } = await make({
    text: "Deploy",
    time: "now-5m",
    timeEnd: "now",
    dashboardUid: "d",
    panelId: 0,
    tags: ["ci"],
  });
  deepEqual(JSON.parse(asked[0]!.body), {
    text: "Deploy",
    time: (NOW - 300) * 1000,
    timeEnd: NOW * 1000,
    dashboardUID: "d",
    panelId: 0,
    tags: ["ci"],
  });
  deepEqual(value, { id: 7 });
});

Deno.test("create_annotation() marks this moment, for all, when nothing else is said", async () => {
  const { asked } = await make({ text: "Now" });
  deepEqual(JSON.parse(asked[0]!.body), { text: "Now", time: NOW * 1000 });
});

Deno.test("create_annotation() is not sent again when Grafana is away, since it might have been made", async () => {
  const { asked, told } = await make({ text: "x" }, {
    "POST /api/annotations": new Response("", { status: 503 }),
  });
  match(told!, /failed with status 503/);
  equal(asked.length, 1);
});

for (const [call, name] of [[read, "GET"], [make, "POST"]] as const) {
  Deno.test(`annotations() tells the permission that lacks for ${name}`, async () => {
    const refusal = Response.json({ message: "Permissions needed: annotations:create" }, {
      status: 403,
    });
    const { told } = await call(name === "POST" ? { text: "x" } : {}, {
      [`${name} /api/annotations`]: refusal,
    });
    match(told!, /does not let you.*annotations:create/);
  });
}

const BAD: Record<string, unknown>[] = [
  { text: "" },
  { text: "x".repeat(10_001) },
  { text: "x", time: "tomorrow" },
  { text: "x", timeEnd: "tomorrow" },
  { text: "x", tags: Array(21).fill("a") },
  { text: "x", id: 7 },
  {},
];
for (const args of BAD) {
  Deno.test(`create_annotation() writes nothing with ${JSON.stringify(args).slice(0, 40)}`, async () => {
    const { asked, told } = await make(args);
    ok(told);
    equal(asked.length, 0);
  });
}
