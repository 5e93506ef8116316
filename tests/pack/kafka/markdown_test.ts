import { match, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import {
  blocks,
  bullets,
  MAX_QUOTED_LENGTH,
  names,
  quoted,
  rowsLeft,
  table,
} from "../../../lib/pack/kafka/markdown.ts";

const HOSTILE: [text: string, expected: string][] = [
  ["", '`""`'],
  [" orders ", '`" orders "`'],
  ["Bestellungen-ä-日本", '`"Bestellungen-ä-日本"`'],
  ["a|b", '`"a\\u007cb"`'],
  ["a\\|b", '`"a\\\\\\u007cb"`'],
  ["`x`", '`"\\u0060x\\u0060"`'],
  ['"', '`"\\""`'],
  ["a\nb\r\u0085\u2028\u2029", '`"a\\nb\\r\\u0085\\u2028\\u2029"`'],
  ["a\u00a0b", '`"a\\u00a0b"`'],
  ["\u202eevil\u200b\ufeff", '`"\\u202eevil\\u200b\\ufeff"`'],
  ["\u{e0041}", '`"\\udb40\\udc41"`'],
  ["a\ufe0f", '`"a\\ufe0f"`'],
  ["\ud800", '`"\\ud800"`'],
];
for (const [text, expected] of HOSTILE) {
  Deno.test(`quoted() shows ${JSON.stringify(text)} as ${expected}`, () => {
    equal(quoted(text), expected);
    equal(JSON.parse(expected.slice(1, -1)), text);
  });
}

const ONE_SPAN = /^`"[^`|\n\r\p{C}]*"`…?$/u;

Deno.test("quoted() yields one code span without a pipe or a line break, whatever the text", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(0xffff), { maxLength: 120 }), (units) => {
      match(quoted(String.fromCharCode(...units)), ONE_SPAN);
    }),
  );
});

Deno.test("quoted() cuts long texts, says so, and cuts no character in half", () => {
  const most = "😀".repeat(MAX_QUOTED_LENGTH);
  equal(quoted(most), `\`"${most}"\``);
  equal(quoted(`${most}x`), `\`"${most}"\`…`);
  equal(quoted("a".repeat(MAX_QUOTED_LENGTH + 1)).length, MAX_QUOTED_LENGTH + 5);
  equal(quoted("abc", 2), '`"ab"`…');
});

Deno.test("table() writes a head and rows, and nothing without rows", () => {
  equal(table(["A", "B"], [[1, "x"]]), "| A | B |\n| --- | --- |\n| 1 | x |");
  equal(table(["A"], []), undefined);
});

Deno.test("rowsLeft() speaks only when a row is left out", () => {
  equal(rowsLeft(2, 2), undefined);
  equal(rowsLeft(2, 3), "The table has the first 2 of 3.");
});

Deno.test("names() quotes names and counts the others", () => {
  equal(names("Idle", [], 0), undefined);
  equal(names("Idle", ["a", "b|"], 2), 'Idle: `"a"`, `"b\\u007c"`.');
  equal(names("Idle", ["a"], 3), 'Idle: `"a"` and 2 more.');
});

Deno.test("blocks() and bullets() leave no gap for what is absent", () => {
  equal(blocks("a", undefined, bullets([]), "b"), "a\n\nb");
  equal(bullets(["x", "y"]), "- x\n- y");
  ok(!blocks(undefined).includes("undefined"));
});
