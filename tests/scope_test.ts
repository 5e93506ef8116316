import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { isScope, scopeCover, toolScopes } from "../lib/scope.ts";

const CHAIN = [["admin", "write", "read"]];
const COVER: readonly {
  readonly name: string;
  readonly hierarchy: readonly (readonly string[])[];
  readonly needed: readonly string[];
  readonly granted: readonly string[];
  readonly missing: readonly string[];
}[] = [
  { name: "nothing is needed", hierarchy: [], needed: [], granted: [], missing: [] },
  { name: "nothing is granted", hierarchy: [], needed: ["a"], granted: [], missing: ["a"] },
  { name: "all is granted", hierarchy: [], needed: ["a", "b"], granted: ["b", "a"], missing: [] },
  { name: "one lacks", hierarchy: [], needed: ["a", "b"], granted: ["a"], missing: ["b"] },
  { name: "case differs", hierarchy: [], needed: ["a"], granted: ["A"], missing: ["a"] },
  { name: "a prefix is granted", hierarchy: [], needed: ["a:b"], granted: ["a"], missing: ["a:b"] },
  {
    name: "the broadest is granted",
    hierarchy: CHAIN,
    needed: ["read", "write", "admin"],
    granted: ["admin"],
    missing: [],
  },
  {
    name: "the narrowest is granted",
    hierarchy: CHAIN,
    needed: ["read", "write", "admin"],
    granted: ["read"],
    missing: ["write", "admin"],
  },
  {
    name: "the middle is granted",
    hierarchy: CHAIN,
    needed: ["read", "write", "admin"],
    granted: ["write"],
    missing: ["admin"],
  },
  {
    name: "two chains lead to a scope",
    hierarchy: [["a", "read"], ["b", "read"]],
    needed: ["read"],
    granted: ["a"],
    missing: [],
  },
  {
    name: "chains have nothing to do with each other",
    hierarchy: [["a", "b"], ["c", "d"]],
    needed: ["d"],
    granted: ["a", "b"],
    missing: ["d"],
  },
  {
    name: "chains share their broadest scope",
    hierarchy: [["admin", "read"], ["admin", "other"]],
    needed: ["other", "read"],
    granted: ["admin"],
    missing: [],
  },
  {
    name: "a scope is named like a member of every object",
    hierarchy: [["toString", "constructor"]],
    needed: ["__proto__", "constructor", "valueOf"],
    granted: ["toString"],
    missing: ["__proto__", "valueOf"],
  },
  {
    name: "one chain continues another",
    hierarchy: [["admin", "write"], ["write", "read"]],
    needed: ["read"],
    granted: ["admin"],
    missing: [],
  },
  {
    name: "one chain continues another that comes after it",
    hierarchy: [["write", "read"], ["admin", "write"]],
    needed: ["read"],
    granted: ["admin"],
    missing: [],
  },
];
for (const { name, hierarchy, needed, granted, missing } of COVER) {
  Deno.test(`scopeCover() tells what lacks when ${name} (SPEC A3.6, A3.7)`, () => {
    deepEqual(scopeCover(hierarchy)(needed, granted), missing);
  });
}

Deno.test("scopeCover() never counts a scope that neither stands in the token nor under it (SPEC A3.7)", () => {
  const scope = fc.constantFrom("a", "b", "c", "d", "e");
  const property = (chain: string[], needed: string[], granted: string[]) => {
    const missing = scopeCover([chain])(needed, granted);
    for (const one of needed) {
      const broader = chain.slice(0, chain.indexOf(one) + 1);
      const covered = granted.some((other) => other === one || broader.includes(other));
      equal(missing.includes(one), !covered);
    }
  };
  const chain = fc.uniqueArray(scope, { maxLength: 4 });
  const some = fc.uniqueArray(scope);
  fc.assert(fc.property(chain, some, some, property), { seed: 1, numRuns: 300 });
});

const ROWS = [
  { glob: "whoami", scope: "mcp:read" },
  { glob: "grafana_*", scope: "grafana:read" },
  { glob: "grafana_*_write", scope: "grafana:write" },
  { glob: "*", scope: "mcp:use" },
  { glob: "a.b", scope: "mcp:dot" },
];
const TOOLS: readonly (readonly [tool: string, scopes: readonly string[]])[] = [
  ["whoami", ["mcp:read", "mcp:use"]],
  ["whoami2", ["mcp:use"]],
  ["who", ["mcp:use"]],
  ["WHOAMI", ["mcp:use"]],
  ["whoami\n", ["mcp:use"]],
  ["grafana_query", ["grafana:read", "mcp:use"]],
  ["grafana_", ["grafana:read", "mcp:use"]],
  ["my_grafana_query", ["mcp:use"]],
  ["grafana_panel_write", ["grafana:read", "grafana:write", "mcp:use"]],
  ["grafana_panel_write\n", ["grafana:read", "mcp:use"]],
  ["a.b", ["mcp:use", "mcp:dot"]],
  ["aXb", ["mcp:use"]],
  ["", ["mcp:use"]],
];
for (const [tool, scopes] of TOOLS) {
  Deno.test(`toolScopes() asks for ${scopes} when the tool is ${JSON.stringify(tool)} (SPEC A3.6)`, () => {
    deepEqual(toolScopes(ROWS)(tool), scopes);
  });
}

Deno.test("toolScopes() names a scope once when several rows ask for it (SPEC A3.6)", () => {
  const rows = [{ glob: "who*", scope: "mcp:read" }, { glob: "*ami", scope: "mcp:read" }];
  deepEqual(toolScopes(rows)("whoami"), ["mcp:read"]);
  deepEqual(toolScopes([])("whoami"), []);
});

Deno.test("toolScopes() answers at once for any name a caller can send (SPEC A4.1)", () => {
  const scopesOf = toolScopes([{ glob: "*a*a*b", scope: "mcp:read" }]);
  const start = performance.now();
  // Far beyond what the name of a tool may have, and far below what a request may carry.
  deepEqual(scopesOf("a".repeat(2000)), []);
  ok(performance.now() - start < 1000, "A long name takes more than a second");
});

Deno.test("isScope() is true for the characters of RFC 6749 section 3.3 only (SPEC A3.8)", () => {
  for (let code = 0; code < 0x200; code++) {
    const allowed = code === 0x21 || (code >= 0x23 && code <= 0x5b) ||
      (code >= 0x5d && code <= 0x7e);
    equal(isScope(`a${String.fromCharCode(code)}b`), allowed, `Character ${code}`);
    equal(isScope(String.fromCharCode(code)), allowed, `Character ${code}`);
  }
  equal(isScope(""), false);
  equal(isScope("a\n"), false);
});
