/**
 * What the host lends this program. Nothing else in `lib/` reads a clock, draws entropy, opens a
 * socket or prints; `main.ts` builds the real ports and tests build their own.
 *
 * @module
 */

import type { Audit } from "./audit.ts";
import type { Meter } from "./meter.ts";
import type { Spans } from "./spans.ts";

/** Severity of a log event, least first. */
export const LEVELS = ["debug", "info", "warn", "error"] as const;

/** One of {@linkcode LEVELS}. */
export type Level = (typeof LEVELS)[number];

/** Facts of one event. `undefined` is left out; secrets have no place here. */
export type Fields = Record<string, unknown>;

/** Writes one event. Never throws. */
export type Log = (level: Level, event: string, fields?: Fields) => void;

/** Certificates for connections to one service, in PEM. */
export interface Certificates {
  /** Certificates that vouch for the service, besides the system's. */
  readonly ca?: string;
  /** What this program shows of itself; one never without the other. */
  readonly cert?: string;
  readonly key?: string;
}

/** Everything the program borrows from its host. */
export interface Ports {
  /** Current time as Unix seconds, whole. */
  readonly now: () => number;
  /** Milliseconds of a clock that only goes forward, for measuring durations. */
  readonly elapsedMs: () => number;
  /** `length` bytes from a cryptographic source. */
  readonly random: (length: number) => Uint8Array<ArrayBuffer>;
  /** Outbound HTTP. */
  readonly fetch: (request: Request) => Promise<Response>;
  /** Outbound HTTP with certificates of its own. Throws when they are none. */
  readonly fetchWith: (tls: Certificates) => (request: Request) => Promise<Response>;
  /** Addresses of a host name, IPv4 and IPv6, as texts. Rejects when it has none. */
  readonly resolve: (hostname: string) => Promise<readonly string[]>;
  /**
   * Outbound HTTPS to one address, whatever the name in the URL resolves to. TLS and `Host` are
   * those of the name. Follows no redirect and uses no proxy.
   */
  readonly fetchAt: (request: Request, address: string) => Promise<Response>;
  /** A file as text. Throws when it cannot be read. */
  readonly readFile: (path: string) => string;
  /** Where events go. */
  readonly log: Log;
  /** Where audited events go. */
  readonly audit: Audit;
  /** What counts. */
  readonly meter: Meter;
  /** What makes spans of distributed traces. */
  readonly spans: Spans;
}
