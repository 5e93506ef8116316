import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { type Ended, spawn } from "./process.ts";
import { type Program, start, tokenFor } from "./program.ts";

const INSPECTOR = "npm:@modelcontextprotocol/inspector@2.12.0";

// The first run on a machine downloads it.
const LONGEST_MS = 120_000;

// The Inspector keeps what it learns in its home, which therefore is a new one; Deno keeps what it
// downloads where it always does.
async function inspect(line: readonly string[]): Promise<Ended> {
  const home = await Deno.makeTempDir({ prefix: "inspector-" });
  try {
    await using info = spawn([Deno.execPath(), "info", "--json"]);
    const { denoDir } = JSON.parse((await info.end(LONGEST_MS)).stdout);
    await using process = spawn(line, { HOME: home, DENO_DIR: denoDir });
    await process.closeInput();
    return await process.end(LONGEST_MS);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

// Everyone who runs the tests has Deno; not everyone has npx.
const RUN = [Deno.execPath(), "run", "-A", "--quiet", "--no-config", "--no-lock"];

function ask(program: Program, era: string, ...rest: string[]): Promise<Ended> {
  const target = [program.endpoint, "--protocol-era", era];
  return inspect([...RUN, INSPECTOR, "--cli", ...target, ...rest]);
}

for (const era of ["legacy", "modern"]) {
  Deno.test(`Inspector lists and calls tools in the ${era} era when it has a token (SPEC C5.1)`, async () => {
    await using program = await start();
    const token = await tokenFor(program.origin, "alice");
    const header = ["--header", `Authorization: Bearer ${token}`];
    const [listed, called] = await Promise.all([
      ask(program, era, ...header, "--method", "tools/list"),
      ask(program, era, ...header, "--method", "tools/call", "--tool-name", "whoami"),
    ]);
    equal(listed.code, 0, listed.stderr);
    const { tools } = JSON.parse(listed.stdout) as { tools: { name: string }[] };
    deepEqual(tools.map(({ name }) => name), ["whoami"]);
    equal(called.code, 0, called.stderr);
    equal(JSON.parse(called.stdout).structuredContent.subject, "alice");
  });

  Deno.test(`Inspector reports that it must authenticate in the ${era} era when it has no token (SPEC A3.1)`, async () => {
    await using program = await start();
    const { code, stderr } = await ask(
      program,
      era,
      "--stored-auth-only",
      "--method",
      "tools/list",
    );
    equal(code, 3, stderr);
  });
}

Deno.test("Inspector lists tools when the line that dev prints is pasted", async () => {
  await using program = await start({ args: ["dev"], env: {} });
  const [line] = await program.until("stdout", /^npx .*inspector.*$/m);
  // A stand-in for npx, which calls the package by the name it is given.
  const npx = `npx() { shift; package=$1; shift; ${RUN.join(" ")} "npm:$package" "$@"; }`;
  const { code, stdout, stderr } = await inspect(["sh", "-c", `${npx}\n${line}`]);
  equal(code, 0, stderr);
  equal(JSON.parse(stdout).tools[0].name, "whoami");
});
