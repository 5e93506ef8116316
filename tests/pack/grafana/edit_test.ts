import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { ToolError } from "../../../lib/pack.ts";
import { type Edit, edited } from "../../../lib/pack/grafana/edit.ts";

const BOARD = {
  title: "Old",
  tags: ["a", "b"],
  panels: [{ id: 1, title: "One" }, { id: 2, title: "Two" }],
  "odd name": { "x.y": 1 },
};

const DONE: [what: string, edits: Edit[], place: (board: typeof BOARD) => unknown, is: unknown][] =
  [
    [
      "replaces a member",
      [{ op: "replace", path: "$.title", value: "New" }],
      (b) => b.title,
      "New",
    ],
    ["replaces an item", [{ op: "replace", path: "$.tags[1]", value: "c" }], (b) => b.tags, [
      "a",
      "c",
    ]],
    [
      "replaces deep down",
      [{ op: "replace", path: "$.panels[1].title", value: "2" }],
      (b) => b.panels[1]!.title,
      "2",
    ],
    [
      "adds a member",
      [{ op: "add", path: "$.panels[0].type", value: "text" }],
      (b) => b.panels[0],
      { id: 1, title: "One", type: "text" },
    ],
    ["adds over a member", [{ op: "add", path: "$.title", value: null }], (b) => b.title, null],
    ["adds before an item", [{ op: "add", path: "$.tags[0]", value: "z" }], (b) => b.tags, [
      "z",
      "a",
      "b",
    ]],
    ["adds at the end by number", [{ op: "add", path: "$.tags[2]", value: "z" }], (b) => b.tags, [
      "a",
      "b",
      "z",
    ]],
    ["appends", [{ op: "add", path: "$.tags/-", value: "z" }], (b) => b.tags, ["a", "b", "z"]],
    ["removes a member", [{ op: "remove", path: "$.panels[0].title" }], (b) => b.panels[0], {
      id: 1,
    }],
    ["removes an item", [{ op: "remove", path: "$.tags[0]" }], (b) => b.tags, ["b"]],
    [
      "reads quoted names",
      [{ op: "replace", path: `$['odd name']["x.y"]`, value: 2 }],
      (b) => b["odd name"],
      { "x.y": 2 },
    ],
    [
      "goes in order",
      [
        { op: "remove", path: "$.tags[0]" },
        { op: "replace", path: "$.tags[0]", value: "c" },
      ],
      (b) => b.tags,
      ["c"],
    ],
  ];
for (const [what, edits, place, is] of DONE) {
  Deno.test(`edited() ${what}, in a copy`, () => {
    const before = structuredClone(BOARD);
    deepEqual(place(edited(BOARD, edits)), is);
    deepEqual(BOARD, before);
  });
}

const REFUSED: [what: string, edit: Edit][] = [
  ["the whole document", { op: "replace", path: "$", value: {} }],
  ["an empty path", { op: "remove", path: "" }],
  ["a path of JSON Pointer", { op: "remove", path: "/title" }],
  ["a wildcard", { op: "replace", path: "$.panels[*].title", value: "x" }],
  ["a descent", { op: "replace", path: "$..title", value: "x" }],
  ["a filter", { op: "remove", path: "$.panels[?@.id==1]" }],
  ["an index from the end", { op: "remove", path: "$.panels[-1]" }],
  ["a tail", { op: "remove", path: "$.title x" }],
  ["a member that is not there, to replace", { op: "replace", path: "$.nothing", value: 1 }],
  ["a member that is not there, to remove", { op: "remove", path: "$.nothing" }],
  ["a way over what is not there", { op: "add", path: "$.nothing.title", value: 1 }],
  ["a way over a text", { op: "add", path: "$.title.x", value: 1 }],
  ["a letter of a text", { op: "replace", path: "$.title[0]", value: "x" }],
  ["an index of an object", { op: "add", path: "$.panels[0][0]", value: 1 }],
  ["a name of a list", { op: "add", path: "$.tags.x", value: 1 }],
  ["the length of a list", { op: "replace", path: "$.tags.length", value: 0 }],
  ["an item past the end, to replace", { op: "replace", path: "$.tags[2]", value: "x" }],
  ["an item past the end, to remove", { op: "remove", path: "$.tags[2]" }],
  ["an item after a gap", { op: "add", path: "$.tags[3]", value: "x" }],
  ["the end of a list, to replace", { op: "replace", path: "$.tags/-", value: "x" }],
  ["the end of a list, to remove", { op: "remove", path: "$.tags/-" }],
  ["the end of a list, in the middle", { op: "add", path: "$.tags/-.x", value: "x" }],
  ["the end of an object", { op: "add", path: "$/-", value: "x" }],
  ["the end of an object below", { op: "add", path: "$.panels[0]/-", value: "x" }],
  ["a list's member named like its end", { op: "add", path: "$.tags['-']", value: "x" }],
  ["adding nothing", { op: "add", path: "$.tags/-" }],
  ["replacing by nothing", { op: "replace", path: "$.title" }],
];
for (const [what, edit] of REFUSED) {
  Deno.test(`edited() refuses ${what}: ${edit.op} ${JSON.stringify(edit.path)}`, () => {
    throws(() => edited(BOARD, [edit]), ToolError);
  });
}

