/**
 * A store in an SQLite file: survives a restart, and is shared by the processes of one machine.
 *
 * Each operation is one statement, which is what makes it atomic. What a process has written is
 * there after it crashes; what was written in the last moments before the machine itself went down
 * may not be. Not for network file systems, whose locks SQLite cannot rely on.
 *
 * @see {@link https://www.sqlite.org/wal.html}
 * @module
 */

import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Ports } from "../ports.ts";
import type { Store } from "../store.ts";
import { bounded } from "./bounds.ts";

/** How large the file may become, in bytes. */
export const MAX_FILE_BYTES = 1024 * 1024 * 1024;

/** After how many writes expired entries are looked for. */
export const PURGE_WRITES = 64;

/** How many of them are purged at once: more than can have come in since. */
export const PURGE_ENTRIES = 2 * PURGE_WRITES;

/** How long a write waits for that of another process, in milliseconds. Nothing else runs then. */
const BUSY_MS = 2_000;

/** Format of the file. */
const VERSION = 1;

/**
 * Opens a store, and makes its file and folder when there are none, for their owner only.
 *
 * @param path Relative to the working directory. SQLite keeps two more files beside it.
 * @param maxBytes How large the file may become; entries that do not fit in are refused.
 * @throws {Error} When the file cannot be opened, or is of a later version of this program.
 */
// deno-lint-ignore require-await
export async function sqlite(
  path: string,
  ports: Pick<Ports, "now">,
  maxBytes: number = MAX_FILE_BYTES,
): Promise<Store> {
  const { now } = ports;
  const database = open(resolve(path), maxBytes);
  const statements = prepare(database);
  let writes = 0;

  const write = (statement: StatementSync, ...values: (string | number | Uint8Array)[]) => {
    if (++writes % PURGE_WRITES === 0) statements.purge.run(now(), PURGE_ENTRIES);
    return statement.run(...values).changes === 1;
  };
  return bounded({
    get: (key) => textOf(statements.get.all(key, now())),
    put: (key, value, ttlSeconds) => {
      write(statements.put, key, ENCODER.encode(value), now() + ttlSeconds);
    },
    putIfAbsent: (key, value, ttlSeconds) =>
      write(statements.putIfAbsent, key, ENCODER.encode(value), now() + ttlSeconds, now()),
    replace: (key, expected, value, ttlSeconds) => {
      const [before, after] = [ENCODER.encode(expected), ENCODER.encode(value)];
      return write(statements.replace, after, now() + ttlSeconds, key, before, now());
    },
    take: (key) => textOf(statements.take.all(key, now())),
    ready: () => statements.probe.all().length <= 1,
    close: () => database.close(),
  });
}

function open(path: string, maxBytes: number): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    create(path);
    database = new DatabaseSync(path);
    database.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
    database.exec("PRAGMA journal_mode = WAL");
    database.exec("PRAGMA synchronous = NORMAL");
    migrate(database);
    const { page_size } = database.prepare("PRAGMA page_size").get() as { page_size: number };
    database.exec(`PRAGMA max_page_count = ${Math.floor(maxBytes / page_size)}`);
    return database;
  } catch (error) {
    database?.close();
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot open the store ${path}: ${why}`, { cause: error });
  }
}

// The files that SQLite adds get the permissions of this one. One that is there is left alone: to
// close any handle of a file takes this process's locks off it.
function create(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    closeSync(openSync(path, "ax", 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

// Several processes may start on one new file: the first makes the table, the others wait for it.
function migrate(database: DatabaseSync): void {
  database.exec("BEGIN IMMEDIATE");
  const { user_version: version } = database.prepare("PRAGMA user_version").get() as {
    user_version: number;
  };
  if (version > VERSION) {
    throw new Error(`Cannot read format ${version}: this program knows formats up to ${VERSION}`);
  }
  // Values are blobs: what comes out is byte for byte what went in, whatever a text may contain.
  if (version === 0) {
    database.exec(`
      CREATE TABLE entries (
        key TEXT PRIMARY KEY,
        value BLOB NOT NULL,
        expires_at INTEGER NOT NULL -- Unix seconds; from then on it counts as absent
      ) STRICT;
      CREATE INDEX entries_by_expiry ON entries (expires_at);
      PRAGMA user_version = ${VERSION};
    `);
  }
  database.exec("COMMIT");
}

function prepare(database: DatabaseSync) {
  const upsert = `
    INSERT INTO entries (key, value, expires_at) VALUES (?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at`;
  return {
    get: database.prepare("SELECT value FROM entries WHERE key = ? AND expires_at > ?"),
    put: database.prepare(upsert),
    putIfAbsent: database.prepare(`${upsert} WHERE entries.expires_at <= ?`),
    replace: database.prepare(`
      UPDATE entries SET value = ?, expires_at = ? WHERE key = ? AND value = ? AND expires_at > ?`),
    take: database.prepare("DELETE FROM entries WHERE key = ? AND expires_at > ? RETURNING value"),
    purge: database.prepare(`
      DELETE FROM entries WHERE key IN (SELECT key FROM entries WHERE expires_at <= ? LIMIT ?)`),
    probe: database.prepare("SELECT 1 FROM entries LIMIT 1"),
  };
}

const ENCODER = new TextEncoder();
// A byte order mark is part of the value.
const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });

function textOf(rows: readonly Record<string, unknown>[]): string | undefined {
  const value = rows[0]?.value;
  return value instanceof Uint8Array ? DECODER.decode(value) : undefined;
}
