/**
 * Where the commands of the README run: a copy of what is in the repository, an empty home, an
 * environment with nothing in it, and stand-ins for what belongs to others.
 *
 * @module
 */

import { certificates } from "../../tests/certificates.ts";
import { freePort } from "../keycloak/keycloak.ts";
import { startRedis } from "../redis/redis.ts";
import { standIn } from "./provider.ts";
import { type Running, shell } from "./shell.ts";

/** What the documents call the server: by its public URL, and on the reader's machine. */
const PUBLIC = "https://mcp.example.com";
const LOCAL = "http://localhost:8080";

// How a machine reaches registries is its own affair, and none of a newcomer's configuration.
const NETWORK =
  /^(PATH|TMPDIR|NODE_EXTRA_CA_CERTS|SSL_CERT_\w+|(https?|no)_proxy|npm_config_\w+)$/i;

/** The stage. Disposing removes it. */
export interface Stage extends AsyncDisposable {
  /** The URL at which what is started here answers. */
  readonly origin: string;
  /**
   * Runs a script, with stand-ins in place of what it names of others.
   *
   * @param values Variables for it.
   */
  run(script: string, values?: Readonly<Record<string, string>>): Running;
  /** An access token that the configuration which `script` exports has to accept. */
  tokenFor(script: string): Promise<string>;
}

/** Sets the stage. Needs Git, OpenSSL and Redis. */
export async function stage(): Promise<Stage> {
  await using building = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-readme-" });
  building.defer(() => Deno.remove(folder, { recursive: true }));
  const [checkout, home] = [`${folder}/gatehouse`, `${folder}/home`];
  await copyTo(checkout);
  await Deno.mkdir(`${home}/bin`, { recursive: true });
  const provider = building.use(await standIn());
  const redis = building.use(await startRedis());
  const pair = building.use(await certificates("DNS:mcp.example.com"));
  const files: Record<string, string> = { ca: pair.ca, cert: pair.cert, key: pair.key };
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${home}/${name}.pem`, text);
  }
  await Deno.writeTextFile(`${home}/secret`, "f3a9c1d07b5e48628ad4170c93be5f21");
  const program = `exec "${Deno.execPath()}" run --quiet -P main.ts "$@"`;
  await Deno.writeTextFile(`${home}/bin/gatehouse`, `#!/bin/sh\n${program}\n`, { mode: 0o755 });
  const port = freePort();
  const inherited = Object.entries(Deno.env.toObject()).filter(([name]) => NETWORK.test(name));
  const network = Object.fromEntries(inherited);
  const env = {
    ...network,
    HOME: home,
    PATH: `${home}/bin:${network.PATH}`,
    DENO_CERT: provider.caFile,
    DENO_TLS_CA_STORE: "mozilla,system",
    NO_COLOR: "1",
    MCP_HTTP_PORT: `${port}`,
  };
  const origin = `http://localhost:${port}`;
  const replaced = (script: string) =>
    script
      .replace(/\b(OIDC_ISSUER|OAUTH_ISSUER)=https?:\/\/[^/\s]+/g, `$1=${provider.origin}`)
      .replace(/\brediss?:\/\/[\w.-]+:\d+/g, redis.url)
      .replace(/=\/\S*\/(\S+)/g, (_, name: string) => `=${home}/${standInFor(name)}`)
      .replace(/(curl .*)/g, (line: string) =>
        line.replaceAll(PUBLIC, origin).replaceAll(LOCAL, origin));
  const issuerOf = (script: string) =>
    /\bOIDC_ISSUER=(\S+)/.exec(replaced(script))?.[1] ?? provider.origin;
  const stack = building.move();
  return {
    origin,
    run: (script, values = {}) => {
      // Only Google's address is known without being told.
      const issuer = /OAUTH_PROVIDER=google/.test(script) ? { OIDC_ISSUER: provider.origin } : {};
      return shell(replaced(script), checkout, { ...env, ...issuer, ...values });
    },
    tokenFor: (script) => {
      const vendor = /\bOAUTH_PROVIDER=(\w+)/.exec(script)?.[1] ?? "okta";
      const audience = /\bOIDC_AUDIENCE=(\S+)/.exec(script)?.[1] ?? `${PUBLIC}/mcp`;
      return provider.token(vendor, issuerOf(script), audience);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

function standInFor(name: string): string {
  if (!name.endsWith(".pem")) return "secret";
  return name.includes("key") ? "key.pem" : name.includes("ca") ? "ca.pem" : "cert.pem";
}

/** Copies what Git knows, or would add: what a clone has once the tree is committed. */
async function copyTo(folder: string): Promise<void> {
  const root = new URL("../../", import.meta.url).pathname;
  const args = ["-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const { success, stdout } = await new Deno.Command("git", { args }).output();
  if (!success) throw new Error("Cannot list the files of the repository: git does not");
  for (const path of new Set(new TextDecoder().decode(stdout).split("\0").filter(Boolean))) {
    const target = `${folder}/${path}`;
    await Deno.mkdir(target.slice(0, target.lastIndexOf("/")), { recursive: true });
    await Deno.copyFile(`${root}${path}`, target).catch((error) => {
      // Deleted, and the deletion not committed yet.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
}
