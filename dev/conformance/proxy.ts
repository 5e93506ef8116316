/**
 * A reverse proxy that adds a bearer token, for clients that cannot send one.
 *
 * Everything else passes as it came: the suite looks at hosts, origins, header order and streams.
 * `fetch` cannot forward a `Host` header, hence `node:http`.
 *
 * @module
 */

import { createServer, request as send } from "node:http";
import type { AddressInfo } from "node:net";

/** A running proxy. */
export interface Proxy extends AsyncDisposable {
  readonly port: number;
}

/** Starts a proxy on a free port, in front of `port`. */
export async function tokenProxy(port: number, token: string): Promise<Proxy> {
  const server = createServer((request, response) => {
    const headers = [...request.rawHeaders];
    if (!request.headers.authorization) headers.push("Authorization", `Bearer ${token}`);
    const { method, url: path } = request;
    const upstream = send({ host: "127.0.0.1", port, path, method, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      response.flushHeaders();
      answer.pipe(response);
      answer.on("error", () => response.destroy());
    });
    upstream.on("error", (error) => {
      if (!response.headersSent) response.writeHead(502);
      response.end(String(error));
    });
    response.on("close", () => upstream.destroy());
    request.pipe(upstream);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