const NAMES = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "length"];
for (const name of NAMES) {
  Deno.test(`edited() reaches nothing that documents inherit, by the name ${name}`, () => {
    const paths = [
      `$.constructor.prototype.polluted`,
      `$.${name}.polluted`,
      `$['${name}'].polluted`,
      `$.panels[0].${name}.polluted`,
    ];
    for (const path of paths) {
      throws(() => edited(BOARD, [{ op: "add", path, value: true }]), ToolError);
    }
    throws(() => edited(BOARD, [{ op: "remove", path: `$.${name}` }]), ToolError);
    // As a member of its own it is a name like any other, and survives into what is sent.
    const value = { polluted: true };
    const board = edited(BOARD, [{ op: "add", path: `$.${name}`, value }]);
    ok(Object.hasOwn(board, name));
    equal(Object.getPrototypeOf(board), Object.prototype);
    deepEqual(JSON.parse(JSON.stringify(board))[name], value);
    equal(({} as Record<string, unknown>).polluted, undefined);
  });
}

Deno.test("edited() throws nothing but a ToolError, pollutes nothing and changes nothing of what it was given", () => {
  const name = fc.constantFrom("a", "b", "a", "b", "-", ...NAMES);
  const step = fc.oneof(
    { arbitrary: name.map((one) => `.${one}`), weight: 6 },
    { arbitrary: fc.nat(2).map((at) => `[${at}]`), weight: 4 },
    name.map((one) => `['${one}']`),
    name.map((one) => `["${one}"]`),
    fc.constantFrom("/-", "[*]", "..", "[", "]", "[999999]", "$"),
  );
  const path = fc.oneof(
    {
      arbitrary: fc.array(step, { minLength: 1, maxLength: 3 })
        .map((steps) => `$${steps.join("")}`),
      weight: 6,
    },
    fc.string({ unit: "binary" }),
  );
  const edit: fc.Arbitrary<Edit> = fc.record({
    op: fc.constantFrom("add", "replace", "remove"),
    path,
    value: fc.option(fc.jsonValue(), { nil: undefined }),
  });
  const key = fc.constantFrom("a", "b", "-", "__proto__", "constructor", "length");
  const { document } = fc.letrec((tie) => ({
    document: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom(1, "text", null),
      fc.array(tie("document"), { minLength: 1, maxLength: 3 }),
      fc.dictionary(key, tie("document"), { minKeys: 1, maxKeys: 4, noNullPrototype: true }),
    ),
  }));
  const rich = { a: { a: 1, b: [1, { a: 1 }] }, b: [{ a: 1, b: {} }, [1, 2], 3], "-": [] };
  const given = fc.oneof(fc.constant(rich), document);
  const inherited = Reflect.ownKeys(Object.prototype).length +
    Reflect.ownKeys(Array.prototype).length;
  let changed = 0;
  fc.assert(
    fc.property(given, fc.array(edit, { minLength: 1, maxLength: 2 }), (given, edits) => {
      const before = JSON.stringify(given);
      try {
        if (JSON.stringify(edited(given, edits)) !== before) changed++;
      } catch (error) {
        ok(error instanceof ToolError, String(error));
      }
      equal(JSON.stringify(given), before);
      equal(
        Reflect.ownKeys(Object.prototype).length + Reflect.ownKeys(Array.prototype).length,
        inherited,
      );
    }),
    { numRuns: 3000 },
  );
  ok(changed > 30, `only ${changed} runs changed anything`);
});
