import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import {
  MAX_ARGUMENT_VALUES,
  MAX_DEPTH,
  MAX_ENVELOPE_VALUES,
  MAX_HANDSHAKE_LENGTH,
  MAX_ID_LENGTH,
  readMessage,
} from "../../lib/mcp/message.ts";
import { RESOURCE } from "../fakes.ts";

const INVALID_REQUEST = -32600;

function posted(body: BodyInit): Request {
  const headers = { "content-type": "application/json" };
  return new Request(RESOURCE, { method: "POST", headers, body });
}

/** Whether a message is read; otherwise the refusal. */
async function read(message: unknown): Promise<{ status: number; error?: unknown }> {
  const answer = await readMessage(posted(JSON.stringify(message)));
  if (!(answer instanceof Response)) return { status: 200 };
  return { status: answer.status, ...await answer.json() };
}

function nested(depth: number, inner: unknown = 1): unknown {
  let value = inner;
  for (let level = 0; level < depth; level++) value = level % 2 ? [value] : { a: value };
  return value;
}

const filled = (length: number) => Array(length).fill(0);

const handshake = (length: number) => {
  const message = { method: "initialize", params: "" };
  return { ...message, params: "x".repeat(length - JSON.stringify(message).length) };
};

// Where the most is less than the limit, the rest stands around what a row counts.
const BOUNDS: [what: string, make: (size: number) => unknown, most: number][] = [
  ["characters of an id", (size) => ({ id: "x".repeat(size) }), MAX_ID_LENGTH],
  ["levels of a message", (size) => ({ m: nested(size - 1) }), MAX_DEPTH],
  ["levels around nothing", (size) => ({ m: nested(size - 1, {}) }), MAX_DEPTH],
  ["levels of arguments", (size) => ({ params: { arguments: nested(size) } }), MAX_DEPTH],
  ["values in params", (size) => ({ params: filled(size) }), MAX_ENVELOPE_VALUES - 2],
  [
    "values in _meta",
    (size) => ({ params: { _meta: { a: filled(size) }, arguments: filled(5000) } }),
    MAX_ENVELOPE_VALUES - 5,
  ],
  [
    "members of a message",
    (size) => Object.fromEntries(filled(size).map((value, index) => [`m${index}`, value])),
    MAX_ENVELOPE_VALUES - 1,
  ],
  ["arguments", (size) => ({ params: { arguments: filled(size) } }), MAX_ARGUMENT_VALUES - 1],
  ["characters of a handshake", handshake, MAX_HANDSHAKE_LENGTH],
];
for (const [what, make, most] of BOUNDS) {
  Deno.test(`readMessage() takes ${most} ${what} and no more (SPEC C1.5)`, async () => {
    deepEqual(await read(make(most)), { status: 200 });
    const { status, error } = await read(make(most + 1));
    equal(status, 400);
    equal((error as { code: number }).code, INVALID_REQUEST);
  });
}

const FREE: [what: string, message: unknown][] = [
  ["long texts", { params: { arguments: { text: "x".repeat(1_000_000) } } }],
  ["long methods", { method: "x".repeat(100_000) }],
  ["long messages that are no handshake", { method: "tools/call", params: "x".repeat(100_000) }],
  ["no params", {}],
  ["params that are null", { params: null }],
  ["params that are a text", { params: "arguments" }],
  ["arguments that are null", { params: { arguments: null } }],
];
for (const [what, message] of FREE) {
  Deno.test(`readMessage() leaves ${what} to those who know better`, async () => {
    deepEqual(await read(message), { status: 200 });
  });
}

Deno.test("readMessage() counts the same for any message as walking all of it (SPEC C1.5)", async () => {
  const walk = (value: unknown, depth = 0): { values: number; depth: number } => {
    if (typeof value !== "object" || value === null) return { values: 1, depth };
    const inner = Object.values(value).map((one) => walk(one, depth + 1));
    return {
      values: inner.reduce((sum, one) => sum + one.values, 1),
      depth: Math.max(depth, ...inner.map((one) => one.depth)),
    };
  };
  const tower = fc.tuple(fc.integer({ min: MAX_DEPTH - 3, max: MAX_DEPTH + 1 }), fc.jsonValue())
    .map(([depth, inner]) => nested(depth, inner));
  const wide = fc.integer({ min: MAX_ENVELOPE_VALUES - 9, max: MAX_ENVELOPE_VALUES + 1 })
    .map((size) => filled(size));
  const member = fc.oneof(tower, wide, fc.jsonValue());
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.constantFrom("a", "b", "c"), member), async (message) => {
      const { values, depth } = walk(message);
      const fits = values <= MAX_ENVELOPE_VALUES && depth <= MAX_DEPTH;
      equal((await read(message)).status, fits ? 200 : 400);
    }),
    { seed: 1, numRuns: 300 },
  );
});

const BROKEN: [what: string, end: (controller: ReadableStreamDefaultController) => void][] = [
  ["breaks off", (controller) => controller.error(new Error("reset"))],
  ["breaks off as a decoder would", (controller) => controller.error(new TypeError("reset"))],
];
for (const [what, end] of BROKEN) {
  Deno.test(`readMessage() asks to try again when the body ${what} (SPEC C1.4)`, async () => {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode("{"));
        end(controller);
      },
    });
    const answer = await readMessage(posted(body)) as Response;
    deepEqual([answer.status, answer.headers.get("retry-after")], [503, "1"]);
    equal((await answer.json()).jsonrpc, "2.0");
  });
}
