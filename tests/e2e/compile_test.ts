import { match, ok, strictEqual as equal } from "node:assert/strict";
import { bearerHeader, modernCall, SECRET } from "../fakes.ts";
import { type Ended, spawn } from "./process.ts";
import { HTTP_ENV, launchOf, start } from "./program.ts";
import { skipBecause } from "./skip.ts";

const ROOT = new URL("../../", import.meta.url);

const COMPILE_MS = 180_000;

// Compiling takes long and needs a runtime for executables, which Deno has to download.
const wanted = Deno.env.has("GATEHOUSE_COMPILE") || Deno.env.has("DENORT_BIN");

// The task as it stands, but for where the executable goes and which Deno makes it.
async function compile(executable: string): Promise<Ended> {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const command: string = tasks.compile.command;
  const line = command
    .replace("dist/gatehouse", `'${executable}'`)
    .replace(" deno compile ", ` '${Deno.execPath()}' compile `);
  ok(line.includes(executable) && line.includes(Deno.execPath()), line);
  const denort = Deno.env.get("DENORT_BIN");
  await using shell = spawn(
    ["sh", "-c", `cd '${ROOT.pathname}' && ${line}`],
    denort === undefined ? {} : { DENORT_BIN: denort },
  );
  return await shell.end(COMPILE_MS);
}

Deno.test({
  name: "executable answers for its version, mints, and guards calls when it is compiled",
  ...skipBecause(wanted ? undefined : "GATEHOUSE_COMPILE and DENORT_BIN are not set"),
  fn: async () => {
    const directory = await Deno.makeTempDir({ prefix: "compile-" });
    try {
      const executable = `${directory}/gatehouse`;
      const { code, stderr } = await compile(executable);
      equal(code, 0, stderr);
      const run = async (...args: string[]) => {
        const env = { JWT_SECRET: SECRET };
        await using process = launchOf({ command: [executable], args, env });
        return await process.end(20_000);
      };
      const version = await run("version");
      equal(version.code, 0, version.stderr);
      match(version.stdout, /^\d+\.\d+\.\d+\n$/);

      await using program = await start({ command: [executable], env: HTTP_ENV });
      const minted = await run("token", "--sub=alice", `--port=${program.port}`);
      equal(minted.code, 0, minted.stderr);
      const ask = (headers: Record<string, string>) =>
        fetch(
          program.endpoint,
          modernCall("tools/call", { name: "whoami", arguments: {} }, headers),
        );
      const refused = await ask({});
      equal(refused.status, 401);
      await refused.body?.cancel();
      const response = await ask(bearerHeader(minted.stdout.trim()));
      equal(response.status, 200);
      equal((await response.json()).result.structuredContent.subject, "alice");
      equal((await program.stop()).code, 0);

      await using stdio = launchOf({ command: [executable] });
      await stdio.write('{"jsonrpc":"2.0","id":1,"method":"ping"}\n');
      await stdio.closeInput();
      const { code: ended, stdout } = await stdio.end(20_000);
      equal(ended, 0);
      equal(JSON.parse(stdout).id, 1);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});
