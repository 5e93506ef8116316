/**
 * Checking an audit log line by line, without holding more than one of them.
 *
 * What is found: any line that was changed, taken out, put in, moved or torn, in one file or across
 * several. What is not: lines taken off the end, unless a hash is given that must be there; and
 * hashes that were all made anew from some line on, unless one of the old ones is given.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash, type Hash } from "node:crypto";
import { GENESIS, type Head, type Link, MAX_TORN_BYTES, readLine } from "./chain.ts";

/** What can be wrong with a line. */
export type Why = "changed" | "missing" | "out of order" | "torn";

/** The first thing that is wrong. */
export interface Broken {
  readonly ok: false;
  /** Index of the file among those checked. */
  readonly file: number;
  /** Number of the line in that file, from 1. */
  readonly line: number;
  readonly why: Why;
  readonly detail: string;
}

/** A log of which nothing is known to be wrong. */
export interface Intact {
  readonly ok: true;
  readonly lines: number;
  /** Number of the first line; not 1 where an older file comes before. */
  readonly first: number;
  readonly last: number;
  readonly head: string;
  /** How often lines were torn by a crash, and the next run told of it. */
  readonly recovered: number;
}

const NEWLINE = 0x0a;

/**
 * Checks files, the oldest first, each as its bytes.
 *
 * @param anchor A hash that some line must have.
 */
export async function verifyAudit(
  files: readonly AsyncIterable<Uint8Array>[],
  anchor?: string,
): Promise<Intact | Broken> {
  const verifier = new Verifier(anchor);
  for (const [index, file] of files.entries()) {
    verifier.next(index);
    let rest: Uint8Array = new Uint8Array(0);
    for await (const chunk of file) {
      let start = 0;
      for (let end; (end = chunk.indexOf(NEWLINE, start)) !== -1; start = end + 1) {
        const part = chunk.subarray(start, end);
        verifier.line(rest.length === 0 ? part : Buffer.concat([rest, part]));
        rest = new Uint8Array(0);
      }
      // Of what is too long to be a line or to be recovered from, the beginning is enough to say so.
      if (rest.length <= MAX_TORN_BYTES) rest = Buffer.concat([rest, chunk.subarray(start)]);
    }
    if (rest.length > 0) verifier.torn(rest);
    if (verifier.isSettled) break;
  }
  return verifier.result();
}

/** Lines that cannot be read, which the next line may account for. */
interface Gap {
  readonly hash: Hash;
  readonly broken: Broken;
  bytes: number;
}

class Verifier {
  #head: Head | undefined;
  #first = 0;
  #lines = 0;
  #recovered = 0;
  #file = 0;
  #line = 0;
  #gap: Gap | undefined;
  #broken: Broken | undefined;
  /** The line that was not where it belongs, while it may still come. */
  #awaited: number | undefined;
  #anchored: boolean;

  constructor(private readonly anchor: string | undefined) {
    this.#anchored = anchor === undefined;
  }

  /** Whether nothing that follows could change the result. */
  get isSettled(): boolean {
    return this.#broken !== undefined && this.#awaited === undefined;
  }

  next(file: number): void {
    if (this.#gap) this.#broken ??= this.#gap.broken;
    this.#file = file;
    this.#line = 0;
  }

  line(bytes: Uint8Array): void {
    this.#line++;
    if (this.isSettled) return;
    const link = readLine(bytes);
    if (this.#broken) {
      if (link?.seq === this.#awaited) {
        this.#broken = { ...this.#broken, why: "out of order" };
        this.#awaited = undefined;
      }
      return;
    }
    if (link) this.#check(link, bytes);
    else this.#skip(bytes);
  }

  torn(bytes: Uint8Array): void {
    this.#line++;
    if (this.#broken) return;
    this.#broken = this.#gap?.broken ??
      this.#fault("torn", `it ends after ${bytes.length} bytes, without a newline`);
  }

  result(): Intact | Broken {
    const broken = this.#broken ?? this.#gap?.broken;
    if (broken) return broken;
    this.#line++;
    if (!this.#head) return this.#fault("missing", "there are no lines");
    if (!this.#anchored) {
      return this.#fault(
        "missing",
        "no line has the hash that was asked for: lines were taken off the end, or all made anew",
      );
    }
    const { seq, hash } = this.#head;
    return {
      ok: true,
      lines: this.#lines,
      first: this.#first,
      last: seq,
      head: hash,
      recovered: this.#recovered,
    };
  }

  #fault(why: Why, detail: string): Broken {
    return { ok: false, file: this.#file, line: this.#line, why, detail };
  }

  #skip(bytes: Uint8Array): void {
    const broken = this.#fault("changed", "it is not as it was written");
    this.#gap ??= { hash: createHash("sha256"), bytes: 0, broken };
    this.#gap.hash.update(bytes).update("\n");
    this.#gap.bytes += bytes.length + 1;
  }

  #check(link: Link, bytes: Uint8Array): void {
    if (this.#gap && !accounts(link, bytes, this.#gap)) {
      this.#broken = this.#gap.broken;
      return;
    }
    if (!this.#gap && link.event === "recovered" && !accounts(link, bytes)) {
      this.#broken = this.#fault("missing", "it tells of a torn line that is not before it");
      return;
    }
    this.#gap = undefined;
    const head = this.#head ??
      (link.event === "continued" ? { seq: link.seq - 1, hash: link.prev } : GENESIS);
    if (link.seq > head.seq + 1) {
      this.#awaited = head.seq + 1;
      this.#broken = this.#fault("missing", `it is number ${link.seq}, after ${head.seq}`);
    } else if (link.seq <= head.seq) {
      this.#broken = this.#fault("out of order", `it is number ${link.seq}, after ${head.seq}`);
    } else if (link.prev !== head.hash) {
      this.#broken = this.#fault(
        "changed",
        "it was chained to another line than the one before it",
      );
    } else {
      this.#lines++;
      this.#first ||= link.seq;
      if (link.event === "recovered") this.#recovered++;
      this.#anchored ||= link.hash === this.anchor;
      this.#head = { seq: link.seq, hash: link.hash };
    }
  }
}

const NOTHING: Pick<Gap, "hash" | "bytes"> = { hash: createHash("sha256"), bytes: 0 };

/** Whether a line tells of exactly what could not be read before it. */
function accounts(
  { event }: Link,
  line: Uint8Array,
  gap: Pick<Gap, "hash" | "bytes"> = NOTHING,
): boolean {
  if (event !== "recovered") return false;
  // As text: whoever can write the file can give a line its hash that is not JSON.
  const told = `"event":"recovered","bytes":${gap.bytes},"sha256":"${
    gap.hash.copy().digest("hex")
  }"`;
  return new TextDecoder().decode(line).includes(`${told},"hash":"`);
}
