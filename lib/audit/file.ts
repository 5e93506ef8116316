/**
 * What the audit log needs of a file.
 *
 * @module
 */

/** A file that this process alone adds to. */
export interface AppendFile {
  /** The last bytes, at most `limit`, and how long all of it is. */
  tail(limit: number): Promise<{ readonly bytes: Uint8Array; readonly size: number }>;
  /** Adds some of the bytes, and says how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Whether its path still leads to it: it does not after the file was renamed or deleted. */
  inPlace(): Promise<boolean>;
  /** Waits until what was added would survive the machine's going down. */
  sync(): Promise<void>;
  close(): void;
}

/** A path that this process alone writes to. */
export interface AppendPath {
  /** Opens the file, and makes it and its folder when there are none, for their owner only. */
  open(): Promise<AppendFile>;
  /** Lets other processes write. */
  release(): void;
}
