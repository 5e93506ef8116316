/**
 * Keeping results within bounds, and saying what was left out.
 *
 * @module
 */

import { z } from "zod";

/** Member of an output that says what was left out; absent when everything is there. */
export const truncated = z.string().optional().describe("What was left out, and how to get it");

/** Largest result that is handed to a model, in characters of JSON. */
export const MAX_RESULT_LENGTH = 200_000;

/** The first items of a list, and a word on the rest. */
export function first<T>(
  items: readonly T[],
  limit: number,
  how: string,
): { readonly items: T[]; readonly truncated?: string } {
  if (items.length <= limit) return { items: [...items] };
  return {
    items: items.slice(0, limit),
    truncated: `${items.length - limit} of ${items.length} left out: ${how}`,
  };
}

/** As many of the first items as fit into a result, and a word on the rest. */
export function fitting<T>(
  items: readonly T[],
  how: string,
  most = MAX_RESULT_LENGTH,
): { readonly items: T[]; readonly truncated?: string } {
  let length = 0;
  const fit = items.findIndex((item) => (length += JSON.stringify(item).length + 1) > most);
  return fit === -1 ? { items: [...items] } : first(items, fit, how);
}
