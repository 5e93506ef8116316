import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { dashboardWrite } from "../../../lib/pack/grafana/dashboard_write.ts";
import { type Answers, callTool } from "./grafana.ts";

// `POST /api/dashboards/db` and `POST /api/folders`, as Grafana's documentation shows them.
const SAVED = {
  id: 1,
  uid: "cIBgcSjkk",
  url: "/d/cIBgcSjkk/production-overview",
  status: "success",
  version: 4,
  slug: "production-overview",
  folderUid: "ops",
};
const FOLDER = {
  id: 1,
  uid: "nErXDvCkzz",
  title: "Ops",
  url: "/dashboards/f/nErXDvCkzz/ops",
  hasAcl: false,
  canSave: true,
  version: 1,
};
const CURRENT = {
  dashboard: { id: 1, uid: "x", title: "Old", version: 3, panels: [{ id: 1 }] },
  meta: { folderUid: "ops" },
};

const READ = "GET /api/dashboards/uid/x";
const WRITE = "POST /api/dashboards/db";
const update = (
  args: Record<string, unknown>,
  answers: Answers = { [READ]: CURRENT, [WRITE]: SAVED },
) => callTool(dashboardWrite, "update_dashboard", args, answers);
const create = (
  args: Record<string, unknown>,
  answers: Answers = { "POST /api/folders": FOLDER },
) => callTool(dashboardWrite, "create_folder", args, answers);

Deno.test("update_dashboard() saves a whole dashboard, over nothing by default", async () => {
  const { asked, value } = await update({
    dashboard: { title: "New" },
    folderUid: "f",
    message: "why",
  });
  deepEqual(asked.map(({ method, path }) => `${method} ${path}`), [WRITE]);
  deepEqual(JSON.parse(asked[0]!.body), {
    dashboard: { title: "New" },
    folderUid: "f",
    message: "why",
    overwrite: false,
  });
  deepEqual(value, {
    uid: "cIBgcSjkk",
    url: "/d/cIBgcSjkk/production-overview",
    version: 4,
    status: "success",
  });
});

Deno.test("update_dashboard() changes what operations name, in the version that it read, where it lay", async () => {
  const operations = [
    { op: "replace", path: "$.title", value: "New" },
    { op: "add", path: "$.panels/-", value: { id: 2 } },
  ];
  const { asked } = await update({ uid: "x", operations, overwrite: true });
  deepEqual(asked.map(({ method, path }) => `${method} ${path}`), [READ, WRITE]);
  deepEqual(JSON.parse(asked[1]!.body), {
    // Its version lets Grafana see changes that were made meanwhile.
    dashboard: { id: 1, uid: "x", title: "New", version: 3, panels: [{ id: 1 }, { id: 2 }] },
    folderUid: "ops",
    overwrite: true,
  });
});

Deno.test("update_dashboard() moves a dashboard when it is told a folder", async () => {
  const operations = [{ op: "replace", path: "$.title", value: "New" }];
  const { asked } = await update({ uid: "x", operations, folderUid: "other" });
  equal(JSON.parse(asked[1]!.body).folderUid, "other");
});

const UNCLEAR: [what: string, args: Record<string, unknown>][] = [
  ["nothing", {}],
  ["a uid alone", { uid: "x" }],
  ["operations without a uid", { operations: [{ op: "remove", path: "$.title" }] }],
  ["both", { dashboard: {}, uid: "x", operations: [{ op: "remove", path: "$.title" }] }],
  ["no operations", { uid: "x", operations: [] }],
  ["too many operations", { uid: "x", operations: Array(101).fill({ op: "remove", path: "$.a" }) }],
  ["an operation of another kind", { uid: "x", operations: [{ op: "move", path: "$.a" }] }],
  ["an operation with more", {
    uid: "x",
    operations: [{ op: "remove", path: "$.a", from: "$.b" }],
  }],
];
for (const [what, args] of UNCLEAR) {
  Deno.test(`update_dashboard() asks and writes nothing when given ${what}`, async () => {
    const { asked, told } = await update(args);
    ok(told);
    equal(asked.length, 0);
  });
}

