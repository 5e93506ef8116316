/**
 * Writing lines to a stream that may be read slowly or not at all, without waiting for it.
 *
 * A server must not stop because nobody reads its log. Lines that do not fit into the buffer are
 * dropped, and how many is said once there is room.
 *
 * @module
 */

/** How much may wait to be written, in characters. */
export const MAX_WAITING = 1024 * 1024;

/** A stream of lines. */
export interface Sink {
  /** Takes a line with its newline. Never throws and never waits. */
  write(line: string): void;
  /** How many lines were dropped so far. */
  dropped(): number;
  /** Resolves when all that was taken is written. */
  flush(): Promise<void>;
}

/** Prepares a sink over `write`, which writes some of its bytes and says how many. */
export function sink(write: (bytes: Uint8Array) => Promise<number>): Sink {
  const encoder = new TextEncoder();
  let waiting = "";
  let dropped = 0;
  let unsaid = 0;
  let writing: Promise<void> | undefined;

  const drain = async () => {
    try {
      while (waiting) {
        let bytes = encoder.encode(waiting);
        waiting = "";
        while (bytes.length > 0) bytes = bytes.subarray(await write(bytes));
        if (unsaid > 0) {
          waiting += `${unsaid} log lines were dropped: they were not read in time\n`;
        }
        unsaid = 0;
      }
    } catch {
      // Nobody reads the stream any more, and there is nowhere else to say so.
      waiting = "";
    } finally {
      writing = undefined;
    }
  };
  return {
    write(line) {
      if (waiting.length + line.length > MAX_WAITING) {
        dropped++;
        unsaid++;
      } else waiting += line;
      writing ??= drain();
    },
    dropped: () => dropped,
    async flush() {
      await writing;
    },
  };
}
