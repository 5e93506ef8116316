/**
 * Lines of the audit log: JSON, numbered, each with the hash of the line before it and its own.
 *
 * The own hash is the SHA-256 of the line's bytes up to `,"hash":`, so that it covers `prev` and
 * with it everything before. The chain shows that lines were changed, taken out, put in or moved by
 * somebody who did not make all later hashes anew. Against somebody who did, it needs a hash that
 * was kept elsewhere.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { printable, quote } from "../log.ts";
import type { Fields } from "../ports.ts";

/** Longest line, in bytes; an event that does not fit in is written without its facts. */
export const MAX_LINE_BYTES = 64 * 1024;

/** How much broken writes can leave after the last whole line, and be recovered from, in bytes. */
export const MAX_TORN_BYTES = 3 * MAX_LINE_BYTES;

/** How far a chain has come. */
export interface Head {
  /** Number of the last line; 0 before the first. */
  readonly seq: number;
  /** Its hash, in hex; zeros before the first. */
  readonly hash: string;
}

/** Where every chain begins. */
export const GENESIS: Head = { seq: 0, hash: "0".repeat(64) };

/** A line that was read and whose own hash is right. */
export interface Link extends Head {
  readonly prev: string;
  readonly event: string;
}

// What comes before and after the facts of a line without facts, with a good margin.
const FRAME_BYTES = 512;

const OWN_NAMES: ReadonlySet<string> = new Set(["seq", "prev", "time", "event", "hash"]);

/** An event as the inside of a line, without the chain. */
export function entryOf(unixMs: number, event: string, fields: Fields): string {
  const time = new Date(unixMs).toISOString();
  const facts = Object.entries(printable(fields)).filter(([name]) => !OWN_NAMES.has(name));
  const entry = inside({ time, event, ...Object.fromEntries(facts) });
  return Buffer.byteLength(entry) <= MAX_LINE_BYTES - FRAME_BYTES
    ? entry
    : inside({ time, event, tooLong: true });
}

const inside = (members: Fields) => quote(members).slice(1, -1);

/** Puts an entry after `head`. @returns The line with its newline, and the head it makes. */
export function chained({ seq, hash }: Head, entry: string): { line: string; head: Head } {
  const body = `{"seq":${seq + 1},"prev":"${hash}",${entry}`;
  const own = sha256(body);
  return { line: `${body},"hash":"${own}"}\n`, head: { seq: seq + 1, hash: own } };
}

const HASH_BYTES = ',"hash":""}'.length + 64;

const BEGIN =
  /^\{"seq":([1-9]\d{0,14}),"prev":"([0-9a-f]{64})","time":"[^"\\]{1,40}","event":"([^"\\]{1,64})"/;

const MARK = '{"seq":';

const END = /^,"hash":"([0-9a-f]{64})"\}$/;

/** Reads a line without its newline; `undefined` when it is none, or not as it was written. */
export function readLine(bytes: Uint8Array): Link | undefined {
  const text = latin1(bytes);
  const begin = BEGIN.exec(text.slice(0, FRAME_BYTES));
  const end = END.exec(text.slice(-HASH_BYTES));
  if (!begin || !end) return undefined;
  const [, hash] = end as unknown as [string, string];
  if (sha256(bytes.subarray(0, -HASH_BYTES)) !== hash) return undefined;
  const [, seq, prev, event] = begin as unknown as [string, string, string, string];
  return { seq: Number(seq), prev, event, hash };
}

/** Whether bytes are the beginning of a line, as far as they go. */
export function isBegun(bytes: Uint8Array): boolean {
  return latin1(bytes.subarray(0, MARK.length)) === MARK.slice(0, bytes.length);
}

/** Whether bytes have the beginning and the end of a line, so that a broken write did not leave them. */
export function looksWhole(bytes: Uint8Array): boolean {
  const text = latin1(bytes);
  return isBegun(bytes) && END.test(text.slice(-HASH_BYTES));
}

/** SHA-256 in hex. */
export function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

function latin1({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString("latin1");
}