Deno.test("update_dashboard() writes nothing when one of the operations leads nowhere", async () => {
  const operations = [{ op: "replace", path: "$.title", value: "New" }, {
    op: "remove",
    path: "$.nothing",
  }];
  const { asked, told } = await update({ uid: "x", operations });
  match(told!, /nothing at "\$\.nothing"/);
  deepEqual(asked.map(({ method }) => method), ["GET"]);
});

Deno.test("update_dashboard() sends members named like what objects inherit as members, and nothing else", async () => {
  const operations = [{ op: "add", path: "$.__proto__", value: { isAdmin: true } }];
  const { asked } = await update({ uid: "x", operations });
  match(asked[1]!.body, /"__proto__":\{"isAdmin":true\}/);
  equal(({} as Record<string, unknown>).isAdmin, undefined);
});

const REFUSALS: [status: number, message: string, told: RegExp][] = [
  [
    403,
    "Permissions needed: dashboards:write",
    /does not let you.*Permissions needed: dashboards:write$/,
  ],
  [
    412,
    "The dashboard has been changed by someone else",
    /changed by somebody else.*Read it again first/,
  ],
  [
    400,
    "Dashboard title cannot be empty",
    /refuses POST \/api\/dashboards\/db with status 400.*title cannot be empty$/,
  ],
  [404, "folder not found", /has nothing at.*folder not found$/],
];
for (const [status, message, told] of REFUSALS) {
  Deno.test(`update_dashboard() tells ${status} in Grafana's words, and tries it once`, async () => {
    const { asked, told: is } = await update({ dashboard: {} }, {
      [WRITE]: Response.json({ message, status: "x" }, { status }),
    });
    match(is!, told);
    equal(asked.length, 1);
  });
}

Deno.test("update_dashboard() is not sent again when Grafana is away, since it might have been saved", async () => {
  const { asked } = await update({ dashboard: {} }, { [WRITE]: new Response("", { status: 502 }) });
  equal(asked.length, 1);
});

Deno.test("update_dashboard() and create_folder() say what they are", () => {
  for (
    const [name, destructive] of [["update_dashboard", true], ["create_folder", false]] as const
  ) {
    const tool = dashboardWrite({} as never).find((one) => one.name === name)!;
    deepEqual(tool.annotations, {
      readOnlyHint: false,
      destructiveHint: destructive,
      idempotentHint: false,
      openWorldHint: false,
    });
  }
});

Deno.test("create_folder() creates a folder, in another one too", async () => {
  const { asked, value } = await create({ title: "Ops", uid: "nErXDvCkzz", parentUid: "p" });
  deepEqual(JSON.parse(asked[0]!.body), { title: "Ops", uid: "nErXDvCkzz", parentUid: "p" });
  deepEqual(value, { uid: "nErXDvCkzz", title: "Ops", url: "/dashboards/f/nErXDvCkzz/ops" });
  deepEqual(JSON.parse((await create({ title: "Ops" })).asked[0]!.body), { title: "Ops" });
});

Deno.test("create_folder() tells what Grafana refuses", async () => {
  const answer = (status: number, message: string) => ({
    "POST /api/folders": Response.json({ message }, { status }),
  });
  match(
    (await create({ title: "Ops" }, answer(403, "needed: folders:create"))).told!,
    /does not let you.*folders:create$/,
  );
  match(
    (await create({ title: "Ops" }, answer(412, "a folder with the same name already exists")))
      .told!,
    /exists already.*same name/,
  );
});

for (
  const args of [{ title: "" }, { title: "x".repeat(191) }, { title: "x", uid: "a b" }, {
    title: "x",
    uid: "x".repeat(41),
  }, {}]
) {
  Deno.test(`create_folder() writes nothing with ${JSON.stringify(args).slice(0, 30)}`, async () => {
    const { asked, told } = await create(args);
    match(told!, /^bad arguments/);
    equal(asked.length, 0);
  });
}
