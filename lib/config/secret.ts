/**
 * Secrets that are worth having.
 *
 * @module
 */

import type { Reader } from "./values.ts";

const PLACEHOLDER = /change|replace|insert|your|example|sample|secret|passw|placeholder|default/i;

/** How many different bytes a good secret has. */
const FEWEST_BYTES = 10;

/** How to come by a good secret. */
export const NEW_SECRET = "use a random one: export JWT_SECRET=$(openssl rand -hex 32)";

/** A secret that is not worth guessing. What it was never appears in the complaint. */
export const strongSecret: Reader<Uint8Array<ArrayBuffer>> = (text) => {
  const value = new TextEncoder().encode(text);
  if (value.length < 32) return { what: `has ${value.length} bytes, not 32`, fix: NEW_SECRET };
  return isGuessable(text) ? { what: "is easy to guess", fix: NEW_SECRET } : { value };
};

/** Whether a secret repeats itself, counts on, or has words of examples in it. */
export function isGuessable(text: string): boolean {
  const bytes = new TextEncoder().encode(text);
  return new Set(bytes).size < FEWEST_BYTES || isPeriodic(bytes) || isMostlySequence(bytes) ||
    PLACEHOLDER.test(text);
}

function isPeriodic(bytes: Uint8Array): boolean {
  for (let period = 1; period <= bytes.length / 2; period++) {
    if (bytes.every((byte, index) => byte === bytes[index % period])) return true;
  }
  return false;
}

// Neighbours that differ by one or not at all: rare in anything random.
function isMostlySequence(bytes: Uint8Array): boolean {
  const steps = bytes.subarray(1).filter((byte, index) => Math.abs(byte - bytes[index]!) <= 1);
  return steps.length > bytes.length / 2;
}
