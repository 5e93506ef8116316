/**
 * Gatehouse: OAuth 2.1 in front of MCP servers.
 *
 * The only file that reads arguments, environment, clocks and signals. It builds what the program
 * borrows, runs the command line, and exits.
 *
 * @module
 */

import { cli } from "./lib/cli.ts";
import { appending } from "./lib/cli/append.ts";
import type { Host } from "./lib/cli/host.ts";
import { pinned, resolve } from "./lib/cli/pinned.ts";
import { secure } from "./lib/cli/secure.ts";
import { sink } from "./lib/cli/sink.ts";
import { ENVIRONMENT } from "./lib/config/settings.ts";
import { UNTRACED } from "./lib/spans.ts";

/** How long the last lines of the log may take to be read, in milliseconds. */
const FLUSH_MS = 200;

/** Within how many milliseconds signals count as one. */
const ONE_PRESS_MS = 200;

// Deno puts its part of OpenTelemetry here when `OTEL_DENO` turns it on.
const isTraced = Symbol.for("opentelemetry.js.api.1") in globalThis;

const stop = new AbortController();
let askedAt = 0;
const out = sink((bytes) => Deno.stdout.write(bytes));
const err = sink((bytes) => Deno.stderr.write(bytes));

const host: Host = {
  now: () => Math.floor(Date.now() / 1000),
  wallMs: () => Date.now(),
  elapsedMs: () => performance.now(),
  random: (length) => crypto.getRandomValues(new Uint8Array(length)),
  fetch: (request) => fetch(request),
  fetchWith: ({ ca, cert, key }) => {
    const client = Deno.createHttpClient({
      ...(ca && { caCerts: [ca] }),
      ...(cert && key && { cert, key }),
    });
    return (request) => fetch(request, { client });
  },
  resolve,
  fetchAt: pinned(Deno),
  env: Object.fromEntries(ENVIRONMENT.map((name) => [name, Deno.env.get(name)])),
  memory: Deno.memoryUsage,
  linesDropped: err.dropped,
  spans: isTraced ? (await import("./lib/cli/tracing.ts")).tracing() : UNTRACED,
  runtime: { deno: Deno.version.deno, v8: Deno.version.v8, typescript: Deno.version.typescript },
  readFile: (path) => Deno.readTextFileSync(path),
  append: appending(Deno),
  open: async (path) => {
    const file = await Deno.open(path);
    return { size: (await file.stat()).size, bytes: file.readable };
  },
  stdout: out.write,
  stderr: err.write,
  terminal: Deno.stderr.isTerminal(),
  stop: stop.signal,
  listen: (address, fetch) => {
    const server = Deno.serve(
      { ...address, onListen: () => {} },
      (request, { remoteAddr, completed }) => fetch(request, remoteAddr.hostname, completed),
    );
    return { port: server.addr.port, shutdown: () => server.shutdown() };
  },
  listenTls: secure(Deno),
};

for (const signal of ["SIGINT", ...(Deno.build.os === "windows" ? [] : ["SIGTERM"])] as const) {
  Deno.addSignalListener(signal as Deno.Signal, () => {
    // A task runner passes on the Ctrl+C that the terminal sent already: one press, two signals.
    if (stop.signal.aborted && performance.now() - askedAt > ONE_PRESS_MS) Deno.exit(1);
    if (!stop.signal.aborted) askedAt = performance.now();
    stop.abort();
  });
}

globalThis.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  host.stderr(`gatehouse: unexpected: ${JSON.stringify(String(event.reason)).slice(0, 1000)}\n`);
});

const code = await cli(Deno.args, host);
await out.flush();
await Promise.race([err.flush(), new Promise((resolve) => setTimeout(resolve, FLUSH_MS))]);
Deno.exit(code);
