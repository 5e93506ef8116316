import { strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { glob } from "../lib/glob.ts";

const CASES: [pattern: string, name: string, fits: boolean][] = [
  ["*", "", true],
  ["orders", "orders", true],
  ["orders", "orders2", false],
  ["orders", "my-orders", false],
  ["orders.*", "orders.", true],
  ["orders.*", "ordersX", false],
  ["*.secret", "a\nb.secret", true],
  ["a*c", "abbc", true],
  ["a*c", "abb", false],
  ["[ab]", "a", false],
  ["a?", "ab", false],
  ["kafka-mcp://*", "kafka-mcp://overview", true],
];
for (const [pattern, name, fits] of CASES) {
  Deno.test(`glob() says that ${pattern} ${fits ? "fits" : "does not fit"} ${JSON.stringify(name)}`, () => {
    equal(glob(pattern)(name), fits);
  });
}

Deno.test("glob() without a star fits its own text alone (property)", () => {
  const text = fc.string().filter((one) => !one.includes("*"));
  fc.assert(fc.property(text, fc.string(), (own, other) => {
    equal(glob(own)(own), true);
    equal(glob(own)(other), own === other);
  }));
});
