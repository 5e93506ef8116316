import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { rendering } from "../../../lib/pack/grafana/rendering.ts";
import { type Answers, callTool } from "./grafana.ts";

const PNG = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 255]);
const picture = (bytes = PNG, type = "image/png") =>
  new Response(bytes, { headers: { "content-type": type } });

const call = (args: Record<string, unknown>, answers: Answers) =>
  callTool(rendering, "get_panel_image", args, answers);

Deno.test("get_panel_image() shows a picture, and puts only its size into the structured result", async () => {
  const { asked, value, content } = await call({
    dashboardUid: "a/b",
    panelId: 2,
    timeRange: { from: "now-1h", to: "now" },
    variables: { job: "x&y" },
    theme: "dark",
  }, { "GET /render/d-solo/a%2Fb": picture() });
  const { searchParams } = new URL(asked[0]!.path, "https://x.example");
  deepEqual(Object.fromEntries(searchParams), {
    panelId: "2",
    width: "1000",
    height: "500",
    from: "now-1h",
    to: "now",
    theme: "dark",
    "var-job": "x&y",
  });
  equal(asked[0]!.headers.get("accept"), "image/png");
  deepEqual(value, { mimeType: "image/png", bytes: PNG.length });
  deepEqual(content, [{
    type: "image",
    mimeType: "image/png",
    data: btoa(String.fromCharCode(...PNG)),
  }]);
});

Deno.test("get_panel_image() shows a whole dashboard without a panel", async () => {
  const { asked } = await call({ dashboardUid: "d", width: 100, height: 3000 }, {
    "GET /render/d/d": picture(),
  });
  equal(asked[0]!.path, "/render/d/d?width=100&height=3000");
});

const NONE: [what: string, answer: Response, told: RegExp][] = [
  ["a web page", picture(new Uint8Array(3), "text/html"), /made no picture.*image renderer/],
  ["a picture that may hold scripts", picture(PNG, "image/svg+xml"), /made no picture/],
  ["nothing that is named", new Response(PNG), /made no picture/],
  [
    "a picture too large for a model",
    picture(new Uint8Array(4 * 1024 * 1024 + 1)),
    /too large.*fewer pixels/,
  ],
  [
    "a failure",
    Response.json({ message: "Rendering failed" }, { status: 500 }),
    /status 500.*Rendering failed/,
  ],
  [
    "a refusal",
    Response.json({ message: "needed: dashboards:read" }, { status: 403 }),
    /does not let you.*dashboards:read/,
  ],
  ["nobody", new Response("", { status: 404 }), /has nothing at GET \/render\/d\/d/],
];
for (const [what, answer, told] of NONE) {
  Deno.test(`get_panel_image() shows nothing when ${what} comes back`, async () => {
    const { told: is, content } = await call({ dashboardUid: "d" }, { "GET /render/d/d": answer });
    match(is!, told);
    equal(content, undefined);
  });
}

Deno.test("get_panel_image() refuses sizes out of bounds and names that are no variables", async () => {
  for (
    const args of [{ width: 99 }, { width: 3001 }, { height: 0 }, { height: 3001 }, {
      variables: { "a&b": "c" },
    }, { theme: "x" }]
  ) {
    const { asked, told } = await call({ dashboardUid: "d", ...args }, {});
    ok(told?.startsWith("bad arguments"));
    equal(asked.length, 0);
  }
});
