/**
 * The program behind a proxy, and a client that comes from an address of its own: `curl`, which can
 * take a name for an address without a name server.
 *
 * @module
 */

import { certificates } from "../../tests/certificates.ts";
import { type Process, spawn } from "../../tests/e2e/process.ts";
import { freePort, HTTP_ENV, type Program, start, tokenFor } from "../../tests/e2e/program.ts";
import { slowProgram } from "../../tests/e2e/slow.ts";
import { type Kind, type Proxy, startProxy } from "./proxy.ts";

/** The name in the files of this folder. */
export const NAME = "mcp.example.com";

/** Where the client comes from; the proxy comes to the program from 127.0.0.1. */
export const CLIENT = "127.0.0.77";

const DEADLINE_MS = 30_000;

/** A request by `curl`. */
export interface Asked {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** @default "1.1" */
  readonly version?: "1.1" | "2";
}

/** An answer, its headers by lower-case name. */
export interface Answer {
  readonly version: string;
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** Everything that runs. */
export interface Stage extends AsyncDisposable {
  readonly program: Program;
  readonly proxy: Proxy;
  /** What the public URL is. */
  readonly origin: string;
  /** A token for `alice`. */
  readonly token: string;
  ask(asked: Asked): Promise<Answer>;
  /** Asks, and leaves the answer to be read as it comes. */
  open(asked: Asked): Promise<Process>;
}

/** Starts everything. */
export async function setStage(kind: Kind): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const made = stack.use(await certificates(`DNS:${NAME}`));
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-edge-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const port = freePort();
  const origin = `https://${NAME}:${port}`;
  const slow = stack.use(await slowProgram());
  const program = stack.use(
    await start({
      command: slow.command,
      env: {
        ...HTTP_ENV,
        LOG_FORMAT: "json",
        OAUTH_SERVER_URL: origin,
        MCP_TRUSTED_PROXIES: "127.0.0.1",
      },
    }),
  );
  const proxy = stack.use(await startProxy(kind, { ...made, port, behind: program.port }));
  let bodies = 0;
  const open = async ({ path = "/mcp", method = "GET", headers, body, version }: Asked) => {
    const lines = Object.entries(headers ?? {}).flatMap((
      [name, value],
    ) => ["--header", `${name}: ${value}`]);
    const file = `${folder}/body-${bodies++}`;
    if (body !== undefined) await Deno.writeTextFile(file, body);
    return spawn([
      ...["curl", "--silent", "--show-error", "--include", "--no-buffer", "--noproxy", "*"],
      ...["--cacert", made.caFile, "--resolve", `${NAME}:${port}:127.0.0.1`],
      ...["--interface", CLIENT, version === "2" ? "--http2" : "--http1.1"],
      ...["--request", method, "--header", "Expect:", ...lines],
      ...(body === undefined ? [] : ["--data-binary", `@${file}`]),
      `${origin}${path}`,
    ]);
  };
  const ask = async (asked: Asked) => {
    await using process = await open(asked);
    const { code, stdout, stderr } = await process.end(DEADLINE_MS);
    if (code !== 0) throw new Error(`Cannot ask: ${stderr}`);
    return answerOf(stdout);
  };
  const token = await tokenFor(origin, "alice");
  const all = stack.move();
  return {
    program,
    proxy,
    origin,
    token,
    ask,
    open,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

function answerOf(text: string): Answer {
  const end = text.indexOf("\r\n\r\n");
  const [first = "", ...lines] = text.slice(0, end).split("\r\n");
  const [, version = "", status] = /^HTTP\/([\d.]+) (\d{3})/.exec(first) ?? [];
  const headers = new Headers(lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  }));
  return { version, status: Number(status), headers, body: text.slice(end + 4) };
}
