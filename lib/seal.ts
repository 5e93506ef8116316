/**
 * Values that leave this server and come back: encrypted, authenticated, bound to one purpose and
 * one server, and expiring (JWE, RFC 7516, `dir` with A256GCM).
 *
 * A seal says nothing about who brings the value back, nor how often. Whoever needs a value to be
 * used once, or by one browser, has to see to it.
 *
 * @module
 */

import { compactDecrypt, CompactEncrypt, decodeProtectedHeader, errors } from "@panva/jose";

import { base64url } from "./base64url.ts";
/** Seals and opens the values of one purpose. */
export interface Seal {
  /**
   * Seals a value that JSON can carry.
   *
   * @param expiresAt Unix seconds; from then on it does not open.
   */
  seal(value: unknown, expiresAt: number): Promise<string>;
  /**
   * Opens a text. Yields `undefined` for anything but an unexpired value of this purpose: a text of
   * another purpose, server or secret, an altered one, or none of ours.
   *
   * @param now Unix seconds.
   */
  open(text: string, now: number): Promise<unknown>;
}

/** Makes the seal of a purpose. Purposes cannot open one another's values. */
export type Seals = (purpose: string) => Seal;

/** Longest text that is looked at, in characters. */
export const MAX_SEALED_LENGTH = 64 * 1024;

/**
 * Prepares the seals of a server.
 *
 * @param secrets The secret in force, then those that still open what they sealed.
 * @param server Names the server; the same on all its replicas.
 */
export function seals(secrets: readonly Uint8Array<ArrayBuffer>[], server: string): Seals {
  return (purpose) => {
    // Derived when first needed: most programs never need them all.
    let derived: Promise<Key[]> | undefined;
    const keys = () =>
      derived ??= Promise.all(secrets.map((secret) => keyOf(secret, server, purpose)));
    return {
      async seal(value, expiresAt) {
        const { key, kid } = (await keys())[0]!;
        return await new CompactEncrypt(ENCODER.encode(JSON.stringify({ value, expiresAt })))
          .setProtectedHeader({ alg: "dir", enc: "A256GCM", kid })
          .encrypt(key);
      },
      async open(text, now) {
        if (text.length > MAX_SEALED_LENGTH) return undefined;
        const kid = kidOf(text);
        const found = (await keys()).find((one) => one.kid === kid);
        const plaintext = found && isPlain(text) && await decrypt(text, found.key);
        if (!plaintext) return undefined;
        const { value, expiresAt } = JSON.parse(DECODER.decode(plaintext)) as Sealed;
        return now < expiresAt ? value : undefined;
      },
    };
  };
}

/** Digests of texts that only this server can make, so that they cannot be guessed. */
export type Digests = (text: string) => Promise<string>;

/** Prepares digests for a purpose (HMAC-SHA256 in base64url). @param server As for seals. */
export function digests(
  secret: Uint8Array<ArrayBuffer>,
  server: string,
  purpose: string,
): Digests {
  let derived: Promise<CryptoKey> | undefined;
  const key = async () => {
    const material = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveKey"]);
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    return await crypto.subtle.deriveKey(
      derivation("digest", server, purpose),
      material,
      algorithm,
      false,
      ["sign"],
    );
  };
  return async (text) => {
    const digest = await crypto.subtle.sign(
      "HMAC",
      await (derived ??= key()),
      ENCODER.encode(text),
    );
    return base64url(new Uint8Array(digest));
  };
}

interface Sealed {
  readonly value: unknown;
  readonly expiresAt: number;
}

interface Key {
  readonly key: CryptoKey;
  readonly kid: string;
}

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

// One key per purpose and server (HKDF, RFC 5869). The id is derived as well: it tells keys apart
// without a word about the secret.
async function keyOf(
  secret: Uint8Array<ArrayBuffer>,
  server: string,
  purpose: string,
): Promise<Key> {
  const material = await crypto.subtle.importKey("raw", secret, "HKDF", false, [
    "deriveKey",
    "deriveBits",
  ]);
  const [key, id] = await Promise.all([
    crypto.subtle.deriveKey(
      derivation("seal", server, purpose),
      material,
      { name: "AES-GCM", length: 256 },
      false,
      [
        "encrypt",
        "decrypt",
      ],
    ),
    crypto.subtle.deriveBits(derivation("id", server, purpose), material, 32),
  ]);
  return { key, kid: new Uint8Array(id).toHex() };
}

function derivation(use: string, server: string, purpose: string) {
  const info = ENCODER.encode(JSON.stringify(["gatehouse", use, server, purpose]));
  return { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info };
}

function kidOf(text: string): string | undefined {
  try {
    return decodeProtectedHeader(text).kid;
  } catch {
    return undefined;
  }
}

// Decoders forgive spare bits, padding and white space. One value has one spelling.
function isPlain(text: string): boolean {
  try {
    return text.split(".").every((part) => {
      const bytes = Uint8Array.fromBase64(part, { alphabet: "base64url" });
      return base64url(bytes) === part;
    });
  } catch {
    return false;
  }
}

async function decrypt(text: string, key: CryptoKey): Promise<Uint8Array | undefined> {
  try {
    const { plaintext } = await compactDecrypt(text, key, {
      keyManagementAlgorithms: ["dir"],
      contentEncryptionAlgorithms: ["A256GCM"],
    });
    return plaintext;
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined;
    throw error;
  }
}
