/**
 * Kafka as its makers publish it, fetched once by the Maven client and kept in the user's cache.
 *
 * @module
 */

import { cached, run } from "../cache.ts";

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
export function distribution(): Promise<string> {
  return cached({
    software: "Kafka",
    name: `kafka-${KAFKA_VERSION}`,
    async make(staging) {
      progress(`getting ${KAFKA_VERSION} (54 MB, once)`);
      await Deno.writeTextFile(`${staging}/pom.xml`, PROJECT);
      const goal = ["dependency:copy-dependencies", "-DincludeScope=runtime"];
      const args = ["-q", "-B", ...goal, `-DoutputDirectory=${staging}/jars`];
      await run("Kafka", "mvn", { args, cwd: staging });
      return `${staging}/jars`;
    },
  });
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
