/**
 * Kafka as its makers publish it, fetched once by the Maven client and kept in the user's cache.
 *
 * @module
 */

/** The release that is run: the newest that is whole at Maven Central and runs on Java 17. */
export const KAFKA_VERSION = "4.3.1";

/** Says what is going on, on stderr. */
export function progress(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`kafka: ${text}\n`));
}

/**
 * The folder of Kafka's jars: the broker, its command-line tools and what they need. Never written
 * to afterwards but for the archive of `archive.ts`, so that several can run from it.
 *
 * @throws {Error} When Maven, Java or the network is missing.
 */
export async function distribution(): Promise<string> {
  const cache = `${cacheFolder()}/gatehouse`;
  const home = `${cache}/kafka-${KAFKA_VERSION}`;
  if (await exists(home)) return home;
  await Deno.mkdir(cache, { recursive: true });
  const staging = await Deno.makeTempDir({ dir: cache });
  try {
    progress(`getting ${KAFKA_VERSION} (54 MB, once)`);
    await Deno.writeTextFile(`${staging}/pom.xml`, PROJECT);
    await maven(staging, "dependency:copy-dependencies", [
      "-DincludeScope=runtime",
      `-DoutputDirectory=${staging}/jars`,
    ]);
    await Deno.rename(`${staging}/jars`, home).catch(async (error) => {
      // Another run may have been faster.
      if (!await exists(home)) throw error;
    });
  } finally {
    await Deno.remove(staging, { recursive: true });
  }
  return home;
}

/** Whether there is such a file or folder. */
export function exists(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, () => false);
}

// The broker brings no logger along.
const PROJECT = `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>gatehouse</groupId>
  <artifactId>kafka</artifactId>
  <version>1</version>
  <dependencies>
    ${dependency("org.apache.kafka", "kafka_2.13", KAFKA_VERSION)}
    ${dependency("org.apache.kafka", "kafka-tools", KAFKA_VERSION)}
    ${dependency("org.slf4j", "slf4j-simple", "1.7.36")}
  </dependencies>
</project>
`;

function dependency(group: string, artifact: string, version: string): string {
  const names = `<groupId>${group}</groupId><artifactId>${artifact}</artifactId>`;
  return `<dependency>${names}<version>${version}</version></dependency>`;
}

function cacheFolder(): string {
  const { XDG_CACHE_HOME, HOME } = Deno.env.toObject();
  if (XDG_CACHE_HOME) return XDG_CACHE_HOME;
  if (HOME) return `${HOME}/.cache`;
  throw new Error("Cannot tell where to keep Kafka: set HOME or XDG_CACHE_HOME");
}

async function maven(cwd: string, goal: string, options: readonly string[]): Promise<void> {
  const args = ["-q", "-B", goal, ...options];
  const output = await new Deno.Command("mvn", { args, cwd, stdin: "null" }).output()
    .catch((error) => {
      throw new Error(`Cannot run mvn: ${error.message}`, { cause: error });
    });
  if (output.success) return;
  const decoder = new TextDecoder();
  const said = decoder.decode(output.stdout) + decoder.decode(output.stderr);
  throw new Error(`Cannot get Kafka: mvn ended with ${output.code}\n${said}`);
}
