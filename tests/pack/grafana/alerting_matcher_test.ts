import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import * as fc from "fast-check";
import { ToolError } from "../../../lib/pack.ts";
import { labelsFit, readMatchers } from "../../../lib/pack/grafana/alerting_matcher.ts";

const READ: [text: string, matchers: [name: string, type: string, value: string][]][] = [
  ['severity="critical"', [["severity", "=", "critical"]]],
  ['{severity="critical", team=~"back.*"}', [
    ["severity", "=", "critical"],
    ["team", "=~", "back.*"],
  ]],
  ['env!="dev",team!~"a|b",', [["env", "!=", "dev"], ["team", "!~", "a|b"]]],
  ["{severity=critical}", [["severity", "=", "critical"]]],
  ["team=~back.*", [["team", "=~", "back.*"]]],
  ['"http.status"="200"', [["http.status", "=", "200"]]],
  ['"a\\"b"="1"', [['a"b', "=", "1"]]],
  ['path="a,b}\\"\\\\"', [["path", "=", 'a,b}"\\']]],
  ['path=~"1\\.2"', [["path", "=~", "1\\.2"]]],
  ['team=""', [["team", "=", ""]]],
];
for (const [text, expected] of READ) {
  Deno.test(`readMatchers() reads ${text}`, () => {
    deepEqual(readMatchers(text).map(({ name, type, value }) => [name, type, value]), expected);
  });
}

const UNREADABLE = [
  "",
  "{}",
  "critical",
  "severity=",
  'severity=="critical"',
  'severity="critical',
  'severity="a" team="b"',
  'up{severity="critical"}',
  '="critical"',
];
for (const text of UNREADABLE) {
  Deno.test(`readMatchers() refuses ${JSON.stringify(text)}`, () => {
    throws(() => readMatchers(text), ToolError);
  });
}

const FIT: [text: string, labels: Record<string, string>, fits: boolean][] = [
  ['team="a"', { team: "a" }, true],
  ['team="a"', {}, false],
  ['team=""', {}, true],
  ['team!="a"', {}, true],
  ['team!="a"', { team: "a" }, false],
  ['team=~"back.*"', { team: "backend" }, true],
  ['team=~"back"', { team: "backend" }, false],
  ['team!~"back.*"', { team: "backend" }, false],
  ['team=~"(front|back)"', { team: "back" }, true],
  ['team=~"^(?:front|back)$"', { team: "front" }, true],
  ['team=~"x|.+"', {}, false],
  ['team=~"x|"', {}, true],
  ['host=~"10\\.0\\.\\d+"', { host: "10.0.17" }, true],
  ['host=~"10\\.0\\.\\d+"', { host: "10x0.17" }, false],
  ['host=~"web-[0-9]?[a-c]+"', { host: "web-1abc" }, true],
  ['host=~"[^a]+"', { host: "bab" }, false],
  ['a="1",b="2"', { a: "1", b: "3" }, false],
  ['team=~"a.b"', { team: "a\nb" }, true],
  ['toString=""', {}, true],
];
for (const [text, labels, expected] of FIT) {
  Deno.test(`labelsFit() finds ${text} ${expected ? "to fit" : "not to fit"} ${JSON.stringify(labels)}`, () => {
    equal(labelsFit(readMatchers(text))(labels), expected);
  });
}

Deno.test("labelsFit() follows expressions as an engine does", () => {
  const atom = fc.constantFrom("a", "b", ".", "[ab]", "[^a]", "\\w", "\\.");
  const step = fc.tuple(atom, fc.constantFrom("", "*", "+", "?")).map((parts) => parts.join(""));
  const way = fc.array(step, { maxLength: 5 }).map((steps) => steps.join(""));
  const source = fc.array(way, { minLength: 1, maxLength: 3 }).map((ways) => ways.join("|"));
  const text = fc.array(fc.constantFrom("a", "b", ".", "-"), { maxLength: 7 });
  fc.assert(fc.property(source, text, (value, chars) => {
    const label = chars.join("");
    const fits = labelsFit([{ name: "x", type: "=~", value }])({ x: label });
    equal(fits, new RegExp(`^(?:${value})$`, "su").test(label));
  }));
});

Deno.test("labelsFit() is not made to take forever", () => {
  const fits = labelsFit([{ name: "x", type: "=~", value: ".*".repeat(99) + "x" }]);
  ok(!fits({ x: "a".repeat(2000) }));
});

const RICH = [
  "(a+)+$",
  "a(b|c)",
  "a{2}",
  "(?i)a",
  "a\\b",
  "\\1",
  "[[:alpha:]]",
  "a**",
  "\\",
  "[z-a]",
];
for (const value of [...RICH, "a".repeat(201)]) {
  Deno.test(`labelsFit() refuses the expression ${value.slice(0, 20)}`, () => {
    throws(() => labelsFit([{ name: "x", type: "=~", value }]), ToolError);
  });
}
