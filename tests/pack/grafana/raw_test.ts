import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { raw } from "../../../lib/pack/grafana/raw.ts";
import { type Answers, callTool, newGrafana } from "./grafana.ts";

const call = (args: Record<string, unknown>, answers: Answers = {}, readOnly = false) =>
  callTool(raw, "grafana_api_request", args, answers, readOnly);

Deno.test("grafana_api_request() reads any path, query and all", async () => {
  const { asked, value } = await call({ endpoint: "/api/org?x=a%20b&y" }, {
    "GET /api/org": { id: 1 },
  });
  deepEqual([asked[0]!.method, asked[0]!.path, asked[0]!.body], ["GET", "/api/org?x=a%20b&y", ""]);
  deepEqual(value, { status: 200, body: { id: 1 } });
});

const BODIES: [what: string, body: unknown, sent: string][] = [
  ["an object", { a: [1] }, '{"a":[1]}'],
  ["a list", [1, { a: 2 }], '[1,{"a":2}]'],
  ["the text of JSON", '{ "a": null }', '{"a":null}'],
];
for (const [what, body, sent] of BODIES) {
  Deno.test(`grafana_api_request() sends ${what} as JSON`, async () => {
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      const { asked, value } = await call({ endpoint: "/api/x", method, body }, {
        [`${method} /api/x`]: {},
      });
      equal(asked[0]!.body, sent);
      equal(asked[0]!.headers.get("content-type"), "application/json");
      equal(value!.status, 200);
    }
  });
}

Deno.test("grafana_api_request() says so when a read has a body, and when a body is no JSON", async () => {
  const reading = await call({ endpoint: "/api/x", body: {} });
  equal(reading.told, "GET takes no body: use the query");
  const writing = await call({ endpoint: "/api/x", method: "POST", body: "{a}" });
  equal(writing.told, "The body is not JSON");
  equal(reading.asked.length + writing.asked.length, 0);
});

Deno.test("grafana_api_request() hands on what is not JSON as text, and nothing as nothing", async () => {
  const text = new Response("up 1\n", { headers: { "content-type": "text/plain" } });
  equal((await call({ endpoint: "/metrics" }, { "GET /metrics": text })).value!.body, "up 1\n");
  const none = new Response(null, { status: 204 });
  deepEqual((await call({ endpoint: "/a", method: "DELETE" }, { "DELETE /a": none })).value, {
    status: 204,
    body: "",
  });
});

Deno.test("grafana_api_request() hands on what fits, and says what it left out", async () => {
  const long = new Response("x".repeat(200_007));
  const { value } = await call({ endpoint: "/a" }, { "GET /a": long });
  equal((value!.body as string).length, 200_000);
  equal(value!.truncated, "7 characters left out: ask for less");
});

Deno.test("grafana_api_request() tells a login page instead of handing it on", async () => {
  const page = new Response("<html>Log in</html>", { headers: { "content-type": "text/html" } });
  match(
    (await call({ endpoint: "/api/org" }, { "GET /api/org": page })).told!,
    /^A web page came back/,
  );
});

Deno.test("grafana_api_request() tells what Grafana refuses", async () => {
  const answer = Response.json({ message: "Permissions needed: users:read" }, { status: 403 });
  match(
    (await call({ endpoint: "/api/users" }, { "GET /api/users": answer })).told!,
    /does not let you.*users:read/,
  );
  match(
    (await call({ endpoint: "/api/nothing" })).told!,
    /has nothing at GET \/api\/nothing.*Not found/,
  );
});

const LEADS_OUT = [
  "/..",
  "/../other",
  "/../subway/api",
  "/api/../../other",
  "/%2e%2e/other",
  "/api/%2E%2e/%2e./other",
  "/..%2fother",
  "/%252e%252e/other",
];
for (const endpoint of LEADS_OUT) {
  Deno.test(`grafana_api_request() refuses ${endpoint}, which leads out of Grafana`, async () => {
    const { asked, told } = await call({ endpoint });
    equal(told, "This path leads out of Grafana");
    equal(asked.length, 0);
  });
}

const NO_PATHS = [
  "",
  "api/org",
  "//evil.example/api",
  "/\\evil.example",
  "\\\\evil.example",
  "https://evil.example/",
  "http:evil.example",
  "@evil.example",
  "/api org",
  "/api\n/org",
  "/api\t/org",
  "/api#x",
  `/${"x".repeat(2000)}`,
];
for (const endpoint of NO_PATHS) {
  Deno.test(`grafana_api_request() takes no endpoint like ${JSON.stringify(endpoint.slice(0, 30))}`, async () => {
    const { asked, told } = await call({ endpoint });
    match(told!, /^bad arguments/);
    equal(asked.length, 0);
  });
}

Deno.test("grafana_api_request() asks nobody but Grafana, whatever the endpoint", async () => {
  const bits = fc.constantFrom(
    "/",
    "..",
    "%2e",
    "%2f",
    "%5c",
    "\\",
    "api",
    "@",
    ":",
    "?",
    "#",
    "evil.example",
    "way",
    " ",
  );
  const endpoint = fc.oneof(
    fc.array(bits, { maxLength: 10 }).map((all) => `/${all.join("")}`),
    fc.string({ unit: "binary" }).map((text) => `/${text}`),
    fc.webUrl({ withQueryParameters: true }),
  );
  const urls: string[] = [];
  await fc.assert(
    fc.asyncProperty(endpoint, async (given) => {
      const { asked } = await call({ endpoint: given });
      for (const { path } of asked) ok(path.startsWith("/"), path);
      urls.push(...asked.map(({ path }) => path));
    }),
    { numRuns: 500 },
  );
  ok(urls.length > 20, "some are asked");
});

Deno.test("grafana_api_request() only reads where nothing may be written: no other method, no body", async () => {
  const endpoint = "/api/x";
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "get", "HEAD"]) {
    const { asked, told } = await call({ endpoint, method }, {}, true);
    match(told!, /^bad arguments/);
    equal(asked.length, 0);
  }
  match((await call({ endpoint, body: {} }, {}, true)).told!, /^bad arguments/);
  equal((await call({ endpoint }, { "GET /api/x": {} }, true)).value!.status, 200);
  equal((await call({ endpoint, method: "GET" }, { "GET /api/x": {} }, true)).value!.status, 200);
});

Deno.test("grafana_api_request() says what it is: destructive, or only reading", () => {
  const hints = (readOnly: boolean) => raw(newGrafana({}, readOnly))[0]!.annotations;
  deepEqual(hints(false), {
    readOnlyHint: false,
    destructiveHint: true,
    idempotentHint: false,
    openWorldHint: false,
  });
  deepEqual(hints(true), {
    readOnlyHint: true,
    destructiveHint: false,
    idempotentHint: true,
    openWorldHint: false,
  });
});

for (
  const endpoint of [
    "/logout",
    "/api/snapshots-delete/KEY",
    "/api/datasources/proxy/uid/loki/ingester/shutdown",
    "/api/datasources/uid/loki/resources/x",
    "/api/plugins/app/resources/x",
    "/api/user/email/update?code=x",
    "/api/./snapshots-delete/KEY",
    "/api/%73napshots-delete/KEY",
    "/API/snapshots-delete/KEY",
  ]
) {
  Deno.test(`grafana_api_request does not ask for ${endpoint} where nothing may be written`, async () => {
    const { asked, told } = await callTool(raw, "grafana_api_request", { endpoint }, {}, true);
    match(told!, /only reads/);
    equal(asked.length, 0);
  });
}
