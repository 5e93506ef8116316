/**
 * Writing the audit log into a file, in the order of events and without holding up requests.
 *
 * When the disk fails or falls behind, lines wait here, and nothing that would be audited begins
 * until it is written again: the log may stop the server, never the other way round. What was begun
 * before still has room to end. Beyond that lines are lost, and a line says how many.
 *
 * @module
 */

import type { Audit } from "../audit.ts";
import type { Fields, Log } from "../ports.ts";
import { chained, entryOf, GENESIS, type Head } from "./chain.ts";
import type { AppendFile, AppendPath } from "./file.ts";
import { endingOf } from "./resume.ts";

/** How much may wait before nothing new begins, in characters. */
export const FULL = 1024 * 1024;

/** How much may wait at all, in characters. */
export const MAX_WAITING = 2 * FULL;

/** How much is written at once, in characters. */
const BATCH = 256 * 1024;

/** After how many milliseconds a write that failed is tried again. */
export const RETRY_MS = 1000;

/** How often the log is told how far the chain has come, in milliseconds, while it goes on. */
export const ANCHOR_MS = 60_000;

/** How long the last lines may take to be written, in milliseconds. */
export const FLUSH_MS = 2000;

/** What writing needs of the host. */
export interface WriterPorts {
  readonly wallMs: () => number;
  readonly log: Log;
}

/** An audit log in a file. */
export interface AuditFile extends Audit {
  /** Writes what waits, within two seconds. @returns Whether all of it was written. */
  close(): Promise<boolean>;
}

/**
 * Opens the file and goes on where an earlier run has ended.
 *
 * When the file is renamed, a new one begins in its place, with an event `continued` that is chained
 * to the last line of the old one.
 *
 * @throws {Error} When the file cannot be opened or does not end as an audit log.
 */
export async function auditFile(path: AppendPath, ports: WriterPorts): Promise<AuditFile> {
  const writer = new Writer(path, ports);
  await writer.begin();
  return writer;
}

class Writer implements AuditFile {
  #file: AppendFile | undefined;
  #head: Head = GENESIS;
  /** Bytes of lines that are in the chain already. */
  #unwritten: Uint8Array = new Uint8Array(0);
  #waiting: string[] = [];
  #size = 0;
  #lost = 0;
  #failing = false;
  #closing = false;
  #working: Promise<void> | undefined;
  #anchored = "";
  #anchor: ReturnType<typeof setTimeout> | undefined;
  #wake = () => {};

  constructor(private readonly path: AppendPath, private readonly ports: WriterPorts) {}

  async begin(): Promise<void> {
    try {
      this.#file = await this.path.open();
      const { head, separator, torn } = await endingOf(this.#file);
      this.#head = head;
      this.#unwritten = new TextEncoder().encode(separator);
      this.ports.log("info", "audit head", { ...head });
      if (!torn) return;
      this.ports.log("warn", "audit log recovered", { ...torn });
      this.#take("recovered", { ...torn });
    } catch (error) {
      this.#file?.close();
      this.path.release();
      throw error;
    }
  }

  write(event: string, fields: Fields = {}): void {
    if (this.#size > MAX_WAITING) this.#lost++;
    else this.#take(event, fields);
    this.#working ??= this.#work();
  }

  ready(): boolean {
    return !this.#failing && this.#size < FULL;
  }

  async close(): Promise<boolean> {
    this.#closing = true;
    this.#wake();
    this.#working ??= this.#work();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise((resolve) => timer = setTimeout(resolve, FLUSH_MS));
    await Promise.race([this.#working, late]);
    clearTimeout(timer);
    clearTimeout(this.#anchor);
    const { log } = this.ports;
    const isDone = this.#waiting.length === 0 && this.#unwritten.length === 0 && this.#lost === 0;
    if (!isDone) log("error", "audit lines lost", { lines: this.#waiting.length + this.#lost });
    this.#tellHead();
    this.#file?.close();
    this.path.release();
    return isDone;
  }

  #take(event: string, fields: Fields): void {
    const entry = entryOf(this.ports.wallMs(), event, fields);
    this.#waiting.push(entry);
    this.#size += entry.length;
  }

  async #work(): Promise<void> {
    const { log } = this.ports;
    // Callers go on first, so that one write takes what they all have to say.
    await Promise.resolve();
    while (this.#waiting.length > 0 || this.#unwritten.length > 0 || this.#lost > 0) {
      try {
        await this.#step();
        if (this.#failing) log("warn", "audit log written again");
        this.#failing = false;
      } catch (error) {
        if (!this.#failing) {
          log("error", "audit log not written", { error: String(error), refusing: "calls" });
        }
        this.#failing = true;
        if (this.#closing) break;
        await this.#pause();
      }
    }
    if (this.#closing && !this.#failing) await this.#file?.sync().catch(() => {});
    this.#working = undefined;
  }

  async #step(): Promise<void> {
    // A line that was begun is ended where it was begun.
    await this.#writeOut();
    if (!await this.#file!.inPlace()) await this.#reopen();
    const { lines, taken } = this.#link();
    this.#unwritten = new TextEncoder().encode(lines);
    this.#waiting.splice(0, taken);
    await this.#writeOut();
    this.#anchor ??= setTimeout(() => this.#tellHead(), ANCHOR_MS);
  }

  #link(): { lines: string; taken: number } {
    let lines = "";
    let taken = 0;
    const add = (entry: string) => {
      const { line, head } = chained(this.#head, entry);
      lines += line;
      this.#head = head;
    };
    while (taken < this.#waiting.length && lines.length < BATCH) {
      const entry = this.#waiting[taken++]!;
      this.#size -= entry.length;
      add(entry);
    }
    if (taken === this.#waiting.length && this.#lost > 0) {
      add(entryOf(this.ports.wallMs(), "lost", { lines: this.#lost }));
      this.#lost = 0;
    }
    return { lines, taken };
  }

  async #writeOut(): Promise<void> {
    while (this.#unwritten.length > 0) {
      const written = await this.#file!.write(this.#unwritten);
      this.#unwritten = this.#unwritten.subarray(written);
    }
  }

  async #reopen(): Promise<void> {
    const file = await this.path.open();
    const { size } = await file.tail(0);
    if (size > 0) {
      file.close();
      throw new Error("Cannot go on: another file has taken its place. Move it away");
    }
    this.#file!.close();
    this.#file = file;
    this.#waiting.unshift(entryOf(this.ports.wallMs(), "continued", {}));
    this.#size += this.#waiting[0]!.length;
    this.#tellHead();
  }

  /** Says in the log, which is kept elsewhere, how far the chain has come. */
  #tellHead(): void {
    clearTimeout(this.#anchor);
    this.#anchor = undefined;
    if (this.#anchored === this.#head.hash || this.#unwritten.length > 0) return;
    this.#anchored = this.#head.hash;
    this.ports.log("info", "audit head", { ...this.#head });
  }

  async #pause(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, RETRY_MS);
    });
    clearTimeout(timer);
  }
}
