/**
 * How often one client may ask what anybody may ask, by its address.
 *
 * It counts in memory, per replica, for a bounded number of clients: past those, who has not asked
 * for the longest time is forgotten and starts afresh. It has no timers and reads no clock of its
 * own, which is why it is not `rate-limiter-flexible`, whose memory has both and no bound.
 *
 * @module
 */

import ipaddr from "ipaddr.js";
import { LRUCache } from "lru-cache";

/** How many clients are remembered when nothing else is said. */
export const MAX_CLIENTS = 10_000;

/** Settings of {@linkcode limiter}. */
export interface LimitOptions {
  /** How many requests in a row are admitted. Whole, 1 or more. */
  readonly limit: number;
  /** In how many seconds that many are admitted again, evenly spread. Whole, 1 or more. */
  readonly windowSeconds: number;
  /** @default {MAX_CLIENTS} */
  readonly maxClients?: number;
}

/**
 * Prepares a limit: a leaking bucket per client, so `limit` requests at once, and over any longer
 * time `limit` per window on top.
 *
 * A refused request costs nothing, so waiting as told always helps. An IPv6 client is its /64,
 * which is what one customer has at least; an IPv4 address is the same client in either notation;
 * and all that is no address is one client.
 *
 * @param now Unix seconds.
 * @returns Judges a request by its client's address: 0 to admit it, or after how many seconds to
 * try again.
 */
export function limiter(
  { limit, windowSeconds, maxClients = MAX_CLIENTS }: LimitOptions,
  now: () => number,
): (address: string) => number {
  // Until when a bucket leaks, in units of 1/limit seconds: a request adds windowSeconds of them,
  // and whole numbers stay exact.
  const empties = new LRUCache<string, number>({ max: maxClients });
  const capacity = limit * windowSeconds;
  return (address) => {
    const client = clientOf(address);
    const at = now() * limit;
    // No bucket is more than full, even when the clock was set back.
    const until = Math.min(Math.max(empties.get(client) ?? at, at), at + capacity);
    const excess = until + windowSeconds - (at + capacity);
    if (excess > 0) return Math.ceil(excess / limit);
    empties.set(client, until + windowSeconds);
    return 0;
  };
}

/** What the clients of one address have in common: the address, or with IPv6 its /64. */
export function clientOf(address: string): string {
  const parsed = parse(address);
  if (!parsed) return "unknown";
  return "parts" in parsed ? parsed.parts.slice(0, 4).join(":") : parsed.toString();
}

// The library also reads 0x7f.1 and the like, which no socket and no proxy writes.
function parse(address: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  if (!ipaddr.IPv4.isValidFourPartDecimal(address) && !ipaddr.IPv6.isValid(address)) return;
  return ipaddr.process(address);
}
