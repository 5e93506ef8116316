/**
 * Tests that need what not every machine has: left out with a printed reason, never in silence.
 *
 * @module
 */

/** Whether a test is left out. `reason` is printed when there is one. */
export function skipBecause(reason: string | undefined): { readonly ignore: boolean } {
  if (reason !== undefined) {
    Deno.stderr.writeSync(new TextEncoder().encode(`left out: ${reason}\n`));
  }
  return { ignore: reason !== undefined };
}

/** Whether a program is there. */
export function has(program: string): boolean {
  try {
    new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" }).outputSync();
    return true;
  } catch {
    return false;
  }
}
