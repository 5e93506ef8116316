/**
 * What `main.ts` lends to commands, beyond the ports of the program itself.
 *
 * @module
 */

import type { Ports } from "../ports.ts";
import type { Problem } from "../config/sources.ts";

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

/** The process this program runs in. */
export interface Host extends Omit<Ports, "log"> {
  readonly wallMs: () => number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Versions of what the program runs on. */
  readonly runtime: Readonly<Record<string, string>>;
  readonly readFile: (path: string) => string;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Whether stderr is a terminal. */
  readonly terminal: boolean;
  /** Aborts when the process is asked to stop. */
  readonly stop: AbortSignal;
  /** @throws When the address cannot be had. Port 0 stands for any that is free. */
  readonly listen: (
    address: { readonly hostname: string; readonly port: number },
    fetch: (request: Request, remote: string) => Promise<Response>,
  ) => Listener;
}

/** Tells all problems on stderr, each with its fix. */
export function tellProblems(host: Host, problems: readonly Problem[]): void {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  host.stderr(`gatehouse: ${count}\n`);
  for (const { where, what, fix } of problems) host.stderr(`\n  ${where} ${what}\n    ${fix}\n`);
}
