/**
 * The audit log of a running server. A log that cannot be written stops the start: it must not be
 * missing without anybody noticing.
 *
 * @module
 */

import { type Audit, UNAUDITED } from "../audit.ts";
import { auditFile } from "../audit/writer.ts";
import { auditStream } from "../audit/stream.ts";
import type { Config } from "../config.ts";
import type { Log } from "../ports.ts";
import type { Host } from "./host.ts";

/** An audit log that was opened. */
export interface Auditing {
  readonly audit: Audit;
  /** Writes what waits. @returns Whether all of it was written. */
  close(): Promise<boolean>;
}

/** Opens the audit log that `config` asks for. @throws {Error} When it cannot be written. */
export async function auditing(
  { audit: where }: Config,
  host: Pick<Host, "append" | "stderr" | "wallMs">,
  log: Log,
): Promise<Auditing> {
  const close = () => Promise.resolve(true);
  if (where.kind === "off") return { audit: UNAUDITED, close };
  if (where.kind === "stderr") return { audit: auditStream(host.stderr, host.wallMs), close };
  try {
    const { wallMs } = host;
    const file = await auditFile(await host.append(where.path), { wallMs, log });
    return { audit: file, close: () => file.close() };
  } catch (error) {
    throw new Error(`Cannot write the audit log ${where.path}: ${adviceOn(error)}`);
  }
}

function adviceOn(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.name === "NotCapable"
    ? "Deno may write below ./data only. Use file:data/audit.jsonl, or allow the path and PATH.lock with --allow-write"
    : error.message.replace(/^Cannot [^:]*: /, "");
}
