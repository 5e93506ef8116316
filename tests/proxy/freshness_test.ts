import { strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { DEFAULT_SECONDS, freshness, MAX_SECONDS, MIN_SECONDS } from "../../lib/proxy/freshness.ts";
import { NOW } from "../fakes.ts";

const date = (seconds: number) => new Date((NOW + seconds) * 1000).toUTCString();

const HEADERS: readonly (readonly [headers: Record<string, string>, seconds: number])[] = [
  [{}, DEFAULT_SECONDS],
  [{ "cache-control": "public" }, DEFAULT_SECONDS],
  [{ "cache-control": "max-age=600" }, 600],
  [{ "cache-control": "public, Max-Age=600, must-revalidate" }, 600],
  [{ "cache-control": 'max-age="600"' }, 600],
  [{ "cache-control": "max-age=600", age: "100" }, 500],
  [{ "cache-control": "max-age=600", age: "900" }, MIN_SECONDS],
  [{ "cache-control": "max-age=600", age: "soon" }, 600],
  [{ "cache-control": "max-age=600, s-maxage=900" }, 900],
  [{ "cache-control": "s-maxage=0, max-age=600" }, MIN_SECONDS],
  [{ "cache-control": "x-max-age=600" }, DEFAULT_SECONDS],
  [{ "cache-control": "max-age=59" }, MIN_SECONDS],
  [{ "cache-control": "max-age=61" }, 61],
  [{ "cache-control": "max-age=0" }, MIN_SECONDS],
  [{ "cache-control": "max-age=-1" }, MIN_SECONDS],
  [{ "cache-control": "max-age" }, MIN_SECONDS],
  [{ "cache-control": "max-age=1e9" }, MIN_SECONDS],
  [{ "cache-control": "max-age=86399" }, 86399],
  [{ "cache-control": "max-age=86401" }, MAX_SECONDS],
  [{ "cache-control": "max-age=9999999999" }, MAX_SECONDS],
  [{ "cache-control": "no-store" }, MIN_SECONDS],
  [{ "cache-control": "no-cache, max-age=600" }, MIN_SECONDS],
  [{ "cache-control": "max-age=600, no-store" }, MIN_SECONDS],
  [{ "cache-control": 'private="x", no-cache="set-cookie"' }, MIN_SECONDS],
  [{ expires: date(600) }, 600],
  [{ expires: date(-600) }, MIN_SECONDS],
  [{ expires: "0" }, MIN_SECONDS],
  [{ expires: "-1" }, MIN_SECONDS],
  [{ expires: "Never" }, MIN_SECONDS],
  [{ expires: "" }, MIN_SECONDS],
  [{ expires: date(600), "cache-control": "max-age=700" }, 700],
  [{ expires: date(600), "cache-control": "no-cache" }, MIN_SECONDS],
];
for (const [headers, seconds] of HEADERS) {
  Deno.test(`freshness() is ${seconds} for ${JSON.stringify(headers)} (SPEC B4.1)`, () => {
    equal(freshness(new Headers(headers), NOW), seconds);
  });
}

Deno.test("freshness() keeps within its bounds, whatever a host says (SPEC B4.1)", () => {
  const text = fc.oneof(
    fc.string({ unit: "grapheme-ascii" }),
    fc.array(fc.constantFrom("max-age", "s-maxage", "=", ",", "9", "-", "no-store", '"', " "))
      .map((parts) => parts.join("")),
  );
  const names = fc.constantFrom("cache-control", "age", "expires");
  const property = (said: Record<string, string>) => {
    const seconds = freshness(new Headers(said), NOW);
    equal(seconds >= MIN_SECONDS && seconds <= MAX_SECONDS, true);
  };
  fc.assert(fc.property(fc.dictionary(names, text, { noNullPrototype: true }), property), {
    seed: 1,
    numRuns: 1000,
  });
});
