import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import { z } from "zod";
import { type NewServer, serverFactory } from "../../lib/mcp/server.ts";
import { type Pack, type Tool, tool } from "../../lib/pack.ts";
import { tracer } from "../../lib/trace.ts";
import { fakePorts } from "../fakes.ts";
import { type Era, ERAS, type Message, post, stage } from "./helpers.ts";

const INFO = { name: "test", title: "Test", version: "0.0.1" };

function define(name: string, rest: { readonly [member in keyof Tool]?: unknown } = {}): Tool {
  const plain = tool({
    name,
    title: name,
    description: "A tool.",
    annotations: {},
    input: z.strictObject({}),
    output: z.object({}),
    run: () => ({}),
  });
  return { ...plain, ...rest as Partial<Tool> };
}

function pack(name: string, ...tools: Tool[]): Pack {
  return { name, tools, ready: () => true, close: () => {} };
}

function serve(...tools: Tool[]): NewServer {
  const direct = { identity: undefined, trace: tracer(fakePorts())() };
  return serverFactory([pack("test", ...tools)], INFO, direct, fakePorts());
}

async function ask(
  newServer: NewServer,
  method: string,
  params: Record<string, unknown> = {},
  era: Era = "2026-07-28",
): Promise<{ answer: Message; lines: string[] }> {
  const { send, ports } = await stage({ OAUTH_ENABLED: "off" }, newServer);
  const response = await send("/mcp", post({ era, method, params }));
  return { answer: await response.json(), lines: ports.lines };
}

const NAMES: [name: string, fine: boolean][] = [
  ["a", true],
  ["Read_File-2.0", true],
  ["x".repeat(128), true],
  ["x".repeat(129), false],
  ["", false],
  ["a b", false],
  ["a/b", false],
  ["a,b", false],
  ["ä", false],
  ["a\n", false],
  ["*", false],
];
for (const [name, fine] of NAMES) {
  const shown = JSON.stringify(name.slice(0, 20));
  Deno.test(`serverFactory() ${fine ? "takes" : "refuses"} ${name.length} characters ${shown} as a tool's name (SPEC C2.6)`, () => {
    if (fine) serve(define(name));
    else throws(() => serve(define(name)), { name: "TypeError", message: /^Cannot name a tool/ });
  });
}

Deno.test("serverFactory() refuses two tools of one name, in one pack or in two (SPEC C2.6)", () => {
  const expected = { name: "TypeError", message: 'Cannot have two tools named "a"' };
  throws(() => serve(define("a"), define("a")), expected);
  const direct = { identity: undefined, trace: tracer(fakePorts())() };
  const packs = [pack("one", define("a")), pack("two", define("a"))];
  throws(() => serverFactory(packs, INFO, direct, fakePorts()), expected);
  serve(define("a"), define("A"));
});

Deno.test("serverFactory() refuses a tool whose argument asks for a header that nobody checks (SPEC C2.5, C2.6)", () => {
  const input = z.strictObject({ region: z.string().meta({ "x-mcp-header": "Region" }) });
  throws(() => serve(define("a", { input })), { message: /x-mcp-header is not supported/ });
  const nested = z.strictObject({ at: z.object({ b: z.array(input) }) });
  throws(() => serve(define("a", { input: nested })), { message: /x-mcp-header/ });
});

Deno.test("serverFactory() lists every tool of every pack in order, as it was defined (SPEC C2.18)", async () => {
  const direct = { identity: undefined, trace: tracer(fakePorts())() };
  const annotations = { readOnlyHint: true, destructiveHint: false };
  const packs = [pack("one", define("b"), define("a", { annotations })), pack("two", define("c"))];
  const { answer } = await ask(serverFactory(packs, INFO, direct, fakePorts()), "tools/list");
  const { tools } = answer.result;
  deepEqual(tools.map(({ name }: Message) => name), ["b", "a", "c"]);
  deepEqual(tools[1].annotations, annotations);
  deepEqual([tools[0].title, tools[0].description], ["b", "A tool."]);
});

Deno.test("serverFactory() describes arguments and results in JSON Schema 2020-12 that refers to nothing else (SPEC C1.9)", async () => {
  const input = z.strictObject({ limit: z.int().min(1).default(10), tags: z.array(z.string()) });
  const output = z.object({ at: z.iso.datetime() });
  const newServer = serve(define("a", { input, output }));
  const [{ inputSchema, outputSchema }] = (await ask(newServer, "tools/list")).answer.result.tools;
  for (const schema of [inputSchema, outputSchema]) {
    // The default, so it need not be said.
    equal(schema.$schema, undefined);
    equal(schema.type, "object");
    ok(!JSON.stringify(schema).includes("$ref"));
  }
  equal(inputSchema.additionalProperties, false);
  deepEqual(inputSchema.required, ["tags"], "what has a default need not be given");
});

Deno.test("serverFactory() names itself in every result (SPEC C2.11)", async () => {
  const { answer } = await ask(serve(define("a")), "tools/call", { name: "a", arguments: {} });
  deepEqual(answer.result._meta["io.modelcontextprotocol/serverInfo"], INFO);
  equal(answer.result.resultType, "complete");
  ok(!("ttlMs" in answer.result));
});

