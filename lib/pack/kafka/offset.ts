/**
 * Offsets as JSON has them.
 *
 * @module
 */

/** An offset as a number. @throws {RangeError} Beyond 2^53 − 1, which no log reaches. */
export function offsetNumber(offset: bigint): number {
  const number = Number(offset);
  if (!Number.isSafeInteger(number)) throw new RangeError("Cannot tell an offset beyond 2^53 - 1");
  return number;
}

/** An offset that may be absent, as JSON has it: never as 0. @throws As {@linkcode offsetNumber}. */
export function numberOrNull(offset: bigint | undefined): number | null {
  return offset === undefined ? null : offsetNumber(offset);
}
