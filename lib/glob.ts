/**
 * Globs over names.
 *
 * @module
 */

/**
 * Prepares the test of names. `*` stands for any run of characters; everything else for itself.
 *
 * @example
 * ```ts
 * import { strictEqual } from "node:assert/strict";
 * import { glob } from "./glob.ts";
 *
 * strictEqual(glob("orders.*")("orders.eu"), true);
 * strictEqual(glob("orders.*")("my.orders.eu"), false);
 * ```
 */
export function glob(pattern: string): (name: string) => boolean {
  const expression = new RegExp(`^${pattern.split("*").map(RegExp.escape).join(".*")}$`, "s");
  return (name) => expression.test(name);
}
