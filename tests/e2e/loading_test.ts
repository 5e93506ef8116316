import { ok, strictEqual as equal } from "node:assert/strict";
import { launchOf, MAIN } from "./program.ts";

const END_MS = 60_000;

const KAFKA_CLIENT = /\/@platformatic\/kafka\//;
const KAFKA_PACK = /\/lib\/pack\/kafka\//;

// Coverage has a file for each module that was loaded.
async function loadedWith(env: Record<string, string>): Promise<string[]> {
  const directory = await Deno.makeTempDir({ prefix: "loading-" });
  try {
    const [deno, run, ...rest] = MAIN;
    const command = [deno!, run!, `--coverage=${directory}`, ...rest];
    await using program = launchOf({ command, env });
    await program.closeInput();
    const { code, stderr } = await program.end(END_MS);
    equal(code, 0, stderr);
    const files = Array.from(Deno.readDirSync(directory), ({ name }) => name);
    return files.map((name) => JSON.parse(Deno.readTextFileSync(`${directory}/${name}`)).url);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("program loads the Kafka client for those who use Kafka, and for nobody else", async () => {
  const [without, using] = await Promise.all([
    loadedWith({}),
    loadedWith({ KAFKA_BROKERS: "127.0.0.1:9" }),
  ]);
  for (const part of [KAFKA_CLIENT, KAFKA_PACK]) {
    equal(without.find((url) => part.test(url)), undefined);
    ok(using.some((url) => part.test(url)), `${part} is not among ${using.length} modules`);
  }
});
