/**
 * Callers of the tests of acting.
 *
 * @module
 */

import type { Identity } from "../../lib/identity.ts";
import { NOW } from "../fakes.ts";

/** A caller, whose token says their name. */
export function person(subject: string, more: Partial<Identity> = {}): Identity {
  return {
    subject,
    issuer: "https://idp.example",
    username: `${subject}@example.com`,
    scopes: [],
    roles: [],
    expiresAt: NOW + 600,
    claims: {},
    token: `token-of-${subject}`,
    ...more,
  };
}
