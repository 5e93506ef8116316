import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { search } from "../../../lib/pack/grafana/search.ts";
import { callTool } from "./grafana.ts";

// `GET /api/search`, as Grafana's documentation shows it.
const DASHBOARD = {
  id: 163,
  uid: "000000163",
  orgId: 1,
  title: "Folder stats",
  uri: "db/folder-stats",
  url: "/d/000000163/folder-stats",
  slug: "",
  type: "dash-db",
  tags: ["prod"],
  isStarred: false,
  sortMeta: 0,
  folderId: 163,
  folderUid: "l3KqBxCMz",
  folderTitle: "Folder",
  folderUrl: "/dashboards/f/l3KqBxCMz/folder",
};
const FOLDER = {
  id: 163,
  uid: "l3KqBxCMz",
  title: "Folder",
  url: "/dashboards/f/l3KqBxCMz/folder",
  type: "dash-folder",
  tags: [],
};
const hits = (...all: unknown[]) => ({ "GET /api/search": all });
const PAGE = () => new Response("<html>", { headers: { "content-type": "text/html" } });

Deno.test("search_dashboards() finds dashboards, and tells what a model needs of them", async () => {
  const { asked, value } = await callTool(
    search,
    "search_dashboards",
    { query: "a b&c" },
    hits(DASHBOARD),
  );
  equal(asked[0]!.path, "/api/search?type=dash-db&query=a+b%26c&limit=50&page=1");
  deepEqual(value, {
    dashboards: [{
      uid: "000000163",
      title: "Folder stats",
      url: "/d/000000163/folder-stats",
      folderUid: "l3KqBxCMz",
      folderTitle: "Folder",
      tags: ["prod"],
    }],
    hasMore: false,
  });
});

Deno.test("search_dashboards() says that there may be more when a page is full", async () => {
  const { asked, value } = await callTool(
    search,
    "search_dashboards",
    { limit: 2, page: 3 },
    hits(DASHBOARD, DASHBOARD),
  );
  equal(asked[0]!.path, "/api/search?type=dash-db&query=&limit=2&page=3");
  equal(value!.hasMore, true);
});

Deno.test("search_folders() finds folders", async () => {
  const { asked, value } = await callTool(search, "search_folders", { query: "F" }, hits(FOLDER));
  equal(asked[0]!.path, "/api/search?type=dash-folder&query=F&limit=100");
  deepEqual(value, {
    folders: [{
      uid: "l3KqBxCMz",
      title: "Folder",
      url: "/dashboards/f/l3KqBxCMz/folder",
      tags: [],
    }],
    hasMore: false,
  });
});

for (const name of ["search_dashboards", "search_folders"]) {
  Deno.test(`${name}() finds nothing without complaint`, async () => {
    const { value } = await callTool(search, name, {}, hits());
    deepEqual(Object.values(value!), [[], false]);
  });

  Deno.test(`${name}() tells what Grafana refuses, and a page instead of an answer`, async () => {
    const refusal = Response.json({ message: "Permissions needed: dashboards:read" }, {
      status: 403,
    });
    const { told } = await callTool(search, name, {}, { "GET /api/search": refusal });
    match(told!, /does not let you.*dashboards:read/);
    match((await callTool(search, name, {}, { "GET /api/search": PAGE() })).told!, /web page/);
  });

  const ARGS = [
    { limit: 0 },
    { limit: 101 },
    { limit: 1.5 },
    { page: 0 },
    { query: "x".repeat(501) },
    { nothing: 1 },
    { query: 5 },
  ];
  for (const args of ARGS) {
    Deno.test(`${name}() asks nothing with ${JSON.stringify(args).slice(0, 40)}`, async () => {
      const { asked, told } = await callTool(search, name, args, hits());
      match(told!, /^bad arguments/);
      equal(asked.length, 0);
    });
  }
}
