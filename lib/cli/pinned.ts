/**
 * Names to addresses, and HTTPS to one of them: the two ports by which hosts are reached that the
 * operator did not name.
 *
 * `fetch` resolves a name itself, so what was judged before need not be what it connects to. Here
 * the connection goes to the judged address, and TLS asks it for the certificate of the name, with
 * the certificate authorities that `fetch` trusts too. No proxy is used, whatever the environment
 * says: a proxy would resolve the name once more.
 *
 * `node:https` would do with a `lookup` of its own, but under Deno it has other certificate
 * authorities than `fetch`, and before Deno 2.9 no `lookup`.
 *
 * @module
 */

import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { Ports } from "../ports.ts";
import { readAnswer } from "./answer.ts";

/** How many bytes of an answer are read at once. */
const READ_BYTES = 16 * 1024;

/** Finds addresses as the system does, by its hosts file and its resolver. */
export async function resolve(hostname: string): Promise<readonly string[]> {
  const found = await lookup(hostname, { all: true });
  return found.map(({ address }) => address);
}

/**
 * Makes the port out of what opens connections.
 *
 * The port rejects on anything but a GET over https without a body; when `address` is none; when
 * the connection, its TLS or the head of the answer fails; and when the request is aborted, which
 * also breaks the body off. The connection ends with the body, so the body has to be read or
 * cancelled, or the request aborted.
 */
export function pinned(host: Pick<typeof Deno, "connect" | "startTls">): Ports["fetchAt"] {
  return async (request, address) => {
    const url = new URL(request.url);
    // A name would be resolved, and that is what must not happen here.
    if (!isIP(address)) throw new TypeError("Cannot connect: no address is given");
    if (url.protocol !== "https:" || request.method !== "GET") {
      throw new TypeError("Cannot send the request: it is no GET over https");
    }
    const { signal } = request;
    const connection = await open(host, url, address, signal);
    try {
      await writeAll(connection, headOf(request, url));
      return await readAnswer(() => read(connection), connection.close);
    } catch (error) {
      connection.close();
      throw signal.aborted ? signal.reason : error;
    }
  };
}

interface Connection {
  readonly conn: Deno.TlsConn;
  readonly close: () => void;
}

async function open(
  host: Pick<typeof Deno, "connect" | "startTls">,
  url: URL,
  address: string,
  signal: AbortSignal,
): Promise<Connection> {
  const port = Number(url.port || 443);
  const tcp = await host.connect({ hostname: address, port, signal });
  let conn: Deno.TlsConn | undefined;
  const close = () => {
    signal.removeEventListener("abort", close);
    try {
      (conn ?? tcp).close();
    } catch {
      // It is closed already.
    }
  };
  signal.addEventListener("abort", close);
  try {
    signal.throwIfAborted();
    const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1");
    conn = await host.startTls(tcp, { hostname, alpnProtocols: ["http/1.1"] });
    await conn.handshake();
    signal.throwIfAborted();
    return { conn, close };
  } catch (error) {
    close();
    throw signal.aborted ? signal.reason : error;
  }
}

function headOf(request: Request, url: URL): Uint8Array {
  const headers = new Headers(request.headers);
  headers.set("host", url.host);
  headers.set("connection", "close");
  // What is measured is what was sent: nothing unpacks into more.
  headers.set("accept-encoding", "identity");
  const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return new TextEncoder().encode(`GET ${url.pathname}${url.search} HTTP/1.1\r\n${lines}\r\n`);
}

async function writeAll({ conn }: Connection, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await conn.write(bytes.subarray(sent));
}

async function read({ conn }: Connection): Promise<Uint8Array | null> {
  const bytes = new Uint8Array(READ_BYTES);
  const size = await conn.read(bytes);
  return size === null ? null : bytes.subarray(0, size);
}
