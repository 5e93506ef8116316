/**
 * Bytes of records as text, and back.
 *
 * @module
 */

import { z } from "zod";
import { ToolError } from "../../pack.ts";

/** How a text stands for bytes: as UTF-8, or in base64. */
export const encoding = z.enum(["text", "base64"]);

/** See {@linkcode encoding}. */
export type Encoding = z.infer<typeof encoding>;

/** Bytes as text. */
export interface Encoded {
  readonly text: string;
  readonly encoding: Encoding;
  /** How many bytes there are in all; present when the text has only the first of them. */
  readonly cutFrom?: number;
}

// What models and their clients drop or change. Unlike these, tabs and line breaks come through.
const UNRULY = /(?![\t\n\r])\p{Cc}/u;

/**
 * Writes bytes as text where they are UTF-8 without control characters other than tabs and line
 * breaks, else in base64.
 *
 * @param most How many bytes to write; a character that does not fit is left out whole.
 *
 * @example
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict";
 * import { encoded } from "./encoding.ts";
 *
 * deepStrictEqual(encoded(new TextEncoder().encode("né")), { text: "né", encoding: "text" });
 * deepStrictEqual(encoded(new Uint8Array([0, 255])), { text: "AP8=", encoding: "base64" });
 * ```
 */
export function encoded(bytes: Uint8Array, most = Infinity): Encoded {
  const cut = bytes.length > most && { cutFrom: bytes.length };
  const kept = cut ? bytes.subarray(0, most) : bytes;
  return isText(bytes)
    ? { text: utf8().decode(kept, { stream: true }), encoding: "text", ...cut }
    : { text: kept.toBase64(), encoding: "base64", ...cut };
}

/**
 * Reads what {@linkcode encoded} writes. Base64 may lack its padding.
 *
 * @param what Names the text in the refusal.
 * @throws {ToolError} When the text does not stand for bytes.
 */
export function decoded(text: string, encoding: Encoding, what: string): Uint8Array {
  if (encoding === "text") {
    if (text.isWellFormed()) return new TextEncoder().encode(text);
    throw new ToolError(`${what} has half a character (a lone surrogate)`, "bad text");
  }
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    throw new ToolError(`${what} is not base64: encode it, or use encoding text`, "bad base64");
  }
}

function isText(bytes: Uint8Array): boolean {
  try {
    return !UNRULY.test(utf8().decode(bytes));
  } catch {
    return false;
  }
}

// Without `ignoreBOM` a mark at the beginning would be lost.
const utf8 = () => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
