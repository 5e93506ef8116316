import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import {
  MAX_FORM_BYTES,
  type ParametersRead,
  readForm,
  readParameters,
  readQuery,
} from "../../lib/proxy/form.ts";
import { ORIGIN } from "../fakes.ts";

const TYPE = "application/x-www-form-urlencoded";
const URI = `${ORIGIN}/oauth/authorize`;

function form(body: BodyInit, type: string | null = TYPE): Promise<ParametersRead> {
  const headers = new Headers(type === null ? {} : { "content-type": type });
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  return readForm(new Request(URI, { method: "POST", headers, body: bytes }));
}

const query = (text: string) => readQuery(new Request(`${URI}?${text}`));

/** What was read, as `all()` has it, or the problem. */
function allOf(read: ParametersRead, ...names: string[]) {
  return read.ok ? names.map((name) => read.parameters.all(name)) : read.problem;
}

const TWICE = "A parameter was sent more than once";

const ROWS: readonly (readonly [name: string, text: string, read: unknown])[] = [
  ["nothing", "", [[], []]],
  ["a parameter", "a=1", [["1"], []]],
  ["one without a value as absent", "a=&resource=", [[], []]],
  ["one without an equals sign as absent", "a", [[], []]],
  ["a value after an empty one", "a=&a=1", [["1"], []]],
  ["spaces and signs as they were encoded", "a=x+y%20z%2B%26%3D", [["x y z+&="], []]],
  ["several resources in their sequence", "resource=b&resource=a&resource=b", [
    [],
    ["b", "a", "b"],
  ]],
  ["resources less those without a value", "resource=&resource=a&resource=", [[], ["a"]]],
  ["a parameter that is sent twice as a problem", "a=1&a=2", TWICE],
  ["the same value twice as a problem", "a=1&a=1", TWICE],
  ["two spellings of one name as a problem", "a=1&%61=2", TWICE],
  ["a name that is unknown, sent twice, as a problem", "zzz=1&zzz=2&a=1", TWICE],
  ["names in another case as others", "A=1&a=2&Resource=3", [["2"], []]],
  ["names of a prototype's members", "__proto__=1&constructor=2&a=3", [["3"], []]],
];
for (const [name, text, expected] of ROWS) {
  Deno.test(`readQuery() and readForm() read ${name} (SPEC B2.5)`, async () => {
    deepEqual(allOf(query(text), "a", "resource"), expected);
    deepEqual(allOf(await form(text), "a", "resource"), expected);
  });
}

Deno.test("readParameters() has the first resource, and nothing that was not sent (SPEC B2.6)", () => {
  const read = readParameters(new URLSearchParams("resource=b&resource=a&__proto__=1"));
  ok(read.ok);
  const { parameters } = read;
  equal(parameters.get("resource"), "b");
  equal(parameters.get("__proto__"), "1");
  for (const name of ["constructor", "toString", "", "state"]) {
    equal(parameters.get(name), undefined);
    deepEqual(parameters.all(name), []);
  }
});

Deno.test("readQuery() reads what is sent, whatever it is (SPEC B2.5)", () => {
  const pairs = fc.array(fc.tuple(
    fc.oneof(fc.constantFrom("a", "b", "resource", "__proto__"), fc.string({ unit: "binary" })),
    fc.string({ unit: "binary" }),
  ));
  fc.assert(
    fc.property(pairs, (sent) => {
      const text = new URLSearchParams(sent).toString();
      // What cannot be encoded was replaced on the way.
      const known = [...new URLSearchParams(text)].filter(([, value]) => value !== "");
      const read = query(text);
      const names = known.map(([name]) => name).filter((name) => name !== "resource");
      equal(read.ok, new Set(names).size === names.length);
      if (!read.ok) return;
      for (const [name, value] of known) ok(read.parameters.all(name).includes(value));
      const resources = known.filter(([name]) => name === "resource").map(([, value]) => value);
      deepEqual(read.parameters.all("resource"), resources);
    }),
    { seed: 1, numRuns: 500 },
  );
});

Deno.test("readForm() takes any bytes without throwing (SPEC B2.5)", async () => {
  const any = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.array(fc.constantFrom("a", "%", "%f", "%ff", "=", "&", "+", "\0", "é"), { maxLength: 40 })
      .map((parts) => new TextEncoder().encode(parts.join(""))),
  );
  await fc.assert(
    fc.asyncProperty(any, async (bytes) => {
      const read = await form(new Uint8Array(bytes));
      equal(typeof (read.ok ? read.parameters.get : read.problem), read.ok ? "function" : "string");
    }),
    { seed: 1, numRuns: 500 },
  );
});

Deno.test("readForm() reads bodies up to the bound, and says what is wrong with others", async () => {
  const exact = `a=${"x".repeat(MAX_FORM_BYTES - 2)}`;
  equal((await form(exact)).ok, true);
  deepEqual(await form(`${exact}x`), { ok: false, problem: "The body is too large" });
  // Bytes count, not characters.
  const wide = "é".repeat(MAX_FORM_BYTES / 2);
  deepEqual(await form(`a=${wide}`), { ok: false, problem: "The body is too large" });
  deepEqual(await form(new Uint8Array([0x61, 0x3d, 0xff])), {
    ok: false,
    problem: "The body is not UTF-8",
  });
});

Deno.test("readQuery() reads URLs up to the bound", () => {
  const prefix = `${URI}?a=`;
  const exact = prefix + "x".repeat(MAX_FORM_BYTES - prefix.length);
  equal(readQuery(new Request(exact)).ok, true);
  deepEqual(readQuery(new Request(`${exact}x`)), { ok: false, problem: "The request is too long" });
});

const TYPES: readonly (readonly [type: string | null, reads: boolean])[] = [
  [TYPE, true],
  [TYPE.toUpperCase(), true],
  [`${TYPE};charset=UTF-8`, true],
  [`${TYPE} ; charset="utf-8"`, true],
  [null, false],
  ["application/json", false],
  ["multipart/form-data; boundary=x", false],
  ["text/plain", false],
  [`${TYPE}x`, false],
  [`text/plain; ${TYPE}`, false],
];
for (const [type, reads] of TYPES) {
  Deno.test(`readForm() ${reads ? "reads" : "refuses"} a body of type ${type}`, async () => {
    const read = await form("a=1", type);
    equal(read.ok, reads);
    if (!read.ok) equal(read.problem, `The body must be ${TYPE}`);
  });
}
