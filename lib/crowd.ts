/**
 * How many are in at once.
 *
 * @module
 */

/** A place with so much room. */
export interface Crowd {
  /** Whether there was room; who got in has to leave once. */
  enter(): boolean;
  leave(): void;
}

/** Prepares a place for `most`. */
export function crowd(most: number): Crowd {
  let count = 0;
  return {
    enter() {
      if (count >= most) return false;
      count++;
      return true;
    },
    leave: () => void count--,
  };
}
