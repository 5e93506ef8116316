/**
 * MCP over standard input and output: the same packs, no OAuth, nothing but protocol on stdout
 * (MCP 2026-07-28, stdio).
 *
 * The caller is whoever started the process; there is no identity to check.
 *
 * @module
 */

import { serveStdio, StdioServerTransport } from "@modelcontextprotocol/server/stdio";
import { MAX_BODY_BYTES } from "./mcp/message.ts";
import type { NewServer } from "./mcp/server.ts";
import type { Log } from "./ports.ts";

/** Serves until standard input or output ends or `signal` aborts. */
export async function stdio(newServer: NewServer, log: Log, signal: AbortSignal): Promise<void> {
  const transport = new StdioServerTransport(undefined, undefined, {
    maxBufferSize: MAX_BODY_BYTES,
  });
  const ended = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => ended.resolve(), { once: true });
  const handle = serveStdio(newServer, {
    transport,
    // After a colon the SDK quotes what was sent.
    onerror: ({ message }) => log("warn", "message rejected", { error: message.split(":", 1)[0] }),
  });
  // The end of input closes the transport, and so do a line too long to read and a reader that left.
  const { onclose } = transport;
  transport.onclose = () => {
    onclose?.();
    ended.resolve();
  };
  log("info", "serving", { transport: "stdio" });
  await ended.promise;
  await handle.close();
}
