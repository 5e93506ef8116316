/**
 * What is shipped, ready to run away from the repository: the bundle from a URL, and the executable
 * for this machine.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { BUNDLE } from "./bundle.ts";
import { executableFor, HOST_TARGET } from "./compile.ts";
import { FEATURES, PERMISSIONS } from "./flags.ts";

/** Something that is shipped. */
export interface Artefact {
  readonly name: "bundle" | "executable";
  readonly bytes: number;
  /** Starts it from anywhere. */
  readonly command: readonly string[];
}

/** What is shipped. The bundle has its URL for as long as this is not disposed. */
export interface Artefacts extends AsyncDisposable {
  readonly all: readonly Artefact[];
}

/** Finds what was made, and serves the bundle. @throws {Error} When it was not made. */
export async function artefacts(): Promise<Artefacts> {
  const executable = executableFor(HOST_TARGET);
  const [bundleBytes, executableBytes] = await Promise.all([BUNDLE, executable].map(sizeOf));
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async () =>
      new Response((await Deno.open(BUNDLE)).readable, {
        headers: { "content-type": "text/javascript" },
      }),
  );
  const url = `http://127.0.0.1:${server.addr.port}/gatehouse.js`;
  return {
    all: [
      {
        name: "bundle",
        bytes: bundleBytes!,
        command: [Deno.execPath(), "run", "--no-prompt", ...FEATURES, ...PERMISSIONS, url],
      },
      { name: "executable", bytes: executableBytes!, command: [fileURLToPath(executable)] },
    ],
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function sizeOf(file: URL): Promise<number> {
  try {
    return (await Deno.stat(file)).size;
  } catch {
    throw new Error(`Cannot find ${file.pathname}: run deno task compile first`);
  }
}
