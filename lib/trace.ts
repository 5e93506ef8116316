/**
 * One request's own log: an id on every line, and one closing line that tells what happened.
 *
 * @module
 */

import type { Fields, Level, Ports } from "./ports.ts";

/** The log of one request. */
export interface Trace {
  /** Names the request in every line and in `x-request-id`. Unique per process, not secret. */
  readonly id: string;
  /** Address of whoever sent the request, as far as proxies in front can be trusted. */
  readonly address: string;
  /** Settles when the answer is out, or its reader gone. */
  readonly completed: Promise<void>;
  /**
   * Adds facts to the closing line. A fact that comes after it, as when a stream ends, gets a line
   * of its own.
   */
  note(fields: Fields): void;
  /** Writes a line now. */
  log(level: Level, event: string, fields?: Fields): void;
  /** Writes an event of this request into the audit log. */
  audit(event: string, fields: Fields): void;
}

/** A trace that can be closed by whoever opened it. */
export interface OpenTrace extends Trace {
  /** Writes the closing line with `fields` and the milliseconds since the trace was opened. */
  close(level: Level, event: string, fields: Fields): void;
}

/**
 * Prepares the maker of traces: ids are a random prefix drawn once and a counter.
 *
 * @param ports Where lines and audited events go, the duration clock, entropy for the prefix, and the distributed trace
 *   that a request is part of.
 */
export function tracer(
  ports: Pick<Ports, "log" | "audit" | "elapsedMs" | "random" | "spans">,
): (address?: string, completed?: Promise<void>) => OpenTrace {
  const prefix = ports.random(5).toHex();
  let count = 0;
  return (address = "", completed = Promise.resolve()) =>
    new RequestTrace(`${prefix}-${(++count).toString(36)}`, address, completed, ports);
}

class RequestTrace implements OpenTrace {
  readonly #started: number;
  readonly #names: Fields;
  #facts: Fields = {};
  #closed = false;

  constructor(
    readonly id: string,
    readonly address: string,
    readonly completed: Promise<void>,
    private readonly ports: Pick<Ports, "log" | "audit" | "elapsedMs" | "spans">,
  ) {
    this.#started = ports.elapsedMs();
    const trace = ports.spans.traceId();
    this.#names = trace === undefined ? { id } : { id, trace };
  }

  note(fields: Fields): void {
    if (this.#closed) this.log("info", "stream", { ...fields, ms: this.#ms() });
    else Object.assign(this.#facts, fields);
  }

  log(level: Level, event: string, fields?: Fields): void {
    this.ports.log(level, event, Object.assign({}, this.#names, fields, this.#names));
  }

  audit(event: string, fields: Fields): void {
    const { id, address } = this;
    const from = address === "" ? { id } : { id, address };
    this.ports.audit.write(event, Object.assign({}, from, fields, from));
  }

  close(level: Level, event: string, fields: Fields): void {
    this.log(level, event, Object.assign({}, fields, this.#facts, fields, { ms: this.#ms() }));
    this.#closed = true;
    this.#facts = {};
  }

  #ms(): number {
    return Math.round((this.ports.elapsedMs() - this.#started) * 10) / 10;
  }
}
