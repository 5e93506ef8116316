import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { z } from "zod";
import { ToolError } from "../../../lib/pack.ts";
import { items, members, shaped } from "../../../lib/pack/grafana/items.ts";

const COUNT = 100_000;

/** A shape that nothing fits, and how often it was asked. */
function nothing() {
  const seen = { count: 0 };
  return { seen, shape: z.unknown().refine(() => (seen.count++, false)) };
}

const listOf = (count: number) => Array<number>(count).fill(0);
const recordOf = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`m${at}`, 0]));

Deno.test("items() reads what fits, as its shape says", () => {
  deepEqual(items(z.string().transform(Number)).parse(["1", "2"]), [1, 2]);
  deepEqual(items(z.string()).parse([]), []);
  for (const value of [{}, "ab", null, { length: 1 }]) {
    equal(items(z.unknown()).safeParse(value).success, false);
  }
});

Deno.test("members() reads what fits, and a member named __proto__ as any other", () => {
  deepEqual(members(z.string().transform(Number)).parse({ a: "1", b: "2" }), { a: 1, b: 2 });
  deepEqual(members(z.string()).parse({}), {});
  const read = members(z.string()).parse(JSON.parse('{"__proto__":"x"}'));
  equal(Object.getPrototypeOf(read), Object.prototype);
  for (const value of [[], "ab", null]) {
    equal(members(z.unknown()).safeParse(value).success, false);
  }
});

for (
  const [name, read, value] of [
    ["items", items, listOf(COUNT)],
    ["members", members, recordOf(COUNT)],
  ] as const
) {
  Deno.test(`${name}() ends at the first that is wrong, and tells one`, () => {
    const { seen, shape } = nothing();
    const { error } = read(shape).safeParse(value);
    equal(error!.issues.length, 1);
    equal(seen.count, 1);
  });
}

Deno.test("items() says which item is wrong, and nothing of what is in it", () => {
  const shape = z.object({ list: items(z.object({ a: z.string() })) });
  throws(
    () => shaped(shape, { list: [{ a: "b" }, { a: 5, secret: "s3cret" }] }, "Told"),
    (error) => {
      return error instanceof ToolError && error.message === "Told" &&
        error.reason ===
          "answer not as expected: list: item 1: a: Invalid input: expected string, received number";
    },
  );
});

Deno.test("shaped() yields what was read", () => {
  equal(shaped(z.string().transform(Number), "5"), 5);
});
