/**
 * One client's connection, passed on byte by byte to the server behind it.
 *
 * @module
 */

/** How much is read at once, in bytes; each connection has two buffers of it. */
const BUFFER_BYTES = 16 * 1024;

/** How long a client may take to read the rest once the server has ended, in milliseconds. */
const LINGER_MS = 5_000;

/** How long a connection may go without a request, in milliseconds. */
export interface Patience {
  /** Until the first one has begun, TLS and its headers included. */
  readonly firstMs: number;
  /** From the end of one to the headers of the next. */
  readonly idleMs: number;
}

/** The parts of a TCP connection that are used. */
export type Wire = Pick<Deno.Conn, "read" | "write" | "closeWrite" | "close">;

/**
 * Passes on what either side says until both have ended, or until the client keeps the server
 * waiting for longer than it should.
 *
 * It does not look into what it passes on, so it is told when requests begin and end.
 */
export class Relay {
  /** Resolves when both connections are closed. */
  readonly ended: Promise<void>;
  #open = 0;
  #hasBegun = false;
  #isOver = false;
  #isClosed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param client Whose connection it is.
   * @param server A connection of its own to the server behind.
   */
  constructor(
    private readonly client: Wire,
    private readonly server: Wire,
    private readonly patience: Patience,
  ) {
    this.#wait(patience.firstMs);
    this.ended = Promise.all([this.#ask(), this.#answer()]).then(() => this.close());
  }

  /** Tells that a request has begun. @returns What tells that it has been answered in full. */
  begin(): () => void {
    this.#open++;
    this.#hasBegun = true;
    clearTimeout(this.#timer);
    return () => {
      this.#open--;
      if (this.#open === 0 && !this.#isOver) this.#wait(this.patience.idleMs);
    };
  }

  /** Breaks off when nothing was ever asked; what has begun is for the server to end. */
  leave(): void {
    if (!this.#hasBegun) this.close();
  }

  /** Breaks both connections off. */
  close(): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isOver = true;
    for (const wire of [this.client, this.server]) {
      try {
        wire.close();
      } catch {
        // It is closed already.
      }
    }
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.close(), ms);
  }

  async #ask(): Promise<void> {
    const buffer = new Uint8Array(BUFFER_BYTES);
    let isHeard = true;
    for (;;) {
      const size = await this.client.read(buffer).catch(() => undefined);
      if (size === undefined) return this.close();
      if (size === null) return void await this.server.closeWrite().catch(() => {});
      // A server may answer and close before it has read everything: the rest goes nowhere, but
      // is read, or else the client would not come to read the answer.
      isHeard &&= await writeAll(this.server, buffer.subarray(0, size)).then(
        () => true,
        () => false,
      );
    }
  }

  async #answer(): Promise<void> {
    const buffer = new Uint8Array(BUFFER_BYTES);
    try {
      for (;;) {
        const size = await this.server.read(buffer);
        if (size === null) break;
        await writeAll(this.client, buffer.subarray(0, size));
      }
    } catch {
      // One of them broke off, which ends the answer as well.
    }
    if (this.#isClosed) return;
    this.#isOver = true;
    this.#wait(LINGER_MS);
    await this.client.closeWrite().catch(() => this.close());
  }
}

async function writeAll(wire: Wire, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await wire.write(bytes.subarray(sent));
}
