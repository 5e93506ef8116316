import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { toolScopes } from "../../lib/scope.ts";
import { legacyCall, type Subject } from "../fakes.ts";
import { as, type Era, ERAS, post, stage } from "./helpers.ts";
import { closing, nameHeader, PLAIN, RICH, shelf } from "./shelf.ts";

const SCOPED = {
  OAUTH_SCOPES_REQUIRED: "mcp:read",
  OAUTH_TOOL_SCOPES: "shelf://*=kafka:read,shelf://*rich*=kafka:rich,wri*=kafka:write",
};

const CHALLENGE = 'Bearer error="insufficient_scope", ' +
  'error_description="The access token lacks a scope that this operation needs", ' +
  'resource_metadata="http://localhost:8080/.well-known/oauth-protected-resource/mcp"';

type Headers = Record<string, string>;

/** What is asked, what a line names it by, and the scopes that it needs. */
const ASKED: [what: string, params: Record<string, unknown>, named: Headers, needed: string][] = [
  ["resources/read", { uri: PLAIN }, { resource: PLAIN }, "mcp:read kafka:read"],
  ["resources/read", { uri: RICH }, { resource: RICH }, "mcp:read kafka:read kafka:rich"],
  [
    "resources/read",
    { uri: `${RICH}?topic=a-secret-value` },
    { resource: RICH },
    "mcp:read kafka:read kafka:rich",
  ],
  [
    "prompts/get",
    { name: "write", arguments: { topic: "a-secret-value" } },
    { prompt: "write" },
    "mcp:read kafka:write",
  ],
];

/** Opens a session where the settings say so. */
async function session({ send }: Subject, headers: Headers): Promise<Headers> {
  const clientInfo = { name: "test", version: "0" };
  const hello = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo };
  const opened = await send("/mcp", legacyCall("initialize", hello, headers));
  await opened.text();
  return { "mcp-session-id": opened.headers.get("mcp-session-id")! };
}

const WAYS: [way: string, era: Era, env: Headers][] = [
  ...ERAS.map((era): typeof WAYS[number] => [era, era, {}]),
  ["a session", "2025-11-25", { MCP_SESSIONS: "on" }],
];
for (const [way, era, env] of WAYS) {
  for (const [method, params, named, needed] of ASKED) {
    const what = `${method} of ${params.uri ?? params.name}`;

    Deno.test(`mcp() asks for scopes before anything runs at ${what} by ${way} (SPEC A3.5, A3.6, A3.9)`, async () => {
      const [first, ...more] = needed.split(" ");
      for (const scope of [first!, [first, ...more.slice(0, -1)].join(" "), `${needed}er`]) {
        const { newServer, ran } = shelf();
        const program = await stage({ ...SCOPED, ...env }, newServer);
        const token = await as("alice", { scope });
        const held = env.MCP_SESSIONS ? await session(program, token) : {};
        const headers = { ...token, ...held };
        const response = await program.send("/mcp", post({ era, method, params, headers }));
        equal(response.status, 403);
        equal(response.headers.get("www-authenticate"), `${CHALLENGE}, scope="${needed}"`);
        deepEqual(ran, []);
        const { outcome, subject, tool, resource, prompt } = closing(program.ports.lines);
        deepEqual([outcome, subject, tool], ["scope refused", "alice", undefined]);
        deepEqual({ resource, prompt }, { resource: undefined, prompt: undefined, ...named });
        ok(!program.ports.lines.join("").includes("a-secret-value"));
        await program.app.close();
      }
    });

    Deno.test(`mcp() serves ${what} by ${way} to who has the scopes (SPEC A3.5)`, async () => {
      const { newServer, ran } = shelf();
      const program = await stage({ ...SCOPED, ...env }, newServer);
      const token = await as("alice", { scope: needed });
      const held = env.MCP_SESSIONS ? await session(program, token) : {};
      const headers = { ...token, ...held };
      const response = await program.send("/mcp", post({ era, method, params, headers }));
      equal(response.status, 200);
      const answer = await response.text();
      ok(answer.includes('"result"'), answer);
      deepEqual(ran.map(([one]) => one), Object.values(named));
      ok(!program.ports.lines.join("").includes("a-secret-value"));
      await program.app.close();
    });
  }
}

Deno.test("toolScopes() looks up a resource by its URI (SPEC A3.6)", () => {
  const scopesOf = toolScopes([
    { glob: "kafka-mcp://*", scope: "kafka:read" },
    { glob: "kafka_*", scope: "kafka:write" },
  ]);
  deepEqual(scopesOf("kafka-mcp://overview"), ["kafka:read"]);
  deepEqual(scopesOf("kafka_overview"), ["kafka:write"]);
  deepEqual(scopesOf("kafka-mcp:overview"), []);
});

