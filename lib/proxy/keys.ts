/**
 * The keys that sign access tokens: made once, kept sealed in the store for all replicas, and
 * replaced in time. A new key is published before it signs, and an old one stays published until
 * nothing that it signed is valid any more.
 *
 * @module
 */

import { type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK } from "@panva/jose";
import type { KeyHeader } from "../jwt.ts";
import type { Ports } from "../ports.ts";
import type { Document } from "../provider.ts";
import { refreshed } from "../provider/refreshed.ts";
import type { Kept, Records } from "./records.ts";

/** The algorithm of access tokens. */
export const ALGORITHM = "ES256";

/** After how many seconds a key gets a successor. */
export const ROTATE_SECONDS = 30 * 86_400;

/** How many seconds a key is published before it signs: longer than anyone caches the key set. */
export const ANNOUNCE_SECONDS = 900;

/** How many seconds a key stays published after its successor signs: longer than a token lives. */
export const RETIRE_SECONDS = 2 * 3600;

/** How long the row lives without being renewed, in seconds. */
const ROW_SECONDS = 400 * 86_400;

/** After how many seconds a replica looks for what others did to the keys. */
const FRESH_SECONDS = 60;

const COOL_DOWN_SECONDS = 5;
const RETRY_SECONDS = 1;
const ROW = "signing";

/** The keys as kept. */
export interface KeyRow {
  /** Oldest first. */
  readonly keys: readonly KeptKey[];
}

interface KeptKey {
  readonly kid: string;
  /** Private. */
  readonly jwk: JWK;
  /** When it was made, in Unix seconds. */
  readonly since: number;
}

/** The keys as used. */
export interface SigningKeys {
  /** The key that signs now. */
  current(): Promise<{ readonly kid: string; readonly key: CryptoKey }>;
  /** The public key for the header of a token of ours. */
  find(header: KeyHeader): Promise<CryptoKey | undefined>;
  /** The published key set (RFC 7517). */
  document(): Promise<Document>;
}

interface Loaded {
  readonly rows: readonly KeptKey[];
  readonly secret: ReadonlyMap<string, CryptoKey>;
  readonly public: ReadonlyMap<string, CryptoKey>;
  readonly document: Document;
}

/** Prepares the keys. Makes the first one when they are asked for. */
export function signingKeys(
  rows: Records<KeyRow>,
  ports: Pick<Ports, "now" | "random" | "log">,
): SigningKeys {
  const kept = refreshed(async () => load(await upToDate(rows, ports)), {
    now: ports.now,
    freshSeconds: FRESH_SECONDS,
    coolDownSeconds: COOL_DOWN_SECONDS,
    retrySeconds: RETRY_SECONDS,
    onError: (error) => ports.log("error", "signing keys not loaded", { error: String(error) }),
  });
  return {
    async current() {
      const { rows, secret } = await kept.get();
      const announced = rows.findLast(({ since }) => since + ANNOUNCE_SECONDS <= ports.now());
      const { kid } = announced ?? rows[0]!;
      return { kid, key: secret.get(kid)! };
    },
    async find({ kid }) {
      if (kid === undefined) return undefined;
      // Another replica may have made a key since. The cool-down bounds what strangers can cause.
      return (await kept.get()).public.get(kid) ?? (await kept.renew()).public.get(kid);
    },
    document: async () => (await kept.get()).document,
  };
}

/** The row after what was due has been done to it, by us or by another replica. */
async function upToDate(
  rows: Records<KeyRow>,
  ports: Pick<Ports, "now" | "random">,
): Promise<readonly KeptKey[]> {
  const found = await rows.get(ROW);
  const now = ports.now();
  const keys = found?.value.keys ?? [];
  const newest = keys.at(-1);
  // The row is written when a key is added; what is retired until then is left out here.
  if (newest && newest.since + ROTATE_SECONDS > now) return keys.filter(isNeeded(keys, now));
  const next: KeyRow = { keys: [...keys.filter(isNeeded(keys, now)), await newKey(ports)] };
  if (await write(rows, found, next)) return next.keys;
  // A row that does not open was sealed with a secret that is gone: nothing it signed is accepted.
  if (await rows.supplant(ROW, next, ROW_SECONDS)) return next.keys;
  const theirs = await rows.get(ROW);
  if (!theirs) throw new Error("Cannot agree on signing keys with other replicas");
  return theirs.value.keys;
}

function write(rows: Records<KeyRow>, found: Kept<KeyRow> | undefined, next: KeyRow) {
  return found ? rows.replace(ROW, found, next, ROW_SECONDS) : rows.add(ROW, next, ROW_SECONDS);
}

function isNeeded(keys: readonly KeptKey[], now: number): (key: KeptKey, at: number) => boolean {
  return (_key, at) => {
    const successor = keys[at + 1];
    return !successor || successor.since + ANNOUNCE_SECONDS + RETIRE_SECONDS > now;
  };
}

async function newKey({ now, random }: Pick<Ports, "now" | "random">): Promise<KeptKey> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  const kid = random(8).toHex();
  return { kid, jwk: await exportJWK(privateKey), since: now() };
}

async function load(rows: readonly KeptKey[]): Promise<Loaded> {
  const published = rows.map(({ kid, jwk: { d: _, ...jwk } }) => ({
    ...jwk,
    kid,
    alg: ALGORITHM,
    use: "sig",
  }));
  const imported = async (jwks: readonly (JWK & { kid?: string })[], kids: readonly string[]) =>
    new Map(
      await Promise.all(
        jwks.map(async (jwk, at) =>
          [kids[at]!, await importJWK(jwk, ALGORITHM) as CryptoKey] as const
        ),
      ),
    );
  const kids = rows.map(({ kid }) => kid);
  return {
    rows,
    secret: await imported(rows.map(({ jwk }) => jwk), kids),
    public: await imported(published, kids),
    document: { keys: published },
  };
}
