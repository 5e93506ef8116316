/**
 * The settings of the development environment: what `.env` says, over `.env.example`.
 *
 * @module
 */

const HERE = new URL("./", import.meta.url);

/** Where the settings of this machine are. */
export const ENV_FILE = new URL(".env", HERE);

/** Where the settings of everybody are. */
export const EXAMPLE_FILE = new URL(".env.example", HERE);

/** Origins under which the services are reached from this machine. */
export interface Origins {
  readonly keycloak: string;
  readonly grafana: string;
  readonly gatehouse: string;
}

/** Reads lines `NAME=VALUE`; others are blank or comments. */
export function readEnv(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    text.split("\n").flatMap((line) => {
      const [, name, value] = /^([A-Z_]+)=(.*)$/.exec(line.trim()) ?? [];
      return name === undefined || value === undefined ? [] : [[name, value]];
    }),
  );
}

/** The origins of an environment that runs with the settings of this machine. */
export function origins(): Origins {
  const settings = { ...readEnv(textOf(EXAMPLE_FILE) ?? ""), ...readEnv(textOf(ENV_FILE) ?? "") };
  const at = (name: string) => `http://localhost:${settings[name]}`;
  return {
    keycloak: at("KEYCLOAK_PORT"),
    grafana: at("GRAFANA_PORT"),
    gatehouse: at("GATEHOUSE_PORT"),
  };
}

function textOf(file: URL): string | undefined {
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
