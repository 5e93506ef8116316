/**
 * Going on with a file that an earlier run left behind, be it in the middle of a line.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import {
  GENESIS,
  type Head,
  isBegun,
  looksWhole,
  MAX_LINE_BYTES,
  MAX_TORN_BYTES,
  readLine,
  sha256,
} from "./chain.ts";
import type { AppendFile } from "./file.ts";

/** How much of the end of a file is read, in bytes. */
export const TAIL_BYTES = MAX_LINE_BYTES + MAX_TORN_BYTES;

const NEWLINE = 0x0a;

/** Where a file ends. */
export interface Ending {
  readonly head: Head;
  /** What has to be written before the next line, so that it begins as one. */
  readonly separator: "" | "\n";
  /** What broken writes left after the last whole line, for the event that tells of it. */
  readonly torn?: Torn;
}

/** What stands where no line can be read, with the newline at its end. */
export interface Torn {
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Reads the end of a file.
 *
 * @throws {Error} When it is not the end of an audit log, or somebody has changed its last line.
 */
export async function endingOf(file: AppendFile): Promise<Ending> {
  const { bytes, size } = await file.tail(TAIL_BYTES);
  if (size === 0) return { head: GENESIS, separator: "" };
  const separator = bytes.at(-1) === NEWLINE ? "" : "\n";
  const lines = linesOf(bytes);
  const links = lines.map(readLine);
  const last = links.findLastIndex((link) => link !== undefined);
  const rest = lines.slice(last + 1);
  if (rest.some(looksWhole)) {
    throw new Error(
      "Cannot go on: its last line was changed. Look into it, and move the file away",
    );
  }
  // Only a first line that was never finished has none before it.
  if (last === -1 && (size > bytes.length || !lines.every(isBegun))) {
    throw new Error(
      "Cannot go on: it does not end as an audit log. Look into it, and move the file away",
    );
  }
  const { seq, hash } = links[last] ?? GENESIS;
  const isClean = rest.length === 0 && separator === "";
  return { head: { seq, hash }, separator, ...(!isClean && { torn: tornOf(rest) }) };
}

function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(NEWLINE, at);
    lines.push(bytes.subarray(at, end === -1 ? bytes.length : end));
    at = end === -1 ? bytes.length : end + 1;
  }
  return lines;
}

function tornOf(lines: readonly Uint8Array[]): Torn {
  const text = Buffer.concat(lines.flatMap((line) => [line, Uint8Array.of(NEWLINE)]));
  return { bytes: text.length, sha256: sha256(text) };
}
