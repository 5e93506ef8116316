/**
 * Who may call, by rules of the operator: a valid token is not always an invitation.
 *
 * @module
 */

import type { KnownIdentity } from "./identity.ts";

/** One rule; a caller who fits any of them may call. */
export interface AllowRule {
  /**
   * `domain`: the domain of a verified e-mail address. `group`: a role, or a member of the `groups`
   * claim. `user`: the subject, or a verified e-mail address.
   */
  readonly kind: "domain" | "group" | "user";
  readonly name: string;
}

/**
 * Reads `kind:name`.
 *
 * @example
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 * import { readAllowRule } from "./allow.ts";
 *
 * deepEqual(readAllowRule("domain:example.com"), { kind: "domain", name: "example.com" });
 * deepEqual(readAllowRule("example.com"), undefined);
 * ```
 */
export function readAllowRule(text: string): AllowRule | undefined {
  const match = /^(domain|group|user):(\S(?:.{0,253}\S)?)$/.exec(text);
  return match ? { kind: match[1] as AllowRule["kind"], name: match[2]! } : undefined;
}

/** Prepares the rules. Without any, everyone may call. */
export function allowed(rules: readonly AllowRule[]): (identity: KnownIdentity) => boolean {
  if (rules.length === 0) return () => true;
  return (identity) => rules.some((rule) => fits(rule, identity));
}

function fits({ kind, name }: AllowRule, identity: KnownIdentity): boolean {
  const email = identity.email?.toLowerCase();
  switch (kind) {
    case "domain":
      return email?.endsWith(`@${name.toLowerCase()}`) ?? false;
    case "group":
      return identity.roles.includes(name) || groupsOf(identity).includes(name);
    case "user":
      return identity.subject === name || email === name.toLowerCase();
  }
}

function groupsOf({ claims }: KnownIdentity): readonly unknown[] {
  return Array.isArray(claims.groups) ? claims.groups : [];
}
