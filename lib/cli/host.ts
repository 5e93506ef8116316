/**
 * What `main.ts` lends to commands, beyond the ports of the program itself.
 *
 * @module
 */

import type { Memory } from "../metrics.ts";
import type { Ports } from "../ports.ts";
import type { KeyPair } from "../config/certificate.ts";
import type { Problem } from "../config/sources.ts";
import type { Append } from "./append.ts";

/** Exit statuses. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

/** One of {@linkcode EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A running HTTP listener. */
export interface Listener {
  /** The port that was had. */
  readonly port: number;
  /** Accepts nothing more; resolves when every request in flight has been answered. */
  shutdown(): Promise<void>;
}

/** A running HTTPS listener. */
export interface SecureListener extends Listener {
  /**
   * Shows `pair` to whoever connects from now on. Connections go on.
   *
   * @throws When it does not work; then nothing has changed.
   */
  renew(pair: KeyPair): void;
}

/**
 * Answers a request.
 *
 * @param remote Address of the socket's other end.
 * @param completed Settles when the answer has been sent to its end, or could not be.
 */
export type Fetch = (
  request: Request,
  remote: string,
  completed: Promise<void>,
) => Promise<Response>;

/** A file that is read from its beginning. */
export interface OpenFile {
  readonly size: number;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** Where to listen. Port 0 stands for any that is free. */
export interface ListenAddress {
  readonly hostname: string;
  readonly port: number;
}

/** The process this program runs in. */
export interface Host extends Omit<Ports, "log" | "audit" | "meter"> {
  readonly wallMs: () => number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Versions of what the program runs on. */
  readonly runtime: Readonly<Record<string, string>>;
  /** How much memory the process has, and its values take with their garbage, in bytes. */
  readonly memory: () => Memory;
  /** How many lines of the log were not read in time, and are lost. */
  readonly linesDropped: () => number;
  /** Takes hold of a file to add to. */
  readonly append: Append;
  /** The bytes of a file, and how many they are. Rejects when it cannot be read. */
  readonly open: (path: string) => Promise<OpenFile>;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Whether stderr is a terminal. */
  readonly terminal: boolean;
  /** Aborts when the process is asked to stop. */
  readonly stop: AbortSignal;
  /** Serves plain HTTP. @throws When the address cannot be had. */
  readonly listen: (address: ListenAddress, fetch: Fetch) => Listener;
  /**
   * Serves HTTPS, within bounds on connections.
   *
   * @param isExempt Whose connections do not count against the bound of one address.
   * @throws When the address cannot be had, or `pair` does not work.
   */
  readonly listenTls: (
    address: ListenAddress,
    pair: KeyPair,
    fetch: Fetch,
    isExempt?: (address: string) => boolean,
  ) => SecureListener;
}

/** Tells all problems on stderr, each with its fix. */
export function tellProblems(host: Pick<Host, "stderr">, problems: readonly Problem[]): void {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  host.stderr(`gatehouse: ${count}\n`);
  for (const { where, what, fix } of problems) host.stderr(`\n  ${where} ${what}\n    ${fix}\n`);
}
