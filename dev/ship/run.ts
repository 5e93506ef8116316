/**
 * Running Deno from a script.
 *
 * @module
 */

/**
 * Runs this very Deno, and lets it complain on standard error.
 *
 * @returns What it printed.
 * @throws {Error} When it does not succeed.
 */
export async function deno(
  args: readonly string[],
  cwd: URL | string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd,
    env,
    stderr: "inherit",
  });
  const { code, stdout } = await command.output();
  if (code !== 0) throw new Error(`Cannot run deno ${args[0]}: exit status ${code}`);
  return new TextDecoder().decode(stdout);
}
