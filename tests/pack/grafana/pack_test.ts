import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { z } from "zod";
import { grafana } from "../../../lib/pack/grafana.ts";
import { subject } from "../../fakes.ts";
import { as, type Message, post } from "../../mcp/helpers.ts";
import { newGrafana } from "./grafana.ts";

const ENV = { GRAFANA_URL: "https://grafana.example/sub", GRAFANA_AUTH: "forward" };

async function call(
  send: (path: string, init: RequestInit) => Promise<Response>,
  name: string,
  args: Record<string, unknown>,
  headers: Record<string, string>,
): Promise<Message> {
  const params = { name, arguments: args };
  const response = await send(
    "/mcp",
    post({ era: "2026-07-28", method: "tools/call", params, headers }),
  );
  return (await response.json()).result;
}

Deno.test("grafana() has every tool once, with hints that agree with each other", () => {
  const { tools, ready } = grafana(newGrafana({}));
  equal(new Set(tools.map(({ name }) => name)).size, tools.length);
  equal(ready(), true);
  for (const { name, annotations } of tools) {
    equal(typeof annotations.readOnlyHint, "boolean", name);
    equal(annotations.openWorldHint, false, name);
    if (annotations.readOnlyHint) ok(!annotations.destructiveHint, name);
    else equal(typeof annotations.destructiveHint, "boolean", name);
  }
});

Deno.test("grafana() takes no arguments that it does not know, in any tool", () => {
  for (const { name, input } of grafana(newGrafana({})).tools) {
    const schema = JSON.stringify(z.toJSONSchema(input, { io: "input" }));
    ok(schema.includes('"additionalProperties":false'), name);
    equal(input.safeParse({ nobody_knows_this: 1 }).success, false, name);
  }
});

Deno.test("grafana() has no tool that writes, and no way to write, where nothing may be written", async () => {
  const writes = ["update_dashboard", "create_folder", "create_annotation"];
  const names = (readOnly: boolean) =>
    grafana(newGrafana({}, readOnly)).tools.map(({ name }) => name);
  for (const name of writes) {
    ok(names(false).includes(name), name);
    ok(!names(true).includes(name), name);
  }
  const methods: string[] = [];
  const { send } = await subject({ ...ENV, MCP_READ_ONLY: "on" }, undefined, (request) => {
    methods.push(request.method);
    return Promise.resolve(Response.json({}));
  });
  const headers = await as("alice");
  for (const name of writes) {
    const params = { name, arguments: {} };
    const response = await send(
      "/mcp",
      post({ era: "2026-07-28", method: "tools/call", params, headers }),
    );
    match((await response.json()).error.message, /Unknown tool/);
  }
  const endpoint = "/api/folders";
  const { isError } = await call(
    send,
    "grafana_api_request",
    { endpoint, method: "POST" },
    headers,
  );
  equal(isError, true);
  deepEqual(methods, []);
  await call(send, "grafana_api_request", { endpoint }, headers);
  deepEqual(methods, ["GET"]);
});

Deno.test("grafana() is there when there is a Grafana, and not when there is none", async () => {
  const listed = async (env: Record<string, string>) => {
    const { send } = await subject(env);
    const response = await send(
      "/mcp",
      post({ era: "2026-07-28", method: "tools/list", headers: await as("alice") }),
    );
    return (await response.json()).result.tools.map(({ name }: { name: string }) => name);
  };
  deepEqual(await listed({}), ["whoami"]);
  deepEqual(await listed(ENV), [
    "whoami",
    ...grafana(newGrafana({})).tools.map(({ name }) => name),
  ]);
});

const ORGS: [
  what: string,
  env: Record<string, string>,
  claims: Record<string, unknown>,
  org: string | null,
][] = [
  ["none", {}, {}, null],
  ["that of the configuration", { GRAFANA_ORG_ID: "3" }, {}, "3"],
  ["that of the claim, a number", { GRAFANA_ORG_CLAIM: "org" }, { org: 7 }, "7"],
  ["that of the claim, a text", { GRAFANA_ORG_CLAIM: "org" }, { org: "7" }, "7"],
  [
    "that of the claim over the configuration's",
    { GRAFANA_ORG_ID: "3", GRAFANA_ORG_CLAIM: "org" },
    { org: 7 },
    "7",
  ],
  [
    "the configuration's without the claim",
    { GRAFANA_ORG_ID: "3", GRAFANA_ORG_CLAIM: "org" },
    {},
    "3",
  ],
];
for (const [what, env, claims, org] of ORGS) {
  Deno.test(`packsOf() names as the organization of a caller ${what}`, async () => {
    const seen: (string | null)[] = [];
    const { send } = await subject({ ...ENV, ...env }, undefined, ({ headers }) => {
      seen.push(headers.get("x-grafana-org-id"));
      return Promise.resolve(Response.json([]));
    });
    await call(send, "search_folders", {}, await as("alice", claims));
    deepEqual(seen, [org]);
  });
}

