/**
 * Paths that this process alone writes to: an advisory lock on a file beside it keeps others of
 * this program away.
 *
 * Not on the file itself: on Windows nobody else could read it then.
 *
 * @module
 */

import { dirname } from "node:path";
import type { AppendFile, AppendPath } from "../audit/file.ts";

const OWNER_ONLY = { file: 0o600, folder: 0o700 } as const;

/**
 * Takes hold of a path.
 *
 * Rejects when the file cannot be written, or another process holds the path.
 */
export type Append = (path: string) => Promise<AppendPath>;

/** Makes the port out of what opens files. */
export function appending(host: Pick<typeof Deno, "open" | "stat" | "mkdir">): Append {
  return async (path) => {
    await host.mkdir(dirname(path), { recursive: true, mode: OWNER_ONLY.folder });
    const options = { create: true, write: true, mode: OWNER_ONLY.file };
    const lock = await host.open(`${path}.lock`, options);
    if (!await lock.tryLock(true)) {
      lock.close();
      throw new Error("Cannot append: another process writes to it. Give each a file of its own");
    }
    return {
      open: async () => {
        const file = await host.open(path, {
          read: true,
          append: true,
          create: true,
          mode: OWNER_ONLY.file,
        });
        return fileAt(path, file, host);
      },
      release: () => lock.close(),
    };
  };
}

function fileAt(path: string, file: Deno.FsFile, host: Pick<typeof Deno, "stat">): AppendFile {
  return {
    tail: async (limit) => {
      const { size } = await file.stat();
      const bytes = new Uint8Array(Math.min(limit, size));
      await file.seek(size - bytes.length, 0);
      let filled = 0;
      while (filled < bytes.length) {
        const count = await file.read(bytes.subarray(filled));
        if (count === null) break;
        filled += count;
      }
      return { bytes: bytes.subarray(0, filled), size };
    },
    write: (bytes) => file.write(bytes),
    inPlace: async () => {
      const [own, there] = await Promise.all([
        file.stat(),
        host.stat(path).catch((error) => {
          if (error.name === "NotFound") return undefined;
          throw error;
        }),
      ]);
      return there !== undefined && there.ino === own.ino && there.dev === own.dev;
    },
    sync: () => file.sync(),
    close: () => file.close(),
  };
}
