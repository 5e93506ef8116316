import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import type { OpenFile } from "../../lib/cli/host.ts";
import { readVerification, verify } from "../../lib/cli/audit.ts";
import { configure } from "../../lib/config.ts";
import type { Problem } from "../../lib/config/sources.ts";
import { hashOf, logOf } from "../audit/chains.ts";
import { run } from "../e2e/program.ts";

const lines = logOf(3);
const head = hashOf(lines.at(-1)!);

async function audit(content: string, args: readonly string[] = []) {
  const path = await Deno.makeTempFile();
  try {
    Deno.writeTextFileSync(path, content);
    const { code, stdout, stderr } = await run(["audit", "verify", path, ...args]);
    return { path, code, stdout, stderr };
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("audit verify exits with 0 and tells the head when nothing is wrong", async () => {
  const { code, stdout } = await audit(lines.join(""), [`--head=${hashOf(lines[1]!)}`]);
  deepEqual([code, stdout], [0, `Intact: 3 lines, from number 1 to 3\nHead: ${head}\n`]);
});

Deno.test("audit verify exits with 1 and names the first bad line and why, for people and scripts", async () => {
  const changed = lines.join("").replace("user-1", "user-2");
  const people = await audit(changed);
  equal(people.code, 1);
  match(people.stdout, /^Broken: .*, line 2: changed: /);
  const { code, stdout, path } = await audit(changed, ["--json"]);
  const { detail, ...told } = JSON.parse(stdout);
  deepEqual([code, told], [1, { ok: false, file: path, line: 2, why: "changed" }]);
  equal(typeof detail, "string");
});

Deno.test("audit verify exits with 1 when a hash that was kept elsewhere is not there", async () => {
  const { code, stdout } = await audit(lines.slice(0, 2).join(""), [`--head=${head}`]);
  equal(code, 1);
  match(stdout, /line 3: missing: .*taken off the end/);
});

Deno.test("audit verify exits with 2 when the file cannot be read", async () => {
  const { code, stderr } = await run(["audit", "verify", "/nowhere/audit.jsonl"]);
  equal(code, 2);
  match(stderr, /\/nowhere\/audit\.jsonl cannot be read/);
});

const misuses: readonly (readonly [words: string[], flags: Record<string, string>])[] = [
  [[], {}],
  [["verify"], {}],
  [["check", "a"], {}],
  [["verify", "a"], { head: "abc" }],
  [["verify", "a"], { head: head.toUpperCase() }],
];
for (const [words, flags] of misuses) {
  Deno.test(`audit ${words.join(" ")} ${JSON.stringify(flags)} is a mistake`, () => {
    const problems: Problem[] = [];
    readVerification(words, flags, problems);
    equal(problems.length, 1);
  });
}

Deno.test("audit verify tells a terminal how far it is when it takes long, and nobody else", async () => {
  for (const terminal of [true, false]) {
    let [ms, err] = [0, ""];
    const bytes = new TextEncoder().encode(lines.join(""));
    const file: OpenFile = {
      size: bytes.length,
      bytes: (async function* () {
        for (let at = 0; at < bytes.length; at += 10) {
          ms += 100;
          yield await bytes.slice(at, at + 10);
        }
      })(),
    };
    const host = {
      open: () => Promise.resolve(file),
      elapsedMs: () => ms,
      terminal,
      stderr: (text: string) => void (err += text),
      stdout: () => {},
    };
    equal(await verify({ paths: ["a"] }, false, host), 0);
    if (terminal) match(err.replace("\x1b[K", "."), /^(?:\r\d+ % checked)+\r\.$/);
    else equal(err, "");
  }
});

const targets: readonly (readonly [text: string, target: unknown])[] = [
  ["off", { kind: "off" }],
  ["stderr", { kind: "stderr" }],
  ["file:data/audit.jsonl", { kind: "file", path: "data/audit.jsonl" }],
  ["file:", undefined],
  ["file:data/", undefined],
  ["data/audit.jsonl", undefined],
  ["on", undefined],
  ["file://data/audit.jsonl", undefined],
];
for (const [text, target] of targets) {
  Deno.test(`MCP_AUDIT=${text} is ${target ? "read" : "refused, with the forms there are"}`, () => {
    const configured = configure({ flags: {}, env: { MCP_AUDIT: text }, readFile: () => "" });
    equal(configured.ok, target !== undefined);
    if (configured.ok) deepEqual(configured.config.audit, target);
    else match(configured.problems[0]!.fix, /use stderr, off, or file: and a path/);
  });
}
