/**
 * Metrics of a running server, at an address of their own.
 *
 * Whoever can reach the address can read them; nothing in them is secret, but they tell how much is
 * going on.
 *
 * @module
 */

import { UNAUDITED } from "../audit.ts";
import type { Config } from "../config.ts";
import { plain, routes } from "../http.ts";
import { type Meter, UNMETERED } from "../meter.ts";
import { isLoopback } from "../origin.ts";
import type { Log } from "../ports.ts";
import { UNTRACED } from "../spans.ts";
import { tracer } from "../trace.ts";
import { VERSION } from "../version.ts";
import type { Host, Listener } from "./host.ts";

/** What counts, and what answers to whoever asks how much. */
export interface Metering {
  readonly meter: Meter;
  /** Absent when metrics are off. */
  readonly answer?: (request: Request) => Promise<Response>;
}

/** Prepares what `config` asks for. Loads nothing when metrics are off. */
export async function metering(
  { metrics: where, transport }: Config,
  host: Host,
): Promise<Metering> {
  if (!where || transport === "stdio") return { meter: UNMETERED };
  const { metrics } = await import("../metrics.ts");
  const { meter, text, contentType } = metrics({
    version: VERSION,
    deno: host.runtime.deno ?? "unknown",
    now: host.now,
    memory: host.memory,
    linesDropped: host.linesDropped,
  });
  const open = tracer({ ...host, log: () => {}, audit: UNAUDITED, spans: UNTRACED });
  const handle = routes([["/metrics", {
    GET: async () =>
      plain(200, (await text()).trimEnd(), {
        "content-type": contentType,
        "cache-control": "no-store",
      }),
  }]]);
  return { meter, answer: async (request) => await handle(request, open()) };
}

/** Serves metrics. @returns `undefined` when the address cannot be had, which is told on stderr. */
export function listenForMetrics(
  answer: (request: Request) => Promise<Response>,
  { metrics }: Config,
  host: Host,
  log: Log,
): Listener | undefined {
  const { host: hostname, port } = metrics!;
  try {
    const listener = host.listen({ hostname, port }, answer);
    log("info", "serving metrics", { listen: `${hostname}:${port}` });
    if (!isLoopback(hostname)) {
      log("warn", "metrics are served beyond this machine without a login", {
        fix: "let only Prometheus reach the address",
      });
    }
    return listener;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    host.stderr(`gatehouse: Cannot listen for metrics on ${hostname}:${port}: ${why}\n`);
    return undefined;
  }
}
