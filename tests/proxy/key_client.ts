/**
 * A client that proves by a key who it is (RFC 7523 section 2.2).
 *
 * @module
 */

import { ASSERTION_TYPE } from "../../lib/proxy/assertion.ts";
import { NOW, ORIGIN } from "../fakes.ts";
import { keyOf, type SigningKey, signWith } from "../idp.ts";
import type { Changes, Gate, TestClient } from "./flow.ts";

/** Claims or header members by name; `undefined` takes one out. */
export type Members = Readonly<Record<string, unknown>>;

/** A registered client with its key. */
export interface KeyClient extends TestClient {
  readonly key: SigningKey;
}

/** Registers a client with the key of that name. */
export async function registerKey(
  gate: Pick<Gate, "register">,
  kid = "client",
  metadata: Record<string, unknown> = {},
): Promise<KeyClient> {
  const key = await keyOf(kid);
  const client = await gate.register({
    token_endpoint_auth_method: "private_key_jwt",
    jwks: { keys: [key.jwk] },
    ...metadata,
  });
  return { ...client, key };
}

/** The claims of an assertion that is good but for `changes`. */
export function claimsOf({ id }: TestClient, changes: Members = {}): Members {
  const good = { iss: id, sub: id, aud: ORIGIN, iat: NOW, exp: NOW + 60, jti: "one", ...changes };
  return Object.fromEntries(Object.entries(good).filter(([, value]) => value !== undefined));
}

/** The parameters that go with an assertion. */
export function asserted(assertion: string): Changes {
  return { client_assertion_type: ASSERTION_TYPE, client_assertion: assertion };
}

/** An assertion that is good but for `changes`, as parameters. */
export async function assertionOf(
  client: KeyClient,
  changes: Members = {},
  header: Members = {},
): Promise<Changes> {
  return asserted(await signWith(client.key, claimsOf(client, changes), { typ: "JWT", ...header }));
}
