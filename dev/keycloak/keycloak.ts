/**
 * A real Keycloak on this machine, with the realm of `realm.json`, for tests and for trying out:
 * `deno run -A dev/keycloak/keycloak.ts --port 8081` serves until Ctrl+C.
 *
 * It answers on loopback only and keeps everything in memory, so each start has new signing keys.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { distribution, JAVA_OPTIONS, progress } from "./distribution.ts";
import { until, within } from "./wait.ts";

/** The audience of the tokens that the realm issues for Gatehouse. */
export const AUDIENCE = "http://localhost:8080/mcp";

/** The confidential client of the realm, which may ask about tokens. */
export const CONFIDENTIAL = { id: "grafana", secret: "grafana-secret" } as const;

/** The client of the realm that Gatehouse is in proxy mode; `asking` has Keycloak ask people, too. */
export const GATEHOUSE = {
  id: "gatehouse",
  asking: "gatehouse-asking",
  secret: "gatehouse-secret",
} as const;

/** The administrator of everything. */
export const ADMIN = { username: "root", password: "root123" } as const;

const REALM = "grafana";
const START_DEADLINE_MS = 240_000;
const STOP_DEADLINE_MS = 20_000;

/** A Keycloak that runs. */
export interface Keycloak extends AsyncDisposable {
  /** Issuer identifier of the realm. */
  readonly issuer: string;
  /** Starts it anew at the same address, with nothing kept: users are the same, keys are not. */
  restartWithNewKeys(): Promise<void>;
  /** Lets it neither answer nor end, until it may go on. */
  pause(): Promise<void>;
  /** Lets it go on, as if nothing had been. */
  resume(): Promise<void>;
  /** Ends it and waits until no process of it is left. May be called again. */
  stop(): Promise<void>;
}

/**
 * Starts Keycloak and waits until the realm answers.
 *
 * @param port Port to listen on; a free one when absent.
 * @throws {Error} When it does not start, with its last words.
 */
