/**
 * Audit logs of tests: in memory as bytes, and in files of their own.
 *
 * @module
 */

import { chained, entryOf, GENESIS, type Head } from "../../lib/audit/chain.ts";
import type { AppendFile, AppendPath } from "../../lib/audit/file.ts";
import { type Broken, type Intact, verifyAudit } from "../../lib/audit/verify.ts";
import { appending } from "../../lib/cli/append.ts";
import { NOW } from "../fakes.ts";

const encoder = new TextEncoder();

/** Lines with their newlines, after `head`. @param events Names, one for each line. */
export function linesOf(events: readonly string[], head: Head = GENESIS): string[] {
  return events.map((event, index) => {
    const made = chained(head, entryOf((NOW + index) * 1000, event, { user: `user-${index}` }));
    head = made.head;
    return made.line;
  });
}

/** A log of `count` lines. */
export function logOf(count: number): string[] {
  return linesOf(Array.from({ length: count }, (_, index) => `event ${index}`));
}

/** The hash of a line. */
export function hashOf(line: string): string {
  return JSON.parse(line).hash;
}

/** Checks texts or bytes, read in pieces of `size`. */
export function verified(
  files: readonly (string | Uint8Array)[],
  anchor?: string,
  size = 100,
): Promise<Intact | Broken> {
  const bytes = files.map((file) => typeof file === "string" ? encoder.encode(file) : file);
  return verifyAudit(bytes.map((file) => pieces(file, size)), anchor);
}

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield await bytes.slice(at, at + size);
}

/** A folder that goes away with its test. */
export interface Folder extends AsyncDisposable {
  /** Path of the log in it. */
  readonly path: string;
  /** Takes hold of the log. */
  hold(): Promise<AppendPath>;
  /** What a file in it holds. @default The log. */
  read(name?: string): string;
}

/** Makes a folder. */
export async function newFolder(): Promise<Folder> {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/audit.jsonl`;
  return {
    path,
    hold: () => appending(Deno)(path),
    read: (name = "audit.jsonl") => Deno.readTextFileSync(`${folder}/${name}`),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/** A path whose disk fails when a test says so. */
export interface Disk {
  readonly path: AppendPath;
  /** How many bytes there is room for; without any, writing fails. */
  room: number;
  /** How many bytes a write takes at most. */
  takes: number;
  /** What writes wait for. */
  ready: Promise<void>;
}

/** Puts a disk under a path. */
export function diskUnder(under: AppendPath): Disk {
  const disk: Disk = {
    room: Infinity,
    takes: Infinity,
    ready: Promise.resolve(),
    path: {
      ...under,
      open: async () => {
        const file = await under.open();
        const write: AppendFile["write"] = async (bytes) => {
          await disk.ready;
          if (disk.room === 0) throw new Error("No space left on device (os error 28)");
          const written = await file.write(bytes.subarray(0, Math.min(disk.room, disk.takes)));
          disk.room -= written;
          return written;
        };
        return { ...file, write };
      },
    },
  };
  return disk;
}
