/**
 * Keycloak as its makers publish it, fetched once by the Maven client and kept in the user's cache.
 *
 * @module
 */

/** The release that is run. */
export const KEYCLOAK_VERSION = "26.5.6";

const ARTIFACT = `org.keycloak:keycloak-quarkus-dist:${KEYCLOAK_VERSION}:zip`;

/** What Keycloak starts with: few compilations, since a start is most of what it does here. */
export const JAVA_OPTIONS = "-XX:TieredStopAtLevel=1";

/** Says what is going on, on stderr. */
export function progress(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`keycloak: ${text}\n`));
}

/**
 * The folder of a Keycloak that is unpacked and built for a database in memory. Never written to
 * afterwards, so that several can run from it.
 *
 * @throws {Error} When Maven, Java or the network is missing.
 */
export async function distribution(): Promise<string> {
  const cache = `${cacheFolder()}/gatehouse`;
  const home = `${cache}/keycloak-${KEYCLOAK_VERSION}`;
  if (await exists(home)) return home;
  await Deno.mkdir(cache, { recursive: true });
  const staging = await Deno.makeTempDir({ dir: cache });
  try {
    progress(`getting ${ARTIFACT} (180 MB, once)`);
    const target = [`-Dartifact=${ARTIFACT}`, `-DoutputDirectory=${staging}`];
    await run("mvn", ["-q", "-B", "dependency:unpack", ...target], staging);
    progress("building (once)");
    const unpacked = `${staging}/keycloak-${KEYCLOAK_VERSION}`;
    await run(`${unpacked}/bin/kc.sh`, ["build", "--db=dev-mem"], staging);
    await Deno.rename(unpacked, home).catch(async (error) => {
      // Another run may have been faster.
      if (!await exists(home)) throw error;
    });
  } finally {
    await Deno.remove(staging, { recursive: true });
  }
  return home;
}

function cacheFolder(): string {
  const { XDG_CACHE_HOME, HOME } = Deno.env.toObject();
  if (XDG_CACHE_HOME) return XDG_CACHE_HOME;
  if (HOME) return `${HOME}/.cache`;
  throw new Error("Cannot tell where to keep Keycloak: set HOME or XDG_CACHE_HOME");
}

function exists(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, () => false);
}

// Maven leaves marks in the folder where it runs.
async function run(command: string, args: string[], cwd: string): Promise<void> {
  const env = { JAVA_OPTS_APPEND: JAVA_OPTIONS };
  const output = await new Deno.Command(command, { args, cwd, env, stdin: "null" }).output()
    .catch((error) => {
      throw new Error(`Cannot run ${command}: ${error.message}`, { cause: error });
    });
  if (output.success) return;
  const decoder = new TextDecoder();
  const said = decoder.decode(output.stdout) + decoder.decode(output.stderr);
  throw new Error(`Cannot get Keycloak: ${command} ended with ${output.code}\n${said}`);
}
