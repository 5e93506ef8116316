import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { verified } from "../audit/chains.ts";
import { bearerHeader, modernCall } from "../fakes.ts";
import { HTTP_ENV, launchOf, type Program, start, tokenFor } from "./program.ts";

// `-P` lets the program write below the repository's data/ only.
const COMMAND = [
  Deno.execPath(),
  "run",
  "--quiet",
  "-A",
  new URL("../../main.ts", import.meta.url).pathname,
];

async function call({ origin, endpoint }: Program): Promise<void> {
  const whoami = modernCall("tools/call", { name: "whoami", arguments: {} });
  const token = await tokenFor(origin, "alice");
  const headers = { ...whoami.headers as Record<string, string>, ...bearerHeader(token) };
  const response = await fetch(endpoint, { ...whoami, headers });
  equal(response.status, 200);
  await response.text();
}

async function until(isSo: () => boolean): Promise<void> {
  for (let turn = 0; !isSo(); turn++) {
    if (turn > 1000) throw new Error("Cannot wait any longer");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

Deno.test("main.ts keeps one chain over a kill, a rename and a restart, and shares the file with nobody", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/data/audit.jsonl`;
  const read = (name = path) => Deno.readTextFileSync(name);
  const env = { ...HTTP_ENV, MCP_AUDIT: `file:${path}` };
  const launch = { command: COMMAND, env };
  try {
    {
      await using killed = await start(launch);
      await call(killed);
      await until(() => read().includes('"event":"call"'));
      await using second = launchOf({ ...launch, env: { ...env, MCP_HTTP_PORT: "1" } });
      const { code, stderr } = await second.end(20_000);
      equal(code, 1);
      match(stderr, /Cannot write the audit log .*: another process writes to it/);
      killed.kill("SIGKILL");
      await killed.ended;
    }
    // As if the kill had come in the middle of a line.
    Deno.writeTextFileSync(path, '{"seq":3,"prev":"', { append: true });
    await using program = await start(launch);
    await call(program);
    await until(() => read().split('"event":"call"').length === 3);
    Deno.renameSync(path, `${path}.1`);
    await Promise.all(Array.from({ length: 20 }, () => call(program)));
    const { code, stderr } = await program.stop();
    equal(code, 0);
    const result = await verified([read(`${path}.1`), read()], undefined, 65536);
    ok(result.ok, JSON.stringify(result));
    equal(result.recovered, 1);
    const events = (read(`${path}.1`) + read()).split("\n").flatMap((line) =>
      /"event":"([^"]*)"/.exec(line)?.[1] ?? []
    );
    deepEqual(events, [
      "started",
      "call",
      "recovered",
      "started",
      "call",
      "continued",
      ...Array(20).fill("call"),
      "stopped",
    ]);
    const anchors = stderr.split("\n").filter((line) => line.includes('"audit head"'));
    equal(JSON.parse(anchors.at(-1)!).hash, result.head);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("main.ts does not start where the audit log may not be written, and says where it may", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const env = { ...HTTP_ENV, MCP_AUDIT: `file:${folder}/audit.jsonl` };
    await using process = launchOf({ env });
    const { code, stderr } = await process.end(20_000);
    equal(code, 1);
    match(stderr, /Cannot write the audit log .*: Deno may write below \.\/data only/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("main.ts writes the audit log to stderr, as a chain that can be checked", async () => {
  await using program = await start({ env: { ...HTTP_ENV, MCP_AUDIT: "stderr" } });
  await call(program);
  const { stderr } = await program.stop();
  const lines = stderr.split("\n").filter((line) => line.startsWith('{"seq":'));
  const result = await verified([`${lines.join("\n")}\n`]);
  deepEqual([result.ok, result.ok && result.lines], [true, 3]);
});

Deno.test("main.ts audits calls over stdio, and the disk that is full stops them", async () => {
  if (Deno.build.os !== "linux") return;
  const folder = await Deno.makeTempDir();
  const path = `${folder}/audit.jsonl`;
  Deno.symlinkSync("/dev/full", path);
  await using process = launchOf({ command: COMMAND, env: { MCP_AUDIT: `file:${path}` } });
  await process.until("stderr", /audit log not written/);
  const hello = {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "t", version: "0" },
  };
  const message = (id: number, method: string, params: unknown) =>
    `${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`;
  await process.write(message(1, "initialize", hello));
  await process.write(message(2, "tools/call", { name: "whoami", arguments: {} }));
  await process.until("stdout", /The audit log cannot be written/);
  await process.closeInput();
  const { code, stderr } = await process.end(10_000);
  equal(code, 1);
  match(stderr, /audit lines lost/);
  await Deno.remove(folder, { recursive: true });
});
