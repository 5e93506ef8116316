/**
 * Connections of callers, who reach the cluster as themselves: each token has a client of its own,
 * for as long as it lives.
 *
 * Brokers take the identity of a connection when it is made, so none serves two tokens, not even of
 * one person: the second may allow less.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Identity } from "../../identity.ts";
import { ToolError } from "../../pack.ts";
import type { Cluster } from "./cluster.ts";
import { type Closable, lend, type Lent } from "./lent.ts";

/**
 * How many callers have connections at a time. The one who was away longest gives way, once nothing is
 * under way for them.
 */
export const MAX_CALLERS = 100;

/** The callers' clusters. */
export interface Callers {
  /** @throws {ToolError} Without a caller. */
  clusterOf(identity: Identity | undefined): Cluster;
  close(): Promise<void>;
}

/**
 * Prepares the connections.
 *
 * @param connect Makes a client that connects when it is first used.
 * @param now Unix seconds.
 */
export function callers(connect: (identity: Identity) => Closable, now: () => number): Callers {
  const leaving = new Map<Lent, Promise<void>>();
  const letGo = (lent: Lent) => {
    leaving.set(lent, lent.leave().catch(() => {}).finally(() => leaving.delete(lent)));
  };
  const known = new LRUCache<string, { readonly lent: Lent; readonly expiresAt: number }>({
    max: MAX_CALLERS,
    dispose: ({ lent }) => letGo(lent),
  });
  return {
    clusterOf(identity) {
      if (!identity) throw new ToolError("This tool needs a login, and there is none", "no caller");
      for (const [key, { expiresAt }] of known.entries()) {
        if (expiresAt <= now()) known.delete(key);
      }
      const key = createHash("sha256").update(identity.token).digest("base64");
      const found = known.get(key);
      if (found) return found.lent.cluster;
      const lent = lend(connect(identity));
      known.set(key, { lent, expiresAt: identity.expiresAt });
      return lent.cluster;
    },
    async close() {
      known.clear();
      for (const lent of leaving.keys()) lent.cut();
      await Promise.all(leaving.values());
    },
  };
}
