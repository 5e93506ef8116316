/**
 * nginx and Caddy as Debian has them, in front of the program, with the very files that the README
 * recommends. What differs from machine to machine is replaced: names, ports and paths.
 *
 * They listen on loopback only and end with whoever started them; services that a package may have
 * set up are not used.
 *
 * @module
 */

import { until } from "../keycloak/wait.ts";

const START_DEADLINE_MS = 15_000;

/** What is in front. */
export type Kind = "nginx" | "caddy";

/** Where a proxy stands, what it shows, and what is behind it. */
export interface Place {
  readonly port: number;
  readonly cert: string;
  readonly key: string;
  readonly behind: number;
}

/** A proxy that runs. Disposing stops it. */
export interface Proxy extends AsyncDisposable {
  /** What it said of itself so far. */
  log(): Promise<string>;
}

type Changes = readonly (readonly [from: string, to: string])[];

/** A file of this folder. */
export function snippet(name: string): Promise<string> {
  return Deno.readTextFile(new URL(name, import.meta.url));
}

/** Starts a proxy on loopback. @throws {Error} When it does not start, with its last words. */
export async function startProxy(kind: Kind, place: Place): Promise<Proxy> {
  const folder = await Deno.makeTempDir({ prefix: `gatehouse-${kind}-` });
  try {
    await Deno.writeTextFile(`${folder}/cert.pem`, place.cert);
    await Deno.writeTextFile(`${folder}/key.pem`, place.key);
    const args = await (kind === "nginx" ? nginx : caddy)(folder, place);
    const log = await Deno.open(`${folder}/output`, { create: true, write: true });
    const child = spawn(args, folder);
    const copied = child.stderr.pipeTo(log.writable);
    let ended = false;
    const status = child.status.then(() => ended = true);
    const words = () => Deno.readTextFile(`${folder}/output`);
    const stop = async () => {
      if (!ended) child.kill("SIGTERM");
      await status;
      await copied;
      await Deno.remove(folder, { recursive: true });
    };
    try {
      await until(`${kind} answers`, START_DEADLINE_MS, async () => {
        if (ended) throw new Error(`Cannot start ${kind}:\n${await words()}`);
        return await isOpen(place.port);
      });
    } catch (error) {
      await stop();
      throw error;
    }
    return { log: words, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await Deno.remove(folder, { recursive: true }).catch(() => {});
    throw error;
  }
}

const CERT = "/etc/ssl/mcp.example.com.pem";
const KEY = "/etc/ssl/mcp.example.com.key";

async function nginx(folder: string, { port, behind }: Place): Promise<string[]> {
  const site = replaced(await snippet("nginx.conf"), [
    ["listen 443 ssl", `listen 127.0.0.1:${port} ssl`],
    ["server 127.0.0.1:8080;", `server 127.0.0.1:${behind};`],
    [CERT, `${folder}/cert.pem`],
    [KEY, `${folder}/key.pem`],
  ]);
  // Whoever starts it as root would have its workers be somebody else, who may not write here.
  const user = Deno.uid() === 0 ? "user root;" : "";
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`);
  await Deno.writeTextFile(`${folder}/site.conf`, site);
  await Deno.writeTextFile(
    `${folder}/main.conf`,
    `${user} daemon off; worker_processes 1; pid ${folder}/pid; error_log stderr;
     events {} http { access_log off; ${temporary.join(" ")} include ${folder}/site.conf; }`,
  );
  return ["/usr/sbin/nginx", "-p", folder, "-e", "stderr", "-c", `${folder}/main.conf`];
}

async function caddy(folder: string, { port, behind }: Place): Promise<string[]> {
  const site = replaced(await snippet("Caddyfile"), [
    [
      "{\n\tservers {",
      "{\n\tadmin off\n\tauto_https disable_redirects\n" +
      "\tdefault_bind 127.0.0.1\n\tservers {\n\t\tprotocols h1 h2",
    ],
    ["\nmcp.example.com {", `\nhttps://mcp.example.com:${port} {`],
    ["127.0.0.1:8080", `127.0.0.1:${behind}`],
    [CERT, `${folder}/cert.pem`],
    [KEY, `${folder}/key.pem`],
  ]);
  await Deno.writeTextFile(`${folder}/Caddyfile`, site);
  return ["caddy", "run", "--adapter", "caddyfile", "--config", `${folder}/Caddyfile`];
}

/** Makes changes to a text. @throws {Error} When there is nothing to change any more. */
function replaced(text: string, changes: Changes): string {
  let changed = text;
  for (const [from, to] of changes) {
    if (!changed.includes(from)) throw new Error(`Cannot find ${JSON.stringify(from)}`);
    changed = changed.replace(from, () => to);
  }
  return changed;
}

function spawn([file, ...args]: readonly string[], folder: string): Deno.ChildProcess {
  try {
    // Caddy keeps its state below its home.
    const env = { HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder };
    const options = { args, env, stdin: "null", stdout: "null", stderr: "piped" } as const;
    return new Deno.Command(file!, options).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(`Cannot find ${file}: install Debian's nginx and caddy`);
  }
}

async function isOpen(port: number): Promise<boolean> {
  try {
    using _ = await Deno.connect({ hostname: "127.0.0.1", port });
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}
