import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { z } from "zod";
import type { Audit } from "../../lib/audit.ts";
import { app } from "../../lib/app.ts";
import { serverFactory } from "../../lib/mcp/server.ts";
import { type Pack, prompt, resource, tool, ToolError } from "../../lib/pack.ts";
import type { Fields } from "../../lib/ports.ts";
import { tracer } from "../../lib/trace.ts";
import {
  type FakePorts,
  fakePorts,
  keysMade,
  modernCall,
  ORIGIN,
  sign,
  testConfig,
} from "../fakes.ts";
import { as, ERAS, post, stage } from "../mcp/helpers.ts";
import { audited, openGate } from "../proxy/grants_helper.ts";

const SECRET_WORD = "a-secret-value";

/** A pack whose things end as they are named. */
function ends(): Pack {
  const run = ({ how }: { how: string; text?: string | undefined }) => {
    if (how === "refused") throw new ToolError(`Not with ${SECRET_WORD}`, "no right");
    if (how === "failed") throw new Error(SECRET_WORD);
    return { text: SECRET_WORD };
  };
  const about = { title: "End", description: "Ends." };
  const input = z.strictObject({
    how: z.enum(["ok", "refused", "failed"]).default("ok"),
    text: z.string().optional(),
  });
  const output = z.object({ text: z.string() });
  return {
    name: "ends",
    tools: [tool({ ...about, name: "end", annotations: {}, input, output, run })],
    resources: [resource({ ...about, uri: "ends://one", name: "one", query: input, read: run })],
    prompts: [prompt({ ...about, name: "letter", input, write: (args) => run(args).text })],
    ready: () => true,
    close: () => {},
  };
}

const newServer = () => {
  const ports = fakePorts();
  const direct = { identity: undefined, trace: tracer(ports)() };
  return serverFactory([ends()], { name: "ends", title: "Ends", version: "0.0.1" }, direct, ports);
};

const WHO = { user: "alice@example.com", subject: "alice" };
const BAD = "bad arguments";

const ASKED = [
  ["tool", "end", "tools/call", (args: Fields) => ({ name: "end", arguments: args })],
  ["prompt", "letter", "prompts/get", (args: Fields) => ({ name: "letter", arguments: args })],
  ["resource", "ends://one", "resources/read", (args: Record<string, string>) => ({
    uri: `ends://one?${new URLSearchParams(args)}`,
  })],
] as const;

for (const era of ERAS) {
  for (const [kind, name, method, paramsOf] of ASKED) {
    Deno.test(`a ${kind} of ${era} is audited once, by how it ended, without arguments and contents`, async () => {
      for (const outcome of ["ok", "refused", "failed", BAD]) {
        const { send, ports } = await stage({}, newServer());
        const params = paramsOf({
          how: outcome === BAD ? SECRET_WORD : outcome,
          text: SECRET_WORD,
        });
        const headers = "uri" in params ? { "mcp-name": params.uri } : {};
        const token = await as("alice");
        const response = await send(
          "/mcp",
          post({ era, method, params, headers: { ...headers, ...token } }),
        );
        await response.text();
        const [{ id, ms, ...event }] = ports.audited as [Fields];
        deepEqual(event, {
          event: "call",
          ...WHO,
          client: undefined,
          kind,
          name,
          outcome,
          ...(outcome === "refused" && { reason: "no right" }),
        });
        equal(id, response.headers.get("x-request-id"));
        equal(typeof ms, "number");
        equal(ports.audited.length, 1);
        equal(JSON.stringify(ports.audited).includes(SECRET_WORD), false);
      }
    });
  }
}