const LISTS = ["resources/list", "resources/templates/list", "prompts/list"];
for (const era of ERAS) {
  Deno.test(`mcp() lists resources and prompts of ${era} whatever their scopes (SPEC C2.18)`, async () => {
    const { send } = await stage(SCOPED, shelf().newServer);
    for (const method of LISTS) {
      // Names that only other methods would heed.
      const params = { name: "write", uri: PLAIN };
      const init = post({ era, method, params, headers: await as("alice") });
      equal((await send("/mcp", init)).status, 200, method);
    }
  });

  Deno.test(`mcp() judges what ${era} reads by its URI and what it gets by its name, not the other way round (SPEC C2.7)`, async () => {
    const env = { ...SCOPED, OAUTH_TOOL_SCOPES: "shelf://*plain=kafka:read,other=kafka:write" };
    const { newServer, ran } = shelf();
    const { send } = await stage(env, newServer);
    const headers = await as("alice");
    const both = { uri: PLAIN, name: "write", arguments: { topic: "a" } };
    const named = { ...headers, "mcp-name": "write" };
    const got = await send(
      "/mcp",
      post({ era, method: "prompts/get", params: both, headers: named }),
    );
    equal(got.status, 200);
    const other = { uri: RICH, name: "other" };
    const at = { ...headers, "mcp-name": RICH };
    const read = await send(
      "/mcp",
      post({ era, method: "resources/read", params: other, headers: at }),
    );
    equal(read.status, 200);
    deepEqual(ran.map(([one]) => one), ["write", RICH]);
    const guarded = { uri: PLAIN, name: "free" };
    const here = { ...headers, "mcp-name": PLAIN };
    const init = post({ era, method: "resources/read", params: guarded, headers: here });
    equal((await send("/mcp", init)).status, 403);
    equal(ran.length, 2);
  });
}

Deno.test("mcp() judges the URI in the body, whatever Mcp-Name says (SPEC C2.7, C5.3)", async () => {
  const { newServer, ran } = shelf();
  const { send } = await stage(SCOPED, newServer);
  for (const era of ERAS) {
    const headers = { ...await as("alice"), "mcp-name": "free://for/all" };
    const init = post({ era, method: "resources/read", params: { uri: PLAIN }, headers });
    equal((await send("/mcp", init)).status, 403);
  }
  deepEqual(ran, []);
});

Deno.test("mcp() logs no query, fragment or argument of what it refuses (SPEC A4.9)", async () => {
  const { newServer } = shelf();
  const { send, ports } = await stage(SCOPED, newServer);
  for (
    const tail of ["?a-secret-value", "#a-secret-value", "?a#a-secret-value", "#?a-secret-value"]
  ) {
    const params = { uri: `${PLAIN}${tail}` };
    for (const era of ERAS) {
      const init = post({ era, method: "resources/read", params, headers: await as("alice") });
      equal((await send("/mcp", init)).status, 403);
    }
  }
  ok(!ports.lines.join("").includes("a-secret-value"));
});

/** Spellings of the two URIs: some of them right, most nearly so. */
function spelling(): fc.Arbitrary<string> {
  const piece = fc.constantFrom(
    ...["", "?", "??", "#", "/", "//", "/..", "/.", "\\", "&", "=", ";", ",", "{", "}", "*", "|"],
    ...[
      "%",
      "%3F",
      "%3f",
      "%23",
      "%2F",
      "%00",
      "%0A",
      "%61",
      " ",
      "\t",
      "\n",
      "\r",
      "\0",
      "\ufeff",
    ],
    ...["?limit=many", "?topic=a", "&limit=few", "?__proto__=1", "#top", ":80", "@", "é", "\u0131"],
  );
  const inserted = fc.tuple(fc.constantFrom(PLAIN, RICH), fc.nat(24), piece, piece).map(
    ([uri, at, one, other]) => `${uri.slice(0, at)}${one}${uri.slice(at)}${other}`,
  );
  const changed = fc.tuple(inserted, fc.nat(24), fc.nat(2)).map(([uri, at, how]) =>
    [...uri].map((char, index) => {
      if (index !== at) return char;
      if (how === 0) return char.toUpperCase();
      return how === 1 ? `%${char.charCodeAt(0).toString(16)}` : "";
    }).join("")
  );
  const right = fc.tuple(fc.constantFrom(PLAIN, RICH), fc.constantFrom("", "?"), fc.string())
    .map(([uri, mark, text]) => `${uri}${mark}${mark && text}`);
  return fc.oneof(inserted, changed, right, fc.string(), fc.string({ unit: "binary" }));
}

for (const era of ERAS) {
  Deno.test(`mcp() reads no resource of ${era} without its scope, however the URI is spelt (SPEC A3.5, C1.7, C2.7)`, async () => {
    const OAUTH_TOOL_SCOPES = "shelf://*plain=kafka:plain,shelf://*rich*one=kafka:rich";
    const env = { OAUTH_SCOPES_REQUIRED: "mcp:read", OAUTH_TOOL_SCOPES };
    const { newServer, ran } = shelf();
    const { send, ports } = await stage(env, newServer);
    const without = await as("alice", { scope: "mcp:read" });
    const having = await as("alice", { scope: "mcp:read kafka:plain kafka:rich" });
    const read = async (uri: string, token: Headers) => {
      const headers = { ...token, "mcp-name": nameHeader(uri) };
      const response = await send(
        "/mcp",
        post({ era, method: "resources/read", params: { uri }, headers }),
      );
      await response.text();
      return { status: response.status, resource: closing(ports.lines).resource };
    };
    let readings = 0;
    await fc.assert(
      fc.asyncProperty(spelling(), async (uri) => {
        const refusal = await read(uri, without);
        deepEqual(ran.splice(0), [], "read without the scope");
        equal((await read(uri, having)).status, 200);
        const own = ran.splice(0).map(([one]) => one);
        readings += own.length;
        if (own.length === 0) return;
        deepEqual([refusal.status, [refusal.resource]], [403, own]);
      }),
      { seed: 1, numRuns: 500 },
    );
    ok(readings > 50, `${readings} of them were right`);
  });
}
