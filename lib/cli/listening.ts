/**
 * Listening as the configuration says: in plain HTTP, or in HTTPS with a certificate whose files
 * are looked at again and again.
 *
 * They are read, not watched: what renews certificates replaces links and folders, which watching
 * a file does not notice everywhere.
 *
 * @module
 */

import { judgeKeyPair, type KeyPair, type KeyPairVerdict } from "../config/certificate.ts";
import type { HttpConfig } from "../config.ts";
import { among } from "../forwarded.ts";
import type { Log } from "../ports.ts";
import type { Fetch, Host, Listener } from "./host.ts";

/** How often the files are read, in milliseconds. */
export const RENEWAL_MS = 10_000;

/** Where to listen, with what, and for whom. */
type Where = Pick<HttpConfig, "host" | "port" | "tls" | "trustedProxies">;

/** Listens. @throws When the address cannot be had, or the certificate does not work. */
export function listening(
  { host: hostname, port, tls, trustedProxies }: Where,
  host: Pick<Host, "listen" | "listenTls" | "readFile" | "now">,
  fetch: Fetch,
  log: Log,
  renewalMs: number = RENEWAL_MS,
): Listener {
  const address = { hostname, port };
  if (!tls) return host.listen(address, fetch);
  const read = () => judgeKeyPair(tls, host.readFile);
  const first = read();
  if (!first.ok) {
    throw new Error(`Cannot serve HTTPS: MCP_TLS_${first.half.toUpperCase()}_FILE ${first.what}`);
  }
  let latest: KeyPairVerdict = first;
  const listener = host.listenTls(address, first.pair, fetch, among(trustedProxies));
  tell("certificate in use", first.pair, host.now(), log);
  const timer = setInterval(() => {
    const next = read();
    if (isSame(next, latest)) return;
    latest = next;
    const reason = next.ok ? attempt(() => listener.renew(next.pair)) : next.what;
    if (reason === undefined && next.ok) tell("certificate renewed", next.pair, host.now(), log);
    else log("error", "certificate not renewed; the one before goes on", { reason });
  }, renewalMs);
  return {
    port: listener.port,
    shutdown: () => {
      clearInterval(timer);
      return listener.shutdown();
    },
  };
}

function tell(event: string, { until }: KeyPair, now: number, log: Log): void {
  const isOver = Date.parse(until) / 1000 <= now;
  log(isOver ? "warn" : "info", event, { until, ...(isOver && { fix: "renew it" }) });
}

function isSame(one: KeyPairVerdict, other: KeyPairVerdict): boolean {
  if (one.ok && other.ok) {
    return one.pair.cert === other.pair.cert && one.pair.key === other.pair.key;
  }
  return !one.ok && !other.ok && one.what === other.what;
}

function attempt(act: () => void): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return String(error);
  }
}
