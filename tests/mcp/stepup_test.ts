import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { toolScopes } from "../../lib/scope.ts";
import { legacyCall, type Subject } from "../fakes.ts";
import { as, ERAS, post, stage, work, workshop } from "./helpers.ts";

const SCOPED = {
  OAUTH_SCOPES_REQUIRED: "mcp:read",
  OAUTH_TOOL_SCOPES: "work=mcp:write,w*k=mcp:late,other*=mcp:other",
  OAUTH_SCOPE_HIERARCHY: "mcp:admin>mcp:write>mcp:read,mcp:admin>mcp:late",
};

const CHALLENGE = 'Bearer error="insufficient_scope", ' +
  'error_description="The access token lacks a scope that this operation needs", ' +
  'resource_metadata="http://localhost:8080/.well-known/oauth-protected-resource/mcp", ' +
  'scope="mcp:read mcp:write mcp:late"';

type Headers = Record<string, string>;
type Call = (key: string, headers: Headers, params?: Record<string, unknown>) => RequestInit;

/** The ways to call a tool: each yields what sends a call of `work`. */
const WAYS: [way: string, env: Headers, prepare: (program: Subject) => Promise<Call>][] = [
  ...ERAS.map((era): typeof WAYS[number] => [
    era,
    {},
    () => Promise.resolve((key, headers, params = {}) => work(era, key, { headers, params })),
  ]),
  ["2026-07-28 with the name in Base64", {}, () =>
    Promise.resolve((key, headers, params = {}) => {
      const name = { "mcp-name": `=?base64?${btoa("work")}?=` };
      return work("2026-07-28", key, { headers: { ...headers, ...name }, params });
    })],
  ["a session", { MCP_SESSIONS: "on" }, async ({ send }) => {
    const clientInfo = { name: "test", version: "0" };
    const hello = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo };
    const opened = await send("/mcp", legacyCall("initialize", hello, await as("alice")));
    await opened.text();
    const session = { "mcp-session-id": opened.headers.get("mcp-session-id")! };
    return (key, headers, params = {}) =>
      work("2025-11-25", key, { headers: { ...headers, ...session }, params });
  }],
];

const GRANTS: [scope: string, status: number][] = [
  ["mcp:read", 403],
  ["mcp:read mcp:write", 403],
  ["mcp:write", 403],
  ["mcp:read mcp:late", 403],
  ["mcp:read mcp:writer mcp:late", 403],
  ["mcp:read MCP:WRITE mcp:late", 403],
  ["mcp:read mcp:write mcp:late", 200],
  ["mcp:write mcp:late", 200],
  ["mcp:admin", 200],
];

for (const [way, env, prepare] of WAYS) {
  for (const [scope, status] of GRANTS) {
    Deno.test(`mcp() answers ${status} to a call by ${way} of a tool that needs two scopes when the token has ${scope} (SPEC A3.5, A3.6, A3.7, A3.9)`, async () => {
      const shop = workshop();
      const program = await stage({ ...SCOPED, ...env }, shop.newServer);
      const call = await prepare(program);
      const asking = { _meta: { progressToken: 1 } };
      const answer = program.send("/mcp", call("a", await as("alice", { scope }), asking));
      if (status === 200) {
        const { context, done } = await shop.job("a");
        await context.progress(1);
        done();
      }
      const response = await answer;
      equal(response.status, status);
      const refused = status === 403;
      equal(response.headers.get("www-authenticate"), refused ? CHALLENGE : null);
      const type = refused ? "application/json" : "text/event-stream";
      equal(response.headers.get("content-type"), type);
      deepEqual(shop.ran, refused ? [] : ["a"]);
      await response.text();
    });
  }

  Deno.test(`mcp() asks for the scopes of the tool that is called by ${way}, not of another (SPEC A3.5)`, async () => {
    const program = await stage({ ...SCOPED, ...env });
    const call = await prepare(program);
    const headers = await as("alice");
    const other = call("a", headers, { name: "whoami", arguments: {} });
    const named = { ...other.headers as Headers, "mcp-name": "whoami" };
    const response = await program.send("/mcp", { ...other, headers: named });
    equal(response.status, 200);
    ok((await response.text()).includes('"authenticated":true'));
  });
}

