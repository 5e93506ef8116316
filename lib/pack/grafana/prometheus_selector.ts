/**
 * Selectors of series in PromQL, written from parts that may be anything.
 *
 * @module
 */

import { z } from "zod";

/** Argument that selects series: each selector by all of its filters, together by any selector. */
export const selectors = z.array(z.strictObject({
  filters: z.array(z.strictObject({
    name: z.string().min(1).max(500),
    value: z.string().max(5000),
    type: z.enum(["=", "!=", "=~", "!~"]).default("="),
  })).min(1).max(20),
})).max(10).default([]);

/**
 * Writes a selector.
 *
 * @example
 * ```ts
 * import { strictEqual } from "node:assert/strict";
 * import { selector } from "./prometheus_selector.ts";
 *
 * const filters = [{ name: "job", type: "=", value: 'a"b' } as const];
 * strictEqual(selector({ filters }), '{job="a\\"b"}');
 * ```
 */
export function selector({ filters }: z.infer<typeof selectors>[number]): string {
  const parts = filters.map(({ name, type, value }) =>
    `${isPlain(name) ? name : JSON.stringify(name)}${type}${JSON.stringify(value)}`
  );
  return `{${[...parts, ...(filters.some(isEnough) ? [] : [ANY_METRIC])].join(", ")}}`;
}

// Prometheus refuses a selector that what has none of its labels fits as well.
const ANY_METRIC = '__name__!=""';

// Whether an expression fits nothing is Prometheus' to say; it is taken to.
function isEnough({ type, value }: z.infer<typeof selectors>[number]["filters"][number]): boolean {
  return (type === "=" && value !== "") || (type === "!=" && value === "");
}

/**
 * Selects metrics by a part of their name. Prometheus evaluates the expression, in time that is
 * linear in its input; here it could be made to take forever.
 *
 * @param regex RE2; Prometheus itself would compare it to the whole name.
 */
export function namesLike(regex: string): string {
  return `{__name__=~${JSON.stringify(`.*(?:${regex}).*`)}, ${ANY_METRIC}}`;
}

/**
 * A label's name as part of a path. Prometheus wants a name with a slash escaped in its own way,
 * since proxies in between take an encoded one for a separator.
 */
export function labelSegment(name: string): string {
  if (!name.includes("/")) return name;
  const escaped = Array.from(name, (char, at) => {
    if (char === "_") return "__";
    const isLegal = at === 0 ? /[a-zA-Z:]/.test(char) : /[a-zA-Z0-9:]/.test(char);
    return isLegal ? char : `_${char.codePointAt(0)!.toString(16)}_`;
  });
  return `U__${escaped.join("")}`;
}

const isPlain = (name: string) => /^[a-zA-Z_]\w*$/.test(name);
