/**
 * Lists bounded both in number and in size.
 *
 * @module
 */

import { first, fitting } from "./cut.ts";

/** The first items of a list, at most `limit` and no more than fit, and a word on the rest. */
export function listing<T>(
  items: readonly T[],
  limit: number,
  how: string,
): { readonly items: T[]; readonly truncated?: string } {
  return first(items, fitting(items.slice(0, limit), how).items.length, how);
}