const whoami = modernCall("tools/call", { name: "whoami", arguments: {} });
const refusals: readonly (readonly [
  name: string,
  env: Record<string, string>,
  authorization: (token: string) => string | undefined,
  event: Fields | undefined,
])[] = [
  ["no token", {}, () => undefined, undefined],
  ["a token that is none", {}, () => "Bearer x", { event: "token refused", reason: "malformed" }],
  ["two tokens", {}, (token) => `Bearer ${token}, Bearer ${token}`, {
    event: "token refused",
    reason: "several",
  }],
  ["a token with another signature", {}, (token) => `Bearer ${token.slice(0, -6)}AAAAAA`, {
    event: "token refused",
    reason: "signature",
  }],
  ["a caller who is not allowed", { OAUTH_ALLOW: "user:bob" }, (token) => `Bearer ${token}`, {
    event: "caller not allowed",
    ...WHO,
    client: undefined,
  }],
  ["a scope that every request needs", { OAUTH_SCOPES_REQUIRED: "a,b" }, (t) => `Bearer ${t}`, {
    event: "scope refused",
    ...WHO,
    client: undefined,
    needed: ["a", "b"],
    lacking: ["a", "b"],
  }],
  ["a scope that the tool needs", { OAUTH_TOOL_SCOPES: "who*=c" }, (token) => `Bearer ${token}`, {
    event: "scope refused",
    ...WHO,
    client: undefined,
    kind: "tool",
    name: "whoami",
    needed: ["c"],
    lacking: ["c"],
  }],
];
for (const [name, env, authorization, expected] of refusals) {
  Deno.test(`the refusal of ${name} is audited ${expected ? "once" : "not at all"}, without the token`, async () => {
    const { send, ports } = await stage(env);
    const token = await sign();
    const value = authorization(token);
    const headers = new Headers(whoami.headers);
    if (value) headers.set("authorization", value);
    const response = await send("/mcp", { ...whoami, headers });
    await response.text();
    ok(response.status >= 400);
    const events = ports.audited.map(({ id: _, ...event }) => event);
    deepEqual(events, expected ? [expected] : []);
    equal(JSON.stringify(ports.audited).includes(token.split(".")[1]!), false);
  });
}

Deno.test("the events of proxy mode are audited once each, as the log marks them", async () => {
  const gate = await openGate();
  const { client, tokens } = await gate.connect();
  await gate.refresh(client, tokens.refresh_token);
  await gate.post("/oauth/revoke", client, { token: tokens.refresh_token });
  await gate.refresh(client, tokens.refresh_token);
  const marked = audited(gate).map(({ event, step, id }) => [event, step, id]);
  ok(marked.length > 5);
  deepEqual(gate.ports.audited.map(({ event, step, id }) => [event, step, id]), marked);
  ok(gate.ports.audited.every(({ address }) => address === "127.0.0.1"));
  equal(JSON.stringify(gate.ports.audited).includes(tokens.refresh_token), false);
});

/** A program whose audit log cannot be written until the test says so. */
async function unready(env: Record<string, string>) {
  let ready = false;
  const events: string[] = [];
  const audit: Audit = { write: (event) => void events.push(event), ready: () => ready };
  const ports: FakePorts = { ...fakePorts(), audit };
  const program = await app(testConfig(env), ports);
  return {
    program,
    events,
    mend: () => void (ready = true),
    send: (path: string, init: RequestInit = {}) =>
      program.fetch(
        new Request(new URL(path, ORIGIN), {
          ...init,
          headers: { host: "localhost:8080", ...init.headers as Record<string, string> },
        }),
      ),
  };
}

Deno.test("nothing is called while the audit log cannot be written, and the caller hears why", async () => {
  const { send, events, mend } = await unready({});
  const headers = { ...whoami.headers as Record<string, string>, ...await as("alice") };
  const call = async () => (await (await send("/mcp", { ...whoami, headers })).json()).result;
  const refused = await call();
  equal(refused.isError, true);
  match(refused.content[0].text, /^The audit log cannot be written at the moment, so nothing was/);
  deepEqual(events, []);
  equal((await send("/readyz")).status, 503);
  mend();
  equal((await call()).isError, undefined);
  deepEqual(events, ["call"]);
  equal((await send("/readyz")).status, 200);
});

Deno.test("nobody logs in while the audit log cannot be written, and discovery goes on", async () => {
  const { program, send, events, mend } = await unready({ OAUTH_MODE: "proxy" });
  const metadata = { redirect_uris: ["http://127.0.0.1:1234/callback"] };
  const register = () =>
    send("/oauth/register", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(metadata),
    });
  for (const path of ["/oauth/authorize?client_id=x", "/oauth/callback?state=x"]) {
    const { status, headers } = await send(path);
    deepEqual([status, headers.get("retry-after")], [503, "5"]);
  }
  equal((await register()).status, 503);
  deepEqual(events, []);
  equal((await send("/.well-known/oauth-protected-resource")).status, 200);
  equal((await send("/healthz")).status, 200);
  mend();
  equal((await register()).status, 201);
  deepEqual(events, ["registered"]);
  await keysMade(program);
});
