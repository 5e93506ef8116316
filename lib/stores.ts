/**
 * The stores by the scheme of their URL. Only the one in use is loaded.
 *
 * @module
 */

import type { Ports } from "./ports.ts";
import type { Store } from "./store.ts";

/**
 * Opens the store that `url` names: `memory:`, `sqlite:PATH`, `redis:` or `rediss:`.
 *
 * @throws {Error} When it names none, or the store cannot be opened. The message has no password.
 */
export async function storeOf(url: string, ports: Pick<Ports, "now" | "log">): Promise<Store> {
  const [, scheme, rest] = /^([a-z]+):(.*)$/s.exec(url) ?? [];
  if (scheme === "memory" && rest === "") return (await import("./store/memory.ts")).memory(ports);
  if (scheme === "sqlite" && rest) {
    return await (await import("./store/sqlite.ts")).sqlite(rest, ports);
  }
  if (scheme === "redis" || scheme === "rediss") {
    return await (await import("./store/redis.ts")).redis(url, ports);
  }
  // The text may have a password in it.
  throw new Error("Cannot use a store: its URL is not memory:, sqlite:PATH or redis://HOST:PORT");
}
