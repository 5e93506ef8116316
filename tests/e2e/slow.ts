/**
 * The real `main.ts` with slow tools in place of its own. The stand-in is made by an import map of
 * this test's, so the program needs no door for it.
 *
 * @module
 */

const ROOT = new URL("../../", import.meta.url);

/** A command line, good until it is disposed of. */
export interface SlowProgram extends AsyncDisposable {
  readonly command: readonly string[];
}

/** Prepares the command line. */
export async function slowProgram(): Promise<SlowProgram> {
  const project = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const { permissions, compilerOptions, unstable, nodeModulesDir } = project;
  const imports = {
    ...project.imports,
    [new URL("lib/pack/whoami.ts", ROOT).href]: new URL("slow_pack.ts", import.meta.url).href,
  };
  const directory = await Deno.makeTempDir({ prefix: "slow-" });
  const config = `${directory}/deno.json`;
  await Deno.writeTextFile(
    config,
    JSON.stringify({ permissions, compilerOptions, unstable, nodeModulesDir, imports }),
  );
  await Deno.copyFile(new URL("deno.lock", ROOT), `${directory}/deno.lock`);
  const main = new URL("main.ts", ROOT).pathname;
  return {
    command: [Deno.execPath(), "run", "--quiet", "--config", config]
      .concat(["-P", main]),
    [Symbol.asyncDispose]: () => Deno.remove(directory, { recursive: true }),
  };
}