for (const era of ERAS) {
  Deno.test(`mcp() lists tools of ${era} whatever their scopes, and names no scope for it (SPEC C2.18)`, async () => {
    const { send } = await stage(SCOPED, workshop().newServer);
    const params = { name: "work" };
    const init = post({ era, method: "tools/list", params, headers: await as("alice") });
    equal((await send("/mcp", init)).status, 200);
  });

  const unknown: [name: string, status: number][] = [["nobody", 200], ["other-one", 403]];
  for (const [name, status] of unknown) {
    Deno.test(`mcp() answers ${status} to a call of ${era} of the unknown tool ${name} (SPEC A3.5, C1.8)`, async () => {
      const { send } = await stage(SCOPED);
      const params = { name, arguments: {} };
      const init = post({ era, method: "tools/call", params, headers: await as("alice") });
      const response = await send("/mcp", init);
      equal(response.status, status);
      const { error } = await response.json();
      equal(status === 200 ? error.code : error, status === 200 ? -32602 : "insufficient_scope");
    });
  }

  Deno.test(`mcp() asks nobody of ${era} for scopes without OAuth (SPEC A1.1)`, async () => {
    const shop = workshop();
    const { send } = await stage({ ...SCOPED, OAUTH_ENABLED: "off" }, shop.newServer);
    const answer = send("/mcp", work(era, "a"));
    (await shop.job("a")).done();
    equal((await answer).status, 200);
  });
}

Deno.test("mcp() judges the tool in the body, whatever Mcp-Name says (SPEC C2.7, C5.3)", async () => {
  const shop = workshop();
  const { send } = await stage(SCOPED, shop.newServer);
  for (const era of ERAS) {
    const headers = { ...await as("alice"), "mcp-name": "whoami" };
    const response = await send("/mcp", work(era, "a", { headers }));
    equal(response.status, 403);
  }
  deepEqual(shop.ran, []);
});

Deno.test("mcp() judges the tool that is run when the body names two (SPEC C2.7)", async () => {
  const shop = workshop();
  const { send } = await stage(SCOPED, shop.newServer);
  const headers = await as("alice");
  const call = { jsonrpc: "2.0", id: 1, method: "tools/call" };
  const twice = (one: string, other: string) =>
    JSON.stringify({ ...call, params: { NAME: one, name: other, arguments: { key: "a" } } })
      .replace("NAME", "name");
  const guarded = { ...legacyCall("", {}, headers), body: twice("whoami", "work") };
  equal((await send("/mcp", guarded)).status, 403);
  const free = { ...legacyCall("", {}, headers), body: twice("work", "whoami") };
  equal((await send("/mcp", free)).status, 200);
  deepEqual(shop.ran, []);
});

Deno.test("mcp() logs who lacked which scope for which tool (SPEC A4.9)", async () => {
  const { send, ports } = await stage(SCOPED, workshop().newServer);
  await send("/mcp", work("2026-07-28", "a", { headers: await as("alice") }));
  const line = JSON.parse(ports.lines.findLast((one) => one.includes('"event":"request"'))!);
  deepEqual([line.status, line.subject, line.tool], [403, "alice", "work"]);
  const refusal = JSON.parse(ports.lines.find((one) => one.includes("scope refused"))!);
  deepEqual(refusal.lacking, ["mcp:write", "mcp:late"]);
});

/** Whether a glob matches, by trying everything: slow and plain. */
function fits(glob: string, text: string): boolean {
  if (glob === "") return text === "";
  if (glob[0] !== "*") return glob[0] === text[0] && fits(glob.slice(1), text.slice(1));
  return fits(glob.slice(1), text) || (text !== "" && fits(glob, text.slice(1)));
}

Deno.test("toolScopes() matches exactly what its globs say (SPEC A3.6)", () => {
  const letter = fc.constantFrom("a", "b", ".", "-", "_", "*", "\n");
  const text = fc.string({ unit: letter, maxLength: 6 });
  fc.assert(
    fc.property(fc.array(text, { maxLength: 4 }), text, (globs, tool) => {
      const rows = globs.map((glob, index) => ({ glob, scope: `s${index}` }));
      const expected = rows.filter(({ glob }) => fits(glob, tool)).map(({ scope }) => scope);
      deepEqual(toolScopes(rows)(tool), expected);
    }),
    { seed: 1, numRuns: 2000 },
  );
});
