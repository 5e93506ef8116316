/**
 * HTTPS listeners of a test.
 *
 * @module
 */

import type { Fetch, SecureListener } from "../../lib/cli/host.ts";
import { BOUNDS, type Bounds, secure } from "../../lib/cli/secure.ts";
import { type Certificates, withoutCertificates } from "../certificates.ts";
import { skipBecause } from "../e2e/skip.ts";

/** Options of a test that needs certificates. */
export const tls = skipBecause(withoutCertificates);
/** The names of this machine. */
export const NAMES = ["DNS:localhost", "IP:127.0.0.1"];
const UNTIL = "2100-01-01T00:00:00.000Z";
/** The pair of a server of `certificates`. */
export const pairOf = ({ cert, key }: Certificates) => ({ cert, key, until: UNTIL });

/** A listener. Disposing ends it. */
export interface Secured extends AsyncDisposable {
  readonly listener: SecureListener;
  readonly url: string;
}

/** Serves HTTPS on loopback; by default, the client's address. */
export function serving(
  made: Certificates,
  fetch: Fetch = (_, remote) => Promise.resolve(new Response(remote)),
  bounds: Partial<Bounds> = {},
  isExempt?: (address: string) => boolean,
  host: Parameters<typeof secure>[0] = Deno,
): Secured {
  const listen = secure(host, { ...BOUNDS, ...bounds });
  const listener = listen({ hostname: "127.0.0.1", port: 0 }, pairOf(made), fetch, isExempt);
  return {
    listener,
    url: `https://localhost:${listener.port}/`,
    [Symbol.asyncDispose]: () => listener.shutdown(),
  };
}

/** A client that trusts the authority of `made`, by HTTP/1.1 or HTTP/2. */
export function clientOf({ ca }: Certificates, version: 1 | 2 = 1): Deno.HttpClient {
  return Deno.createHttpClient({ caCerts: [ca], http1: version === 1, http2: version === 2 });
}

/** Connects, and says nothing. */
export function connect({ listener: { port } }: Secured): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port });
}

/** Reads until the other end closes or breaks off. */
export async function closed(conn: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(1024);
  while (await conn.read(buffer).catch(() => null) !== null);
  conn.close();
}
