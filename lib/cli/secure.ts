/**
 * Serving HTTPS, with a certificate that can be renewed while connections go on.
 *
 * `Deno.serve` keeps the certificate it was started with. So each certificate has a server of its
 * own on loopback, and a listener in front passes connections on to the latest one, without looking
 * into them: TLS ends in Deno. A server whose certificate was replaced gets no new connections, and
 * ends with its last one; nothing is cut off. The listener in front also sees what Deno does not
 * bound: connections, and how long they may stay without a request.
 *
 * Two listeners on one port would need `reusePort`, which is unstable with TLS, and lose the
 * connections that wait in the queue of the one that closes. `node:https` can change its certificate
 * from Deno 2.9 on, but knows no HTTP/2 and no `Request`.
 *
 * @module
 */

import type { KeyPair } from "../config/certificate.ts";
import { crowd } from "../crowd.ts";
import { isEventStream } from "../delivery.ts";
import { clientOf } from "../limit.ts";
import type { Fetch, Host } from "./host.ts";
import { type Patience, Relay } from "./relay.ts";

/** What is bounded. */
export interface Bounds extends Patience {
  /** Most connections at once. */
  readonly connections: number;
  /** Most connections at once of one client's address, or IPv6 /64. */
  readonly perAddress: number;
  /**
   * How long clients may take to read an answer that is no stream of events, in milliseconds. Their
   * connection is broken off then, with all that goes on there.
   */
  readonly readMs: number;
}

/** The bounds when nothing else is said. */
export const BOUNDS: Bounds = {
  connections: 4000,
  perAddress: 64,
  readMs: 300_000,
  firstMs: 30_000,
  idleMs: 75_000,
};

/** Where servers are, and connections to them come from. */
const INSIDE = "127.0.0.1";

/** How long to wait when the system has no more connections to give, in milliseconds. */
const RETRY_MS = 100;

type Loopback = Pick<typeof Deno, "listen" | "connect" | "serve">;
type Accepted = {
  readonly relay: Relay;
  readonly address: string;
  /** Whether it is of a proxy, which passes on the requests of many. */
  readonly isExempt: boolean;
};

/** A server with one certificate, and the connections to it by the port they come from. */
interface Server {
  readonly http: Deno.HttpServer<Deno.NetAddr>;
  readonly accepted: Map<number, Accepted>;
  /** Connections that are its own, some of them not in `accepted` yet. */
  count: number;
}

/**
 * Makes the port out of what opens connections.
 *
 * @param bounds Connections beyond are closed at once: without TLS, nothing can be said.
 */
export function secure(host: Loopback, bounds: Bounds = BOUNDS): Host["listenTls"] {
  return (address, pair, fetch, isExempt = () => false) => {
    const listener = host.listen(address);
    let current: Server;
    try {
      current = serverOf(host, pair, fetch, bounds);
    } catch (error) {
      listener.close();
      throw error;
    }
    const servers = new Set([current]);
    const guests = crowd({ most: bounds.connections, mostOfEach: bounds.perAddress });
    const pass = async (client: Deno.TcpConn) => {
      const { hostname } = client.remoteAddr;
      const whose = isExempt(hostname) ? undefined : clientOf(hostname);
      if (guests.enter(whose)) return client.close();
      const server = current;
      server.count++;
      await passOn(client, server, whose === undefined, host, bounds).catch(() => client.close());
      server.count--;
      guests.leave(whose);
      retire(server);
    };
    const retire = (server: Server) => {
      if (server === current || server.count > 0) return;
      servers.delete(server);
      void server.http.shutdown();
    };
    let isOpen = true;
    const accepting = (async () => {
      while (isOpen) {
        try {
          void pass(await listener.accept());
        } catch {
          if (isOpen) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        }
      }
    })();
    return {
      port: listener.addr.port,
      renew(next) {
        const before = current;
        current = serverOf(host, next, fetch, bounds);
        servers.add(current);
        retire(before);
      },
      async shutdown() {
        isOpen = false;
        listener.close();
        await accepting;
        // Deno would wait for those who never begin their TLS.
        for (const { accepted } of servers) {
          for (const { relay } of accepted.values()) relay.leave();
        }
        await Promise.all([...servers].map(({ http }) => http.shutdown()));
      },
    };
  };
}

async function passOn(
  client: Deno.TcpConn,
  { http, accepted }: Server,
  isExempt: boolean,
  host: Loopback,
  patience: Patience,
): Promise<void> {
  const inside = await host.connect({ hostname: INSIDE, port: http.addr.port });
  const { port } = inside.localAddr as Deno.NetAddr;
  const relay = new Relay(client, inside, patience);
  accepted.set(port, { relay, address: client.remoteAddr.hostname, isExempt });
  await relay.ended;
  accepted.delete(port);
}

function serverOf(
  host: Loopback,
  { cert, key }: KeyPair,
  fetch: Fetch,
  { readMs }: Bounds,
): Server {
  const accepted: Server["accepted"] = new Map();
  const http = host.serve(
    { hostname: INSIDE, port: 0, cert, key, onListen: () => {} },
    async (request, { remoteAddr, completed }) => {
      // The same port of another loopback address is another connection.
      const from = remoteAddr.hostname === INSIDE ? accepted.get(remoteAddr.port) : undefined;
      // Somebody on this machine found the way in at the back.
      if (!from) return new Response(null, { status: 403 });
      const end = from.relay.begin();
      completed.then(end, end);
      const response = await fetch(request, from.address, completed);
      if (from.isExempt || isEventStream(response)) return response;
      const timer = setTimeout(() => from.relay.close(), readMs);
      const stop = () => clearTimeout(timer);
      completed.then(stop, stop);
      return response;
    },
  );
  return { http, accepted, count: 0 };
}
