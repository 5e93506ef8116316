/**
 * How many are in at once, and how many of them for one and the same.
 *
 * @module
 */

/** How much room there is. */
export interface Room {
  /** @default {Infinity} */
  readonly most?: number;
  /** Of one and the same. */
  readonly mostOfEach: number;
}

/** A place with so much room. */
export interface Crowd {
  /**
   * Lets one in, who has to leave once.
   *
   * @param whose Whom the room is taken for; without one, they have no share of their own.
   * @returns Why there is none.
   */
  enter(whose?: string): "full" | "share taken" | undefined;
  leave(whose?: string): void;
}

/** Prepares a place. It remembers for whom somebody is in, and nobody else. */
export function crowd({ most = Infinity, mostOfEach }: Room): Crowd {
  const counts = new Map<string, number>();
  let count = 0;
  return {
    enter(whose) {
      if (count >= most) return "full";
      const own = whose === undefined ? 0 : counts.get(whose) ?? 0;
      if (own >= mostOfEach) return "share taken";
      count++;
      if (whose !== undefined) counts.set(whose, own + 1);
      return undefined;
    },
    leave(whose) {
      count--;
      if (whose === undefined) return;
      const own = counts.get(whose)! - 1;
      if (own > 0) counts.set(whose, own);
      else counts.delete(whose);
    },
  };
}
