import { ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { legacyCall, modernCall } from "../fakes.ts";
import { type Message, stage } from "./helpers.ts";

const OPEN = { OAUTH_ENABLED: "off" };
const DEEP = 100_000;
const deep = (inner = "") => "[".repeat(DEEP) + inner + "]".repeat(DEEP);
const nested = (inner = "1") => '{"a":'.repeat(DEEP / 2) + inner + "}".repeat(DEEP / 2);
const call = (members: string) => `{"jsonrpc":"2.0",${members}}`;
const list = (params: string) => call(`"id":1,"method":"tools/list","params":${params}`);
const whoami = (args: string) =>
  call(`"id":1,"method":"tools/call","params":{"name":"whoami","arguments":${args}}`);
const bytes = (...values: number[]) => Uint8Array.from(values);
const utf16 = (text: string) => bytes(...[...text].flatMap((one) => [one.charCodeAt(0), 0]));
const quoted = (...values: number[]) => bytes(0x22, ...values, 0x22);

const PARSE_ERROR = -32700;
const INVALID_REQUEST = -32600;
const NOT_FOUND = -32601;

type Body = string | Uint8Array<ArrayBuffer>;

const BODIES: [what: string, body: Body, status: number, code?: number][] = [
  ["nothing", "", 400, PARSE_ERROR],
  ["white space", " \n", 400, PARSE_ERROR],
  ["half an object", "{", 400, PARSE_ERROR],
  ["a word", "undefined", 400, PARSE_ERROR],
  ["single quotes", "{'jsonrpc':'2.0'}", 400, PARSE_ERROR],
  ["a comma too many", '{"jsonrpc":"2.0",}', 400, PARSE_ERROR],
  ["two messages", `${list("{}")}\n${list("{}")}`, 400, PARSE_ERROR],
  ["a NUL", "\u0000", 400, PARSE_ERROR],
  ["a byte that no UTF-8 has", quoted(0xff), 400, PARSE_ERROR],
  ["an overlong NUL", quoted(0xc0, 0x80), 400, PARSE_ERROR],
  ["a surrogate in UTF-8", quoted(0xed, 0xa0, 0x80), 400, PARSE_ERROR],
  ["half a character", bytes(0x22, 0xe2, 0x82), 400, PARSE_ERROR],
  ["UTF-16", utf16(list("{}")), 400, PARSE_ERROR],
  ["a number", "1", 400, INVALID_REQUEST],
  ["a text", '"tools/list"', 400, INVALID_REQUEST],
  ["null", "null", 400, INVALID_REQUEST],
  ["true", "true", 400, INVALID_REQUEST],
  ["an empty object", "{}", 400, INVALID_REQUEST],
  ["no version", '{"id":1,"method":"tools/list"}', 400, INVALID_REQUEST],
  ["JSON-RPC 1.0", '{"jsonrpc":"1.0","id":1,"method":"tools/list"}', 400, INVALID_REQUEST],
  ["a version that is a number", '{"jsonrpc":2.0,"id":1,"method":"a"}', 400, INVALID_REQUEST],
  ["no method", call('"id":1'), 400, INVALID_REQUEST],
  ["a method that is a number", call('"id":1,"method":7'), 400, INVALID_REQUEST],
  ["a method that is null", call('"id":1,"method":null'), 400, INVALID_REQUEST],
  ["a method that is an object", call('"id":1,"method":{}'), 400, INVALID_REQUEST],
  ["a method that is a list", call('"id":1,"method":["tools/list"]'), 400, INVALID_REQUEST],
  ["an id that is null", call('"id":null,"method":"tools/list"'), 400, INVALID_REQUEST],
  ["an id that is an object", call('"id":{},"method":"tools/list"'), 400, INVALID_REQUEST],
  ["an id that is a fraction", call('"id":1.5,"method":"tools/list"'), 400, INVALID_REQUEST],
  ["an id beyond numbers", call('"id":1e400,"method":"tools/list"'), 400, INVALID_REQUEST],
  ["params that are a text", list('"a"'), 400, INVALID_REQUEST],
  ["params that are a list", list("[1]"), 400, INVALID_REQUEST],
  ["request and response in one", call('"id":1,"method":"a","result":{}'), 400, INVALID_REQUEST],
  ["result and error in one", call('"id":1,"result":{},"error":{}'), 400, INVALID_REQUEST],
  ["an error without a code", call('"id":1,"error":{}'), 400, INVALID_REQUEST],
  ["deep lists", deep(), 400, INVALID_REQUEST],
  ["deep lists that do not end", "[".repeat(DEEP), 400, PARSE_ERROR],
  ["deep objects", nested(), 400, INVALID_REQUEST],
  ["a deep method", call(`"id":1,"method":${deep()}`), 400, INVALID_REQUEST],
  ["a deep id", call(`"id":${deep()},"method":"a"`), 400, INVALID_REQUEST],
  ["deep params", list(`{"a":${deep()}}`), 400, INVALID_REQUEST],
  ["a deep _meta", list(`{"_meta":{"a":${nested()}}}`), 400, INVALID_REQUEST],
  ["deep arguments", whoami(`{"a":${deep()}}`), 400, INVALID_REQUEST],
  ["many values", list(`{"_meta":{"a":[${"1,".repeat(2000)}1]}}`), 400, INVALID_REQUEST],
  ["many arguments", whoami(`{"a":[${"1,".repeat(1000)}1]}`), 200],
  ["too many arguments", whoami(`{"a":[${"1,".repeat(100_000)}1]}`), 400, INVALID_REQUEST],
  ["a deep result", call(`"id":1,"result":{"a":${deep()}}`), 400, INVALID_REQUEST],
  ["a prototype as params", list('{"__proto__":{"polluted":1}}'), 200],
  ["a prototype as arguments", whoami('{"__proto__":{"polluted":1}}'), 200],
  ["a prototype of prototypes", whoami('{"constructor":{"prototype":{"polluted":1}}}'), 200],
  ["a prototype around", call('"__proto__":{"method":"tools/list"},"id":1'), 400, INVALID_REQUEST],
  ["__proto__ as method", call('"id":1,"method":"__proto__"'), 200, NOT_FOUND],
  ["two ids", call('"id":2,"id":1,"method":"tools/list"'), 200],
  ["a long id", call(`"id":"${"x".repeat(1e6)}","method":"tools/list"`), 400, INVALID_REQUEST],
  ["a long method", call(`"id":1,"method":"${"x".repeat(1e6)}"`), 200, NOT_FOUND],
  ["a lone surrogate", call('"id":"\\ud800","method":"tools/list"'), 200],
];

const bodyOf = (body: Body) => typeof body === "string" ? new TextEncoder().encode(body) : body;

for (const [what, body, status, code] of BODIES) {
  Deno.test(`mcp() answers ${status} and goes on when the body is ${what} (SPEC C1.3, C1.5)`, async () => {
    const { send } = await stage(OPEN);
    const response = await send("/mcp", { ...legacyCall(""), body: bodyOf(body) });
    equal(response.status, status);
    const { error }: Message = await response.json();
    equal(error?.code, code);
    equal(({} as Message).polluted, undefined);
    for (const good of [legacyCall("tools/list"), modernCall("tools/list")]) {
      equal((await (await send("/mcp", good)).json()).result.tools.length, 1);
    }
  });
}

const BAD_CALLS: [what: string, params: string, code: number][] = [
  ["a tool that nobody knows", '{"name":"nobody","arguments":{}}', -32602],
  ["a tool without a name", '{"arguments":{}}', -32602],
  ["a name that is a number", '{"name":7}', -32602],
  ["a name that is a list", '{"name":["whoami"]}', -32602],
  ["a name of every object", '{"name":"__proto__"}', -32602],
  ["a name of another case", '{"name":"Whoami"}', -32602],
  ["arguments that are a list", '{"name":"whoami","arguments":[]}', -32602],
  ["arguments that are a text", '{"name":"whoami","arguments":"{}"}', -32602],
];
for (const [what, params, code] of BAD_CALLS) {
  Deno.test(`mcp() answers ${code} to a call of ${what} (SPEC C1.8)`, async () => {
    const { send } = await stage(OPEN);
    const body = call(`"id":1,"method":"tools/call","params":${params}`);
    const response = await send("/mcp", { ...legacyCall(""), body });
    equal((await response.json()).error.code, code);
  });
}

const METHODS = ['{"token":"a-token-of-somebody"}', '["a-token-of-somebody"]'];
for (const method of METHODS) {
  Deno.test(`mcp() keeps the method ${method.slice(0, 9)}… out of the log (SPEC A4.5)`, async () => {
    const { send, ports } = await stage(OPEN);
    const body = call(`"id":1,"method":${method}`);
    equal((await send("/mcp", { ...legacyCall(""), body })).status, 400);
    ok(ports.lines.length > 0);
    ok(!ports.lines.join("").includes("a-token-of-somebody"));
  });
}

Deno.test("mcp() logs lines of bounded length whatever a client sends", async () => {
  const { send, ports } = await stage(OPEN);
  const long = "x".repeat(100_000);
  const methods = [`"${long}"`, `["${long}"]`, `{"${long}":1}`, deep()];
  for (const method of methods) {
    await send("/mcp", { ...legacyCall(""), body: call(`"id":1,"method":${method}`) });
  }
  for (const line of ports.lines) ok(line.length < 4096, `${line.length} characters`);
});

const MEMBERS = [
  "jsonrpc",
  "id",
  "method",
  "params",
  "result",
  "error",
  "name",
  "_meta",
  "__proto__",
];
const VALUES = ["2.0", "tools/call", "tools/list", "initialize", "whoami", "2026-07-28"];

Deno.test("mcp() answers any JSON with what a client can mend, never with 5xx (SPEC C1.5)", async () => {
  const { send } = await stage(OPEN);
  const leaf = fc.oneof(
    fc.constantFrom(...VALUES),
    fc.jsonValue({ maxDepth: 1 }) as fc.Arbitrary<unknown>,
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc.dictionary(fc.constantFrom(...MEMBERS), tie("tree"), { maxKeys: 5 }),
      fc.array(tie("tree"), { maxLength: 3 }),
    ),
  }));
  const message = fc.record({
    jsonrpc: fc.constantFrom("2.0", "2.0", "1.0", 2),
    id: fc.oneof(fc.integer(), fc.string(), tree),
    method: fc.oneof(fc.constantFrom(...VALUES), fc.string(), tree),
    params: tree,
  }, { requiredKeys: [] });
  const headers = fc.record({
    "mcp-protocol-version": fc.constantFrom("2026-07-28", "2025-11-25", "x"),
    "mcp-method": fc.constantFrom(...VALUES),
    "mcp-name": fc.constantFrom("whoami", "=?base64?eA==?=", "x"),
  }, { requiredKeys: [] });
  await fc.assert(
    fc.asyncProperty(fc.oneof(message, tree), headers, async (body, extra) => {
      const init = legacyCall("", {}, extra as Record<string, string>);
      const response = await send("/mcp", { ...init, body: JSON.stringify(body) });
      ok(response.status >= 200 && response.status < 500, `${response.status}`);
      await response.body?.cancel();
    }),
    { seed: 1, numRuns: 500 },
  );
  equal((await send("/mcp", legacyCall("tools/list"))).status, 200);
});

Deno.test("mcp() answers any bytes with what a client can mend, never with 5xx (SPEC C1.5)", async () => {
  const { send } = await stage(OPEN);
  const good = new TextEncoder().encode(list("{}"));
  const damaged = fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, value]) => {
    const copy = good.slice();
    copy[at] = value;
    return copy;
  });
  await fc.assert(
    fc.asyncProperty(fc.oneof(damaged, fc.uint8Array({ maxLength: 64 })), async (body) => {
      const bytes = Uint8Array.from(body);
      const response = await send("/mcp", { ...legacyCall(""), body: bytes });
      ok(response.status >= 200 && response.status < 500, `${response.status}`);
      await response.body?.cancel();
    }),
    { seed: 1, numRuns: 300 },
  );
});
