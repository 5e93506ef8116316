/**
 * Starts and stops the development environment: `compose.ts up`, `compose.ts down`.
 *
 * Needs Docker with Compose 2. Changes nothing but `.env`, which it makes when there is none.
 *
 * @module
 */

import { ENV_FILE, EXAMPLE_FILE, origins } from "./settings.ts";

const COMPOSE_FILE = new URL("compose.yml", import.meta.url);

const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  up: ["up", "--detach", "--build", "--wait"],
  down: ["down", "--volumes", "--remove-orphans"],
};

/** Makes `.env` from the example, unless it is there. */
async function makeEnv(): Promise<void> {
  const made = await Deno.open(ENV_FILE, { write: true, createNew: true }).catch((error) => {
    if (error instanceof Deno.errors.AlreadyExists) return undefined;
    throw error;
  });
  if (!made) return;
  using file = made;
  await file.write(await Deno.readFile(EXAMPLE_FILE));
}

/** @returns The exit status. */
async function compose(args: readonly string[]): Promise<number> {
  const file = decodeURIComponent(COMPOSE_FILE.pathname);
  const child = new Deno.Command("docker", { args: ["compose", "--file", file, ...args] });
  const { code } = await child.spawn().status;
  return code;
}

function welcome(): string {
  const { keycloak, grafana, gatehouse } = origins();
  return `
Gatehouse  ${gatehouse}/mcp
Grafana    ${grafana}
Keycloak   ${keycloak}

alice (admin), bob (editor) and carol (viewer) have the passwords alice123, bob123 and carol123.
See that each acts with rights of their own:

  deno run --allow-read --allow-net=localhost dev/grafana/smoke.ts
`;
}

async function main([command = ""]: readonly string[]): Promise<number> {
  const args = COMMANDS[command];
  const say = (text: string) => Deno.stdout.write(new TextEncoder().encode(text));
  if (!args) {
    await say("usage: compose.ts up|down\n");
    return 2;
  }
  await makeEnv();
  const code = await compose(args);
  if (command === "up" && code === 0) await say(welcome());
  return code;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
