/**
 * Connections to brokers: opened when they are needed, lent to one exchange at a time, and let go of
 * when they stood idle or their login is about to end.
 *
 * A broker answers what comes over one connection in turn, so that whatever waits holds up all that
 * follows. Exchanges of different kinds have connections of their own, of which there are few.
 *
 * @module
 */

import { isIP } from "node:net";
import { apiVersionsV3, Connection, type ConnectionOptions } from "@platformatic/kafka";
import type { Certificates, Ports } from "../../ports.ts";
import { isRefusedLogin, unreachable } from "./failures.ts";
import { bound } from "./frames.ts";
import { loginOf, type Sasl } from "./sasl.ts";
import { seat, type Seats, unseat } from "../seats.ts";

/** How brokers are reached. */
export interface ConnectOptions {
  /** As brokers see it in their logs and quotas. */
  readonly clientId: string;
  readonly sasl?: Sasl | undefined;
  /** Without it, connections are in the clear. */
  readonly tls?: Certificates | undefined;
  /** The longest that a call may take, in milliseconds. */
  readonly timeoutMs: number;
}

/** Where a broker listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What a connection is used for. */
export type Lane = "ask" | "read" | "write";

/** The versions of each request that a broker understands, by the number of the request. */
export type Versions = ReadonlyMap<number, { readonly oldest: number; readonly newest: number }>;

/** What is done with a connection. Anything that it throws ends the connection. */
export type Exchange<T> = (connection: Connection, versions: Versions) => Promise<T>;

/** Lends connections. */
export interface Connections {
  /**
   * Does something with a connection that nobody else uses meanwhile.
   *
   * @throws {Passing} When there is no connection to be had, or it is lost.
   * @throws The signal's reason, when that aborts.
   */
  use<T>(address: Address, lane: Lane, signal: AbortSignal, exchange: Exchange<T>): Promise<T>;
  /** Ends all connections. */
  close(): Promise<void>;
}

/** How many connections of each kind there may be to one broker. */
const SEATS: Readonly<Record<Lane, number>> = { ask: 2, read: 2, write: 4 };

/** Brokers end idle connections after ten minutes, and routers on the way sooner. */
const IDLE_MS = 60_000;

/** How long a connection may take to be made, login included: so that there is time for another. */
const MOST_CONNECT_MS = 5_000;
const CONNECT_SHARE = 1 / 3;

interface Line {
  readonly connection: Connection;
  readonly versions: Versions;
  /** When it is to be replaced, in milliseconds of the clock. */
  readonly until: number;
  usedAt: number;
}

interface Lines extends Seats {
  readonly idle: Line[];
}

/** Prepares connections; none is opened before it is used. */
export function connections(
  options: ConnectOptions,
  { elapsedMs }: Pick<Ports, "elapsedMs">,
): Connections {
  const seats = new Map<string, Lines>();
  const open = new Map<Connection, Promise<unknown>>();

  const end = (connection: Connection): void => {
    connection.close(() => {});
    // It may be in the middle of an answer that nobody waits for.
    connection.socket.destroy();
  };

  const opened = async ({ host, port }: Address, signal: AbortSignal): Promise<Line> => {
    const begun = elapsedMs();
    const login = loginOf(options.sasl);
    const connection = new Connection(
      options.clientId,
      {
        connectTimeout: Math.min(MOST_CONNECT_MS, CONNECT_SHARE * options.timeoutMs),
        requestTimeout: 2 * options.timeoutMs,
        // An address is no name to ask for.
        ...(options.tls && { tls: { ...options.tls }, tlsServerName: isIP(host) === 0 }),
        ...(login && { sasl: login.options }),
      } satisfies ConnectionOptions,
    );
    // A connection that fails later tells whoever uses it.
    connection.on("error", () => {});
    const connected = Promise.resolve(connection.connect(host, port));
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    connection.socket.on("error", () => {}).once("close", () => {
      open.delete(connection);
      resolve();
    });
    connection.socket.once(options.tls ? "secureConnect" : "connect", () => {
      bound(connection.socket);
    });
    open.set(connection, closed);
    const line = guarded(connection, signal, async () => {
      await connected;
      const { apiKeys } = await apiVersionsV3.api.async(connection, "gatehouse", "1");
      return {
        connection,
        versions: new Map(
          apiKeys.map((api) => [api.apiKey, { oldest: api.minVersion, newest: api.maxVersion }]),
        ),
        until: begun + (login?.usableMs() ?? Infinity),
        usedAt: elapsedMs(),
      };
    });
    return await line.catch((error) => {
      if (isRefusedLogin(error)) login?.refused();
      throw error;
    });
  };

  const guarded = async <T>(
    connection: Connection,
    signal: AbortSignal,
    work: () => Promise<T>,
  ): Promise<T> => {
    const gone = Promise.withResolvers<never>();
    const stop = () => gone.reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    connection.once("error", gone.reject);
    if (signal.aborted) stop();
    try {
      return await Promise.race([gone.promise, work()]);
    } catch (error) {
      end(connection);
      throw error;
    } finally {
      signal.removeEventListener("abort", stop);
      connection.removeListener("error", gone.reject);
    }
  };

  const idleOf = (lane: Lines): Line | undefined => {
    for (let line = lane.idle.pop(); line; line = lane.idle.pop()) {
      const fresh = line.usedAt + IDLE_MS > elapsedMs() && line.until > elapsedMs();
      if (fresh && line.connection.isConnected()) return line;
      end(line.connection);
    }
    return undefined;
  };

  return {
    async use(address, lane, signal, exchange) {
      const name = `${lane} ${address.host}:${address.port}`;
      const own = seats.get(name) ?? { free: SEATS[lane], idle: [], waiting: [] };
      seats.set(name, own);
      await seat(own, signal);
      try {
        const line = idleOf(own) ?? await opened(address, signal);
        const answer = await guarded(
          line.connection,
          signal,
          () => exchange(line.connection, line.versions),
        );
        line.usedAt = elapsedMs();
        own.idle.push(line);
        return answer;
      } catch (error) {
        throw unreachable(error, address);
      } finally {
        unseat(own);
      }
    },
    async close() {
      const closing = [...open];
      for (const [connection] of closing) end(connection);
      await Promise.all(closing.map(([, closed]) => closed));
    },
  };
}
