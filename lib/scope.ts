/**
 * Which scopes cover which (RFC 6749 section 3.3), and which a tool needs.
 *
 * @module
 */

import { glob } from "./glob.ts";

/** Tells the scopes of `needed` that `granted` does not cover. */
export type Missing = (needed: readonly string[], granted: readonly string[]) => readonly string[];

/** Scopes needed beyond the server's own: by the name of a tool or prompt, or a resource's URI. */
export type ToolScopes = (tool: string) => readonly string[];

/**
 * Prepares the comparison of scopes.
 *
 * @param hierarchy Chains, broadest scope first: every scope covers those after it in its chain.
 *
 * @example
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 * import { scopeCover } from "./scope.ts";
 *
 * const missing = scopeCover([["mcp:admin", "mcp:read"]]);
 * deepEqual(missing(["mcp:read"], ["mcp:admin"]), []);
 * deepEqual(missing(["mcp:admin"], ["mcp:read"]), ["mcp:admin"]);
 * ```
 */
export function scopeCover(hierarchy: readonly (readonly string[])[]): Missing {
  const coveredBy = new Map<string, Set<string>>();
  const broader = (scope: string) => coveredBy.get(scope) ?? new Set([scope]);
  const links = hierarchy.flatMap((chain) =>
    chain.slice(1).map((scope, index) => [chain[index]!, scope] as const)
  );
  // As often as there are links, so that chains that continue one another are followed to the end.
  for (const _ of links) {
    for (const [wide, narrow] of links) {
      coveredBy.set(narrow, broader(narrow).union(broader(wide)));
    }
  }
  return (needed, granted) =>
    needed.filter((scope) => !granted.some((one) => broader(scope).has(one)));
}

const LONGEST_NAME = 128;

/** One row of the tool scope table: a glob, and a scope that what it fits needs. */
export interface ToolScope {
  /** Over names and URIs. `*` stands for any run of characters; everything else for itself. */
  readonly glob: string;
  readonly scope: string;
}

/** One row of the role scope table: a scope that only people with the role can grant. */
export interface RoleScope {
  readonly role: string;
  readonly scope: string;
}

/** Those of `scopes` that somebody with `roles` can grant. */
export type Grantable = (
  roles: readonly unknown[],
  scopes: readonly string[],
) => readonly string[];

/**
 * Prepares the choice of scopes. A scope that no row names can be granted by everybody.
 *
 * @example
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 * import { grantable } from "./scope.ts";
 *
 * const granted = grantable([{ role: "admin", scope: "kafka:write" }]);
 * deepEqual(granted(["viewer"], ["kafka:read", "kafka:write"]), ["kafka:read"]);
 * ```
 */
export function grantable(rows: readonly RoleScope[]): Grantable {
  const roles = Map.groupBy(rows, ({ scope }) => scope);
  return (held, scopes) =>
    scopes.filter((scope) => {
      const needed = roles.get(scope);
      return !needed || needed.some(({ role }) => held.includes(role));
    });
}

/** Whether `text` is a scope token of RFC 6749 section 3.3. */
export function isScope(text: string): boolean {
  return /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(text);
}

/**
 * Prepares the look-up of a tool's scopes. A tool needs the scopes of every row it matches.
 *
 * @example
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 * import { toolScopes } from "./scope.ts";
 *
 * const scopesOf = toolScopes([{ glob: "topic_*", scope: "kafka" }]);
 * deepEqual(scopesOf("topic_list"), ["kafka"]);
 * deepEqual(scopesOf("whoami"), []);
 * ```
 */
export function toolScopes(rows: readonly ToolScope[]): ToolScopes {
  const matchers = rows.map(({ glob: pattern, scope }) => ({
    fits: glob(pattern),
    scope,
  }));
  // No tool has a longer name, and matching one could be made to take long.
  return (tool) =>
    tool.length > LONGEST_NAME ? [] : [
      ...new Set(matchers.filter(({ fits }) => fits(tool)).map(({ scope }) => scope)),
    ];
}