Deno.test("packsOf() puts the credential into the header that is configured", async () => {
  const seen: Headers[] = [];
  const { send } = await subject(
    { ...ENV, GRAFANA_TOKEN_HEADER: "X-JWT-Assertion" },
    undefined,
    ({ headers }) => {
      seen.push(headers);
      return Promise.resolve(Response.json([]));
    },
  );
  const headers = await as("alice");
  await call(send, "search_folders", {}, headers);
  equal(`Bearer ${seen[0]!.get("x-jwt-assertion")}`, headers.authorization);
  equal(seen[0]!.get("authorization"), null);
});

Deno.test("packsOf() shows a picture as a picture, and keeps it out of the structured result", async () => {
  const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47]);
  const { send } = await subject(
    ENV,
    undefined,
    () => Promise.resolve(new Response(png, { headers: { "content-type": "image/png" } })),
  );
  const result = await call(send, "get_panel_image", { dashboardUid: "d" }, await as("alice"));
  deepEqual(result.content, [{ type: "image", mimeType: "image/png", data: "iVBORw==" }]);
  deepEqual(result.structuredContent, { mimeType: "image/png", bytes: 4 });
});

Deno.test("packsOf() tells a refusal to the model and its reason to the log, and neither has a token or an argument in it", async () => {
  const { send, ports } = await subject(
    ENV,
    undefined,
    ({ url }) => Promise.reject(new TypeError(`error sending request for url (${url})`)),
  );
  const headers = await as("alice");
  const result = await call(send, "search_dashboards", { query: "private-words" }, headers);
  equal(result.isError, true);
  match(result.content[0].text, /cannot be reached/);
  equal(result.structuredContent, undefined);
  const log = ports.lines.join("\n");
  match(log, /"reason":"grafana: error sending request/);
  for (const part of headers.authorization!.slice("Bearer ".length).split(".")) {
    ok(!log.includes(part));
    ok(!JSON.stringify(result).includes(part));
  }
  ok(!log.includes("private-words"));
});

/** A Grafana that tells each request who sent it, when the test says so. */
function echo() {
  const waiting: (() => void)[] = [];
  const fetch = (request: Request) => {
    const [, token] = request.headers.get("authorization")!.split(" ");
    const { sub, org } = JSON.parse(
      atob(token!.split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/")),
    );
    const orgId = Number(request.headers.get("x-grafana-org-id"));
    // A statement of this server does not say it.
    if (org !== undefined) equal(orgId, org, "the organization is that of the token");
    const body = request.url.endsWith("/orgs")
      ? [{ orgId, name: `org of ${sub}`, role: "Viewer" }]
      : { login: sub, orgId };
    return new Promise<Response>((resolve) => waiting.push(() => resolve(Response.json(body))));
  };
  return { fetch, waiting };
}

for (const auth of ["forward", "assertion"]) {
  Deno.test(`50 callers at once never get another's identity by ${auth}, in whatever order Grafana answers (SPEC A5.3)`, async () => {
    const people = Array.from({ length: 50 }, (_, at) => ({ sub: `user-${at}`, org: at + 1 }));
    const tokens = await Promise.all(people.map(({ sub, org }) => as(sub, { org })));
    const order = fc.infiniteStream(fc.nat());
    await fc.assert(
      fc.asyncProperty(order, async (numbers) => {
        const { fetch, waiting } = echo();
        const { send } = await subject(
          { ...ENV, GRAFANA_AUTH: auth, GRAFANA_ORG_CLAIM: "org" },
          undefined,
          fetch,
        );
        let left = people.length;
        const calls = tokens.map((headers) =>
          call(send, "get_current_user", {}, headers).finally(() => left--)
        );
        while (left > 0) {
          const at = numbers.next().value % Math.max(1, waiting.length);
          waiting.splice(at, 1)[0]?.();
          await new Promise((resolve) => setTimeout(resolve));
        }
        const results = await Promise.all(calls);
        const seen = results.map(({ structuredContent }) => structuredContent);
        deepEqual(
          seen.map(({ login, orgId, orgName }) => ({ login, orgId, orgName })),
          people.map(({ sub, org }) => ({ login: sub, orgId: org, orgName: `org of ${sub}` })),
        );
      }),
      { numRuns: 5 },
    );
  });
}
