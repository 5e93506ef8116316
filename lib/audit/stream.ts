/**
 * The audit log on a stream that others collect, such as stderr. Every start begins a chain anew.
 *
 * @module
 */

import type { Audit } from "../audit.ts";
import { chained, entryOf, GENESIS, type Head } from "./chain.ts";

/** Writes every event at once. @param write Takes one line with its newline. */
export function auditStream(write: (line: string) => void, wallMs: () => number): Audit {
  let at: Head = GENESIS;
  return {
    write: (event, fields = {}) => {
      const { line, head } = chained(at, entryOf(wallMs(), event, fields));
      at = head;
      write(line);
    },
    ready: () => true,
  };
}
