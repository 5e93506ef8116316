import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { newPerson } from "./login_person.ts";
import { type Ended, spawn } from "./process.ts";
import { HTTP_ENV, start } from "./program.ts";

// `mcpdo` is the Inspector that stays connected, and logs people in without a window.
const MCPDO = "npm:@modelcontextprotocol/inspector@2.12.0/mcpdo";

// The first run on a machine downloads it.
const LONGEST_MS = 120_000;

/** An Inspector that remembers nothing. Disposing ends its background process. */
async function newInspector() {
  const home = await Deno.makeTempDir({ prefix: "inspector-" });
  await using info = spawn([Deno.execPath(), "info", "--json"]);
  const { denoDir } = JSON.parse((await info.end(LONGEST_MS)).stdout);
  const run = async (...args: string[]): Promise<Ended> => {
    const line = [Deno.execPath(), "run", "-A", "--quiet", "--no-config", "--no-lock", MCPDO];
    const env = { HOME: home, DENO_DIR: denoDir, MCP_INSPECTOR_SECRET_STORE: "file" };
    await using process = spawn([...line, ...args, "--format", "json"], env);
    await process.closeInput();
    return await process.end(LONGEST_MS);
  };
  const ask = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(...args);
    equal(code, 0, stderr);
    return JSON.parse(stdout);
  };
  return {
    ask,
    async [Symbol.asyncDispose]() {
      await run("daemon", "stop");
      await Deno.remove(home, { recursive: true });
    },
  };
}

Deno.test("Inspector registers, logs in and calls tools with nothing but the URL, in both eras (SPEC B2.1, B4.3, C5.1)", async () => {
  await using program = await start({ env: { ...HTTP_ENV, OAUTH_MODE: "proxy" } });
  const { endpoint } = program;
  await using inspector = await newInspector();

  const { pendingAuth, authUrl } = await inspector.ask("connect", endpoint);
  equal(pendingAuth, true);
  const url = new URL(authUrl);
  const redirectUri = url.searchParams.get("redirect_uri")!;
  const answer = await newPerson({ user: "carol", redirectUri })(url);
  const thanks = await fetch(answer);
  match(await thanks.text(), /OAuth complete/);

  for (const era of ["legacy", "modern"]) {
    // The second time it has what it needs.
    if (era === "modern") {
      equal((await inspector.ask("connect", endpoint, "--era", era)).pendingAuth, undefined);
    }
    const who = await inspector.ask("--connection", endpoint, "tools/call", "whoami");
    equal(who.structuredContent.subject, "carol");
    const { protocolEra, auth } = await inspector.ask("connections/show", endpoint);
    deepEqual([protocolEra, auth.authorized], [era, true]);
  }
  await program.until("stderr", /"client":"MCP Inspector"/);
});
