import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { challenges } from "../lib/challenge.ts";
import { configure } from "../lib/config.ts";
import { BEARER_ERRORS, type BearerError } from "../lib/errors.ts";
import { bearerHeader, legacyCall, modernCall, SECRET, sign, subject } from "./fakes.ts";
import { challengeOf } from "./tokens.ts";

const METADATA = "https://mcp.example/.well-known/oauth-protected-resource/mcp";
const ERRORS = Object.keys(BEARER_ERRORS) as BearerError[];

function headerOf(response: Response): string {
  return response.headers.get("www-authenticate")!;
}

Deno.test("challenges() says where to go and what for, but no error, when bare (SPEC A3.2, A3.3, A3.4)", async () => {
  const response = challenges(METADATA, ["mcp:read", "mcp:write"]).bare();
  equal(response.status, 401);
  equal(
    headerOf(response),
    `Bearer resource_metadata="${METADATA}", scope="mcp:read mcp:write"`,
  );
  equal(Object.hasOwn(await response.json(), "error"), false);
});

Deno.test("challenges() leaves scope out when nothing is needed (SPEC A3.8)", () => {
  const { bare, refuse } = challenges(METADATA, []);
  for (const response of [bare(), ...ERRORS.map((error) => refuse(error))]) {
    equal(challengeOf(headerOf(response)).parameters.scope, undefined);
  }
});

const STATUS: readonly (readonly [error: BearerError, status: number])[] = [
  ["invalid_request", 400],
  ["invalid_token", 401],
  ["insufficient_scope", 403],
];
for (const [error, status] of STATUS) {
  Deno.test(`challenges() refuses with ${status} for ${error} (SPEC A3.1, A3.5, A3.8)`, async () => {
    const response = challenges(METADATA, ["mcp:read"]).refuse(error);
    const { description } = BEARER_ERRORS[error];
    equal(response.status, status);
    equal(response.headers.get("cache-control"), "no-store");
    deepEqual(challengeOf(headerOf(response)), {
      scheme: "Bearer",
      parameters: {
        error,
        error_description: description,
        resource_metadata: METADATA,
        scope: "mcp:read",
      },
    });
    deepEqual(await response.json(), { error, error_description: description });
  });
}

Deno.test("challenges() names the scopes of an operation instead of its own (SPEC A3.5, A3.6)", () => {
  const { bare, refuse } = challenges(METADATA, ["mcp:read"]);
  const scopeOf = (response: Response) => challengeOf(headerOf(response)).parameters.scope;
  equal(scopeOf(refuse("insufficient_scope", ["mcp:read", "mcp:admin"])), "mcp:read mcp:admin");
  equal(scopeOf(refuse("insufficient_scope", [])), undefined);
  equal(scopeOf(refuse("insufficient_scope")), "mcp:read");
  equal(scopeOf(bare()), "mcp:read");
});

Deno.test("challenges() gives each refusal a response of its own (SPEC A3.1)", async () => {
  const { bare, refuse } = challenges(METADATA, []);
  for (const make of [bare, () => refuse("invalid_token")]) {
    const [first, second] = [make(), make()];
    first.headers.set("x-request-id", "1");
    await first.text();
    equal(second.headers.get("x-request-id"), null);
    equal(second.bodyUsed, false);
  }
});

const UNWRITABLE = ['"', "\\", "\n", "\r", "\t", "\0", "\x7f", "é", "\u2028", "😀"];
for (const character of UNWRITABLE) {
  Deno.test(`challenges() throws for a value with ${JSON.stringify(character)} (SPEC A3.8)`, () => {
    throws(() => challenges(METADATA, [`a${character}b`]), TypeError);
    throws(() => challenges(`${METADATA}${character}`, []), TypeError);
    const { refuse } = challenges(METADATA, []);
    throws(() => refuse("insufficient_scope", [`a${character}b`]), TypeError);
  });
}

for (const [name, scope] of [["is empty", ""], ["is two", "a b"], ["ends in a space", "a "]]) {
  Deno.test(`challenges() throws for a scope that ${name} (SPEC A3.8, RFC 6749 3.3)`, () => {
    throws(() => challenges(METADATA, [scope!]), TypeError);
  });
}

const SCOPE_CHARACTERS = [...Array(0x7f - 0x21).keys()].map((code) =>
  String.fromCharCode(code + 0x21)
)
  .filter((character) => character !== '"' && character !== "\\");
const scopeToken = fc.string({
  unit: fc.constantFrom(...SCOPE_CHARACTERS),
  minLength: 1,
  maxLength: 30,
});
const RUNS = { seed: 1, numRuns: 300 };

Deno.test("challenges() writes any scopes so that they can be read back (SPEC A3.3, A3.8)", () => {
  const property = (own: string[], needed: string[], error: BearerError) => {
    const { bare, refuse } = challenges(METADATA, own);
    for (
      const [response, scope] of [
        [bare(), own],
        [refuse(error), own],
        [refuse(error, needed), needed],
      ] as const
    ) {
      const { scheme, parameters } = challengeOf(headerOf(response));
      equal(scheme, "Bearer");
      equal(parameters.resource_metadata, METADATA);
      deepEqual(parameters.scope?.split(" ") ?? [], scope);
    }
  };
  const scopes = fc.array(scopeToken, { maxLength: 6 });
  fc.assert(fc.property(scopes, scopes, fc.constantFrom(...ERRORS), property), RUNS);
});

