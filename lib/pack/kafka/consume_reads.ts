/**
 * Bounds of reading, and what one read brought.
 *
 * @module
 */

import type { Place, Slice } from "./cluster.ts";
import { placeKey } from "./lag.ts";

/** How often one call reads at most, besides waiting. */
export const MAX_READS = 8;

/** Bounds of one read of what is there. */
export const READ = { maxBytes: 2 * 1024 * 1024, maxWaitMs: 500 } as const;

/** What was read, by partition. */
export function bySlice(slices: readonly Slice[]): (place: Place) => Slice | undefined {
  const slicesByPlace = new Map(slices.map((slice) => [placeKey(slice), slice]));
  return (place) => slicesByPlace.get(placeKey(place));
}
