/**
 * The key that a client signs its assertions with.
 *
 * @module
 */

import { createLocalJWKSet, type CryptoKey } from "@panva/jose";
import type { FindClientKey } from "./assertion.ts";
import type { Documents } from "./documents.ts";

const MIN_MODULUS_BITS = 2048;

/** Prepares the look-up. It rejects when the keys cannot be had at the moment. */
export function clientKeys({ keys }: Pick<Documents, "keys">): FindClientKey {
  return async (client, header): Promise<CryptoKey | undefined> => {
    const found = await keys(client, header.kid);
    if (!found.ok) {
      if (found.retryable) throw new Error(`Cannot fetch the client's keys: ${found.reason}`);
      return undefined;
    }
    try {
      const key = await createLocalJWKSet({ keys: [...found.keys] })(header);
      // Signatures of shorter ones cannot be checked (RFC 7518 section 3.3).
      const { modulusLength = MIN_MODULUS_BITS } = key.algorithm as { modulusLength?: number };
      return modulusLength < MIN_MODULUS_BITS ? undefined : key;
    } catch {
      // Nothing is fetched here: none fits, several do, or the client published one that is none.
      return undefined;
    }
  };
}
