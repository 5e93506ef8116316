import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import * as fc from "fast-check";
import { ToolError } from "../../../lib/pack.ts";
import { labelsFit, MOST_STEPS, readMatchers } from "../../../lib/pack/grafana/alerting_matcher.ts";

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

// Each keeps the platform's engine busy for longer than anybody waits.
const SLOW = [".*".repeat(99) + "x", "a*".repeat(60) + "b", "(?:" + "a?".repeat(60) + "a+b)"];
for (const value of SLOW) {
  Deno.test(`labelsFit() follows ${value.slice(0, 12)} in steps that are linear in the label`, () => {
    const label = "a".repeat(2000);
    const steps = stepsOf(() => ok(!labelsFit([{ name: "x", type: "=~", value }])({ x: label })));
    ok(steps <= (value.length + 1) * label.length, `${steps} steps`);
  });
}

// Groups are what the others of their kind need.
const STALLING = [
  "(a+)+$",
  "(a*)*b",
  "(a|a)*b",
  "(a|aa)+$",
  "((a+)(b?))*c",
  "(.*a){12}",
  "(?:x+x+)+y",
  "(?=(a+))\\1+b",
  "a{0,999}{0,999}b",
];
for (const value of STALLING) {
  Deno.test(`labelsFit() refuses ${value}, and says what it takes`, () => {
    throws(
      () => labelsFit([{ name: "x", type: "=~", value }]),
      (error) => error instanceof ToolError && /write text, \., \[a-z\]/.test(error.message),
    );
  });
}

Deno.test("labelsFit() ends after so many steps over all labels, and says how to need fewer", () => {
  const fits = labelsFit([{ name: "x", type: "=~", value: ".*".repeat(50) + "b" }]);
  let rules = 0;
  const steps = stepsOf(() =>
    throws(() => {
      for (; rules < 10_000; rules++) fits({ x: "a".repeat(1000) });
    }, (error) => error instanceof ToolError && /folder_uid or rule_group/.test(error.message))
  );
  ok(steps <= MOST_STEPS);
  ok(rules > 20 && rules < 100, `${rules} rules`);
  const long = labelsFit([{ name: "x", type: "=~", value: ".*" }]);
  throws(() => long({ x: "a".repeat(MOST_STEPS) }), { reason: "expression too costly" });
});

Deno.test("labelsFit() counts the steps of each call anew, and none where nothing is followed", () => {
  const label = { x: "a".repeat(MOST_STEPS / 2 - 1) };
  const matchers = [{ name: "x", type: "=~", value: ".*" }] as const;
  for (let call = 0; call < 3; call++) ok(labelsFit(matchers)(label));
  const equals = labelsFit([{ name: "x", type: "=", value: label.x }]);
  for (let rule = 0; rule < 100; rule++) ok(equals(label));
});

/** How often a character is compared while `body` runs. */
function stepsOf(body: () => void): number {
  const original = RegExp.prototype.test;
  let steps = 0;
  RegExp.prototype.test = function (text) {
    if (text.length === 1) steps++;
    return original.call(this, text);
  };
  try {
    body();
  } finally {
    RegExp.prototype.test = original;
  }
  return steps;
}

const RICH = [
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
