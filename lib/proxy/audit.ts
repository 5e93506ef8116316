/**
 * The events of proxy mode that an auditor asks for: who let which client do what, and what was
 * refused. Never a code or token.
 *
 * @module
 */

import type { Trace } from "../trace.ts";

/** What happened. */
export type AuditEvent =
  | "registered"
  | "consented"
  | "refused"
  | "issued"
  | "refreshed"
  | "reuse detected"
  | "ended"
  | "revoked";

/** With whom, and why. */
export interface AuditFacts {
  /** What step it was about: registration, authorization, consent, login, token, revocation. */
  readonly step: string;
  /** Name of the client, which it chose itself unless the operator did. */
  readonly client?: string | undefined;
  /** Name of the person. */
  readonly user?: string | undefined;
  readonly reason?: string | undefined;
  readonly scopes?: readonly string[];
  /** Where the client's answers go. */
  readonly redirects?: readonly string[];
}

const GOOD: ReadonlySet<AuditEvent> = new Set([
  "registered",
  "consented",
  "issued",
  "refreshed",
  "revoked",
]);

/** Writes an event into the audit log, and into the log, marked so that a collector can tell it apart. */
export function audit(trace: Trace, event: AuditEvent, facts: AuditFacts): void {
  trace.audit(event, { ...facts });
  trace.log(GOOD.has(event) ? "info" : "warn", event, { audit: true, ...facts });
}