Deno.test("challenges() writes no parameter but its own, whatever the scopes (SPEC A3.8)", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 20 }),
    fc.constantFrom('", error="x', ", realm=x", "a=b", "scope", ",", "\r\nx: y"),
  );
  const property = (scope: string[]) => {
    let header: string;
    try {
      header = headerOf(challenges(METADATA, scope).bare());
    } catch (error) {
      return ok(error instanceof TypeError);
    }
    const value = header.slice(`Bearer resource_metadata="${METADATA}", scope="`.length, -1);
    equal(value, scope.join(" "));
    equal(/["\\]|[^\x20-\x7e]/.test(value), false);
  };
  fc.assert(fc.property(fc.array(text, { maxLength: 4 }), property), RUNS);
});

const OWN_METADATA =
  'resource_metadata="http://localhost:8080/.well-known/oauth-protected-resource/mcp"';
const SCOPES = "mcp:read,mcp:write";

for (const [era, call] of [["2025-11-25", legacyCall], ["2026-07-28", modernCall]] as const) {
  Deno.test(`app() asks for the required scopes of ${era} callers without a token (SPEC A3.3, A3.4)`, async () => {
    const { send } = await subject({ OAUTH_SCOPES_REQUIRED: SCOPES });
    const response = await send("/mcp", call("tools/list"));
    equal(response.status, 401);
    equal(headerOf(response), `Bearer ${OWN_METADATA}, scope="mcp:read mcp:write"`);
  });

  Deno.test(`app() refuses a ${era} caller who lacks one required scope, and names both (SPEC A3.5, A3.6)`, async () => {
    const { send, ports } = await subject({ OAUTH_SCOPES_REQUIRED: SCOPES });
    const token = await sign({ scope: "mcp:read" });
    const response = await send("/mcp", call("tools/list", {}, bearerHeader(token)));
    equal(response.status, 403);
    equal(
      headerOf(response),
      'Bearer error="insufficient_scope", ' +
        'error_description="The access token lacks a scope that this operation needs", ' +
        `${OWN_METADATA}, scope="mcp:read mcp:write"`,
    );
    deepEqual(await response.json(), {
      error: "insufficient_scope",
      error_description: "The access token lacks a scope that this operation needs",
    });
    const { event, needed, lacking } = JSON.parse(ports.lines[0]!);
    deepEqual({ event, needed, lacking }, {
      event: "scope refused",
      needed: ["mcp:read", "mcp:write"],
      lacking: ["mcp:write"],
    });
  });
}

const ROW = { OAUTH_SCOPES_REQUIRED: "mcp:read", OAUTH_SCOPE_HIERARCHY: "mcp:admin>mcp:read" };
const GRANTS: readonly (readonly [name: string, scope: unknown, status: number])[] = [
  ["the scope itself", "mcp:read", 200],
  ["the scope among others", "a mcp:read b", 200],
  ["a broader scope", "mcp:admin", 200],
  ["no scope", undefined, 403],
  ["an empty scope", "", 403],
  ["a scope that begins like it", "mcp:read2", 403],
  ["a scope it begins like", "mcp", 403],
  ["the scope in other case", "MCP:READ", 403],
  ["scopes with a comma between", "mcp:read,mcp:write", 403],
  ["scopes with a tab between", "a\tmcp:read", 403],
  ["a list, as some issuers write scopes", ["mcp:read"], 200],
];
for (const [name, scope, status] of GRANTS) {
  Deno.test(`app() answers ${status} to a token with ${name} (SPEC A3.5, A3.7, A4.1)`, async () => {
    const { send } = await subject(ROW);
    const token = await sign({ scope });
    const response = await send("/mcp", legacyCall("tools/list", {}, bearerHeader(token)));
    equal(response.status, status);
  });
}

for (const variable of ["OAUTH_SCOPES_REQUIRED", "OAUTH_TOOL_SCOPES"]) {
  Deno.test(`app() never asks for offline_access, even when ${variable} does (SPEC A2.8)`, async () => {
    const value = variable === "OAUTH_TOOL_SCOPES" ? "*=offline_access" : "mcp:read,offline_access";
    const env = {
      OAUTH_ENABLED: "on",
      OAUTH_PROVIDER: "hmac",
      JWT_SECRET: SECRET,
      [variable]: value,
    };
    // Refusing the setting is as good as leaving the scope out.
    if (!configure({ flags: {}, env, readFile: () => "" }).ok) return;
    const { send } = await subject(env);
    const token = await sign({ scope: "" });
    const call = { name: "whoami", arguments: {} };
    for (const headers of [{}, bearerHeader(token)]) {
      const response = await send("/mcp", legacyCall("tools/call", call, headers));
      equal(response.headers.get("www-authenticate")?.includes("offline_access") ?? false, false);
    }
    const metadata = await (await send("/.well-known/oauth-protected-resource/mcp")).text();
    equal(metadata.includes("offline_access"), false);
  });
}
