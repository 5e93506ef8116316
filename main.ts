/**
 * Gatehouse: OAuth 2.1 in front of MCP servers.
 *
 * The only file that reads arguments, environment, clocks and signals. It builds what the program
 * borrows, runs the command line, and exits.
 *
 * @module
 */

import { cli } from "./lib/cli.ts";
import type { Host } from "./lib/cli/host.ts";
import { ENVIRONMENT } from "./lib/config/settings.ts";

const stop = new AbortController();
const encoder = new TextEncoder();

const host: Host = {
  now: () => Math.floor(Date.now() / 1000),
  wallMs: () => Date.now(),
  elapsedMs: () => performance.now(),
  random: (length) => crypto.getRandomValues(new Uint8Array(length)),
  fetch: (request) => fetch(request),
  env: Object.fromEntries(ENVIRONMENT.map((name) => [name, Deno.env.get(name)])),
  runtime: { deno: Deno.version.deno, v8: Deno.version.v8, typescript: Deno.version.typescript },
  readFile: (path) => Deno.readTextFileSync(path),
  stdout: (text) => void writeAll(Deno.stdout, text),
  stderr: (text) => void writeAll(Deno.stderr, text),
  terminal: Deno.stderr.isTerminal(),
  stop: stop.signal,
  listen: (address, fetch) =>
    Deno.serve({ ...address, onListen: () => {} }, (request) => fetch(request)),
};

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let rest = encoder.encode(text);
  try {
    while (rest.length > 0) rest = rest.subarray(stream.writeSync(rest));
  } catch {
    // Nobody reads the stream any more, and there is nowhere else to say so.
  }
}

for (const signal of ["SIGINT", ...(Deno.build.os === "windows" ? [] : ["SIGTERM"])] as const) {
  Deno.addSignalListener(signal as Deno.Signal, () => {
    if (stop.signal.aborted) Deno.exit(1);
    stop.abort();
  });
}

globalThis.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  host.stderr(`gatehouse: unexpected rejection: ${event.reason}\n`);
});

Deno.exit(await cli(Deno.args, host));