Deno.test("serverFactory() answers a call with structure and the same as text (SPEC C1.8)", async () => {
  const output = z.object({ sum: z.number() });
  const input = z.strictObject({ a: z.number(), b: z.number().default(2) });
  const run = (args: Message) => ({ sum: args.a + args.b });
  const newServer = serve(define("add", { input, output, run }));
  const { answer } = await ask(newServer, "tools/call", { name: "add", arguments: { a: 1 } });
  deepEqual(answer.result.structuredContent, { sum: 3 });
  deepEqual(answer.result.content, [{ type: "text", text: '{"sum":3}' }]);
  ok(!answer.result.isError);
});

const ARGUMENTS: [what: string, args: unknown, told: RegExp][] = [
  ["lacks one", {}, /argument "n"/],
  ["has one of another type", { n: "a-secret-value" }, /argument "n"/],
  ["has one out of range", { n: 11 }, /argument "n"/],
  ["has one deep inside that is wrong", { n: 1, list: [{ name: 7 }] }, /argument "list.0.name"/],
  ["has one that nobody knows", { n: 1, "a-secret-value": 1 }, /arguments have unknown names$/],
];
for (const [what, args, told] of ARGUMENTS) {
  Deno.test(`serverFactory() tells the caller, and runs nothing, when a call ${what} (SPEC C1.7, C1.8)`, async () => {
    let ran = 0;
    const list = z.array(z.object({ name: z.string() })).optional();
    const input = z.strictObject({ n: z.number().max(10), list });
    const newServer = serve(define("a", { input, run: () => ({ ran: ++ran }) }));
    const params = { name: "a", arguments: args };
    const { answer, lines } = await ask(newServer, "tools/call", params);
    equal(answer.result.isError, true);
    match(answer.result.content[0].text, /^Cannot call a: /);
    match(answer.result.content[0].text, told);
    ok(!JSON.stringify(answer).includes("a-secret-value"));
    ok(!lines.join("").includes("a-secret-value"));
    equal(ran, 0);
  });
}

Deno.test("serverFactory() gives a tool nothing of a prototype among the arguments (SPEC C1.7)", async () => {
  const input = z.strictObject({ n: z.number(), admin: z.boolean().optional() });
  const run = (args: Message) => ({ keys: Object.keys(args), admin: args.admin ?? false });
  const params = { name: "a", arguments: JSON.parse('{"n":1,"__proto__":{"admin":true}}') };
  const { answer } = await ask(serve(define("a", { input, run })), "tools/call", params);
  deepEqual(answer.result.structuredContent, { keys: ["n"], admin: false });
});

Deno.test("serverFactory() tells of five problems at most (SPEC C1.7)", async () => {
  const input = z.strictObject({ list: z.array(z.string()) });
  const params = { name: "a", arguments: { list: Array(1000).fill(0) } };
  const { answer } = await ask(serve(define("a", { input })), "tools/call", params);
  equal(answer.result.content[0].text.split(";").length, 5);
});

const FAILURES: [what: string, run: () => never][] = [
  ["an error", () => {
    throw new Error("password hunter2 refused");
  }],
  ["a text", () => {
    throw "password hunter2 refused";
  }],
  ["nothing", () => {
    throw undefined;
  }],
];
for (const [what, run] of FAILURES) {
  Deno.test(`serverFactory() tells no more than that a tool failed when it throws ${what} (SPEC C1.8, C2.17)`, async () => {
    const newServer = serve(define("a", { run }));
    const { answer, lines } = await ask(newServer, "tools/call", { name: "a", arguments: {} });
    equal(answer.result.isError, true);
    match(
      answer.result.content[0].text,
      /^a failed; the server's log tells why under request \S+$/,
    );
    ok(!JSON.stringify(answer).includes("hunter2"));
    const id = answer.result.content[0].text.split(" ").at(-1);
    ok(lines.some((line) => line.includes("tool failed") && line.includes(id)));
  });
}

for (const era of ERAS) {
  Deno.test(`serverFactory() tells no more of ${era} than that a tool failed when what it yields is no JSON (SPEC C1.8, C2.17)`, async () => {
    const newServer = serve(define("a", { run: () => ({ hunter2: 1n }) }));
    const params = { name: "a", arguments: {} };
    const { answer, lines } = await ask(newServer, "tools/call", params, era);
    equal(answer.result.isError, true);
    match(answer.result.content[0].text, /^a failed; /);
    ok(lines.some((line) => line.includes("tool failed")));
    ok(lines.some((line) => line.includes('"outcome":"failed"')));
  });

  Deno.test(`serverFactory() tells no more of ${era} than that a tool failed when its schema throws (SPEC C1.8, C2.17)`, async () => {
    const n = z.string().refine((text) => {
      throw new Error(`hunter2 ${text}`);
    });
    const newServer = serve(define("a", { input: z.strictObject({ n }) }));
    const params = { name: "a", arguments: { n: "x" } };
    const { answer, lines } = await ask(newServer, "tools/call", params, era);
    equal(answer.result.isError, true);
    match(answer.result.content[0].text, /^a failed; /);
    ok(!JSON.stringify(answer).includes("hunter2"));
    ok(lines.some((line) => line.includes("tool failed")));
  });
}

Deno.test("serverFactory() does not share state between the servers it makes (SPEC C2.1)", () => {
  const newServer = serve(define("a"));
  const [one, other] = [newServer(), newServer()];
  ok(one !== other);
  one.removeRequestHandler("tools/list");
  one.assertCanSetRequestHandler("tools/list");
  throws(() => other.assertCanSetRequestHandler("tools/list"));
});
