/**
 * What an auditor asks for afterwards: who did what, and what was refused. Apart from the log,
 * which is for whoever runs the server.
 *
 * @module
 */

import type { Fields } from "./ports.ts";

/** Where audited events go, each of them once and in the order in which they happened. */
export interface Audit {
  /** Takes an event. Never throws and never waits. Arguments, contents and tokens have no place here. */
  write(event: string, fields?: Fields): void;
  /** Whether events can be kept. While they cannot, nothing that is audited may begin. */
  ready(): boolean;
}

/** Keeps nothing. */
export const UNAUDITED: Audit = { write() {}, ready: () => true };

/** What a caller hears while events cannot be kept. */
export const UNREADY = "The audit log cannot be written at the moment, so nothing was done";
