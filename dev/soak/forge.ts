/**
 * Tokens that are right but for one thing, signed with the server's own key out of its store.
 *
 * @module
 */

import { generateKeyPair, SignJWT } from "@panva/jose";
import { type KeyRow, signingKeys } from "../../lib/proxy/keys.ts";
import { records } from "../../lib/proxy/records.ts";
import { seals } from "../../lib/seal.ts";
import { storeOf } from "../../lib/stores.ts";

/** Why the server has to refuse them. */
export const BAD_REASONS = [
  "malformed",
  "expired",
  "audience",
  "issuer",
  "signature",
  "grant",
] as const;

/** A bad token, and the reason that the server has to give. */
export interface BadToken {
  readonly token: string;
  readonly reason: typeof BAD_REASONS[number];
}

/** Makes one of each kind for the server at `origin`. */
export async function badTokens(
  origin: string,
  storeUrl: string,
  secret: string,
): Promise<readonly BadToken[]> {
  const now = () => Math.floor(Date.now() / 1000);
  const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
  const log = () => {};
  const store = await storeOf(storeUrl, { now, log });
  const seal = seals([new TextEncoder().encode(secret)], origin);
  const rows = records<KeyRow>(store, seal("row keys"), "keys", now);
  const { kid, key } = await signingKeys(rows, { now, random, log }).current();
  await store.close();
  const stranger = (await generateKeyPair("ES256")).privateKey;

  const sign = (claims: Record<string, unknown>, by = key) =>
    new SignJWT({
      iss: origin,
      aud: `${origin}/mcp`,
      sub: "nobody",
      client_id: "nobody",
      grant_id: "00".repeat(16),
      iat: now(),
      exp: now() + 86_400,
      ...claims,
    }).setProtectedHeader({ alg: "ES256", typ: "at+jwt", kid }).sign(by);
  return [
    { token: "garbage", reason: "malformed" },
    { token: await sign({ exp: now() - 3600 }), reason: "expired" },
    { token: await sign({ aud: "https://elsewhere.example/mcp" }), reason: "audience" },
    { token: await sign({ iss: "https://elsewhere.example" }), reason: "issuer" },
    { token: await sign({}, stranger), reason: "signature" },
    { token: await sign({}), reason: "grant" },
  ];
}