export async function startKeycloak(port: number = freePort()): Promise<Keycloak> {
  const base = await distribution();
  const origin = `http://localhost:${port}`;
  const issuer = `${origin}/realms/${REALM}`;
  let running: Running | undefined;
  const stop = async () => {
    const ending = running;
    running = undefined;
    await ending?.stop();
  };
  const start = async () => {
    running = await launch(base, port, origin);
    try {
      await running.ready(`${issuer}/.well-known/openid-configuration`);
    } catch (error) {
      await stop();
      throw error;
    }
  };
  await start();
  return {
    issuer,
    restartWithNewKeys: async () => {
      await stop();
      await start();
    },
    pause: async () => await running?.signal("SIGSTOP"),
    resume: async () => await running?.signal("SIGCONT"),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** A port of this machine that is free now. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

interface Running {
  ready(url: string): Promise<void>;
  /** Sends a signal to every process of it. */
  signal(name: Deno.Signal): Promise<void>;
  stop(): Promise<void>;
}

async function launch(base: string, port: number, origin: string): Promise<Running> {
  const home = await furnish(base);
  const started = performance.now();
  progress(`starting on port ${port}`);
  const child = new Deno.Command(`${home}/bin/kc.sh`, {
    args: [
      "start",
      "--optimized",
      "--import-realm",
      "--cache=local",
      "--http-enabled=true",
      "--http-host=127.0.0.1",
      `--http-port=${port}`,
      `--hostname=${origin}`,
    ],
    env: {
      JAVA_OPTS_APPEND: JAVA_OPTIONS,
      KC_BOOTSTRAP_ADMIN_USERNAME: ADMIN.username,
      KC_BOOTSTRAP_ADMIN_PASSWORD: ADMIN.password,
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const words = Promise.all([lastWords(child.stdout), lastWords(child.stderr)]);
  let ended = false;
  const end = child.status.then((status) => {
    ended = true;
    return status;
  });
  const signalAll = async (name: Deno.Signal) => {
    for (const pid of await processesOf(home)) signal(pid, name);
  };
  return {
    signal: signalAll,
    ready: async (url) => {
      await until("Keycloak answers", START_DEADLINE_MS, async () => {
        if (ended) throw new Error(`Cannot start Keycloak:\n${(await words).join("")}`);
        const response = await fetch(url).catch(() => undefined);
        await response?.body?.cancel();
        return response?.ok;
      });
      progress(`ready after ${Math.round((performance.now() - started) / 1000)} s`);
    },
    stop: async () => {
      signal(child.pid, "SIGTERM");
      await within(STOP_DEADLINE_MS, end);
      // The script runs Java as its child; whatever is left of the two is named by its own folder.
      await signalAll("SIGKILL");
      await end;
      await words;
      await until("no process of Keycloak is left", STOP_DEADLINE_MS, async () => {
        return (await processesOf(home)).length === 0;
      });
      await Deno.remove(home, { recursive: true });
      progress("stopped");
    },
  };
}

/** Makes a home of its own that shares the program and nothing else. */
async function furnish(base: string): Promise<string> {
  const home = await Deno.makeTempDir({ prefix: "gatehouse-keycloak-" });
  for (const shared of ["lib", "providers", "themes", "version.txt"]) {
    await Deno.symlink(`${base}/${shared}`, `${home}/${shared}`);
  }
  for (const [own, files] of [["bin", ["kc.sh"]], ["conf", ["keycloak.conf", "cache-ispn.xml"]]]) {
    await Deno.mkdir(`${home}/${own}`);
    for (const file of files!) {
      await Deno.copyFile(`${base}/${own}/${file}`, `${home}/${own}/${file}`);
    }
  }
  await Deno.mkdir(`${home}/data/import`, { recursive: true });
  await Deno.copyFile(new URL("realm.json", import.meta.url), `${home}/data/import/realm.json`);
  return home;
}

async function processesOf(home: string): Promise<number[]> {
  const { stdout } = await new Deno.Command("ps", { args: ["-A", "-ww", "-o", "pid=,args="] })
    .output();
  const lines = new TextDecoder().decode(stdout).split("\n");
  return lines.filter((line) => line.includes(`${home}/bin/`)).map((line) => Number.parseInt(line));
}

function signal(pid: number, name: Deno.Signal): void {
  try {
    Deno.kill(pid, name);
  } catch (error) {
    // It has ended by itself.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function lastWords(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let text = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    text = (text + chunk).slice(-8_000);
  }
  return text;
}

/** What to paste for a look around. */
function instructions(issuer: string): string {
  return `
Keycloak serves ${issuer} until Ctrl+C.
alice (admin), bob (editor) and carol (viewer) have the passwords alice123, bob123 and carol123.

Start Gatehouse:

  MCP_TRANSPORT=http OAUTH_ENABLED=on OAUTH_PROVIDER=keycloak \\
    OIDC_ISSUER=${issuer} OIDC_AUDIENCE=${AUDIENCE} \\
    deno task start

Get a token of alice:

  TOKEN=$(curl -s -X POST ${issuer}/protocol/openid-connect/token \\
    -d "grant_type=password" \\
    -d "client_id=mcp-claude" \\
    -d "username=alice" \\
    -d "password=alice123" \\
    -d "scope=openid email profile" | jq -r '.access_token')

Call:

  curl -H "Authorization: Bearer $TOKEN" -H "Accept: application/json, text/event-stream" \\
    --json '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami","arguments":{}}}' \\
    ${AUDIENCE}
`;
}

async function main(): Promise<void> {
  const options = { port: { type: "string", default: "8081" } } as const;
  const port = Number(parseArgs({ args: Deno.args, options }).values.port);
  const interrupted = new Promise<void>((resolve) => {
    for (const name of ["SIGINT", "SIGTERM"] as const) {
      Deno.addSignalListener(name, () => resolve());
    }
  });
  await using keycloak = await startKeycloak(port);
  Deno.stdout.writeSync(new TextEncoder().encode(instructions(keycloak.issuer)));
  await interrupted;
}

if (import.meta.main) {
  await main();
  Deno.exit(0);
}
