/**
 * Keycloak as its makers publish it, fetched once by the Maven client and kept in the user's cache.
 *
 * @module
 */

import { cached, run } from "../cache.ts";

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
export function distribution(): Promise<string> {
  return cached({
    software: "Keycloak",
    name: `keycloak-${KEYCLOAK_VERSION}`,
    async make(staging) {
      // Maven leaves marks in the folder where it runs.
      const options = { cwd: staging, env: { JAVA_OPTS_APPEND: JAVA_OPTIONS } };
      progress(`getting ${ARTIFACT} (180 MB, once)`);
      const target = [`-Dartifact=${ARTIFACT}`, `-DoutputDirectory=${staging}`];
      const args = ["-q", "-B", "dependency:unpack", ...target];
      await run("Keycloak", "mvn", { ...options, args });
      progress("building (once)");
      const unpacked = `${staging}/keycloak-${KEYCLOAK_VERSION}`;
      const build = { ...options, args: ["build", "--db=dev-mem"] };
      await run("Keycloak", `${unpacked}/bin/kc.sh`, build);
      return unpacked;
    },
  });
}
