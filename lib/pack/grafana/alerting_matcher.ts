/**
 * Matchers of labels as people write them, `severity="critical", team=~"a.*"`, and whether labels
 * fit them.
 *
 * An expression comes from a caller, and this program's own engine could be made to take forever
 * over it. So it is read here, as characters one after another, and followed in time that is linear
 * in the label; groups inside of it are refused. How long labels are, and how many, is not the
 * caller's alone to say, so there is an end to the steps as well.
 *
 * @module
 */

import { ToolError } from "../../pack.ts";

/** One matcher. */
export interface Matcher {
  readonly name: string;
  readonly type: "=" | "!=" | "=~" | "!~";
  readonly value: string;
}

/** Labels of a rule or an alert. */
export type Labels = Readonly<Record<string, string>>;

interface Step {
  readonly fits: (char: string) => boolean;
  /** Whether it may be passed over. */
  readonly optional: boolean;
  /** Whether it may be taken again. */
  readonly repeats: boolean;
}

/** Counts steps. @throws {ToolError} When there were too many. */
type Spend = (steps: number) => void;

const LONGEST_EXPRESSION = 200;

// All of them are followed over the labels of every rule.
const LONGEST_EXPRESSIONS = 500;

/** How often a character of a label is compared in one call. */
export const MOST_STEPS = 3_000_000;

const MATCHER =
  /\s*(?:"((?:[^"\\]|\\.)+)"|([\p{L}_][\p{L}\p{N}_.:/-]*))\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",{}=!~][^\s",{}]*))\s*(?:,|$)/uy;

const STEP = /(\\[^bB\d]|\[\^?[^\][\\]+\]|[^\\[\](){}^$*+?|])([*+?]?)/uy;

/**
 * Reads matchers, with or without braces around them; a value may lack its quotes.
 *
 * @throws {ToolError} When they cannot be read.
 *
 * @example
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict";
 * import { readMatchers } from "./alerting_matcher.ts";
 *
 * deepStrictEqual(readMatchers('{severity="critical"}'), [
 *   { name: "severity", type: "=", value: "critical" },
 * ]);
 * ```
 */
export function readMatchers(text: string): Matcher[] {
  const inner = text.trim().replace(/^\{(.*)\}$/s, "$1").trim();
  const matchers: Matcher[] = [];
  for (let at = 0; at < inner.length || matchers.length === 0;) {
    MATCHER.lastIndex = at;
    const found = MATCHER.exec(inner);
    if (!found) {
      throw new ToolError(
        `"${text}" is no matcher of labels: write severity="critical", or with !=, =~, !~`,
        "bad matcher",
      );
    }
    const [whole, quotedName, name, type, quoted, bare] = found;
    matchers.push({
      name: name ?? unquoted(quotedName!),
      type: type as Matcher["type"],
      value: bare ?? unquoted(quoted!),
    });
    at += whole.length;
  }
  return matchers;
}

/**
 * Prepares asking whether labels fit all of the matchers. A label that lacks counts as empty.
 *
 * @returns Asks. Throws a {@linkcode ToolError} after {@linkcode MOST_STEPS}, over all labels.
 * @throws {ToolError} When an expression cannot be followed here.
 */
export function labelsFit(matchers: readonly Matcher[]): (labels: Labels) => boolean {
  const length = matchers.reduce(
    (sum, { value, type }) => sum + (type.endsWith("~") ? value.length : 0),
    0,
  );
  if (length > LONGEST_EXPRESSIONS) {
    throw new ToolError(
      `The expressions of label_selectors are longer than ${LONGEST_EXPRESSIONS} characters together`,
      "bad expression",
    );
  }
  let left = MOST_STEPS;
  const spend = (steps: number) => {
    if ((left -= steps) >= 0) return;
    throw new ToolError(
      "The expressions of label_selectors take too long over all these labels: " +
        "write simpler ones, or ask for fewer rules, as of one folder_uid or rule_group",
      "expression too costly",
    );
  };
  const tests = matchers.map(({ name, type, value }) => {
    const fits = type.endsWith("~") ? expression(value, spend) : (text: string) => text === value;
    const wanted = !type.startsWith("!");
    return (labels: Labels) => fits(Object.hasOwn(labels, name) ? labels[name]! : "") === wanted;
  });
  return (labels) => tests.every((test) => test(labels));
}

// `\.` belongs to an expression, and stays.
const unquoted = (text: string) => text.replace(/\\(["\\])/g, "$1");

function expression(source: string, spend: Spend): (text: string) => boolean {
  const inner = source.replace(/^\^/, "").replace(/\$$/, "").replace(
    /^\((?:\?:)?([^()]*)\)$/,
    "$1",
  );
  if (source.length > LONGEST_EXPRESSION) throw unreadable(source);
  const ways = inner.split("|").map((way) => stepsOf(way, source));
  return (text) => ways.some((steps) => follow(steps, text, spend));
}

function stepsOf(way: string, source: string): Step[] {
  const steps: Step[] = [];
  for (let at = 0; at < way.length; at = STEP.lastIndex) {
    STEP.lastIndex = at;
    const [whole, atom, count] = STEP.exec(way) ?? [];
    if (whole === undefined) throw unreadable(source);
    const fits = oneOf(atom!, source);
    if (count === "+") steps.push({ fits, optional: false, repeats: false });
    steps.push({ fits, optional: count !== "", repeats: count === "*" || count === "+" });
  }
  return steps;
}

function oneOf(atom: string, source: string): Step["fits"] {
  try {
    // Of one character, so that there is nothing to go back over.
    const single = new RegExp(`^${atom}$`, "su");
    return (char) => single.test(char);
  } catch {
    throw unreadable(source);
  }
}

function follow(steps: readonly Step[], text: string, spend: Spend): boolean {
  let places = reached(steps, [0]);
  for (const char of text) {
    spend(places.size);
    const next: number[] = [];
    for (const place of places) {
      const step = steps[place];
      if (step?.fits(char)) next.push(step.repeats ? place : place + 1);
    }
    places = reached(steps, next);
    if (places.size === 0) return false;
  }
  return places.has(steps.length);
}

function reached(steps: readonly Step[], from: readonly number[]): Set<number> {
  const places = new Set<number>();
  for (let place of from) {
    // What a place leads to was added with it.
    while (!places.has(place)) {
      places.add(place);
      if (steps[place]?.optional) place++;
    }
  }
  return places;
}

function unreadable(source: string): ToolError {
  return new ToolError(
    `The expression "${source}" is too long or too rich here: ` +
      "write text, ., [a-z], \\d, each with *, + or ?, and | between alternatives",
    "bad expression",
  );
}
