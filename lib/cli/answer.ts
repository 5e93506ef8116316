/**
 * Reads one HTTP/1.1 answer from a connection that carries nothing else (RFC 9112).
 *
 * Strict: what a careful server does not send is an error, above all two ways to tell where the
 * body ends. Bounded: the head has a cap, and the body is read as it is asked for. Trailers are not
 * read, since the connection ends with the answer.
 *
 * @module
 */

import { Buffer } from "node:buffer";

/** Largest head of an answer, interim ones included, in bytes. */
export const MAX_HEAD_BYTES = 16 * 1024;

/** Longest line before a chunk of a body, in bytes. */
export const MAX_CHUNK_LINE_BYTES = 256;

/** The next bytes of a connection; `null` at its end. */
export type Read = () => Promise<Uint8Array | null>;

/**
 * Reads an answer to a GET.
 *
 * @param read Called again when the bytes at hand do not suffice, never twice at a time.
 * @param close Called when nothing more will be read; may be called more than once.
 * @throws {Error} When what is read is no answer. The body of an answer fails in the same way.
 */
export async function readAnswer(read: Read, close: () => void): Promise<Response> {
  const wire = new Wire(read);
  const { status, headers } = await readHead(wire);
  const empty = status === 204 || status === 205 || status === 304;
  const chunks = bodyOf(wire, headers);
  if (empty) close();
  const body = empty ? null : new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(to) {
      try {
        const { done, value } = await chunks.next();
        if (value) return to.enqueue(value);
        if (done) to.close();
      } catch (error) {
        to.error(error);
      }
      close();
    },
    cancel: close,
  }, { highWaterMark: 0 });
  return new Response(body, { status, headers });
}

interface Head {
  readonly status: number;
  readonly headers: Headers;
}

async function readHead(wire: Wire): Promise<Head> {
  let left = MAX_HEAD_BYTES;
  const line = async () => {
    const text = await wire.line(left);
    left -= text.length + 2;
    return text;
  };
  for (;;) {
    const [, digits] = /^HTTP\/1\.[01] ([1-5]\d\d)(?: [^\0\r]*)?$/.exec(await line()) ?? [];
    if (!digits) throw new Error("Cannot read the answer: it does not begin as one");
    const headers = new Headers();
    for (let text = await line(); text !== ""; text = await line()) {
      // No blank before the colon and none before the name: both were ways to hide a header.
      const [, name, value] = /^([^:\s]+):[ \t]*(.*?)[ \t]*$/.exec(text) ?? [];
      if (!name) throw new Error("Cannot read the answer: a header is malformed");
      headers.append(name, value!);
    }
    const status = Number(digits);
    if (status === 101) throw new Error("Cannot read the answer: it changes the protocol");
    if (status >= 200) return { status, headers };
  }
}

async function* bodyOf(wire: Wire, headers: Headers): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const [coding, length] = [headers.get("transfer-encoding"), headers.get("content-length")];
  if (coding !== null) {
    if (length !== null || coding.toLowerCase() !== "chunked") {
      throw new Error("Cannot read the body: its framing is ambiguous");
    }
    return yield* chunked(wire);
  }
  // A list of lengths is refused even when they agree.
  if (length !== null && !/^\d{1,15}$/.test(length)) {
    throw new Error("Cannot read the body: its length is malformed");
  }
  if (length !== null) return yield* wire.exactly(Number(length));
  for (;;) {
    const bytes = await wire.some(Infinity);
    if (!bytes) return;
    yield bytes;
  }
}

async function* chunked(wire: Wire): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (;;) {
    const line = await wire.line(MAX_CHUNK_LINE_BYTES);
    const [, digits] = /^([0-9a-f]{1,8})(?:[ \t]*;.*)?$/i.exec(line) ?? [];
    if (!digits) throw new Error("Cannot read the body: the size of a chunk is malformed");
    const size = parseInt(digits, 16);
    if (size === 0) return;
    yield* wire.exactly(size);
    if (await wire.line(2) !== "") throw new Error("Cannot read the body: a chunk is too long");
  }
}

class Wire {
  readonly #read: Read;
  #bytes = new Uint8Array(0);

  constructor(read: Read) {
    this.#read = read;
  }

  /** The next line, without its end, as Latin-1; no longer than `limit` bytes with its end. */
  async line(limit: number): Promise<string> {
    for (;;) {
      const end = this.#bytes.indexOf(0x0a);
      if ((end < 0 ? this.#bytes.length : end + 1) > limit) {
        throw new Error("Cannot read the answer: a line is too long");
      }
      if (end >= 0) {
        const text = Buffer.from(this.#take(end + 1)).toString("latin1");
        if (text.at(-2) !== "\r") throw new Error("Cannot read the answer: a line ends badly");
        return text.slice(0, -2);
      }
      const more = await this.#read();
      if (!more) throw new Error("Cannot read the answer: it breaks off");
      this.#bytes = new Uint8Array(Buffer.concat([this.#bytes, more]));
    }
  }

  /** The next bytes, at most `limit`; `null` at the end. */
  async some(limit: number): Promise<Uint8Array<ArrayBuffer> | null> {
    if (this.#bytes.length === 0) {
      const more = await this.#read();
      if (!more) return null;
      this.#bytes = new Uint8Array(more);
    }
    return this.#take(Math.min(limit, this.#bytes.length));
  }

  async *exactly(length: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    for (let left = length; left > 0;) {
      const bytes = await this.some(left);
      if (!bytes) throw new Error("Cannot read the body: it breaks off");
      left -= bytes.length;
      yield bytes;
    }
  }

  #take(length: number): Uint8Array<ArrayBuffer> {
    const taken = this.#bytes.slice(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return taken;
  }
}
