/**
 * The real program as a subprocess, with the permissions it has in production.
 *
 * @module
 */

import { freePort, GATEHOUSE } from "./keycloak.ts";
import { until, within } from "./wait.ts";

const ROOT = new URL("../../", import.meta.url);
const START_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 10_000;
const LOG_DEADLINE_MS = 5_000;

/** A line of the log. */
export type LogLine = Readonly<Record<string, unknown>>;

/** What came back for a call of `whoami`. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** What the tool said; absent when it was not reached. */
  readonly whoami: Readonly<Record<string, unknown>> | undefined;
}

/** A Gatehouse that runs. */
export interface Gatehouse extends AsyncDisposable {
  /** Origin under which it serves. */
  readonly origin: string;
  /** Calls `whoami` with `token`. */
  call(token: string): Promise<Answer>;
  /** Status of `path`. */
  status(path: string): Promise<number>;
  /** The document at `path`. */
  document(path: string): Promise<Record<string, unknown>>;
  /** The line in which the log tells why the request of `answer` was refused. */
  refusal(answer: Answer): Promise<LogLine>;
  /** Waits until there is a line in the log with all of that. */
  logged(facts: LogLine): Promise<LogLine>;
}

/** Settings for tokens of `issuer`. */
export function keycloakSettings(issuer: string, audience: string): Record<string, string> {
  return {
    MCP_TRANSPORT: "http",
    OAUTH_ENABLED: "on",
    OAUTH_PROVIDER: "keycloak",
    OIDC_ISSUER: issuer,
    OIDC_AUDIENCE: audience,
  };
}

/** Settings for people who log in at `issuer` through the program. */
export function proxySettings(issuer: string, clientId: string = GATEHOUSE.id) {
  return {
    MCP_TRANSPORT: "http",
    OAUTH_ENABLED: "on",
    OAUTH_MODE: "proxy",
    OAUTH_PROVIDER: "keycloak",
    OIDC_ISSUER: issuer,
    OIDC_CLIENT_ID: clientId,
    OIDC_CLIENT_SECRET: GATEHOUSE.secret,
    JWT_SECRET: crypto.getRandomValues(new Uint8Array(32)).toBase64(),
  };
}

/** Starts the program and waits until it serves, which does not need the issuer. */
export async function startGatehouse(settings: Record<string, string>): Promise<Gatehouse> {
  const port = freePort();
  const origin = `http://localhost:${port}`;
  const child = command([], { ...settings, MCP_HTTP_PORT: `${port}`, LOG_FORMAT: "json" }).spawn();
  const lines: LogLine[] = [];
  const words = Promise.all([collect(child.stderr, lines), collect(child.stdout, [])]);
  let ended = false;
  const end = child.status.then(() => ended = true);
  const stop = async () => {
    if (!ended) child.kill("SIGTERM");
    await within(STOP_DEADLINE_MS, end);
    if (!ended) child.kill("SIGKILL");
    await end;
    await words;
  };
  const status = async (path: string) => {
    const response = await fetch(`${origin}${path}`);
    await response.body?.cancel();
    return response.status;
  };
  try {
    await until("Gatehouse serves", START_DEADLINE_MS, async () => {
      if (ended) throw new Error(`Cannot start: ${JSON.stringify(lines)}`);
      return await status("/healthz").catch(() => 0) === 200;
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    origin,
    call: (token) => call(`${origin}/mcp`, token),
    status,
    document: async (path) => await (await fetch(`${origin}${path}`)).json(),
    refusal: ({ headers }) =>
      until(
        "the log tells why",
        LOG_DEADLINE_MS,
        () =>
          lines.find(({ id, event }) =>
            id === headers.get("x-request-id") && event === "token refused"
          ),
      ),
    logged: (facts) =>
      until(`the log has ${JSON.stringify(facts)}`, LOG_DEADLINE_MS, () => {
        return lines.find((line) =>
          Object.entries(facts).every(([name, value]) => line[name] === value)
        );
      }),
    [Symbol.asyncDispose]: stop,
  };
}

/** Runs `gatehouse check`. @returns Its exit status and its report. */
export async function checkGatehouse(
  settings: Record<string, string>,
): Promise<{ code: number; report: Record<string, unknown> }> {
  const { code, stdout } = await command(["check", "--json"], settings).output();
  return { code, report: JSON.parse(new TextDecoder().decode(stdout)) };
}

function command(args: readonly string[], settings: Record<string, string>): Deno.Command {
  const kept = ["PATH", "HOME", "DENO_DIR", "DENO_TLS_CA_STORE"].flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  });
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-P", "main.ts", ...args],
    cwd: ROOT,
    clearEnv: true,
    env: { ...Object.fromEntries(kept), ...settings },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

async function call(url: string, token: string): Promise<Answer> {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: { name: "whoami", arguments: {} },
    }),
  });
  const { status, headers } = response;
  const text = await response.text();
  const whoami = status === 200 ? JSON.parse(text).result.structuredContent : undefined;
  return { status, headers, whoami };
}

/** Reads a stream to its end; lines that are no JSON are kept as text. */
async function collect(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  lines: LogLine[],
): Promise<void> {
  let rest = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop()!;
    lines.push(...parts.map(parseLine));
  }
}

function parseLine(line: string): LogLine {
  try {
    return JSON.parse(line);
  } catch {
    return { text: line };
  }
}
