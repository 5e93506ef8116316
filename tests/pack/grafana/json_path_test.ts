import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import fc from "fast-check";
import { ToolError } from "../../../lib/pack.ts";
import { MAX_RESULT_LENGTH } from "../../../lib/pack/cut.ts";
import { jsonPath, LARGEST_SEARCHED } from "../../../lib/pack/grafana/json_path.ts";

const BOARD = {
  title: "Board",
  panels: [
    { id: 1, title: "A, B", targets: [{ refId: "A", expr: "up" }, { refId: "B", expr: "down" }] },
    { id: 2, title: "$..", targets: [] },
  ],
};

const FINDS: [path: string, values: unknown[]][] = [
  ["$", [BOARD]],
  ["$.title", ["Board"]],
  ["$.panels[*].title", ["A, B", "$.."]],
  ["$.panels[-1].id", [2]],
  ["$..expr", ["up", "down"]],
  ["$.panels[*]..refId", ["A", "B"]],
  ["$.panels[?@.id==2].title", ["$.."]],
  ["$.panels[?count(@.targets[*])>1].id", [1]],
  ["$.panels[0]['id','title','targets','x','y']", [1, "A, B", BOARD.panels[0]!.targets]],
  // What is quoted costs nothing.
  ["$.panels[?@.title=='A, B'].id", [1]],
  ['$.panels[?@.title=="$.."].id', [2]],
  ["$.panels[?@.title=='it\\'s $.. , , , , , ,'].id", []],
  ["$.nothing", []],
];
for (const [path, values] of FINDS) {
  Deno.test(`jsonPath() finds what ${path} leads to`, () => {
    deepEqual(jsonPath(path)(BOARD), { values });
  });
}

const UNREADABLE = [
  "",
  "title",
  "$.",
  "$[",
  "$.panels[?",
  "$ x",
  "$.a b",
  "@.title",
  "$.panels[?@.title==]",
];
for (const path of UNREADABLE) {
  Deno.test(`jsonPath() says what is wrong with ${JSON.stringify(path)}`, () => {
    throws(() => jsonPath(path), (error) => {
      ok(error instanceof ToolError);
      match(error.message, /^The path cannot be read: ./);
      return true;
    });
  });
}

for (const name of ["match", "search"]) {
  Deno.test(`jsonPath() has no ${name}(), whose patterns could take for ever`, () => {
    throws(() => jsonPath(`$.panels[?${name}(@.title, '(a+)+$')]`), ToolError);
  });
}

const COSTLY: [path: string, told: RegExp][] = [
  ["$..*..*..*", /".." at most once/],
  ["$..[?@..a..b]", /".." at most once/],
  ["$..[?$..*]", /".." at most once/],
  ["$.panels[?@.id==$.panels[0].id]", /"\$" only at the beginning/],
  ["$[*,*][*,*][*,*][*,*][*,*]", /"," at most 4/],
  ["$[0,0,0,0,0,0]", /"," at most 4/],
];
for (const [path, told] of COSTLY) {
  Deno.test(`jsonPath() refuses ${path} before it looks, since it costs too much`, () => {
    throws(() => jsonPath(path), (error) => {
      ok(error instanceof ToolError);
      match(error.message, told);
      equal(error.reason, "path too costly");
      return true;
    });
  });
}

Deno.test("jsonPath() visits a large document once, but not over and over", () => {
  const large = { title: "x", filler: "y".repeat(LARGEST_SEARCHED) };
  deepEqual(jsonPath("$.title")(large), { values: ["x"] });
  for (const path of ["$..title", "$['title','title']"]) {
    throws(() => jsonPath(path)(large), { reason: "path too costly" });
  }
});

Deno.test("jsonPath() tells a document that is nested too deeply to be searched", () => {
  let deep: unknown = 1;
  for (let level = 0; level < 100; level++) deep = { a: deep };
  throws(() => jsonPath("$..b")(deep), ToolError);
});

Deno.test("jsonPath() stops when a result is full, and says so", () => {
  const half = "x".repeat(MAX_RESULT_LENGTH / 2);
  const { values, truncated } = jsonPath("$[*]")([half, "small", half, "small"]);
  deepEqual(values.map((value) => String(value).length), [half.length, 5]);
  equal(truncated, "More is left out: ask for a narrower path");
});

const INHERITED = ["__proto__", "constructor", "prototype", "toString", "valueOf", "length", "map"];
for (const name of INHERITED) {
  Deno.test(`jsonPath() finds nothing that documents inherit by the name ${name}`, () => {
    for (
      const path of [
        `$.${name}`,
        `$['${name}']`,
        `$.panels.${name}`,
        `$.title.${name}`,
        `$..${name}`,
      ]
    ) {
      deepEqual(jsonPath(path)(BOARD), { values: [] });
    }
    const own = JSON.parse(`{"${name}": 7}`);
    deepEqual(jsonPath(`$.${name}`)(own), { values: [7] });
  });
}

Deno.test("jsonPath() throws nothing but a ToolError, and yields only what is in the document", () => {
  const bits = fc.constantFrom(
    "$",
    ".",
    "..",
    "*",
    "[*]",
    "[0]",
    "[",
    "]",
    "a",
    "b",
    "?",
    "@",
    "@.a",
    "==",
    "'a'",
    "(",
    ")",
    "!",
    ",",
    ":",
    "count(",
    "value(",
    "length(",
    "-1",
    "1e9",
    " ",
    "\\",
    "'",
    "__proto__",
  );
  const path = fc.oneof(
    fc.array(bits, { maxLength: 10 }).map((all) => `$${all.join("")}`),
    fc.array(fc.constantFrom(".a", "..b", "[*]", "[0]", "[1:]", "[?@.a]", "['a','b']"), {
      maxLength: 4,
    })
      .map((all) => `$${all.join("")}`),
    fc.string({ unit: "binary", maxLength: 300 }),
  );
  const key = fc.constantFrom("a", "b", "__proto__");
  const { document } = fc.letrec((tie) => ({
    document: fc.oneof(
      { maxDepth: 4 },
      fc.jsonValue(),
      fc.array(tie("document"), { maxLength: 3 }),
      fc.dictionary(key, tie("document"), { noNullPrototype: true }),
    ),
  }));
  let found = 0;
  const within = (value: unknown, all: unknown): boolean =>
    Object.is(value, all) ||
    (typeof all === "object" && all !== null &&
      Object.values(all).some((one) => within(value, one)));
  fc.assert(
    fc.property(path, document, (text, given) => {
      try {
        const { values } = jsonPath(text)(given);
        found += values.length;
        for (const value of values) ok(within(value, given));
      } catch (error) {
        ok(error instanceof ToolError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
  ok(found > 20, `only ${found} values were found`);
});
