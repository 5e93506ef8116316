/**
 * The answers of a broker as they arrive, before the library takes them.
 *
 * The library holds as much as an answer says that it has, and lets an answer of impossible size end
 * the process.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import type { Socket } from "node:net";

/** The largest answer, in bytes: what brokers take for a request, unless set otherwise. */
export const MOST_ANSWER_BYTES = 100 * 1024 * 1024;

const SIZE_BYTES = 4;

/** Every answer begins with the number that its request was given. */
const LEAST_ANSWER_BYTES = 4;

/** How an alert of TLS begins. */
const ALERT = 0x1503;

/**
 * Has a socket pass on what it reads to its only reader in whole sizes: an answer that is too short
 * or too long ends the connection, and so does one that the reader chokes on.
 */
export function bound(socket: Socket, mostBytes = MOST_ANSWER_BYTES): void {
  const [read] = socket.listeners("data");
  const check = sizes(mostBytes);
  socket.on("data", (chunk: Buffer) => {
    try {
      check(chunk);
      read?.call(socket, chunk);
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  });
  if (read) socket.removeListener("data", read as (chunk: Buffer) => void);
}

/** Prepares the check of sizes in what arrives piece by piece. @throws {Error} For a bad size. */
export function sizes(mostBytes: number): (chunk: Uint8Array) => void {
  let left = 0;
  let size = 0;
  let known = 0;
  return (chunk) => {
    for (let at = 0; at < chunk.length;) {
      if (left > 0) {
        const step = Math.min(left, chunk.length - at);
        left -= step;
        at += step;
        continue;
      }
      size = size * 256 + chunk[at++]!;
      if (++known < SIZE_BYTES) continue;
      if (size < LEAST_ANSWER_BYTES || size > mostBytes) {
        throw new Error(
          size >>> 16 === ALERT ? "Broker requires TLS" : `Cannot read an answer of ${size} bytes`,
        );
      }
      left = size;
      size = known = 0;
    }
  };
}
