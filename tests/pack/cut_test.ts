import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { first, fitting, MAX_RESULT_LENGTH } from "../../lib/pack/cut.ts";

Deno.test("first() hands on what is within the limit, without a word", () => {
  deepEqual(first([], 0, "how"), { items: [] });
  deepEqual(first([1, 2], 2, "how"), { items: [1, 2] });
});

Deno.test("first() says how many it left out, of how many, and how to get them", () => {
  deepEqual(first([1, 2, 3], 2, "use page"), {
    items: [1, 2],
    truncated: "1 of 3 left out: use page",
  });
  deepEqual(first([1, 2, 3], 0, "use page"), {
    items: [],
    truncated: "3 of 3 left out: use page",
  });
});

Deno.test("first() and fitting() leave the list that they were given as it is", () => {
  const list = [1, 2, 3];
  first(list, 9, "how").items.push(4);
  fitting(list, "how").items.push(4);
  deepEqual(list, [1, 2, 3]);
});

Deno.test("fitting() counts in characters of JSON, commas too", () => {
  // "aa" takes four, and a comma.
  deepEqual(fitting(["aa", "aa"], "how", 10), { items: ["aa", "aa"] });
  deepEqual(fitting(["aa", "aa"], "how", 9), {
    items: ["aa"],
    truncated: "1 of 2 left out: how",
  });
});

Deno.test("fitting() leaves out a first item that is too large by itself, and says so", () => {
  deepEqual(fitting(["a".repeat(MAX_RESULT_LENGTH)], "how"), {
    items: [],
    truncated: "1 of 1 left out: how",
  });
});

Deno.test("fitting() yields the longest beginning within the bound, and tells the rest", () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.nat(400), (list, most) => {
      const { items, truncated } = fitting(list, "how", most);
      deepEqual(items, list.slice(0, items.length));
      const size = (upTo: number) =>
        list.slice(0, upTo).reduce<number>((sum, one) => sum + JSON.stringify(one).length + 1, 0);
      ok(size(items.length) <= most);
      if (items.length < list.length) {
        ok(size(items.length + 1) > most);
        equal(truncated, `${list.length - items.length} of ${list.length} left out: how`);
      } else equal(truncated, undefined);
    }),
  );
});
