/**
 * Grants: what a person let a client do, with what both sides of it need. One row each.
 *
 * A grant is the family of its tokens (RFC 9700 section 4.14): without the row none of them works.
 *
 * A refresh token is made of the grant's id, a generation, and a keyed digest of both under a seed
 * that only the sealed row holds. So nothing of a token is stored, a token cannot be made from the
 * store or from the secret alone, and any token that once was valid can be told from a forged one.
 *
 * @module
 */

import { createHmac, timingSafeEqual } from "node:crypto";
import { base64url } from "../base64url.ts";
import type { KnownIdentity } from "../identity.ts";
import type { Ports } from "../ports.ts";
import type { Kept, Records } from "./records.ts";

/** How long a grant lives without being used, in seconds. */
export const IDLE_SECONDS = 30 * 86_400;

/** How long a grant lives at most where the identity provider cannot be asked again, in seconds. */
export const UNASKED_SECONDS = 12 * 3600;

/** Who logged in, as the identity provider told. */
export interface Person {
  readonly subject: string;
  readonly username: string;
  readonly email?: string;
  readonly name?: string;
  readonly roles: readonly string[];
  /** The `groups` claim, which rules about callers read. */
  readonly groups?: readonly unknown[];
}

/** How much of the lists about a person is kept, in characters: a row has to fit in the store. */
export const MAX_LISTED_LENGTH = 16 * 1024;

/** What a grant keeps of an identity. */
export function personOf(identity: KnownIdentity): Person {
  const { subject, username, email, name, roles, claims: { groups } } = identity;
  return {
    subject,
    username,
    ...(email !== undefined && { email }),
    ...(name !== undefined && { name }),
    roles: bounded(roles),
    ...(Array.isArray(groups) && { groups: bounded(groups) }),
  };
}

/** What a person has of roles, by whatever name. */
export function rolesOf({ roles, groups = [] }: Person): readonly unknown[] {
  return [...roles, ...groups];
}

function bounded<T>(list: readonly T[]): readonly T[] {
  let length = 0;
  const fit = list.findIndex((one) =>
    (length += JSON.stringify(one).length + 1) > MAX_LISTED_LENGTH
  );
  return fit === -1 ? list : list.slice(0, fit);
}

/** What the identity provider gave this server. Never leaves it. */
export interface UpstreamTokens {
  readonly accessToken: string;
  /** Unix seconds; absent when the provider does not say. */
  readonly expiresAt?: number;
  readonly refreshToken?: string;
}

/** A grant as kept. */
export interface Grant {
  readonly clientId: string;
  /** For people and logs: the client chose it. */
  readonly clientName: string;
  readonly scopes: readonly string[];
  /** RFC 8707. */
  readonly resource: string;
  readonly person: Person;
  /** Absent where people log in here, for development. */
  readonly upstream?: UpstreamTokens;
  /** Number of the refresh token in force. */
  readonly generation: number;
  /** When that number was reached, in Unix seconds. */
  readonly rotatedAt: number;
  /** Keys the digests of the refresh tokens; base64url. */
  readonly seed: string;
  /** When it ends, whatever happens; Unix seconds. */
  readonly endsAt: number;
}

/** What makes a grant. */
export type NewGrant = Omit<Grant, "generation" | "rotatedAt" | "seed" | "endsAt">;

/** A refresh token as its parts say; nothing about it is checked yet. */
export interface RefreshToken {
  readonly grantId: string;
  readonly generation: number;
  readonly digest: Uint8Array;
}

/** The grants of a server. */
export interface Grants {
  /** @param ttl How long it lives unless it is used, in seconds. @returns Its id. */
  create(grant: NewGrant, ttl: number): Promise<string>;
  get(id: string): Promise<Kept<Grant> | undefined>;
  /** Sets a grant where `kept` still stands. @returns Whether it was set. */
  replace(id: string, kept: Kept<Grant>, grant: Grant): Promise<boolean>;
  /** Ends a grant with all its tokens. @returns Whether this call ended it. */
  end(id: string): Promise<boolean>;
}

/** Prepares the grants. */
export function grants(rows: Records<Grant>, ports: Pick<Ports, "now" | "random">): Grants {
  return {
    async create(grant, ttl) {
      const id = ports.random(ID_BYTES).toHex();
      const now = ports.now();
      const canAsk = !grant.upstream || grant.upstream.refreshToken !== undefined;
      const row: Grant = {
        ...grant,
        generation: 0,
        rotatedAt: now,
        seed: base64url(ports.random(32)),
        endsAt: canAsk ? Number.MAX_SAFE_INTEGER : now + UNASKED_SECONDS,
      };
      await rows.put(id, row, ttl);
      return id;
    },
    get: rows.get,
    replace: (id, kept, grant) => {
      const ttl = Math.min(IDLE_SECONDS, grant.endsAt - ports.now());
      return ttl > 0 ? rows.replace(id, kept, grant, ttl) : Promise.resolve(false);
    },
    end: rows.remove,
  };
}

const PREFIX = "gatehouse_r_";
const ID_BYTES = 16;
const GENERATION_BYTES = 4;
const DIGEST_BYTES = 32;
const TOKEN_LENGTH = PREFIX.length +
  Math.ceil((ID_BYTES + GENERATION_BYTES + DIGEST_BYTES) * 8 / 6);

/** The refresh token of a grant with a generation of its own. */
export function refreshTokenOf(id: string, { seed }: Grant, generation: number): string {
  const bytes = new Uint8Array(ID_BYTES + GENERATION_BYTES + DIGEST_BYTES);
  bytes.set(Uint8Array.fromHex(id));
  new DataView(bytes.buffer).setUint32(ID_BYTES, generation);
  bytes.set(digestOf(id, seed, generation), ID_BYTES + GENERATION_BYTES);
  return PREFIX + base64url(bytes);
}

/** Takes a refresh token apart; `undefined` when it has another form. */
export function readRefreshToken(token: string): RefreshToken | undefined {
  if (token.length !== TOKEN_LENGTH || !token.startsWith(PREFIX)) return undefined;
  const text = token.slice(PREFIX.length);
  if (!/^[\w-]+$/.test(text)) return undefined;
  try {
    const bytes = Uint8Array.fromBase64(`${text}==`, {
      alphabet: "base64url",
      lastChunkHandling: "strict",
    });
    return {
      grantId: bytes.subarray(0, ID_BYTES).toHex(),
      generation: new DataView(bytes.buffer).getUint32(ID_BYTES),
      digest: bytes.subarray(ID_BYTES + GENERATION_BYTES),
    };
  } catch {
    return undefined;
  }
}

/** Whether a token was made for the grant that it names. */
export function isGenuine({ grantId, generation, digest }: RefreshToken, grant: Grant): boolean {
  return timingSafeEqual(digestOf(grantId, grant.seed, generation), digest);
}

function digestOf(id: string, seed: string, generation: number): Uint8Array {
  return createHmac("sha256", seed).update(`refresh ${id} ${generation}`).digest();
}
