/**
 * The key that a client signs its assertions with.
 *
 * @module
 */

import { createLocalJWKSet, type CryptoKey, errors } from "@panva/jose";
import type { FindClientKey } from "./assertion.ts";
import type { Documents } from "./documents.ts";

/** Prepares the look-up. It rejects when the keys cannot be had at the moment. */
export function clientKeys({ keys }: Pick<Documents, "keys">): FindClientKey {
  return async (client, header): Promise<CryptoKey | undefined> => {
    const found = await keys(client, header.kid);
    if (!found.ok) {
      if (found.retryable) throw new Error(`Cannot fetch the client's keys: ${found.reason}`);
      return undefined;
    }
    try {
      return await createLocalJWKSet({ keys: [...found.keys] })(header);
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  };
}
