/**
 * Long lists: by a part of the name, and part by part.
 *
 * @module
 */

import { z } from "zod";
import { fitting } from "../cut.ts";

/** Argument that chooses by name. */
export const filter = z.string().max(255).default("").describe("Part of the name, in any case");

/** Arguments that choose a part of a list. */
export const paging = {
  limit: z.number().int().min(1).max(1000).default(100),
  offset: z.number().int().min(0).max(1e6).default(0).describe("How many to skip: next_offset"),
};

/** Members of a result that holds a part of a list. */
export const paged = {
  total: z.number().describe("How many there are in all parts"),
  next_offset: z.number().optional().describe("Where the next part begins; absent in the last"),
};

/** A part of a list, no more than fits into a result, and where to go on. */
export function pageOf<T>(
  all: readonly T[],
  { limit, offset }: { readonly limit: number; readonly offset: number },
): { readonly items: T[]; readonly total: number; readonly next_offset?: number } {
  const { items } = fitting(all.slice(offset, offset + limit), "go on with next_offset");
  const next = offset + items.length;
  return { items, total: all.length, ...(next < all.length && { next_offset: next }) };
}

/** Chooses names that have a part, in any case. */
export function naming(part: string): (name: string) => boolean {
  const wanted = part.toLowerCase();
  return (name) => name.toLowerCase().includes(wanted);
}
