import { ok, rejects, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { ToolError } from "../../../lib/pack.ts";
import { path } from "../../../lib/pack/grafana/api.ts";
import { OK, stage, toldBy } from "./client.ts";
import { GRAFANA } from "./grafana.ts";

Deno.test("path() keeps each part within one segment", () => {
  equal(path`/api/x/${"../admin?a#b"}/y/${7}`, "/api/x/..%2Fadmin%3Fa%23b/y/7");
  equal(path`/api/x/${"ä b"}`, "/api/x/%C3%A4%20b");
  equal(path`/api/x/${"\ud800"}`, "/api/x/%EF%BF%BD");
});

for (const part of ["", ".", ".."]) {
  Deno.test(`path() refuses the part "${part}", which would lead elsewhere`, async () => {
    await rejects((async () => await path`/api/x/${part}`)(), ToolError);
  });
}

const ESCAPES = [
  "/../admin",
  "/../subway",
  "/../sub-other/api",
  "/api/../../admin",
  "/%2e%2e/admin",
  "/%2E./admin",
  "/.%2e/admin",
  "/..\\admin",
  "/api/..\\..\\admin",
  "/.\t./admin",
  "/..%2fadmin",
  "/api/..%2F..%2Fadmin",
  "/api/..%5c..%5cadmin",
  "/api/%2e%2e%2f%2e%2e%2fadmin",
  "/..",
  "@evil.example/",
  ".evil.example/",
  ":9/",
  "way/api",
  "",
  "https://evil.example/",
];
for (const escape of ESCAPES) {
  Deno.test(`grafanaClient() refuses the path ${JSON.stringify(escape)}, which leads out of Grafana`, async () => {
    const { api, asked } = stage(OK);
    const { message } = await toldBy(api.json({ path: escape }));
    equal(message, "This path leads out of Grafana");
    equal(asked.length, 0);
  });
}

const STAYS: [path: string, url: string][] = [
  ["/api/../api/user", "/api/user"],
  ["//evil.example/x", "//evil.example/x"],
  ["/\\evil.example/x", "//evil.example/x"],
  ["/https://evil.example", "/https://evil.example"],
  ["/a?next=/../../x", "/a?next=/../../x"],
  ["/a?b=%zz", "/a?b=%zz"],
  ["/a%zz", "/a%zz"],
];
for (const [given, url] of STAYS) {
  Deno.test(`grafanaClient() asks Grafana itself for ${JSON.stringify(given)}`, async () => {
    const { api, asked } = stage(OK);
    await api.json({ path: given });
    equal(asked[0]!.url, GRAFANA + url);
  });
}

/** The path as the most lenient proxy would understand it: decoded to the end, then without dot segments. */
function lenient(url: string): URL {
  const { origin, pathname } = new URL(url);
  let decoded = pathname;
  for (let before = ""; before !== decoded;) {
    before = decoded;
    decoded = decoded.replace(
      /%([0-7][0-9a-f])/gi,
      (_, hex) => String.fromCharCode(parseInt(hex, 16)),
    );
  }
  return new URL(origin + decoded.replace(/[?#]/g, "_"));
}

for (const base of [GRAFANA, "https://grafana.example", "https://grafana.example/a/b/"]) {
  Deno.test(`grafanaClient() sends the credential to ${base} and to nothing else, whatever path a caller writes`, async () => {
    const bits = fc.constantFrom(
      "/",
      "..",
      ".",
      "%2e",
      "%2f",
      "%5C",
      "\\",
      "//",
      "api",
      "sub",
      "way",
      "@",
      ":",
      "?",
      "#",
      "evil.example",
      "\t",
      "%",
      "http:",
      "%252e",
    );
    const wild = fc.oneof(
      { arbitrary: fc.array(bits, { maxLength: 12 }).map((all) => all.join("")), weight: 4 },
      { arbitrary: fc.array(bits, { maxLength: 12 }).map((all) => `/${all.join("")}`), weight: 4 },
      fc.string({ unit: "binary" }),
      fc.webUrl(),
    );
    const root = new URL(base).pathname.replace(/\/$/, "");
    const isInside = ({ origin, pathname }: URL) =>
      origin === new URL(base).origin && `${pathname}/`.startsWith(`${root}/`);
    const { api, asked } = stage(OK, { url: new URL(base) });
    const property = fc.asyncProperty(wild, fc.boolean(), async (text, isSegment) => {
      asked.length = 0;
      try {
        await api.json({ path: isSegment ? path`/api/x/${text}/y` : text });
      } catch (error) {
        ok(error instanceof ToolError, String(error));
      }
      for (const { url } of asked) {
        ok(isInside(new URL(url)), url);
        ok(isInside(lenient(url)), url);
      }
    });
    await fc.assert(property, { numRuns: 2000 });
  });
}
