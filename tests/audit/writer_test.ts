import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import fc from "fast-check";
import { MAX_LINE_BYTES } from "../../lib/audit/chain.ts";
import type { AppendPath } from "../../lib/audit/file.ts";
import { ANCHOR_MS, type AuditFile, auditFile, FULL, MAX_WAITING } from "../../lib/audit/writer.ts";
import { NOW } from "../fakes.ts";
import { diskUnder, type Folder, logOf, newFolder, verified } from "./chains.ts";

interface Opened {
  readonly audit: AuditFile;
  /** Events of the log, each with its facts. */
  readonly logged: readonly (readonly [event: string, fields: Record<string, unknown>])[];
}

async function open(path: AppendPath): Promise<Opened> {
  const logged: [string, Record<string, unknown>][] = [];
  const audit = await auditFile(path, {
    wallMs: () => NOW * 1000,
    log: (_level, event, fields = {}) => logged.push([event, fields]),
  });
  return { audit, logged };
}

/** Writes events in a run of its own. */
async function wrote(folder: Folder, events: readonly string[]): Promise<Opened> {
  const opened = await open(await folder.hold());
  for (const event of events) opened.audit.write(event);
  equal(await opened.audit.close(), true);
  return opened;
}

const eventsIn = (text: string): string[] =>
  text.trimEnd().split("\n").map((line) => JSON.parse(line).event);

async function until(isSo: () => boolean): Promise<void> {
  for (let turn = 0; !isSo(); turn++) {
    if (turn > 2000) throw new Error("Cannot wait any longer");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

Deno.test("auditFile() writes events in their order, and goes on with the chain after a restart", async () => {
  await using folder = await newFolder();
  const names = Array.from({ length: 3000 }, (_, index) => `event ${index}`);
  await wrote(folder, names.slice(0, 2000));
  await wrote(folder, names.slice(2000));
  deepEqual(eventsIn(folder.read()), names);
  const result = await verified([folder.read()], undefined, 65536);
  ok(result.ok);
  equal(result.last, 3000);
});

Deno.test("auditFile() makes file and folder for their owner only", async () => {
  await using folder = await newFolder();
  await wrote(folder, ["started"]);
  if (Deno.build.os !== "windows") equal((await Deno.stat(folder.path)).mode! & 0o777, 0o600);
});

Deno.test("auditFile() tells the log at start and end how far the chain has come", async () => {
  await using folder = await newFolder();
  const first = await wrote(folder, ["started", "stopped"]);
  const second = await wrote(folder, ["started"]);
  const heads = [first, second].map(({ logged }) =>
    logged.filter(([event]) => event === "audit head").map(([, fields]) => fields)
  );
  deepEqual(heads.map((told) => told.map(({ seq }) => seq)), [[0, 2], [2, 3]]);
  deepEqual(heads[0]![1], heads[1]![0]);
  equal((await verified([folder.read()], heads[0]![1]!.hash as string)).ok, true);
});

Deno.test("auditFile() refuses a file that another writes to, until that one has let go", async () => {
  await using folder = await newFolder();
  const { audit } = await open(await folder.hold());
  await rejects(folder.hold(), /another process writes to it/);
  await audit.close();
  await wrote(folder, ["started"]);
});

Deno.test("auditFile() recovers from a write that broke off at any byte", async () => {
  const whole = new TextEncoder().encode(logOf(4).join(""));
  await fc.assert(
    fc.asyncProperty(
      fc.nat(whole.length),
      fc.option(fc.nat(whole.length)),
      async (end, again) => {
        await using folder = await newFolder();
        Deno.writeFileSync(folder.path, whole.subarray(0, end));
        await wrote(folder, ["started", "stopped"]);
        // The recovery itself can break off.
        const written = Deno.readFileSync(folder.path);
        const kept = again === null ? written : written.subarray(0, Math.max(end, again));
        Deno.writeFileSync(folder.path, kept);
        await wrote(folder, ["started"]);
        const bytes = Deno.readFileSync(folder.path);
        deepEqual(bytes.subarray(0, end), whole.subarray(0, end));
        const result = await verified([bytes]);
        ok(result.ok, JSON.stringify(result));
        equal(result.recovered > 0, /"event":"recovered"/.test(folder.read()));
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("auditFile() tells of torn bytes in the file and in the log, and keeps them", async () => {
  await using folder = await newFolder();
  const [first, second] = logOf(2) as [string, string];
  Deno.writeTextFileSync(folder.path, first + second.slice(0, 30));
  const { logged } = await wrote(folder, ["started"]);
  const lines = folder.read().split("\n");
  equal(lines[1], second.slice(0, 30));
  const { event, bytes, seq } = JSON.parse(lines[2]!);
  deepEqual([event, bytes, seq], ["recovered", 31, 2]);
  ok(logged.some(([event]) => event === "audit log recovered"));
});

const foreign: readonly (readonly [name: string, content: string, says: RegExp])[] = [
  ["is something else", "hello\nworld\n", /does not end as an audit log/],
  ["ends in something else", `${logOf(2).join("")}${"x".repeat(4 * MAX_LINE_BYTES)}`, /not end/],
  ["has a last line that was changed", logOf(2).join("").replace("user-1", "user-2"), /changed/],
];
for (const [name, content, says] of foreign) {
  Deno.test(`auditFile() refuses a file that ${name}, and leaves it as it is`, async () => {
    await using folder = await newFolder();
    Deno.writeTextFileSync(folder.path, content);
    await rejects(open(await folder.hold()), says);
    equal(folder.read(), content);
    // It has let go.
    (await folder.hold()).release();
  });
}

Deno.test("auditFile() begins a new file when the old one was renamed, chained to it", async () => {
  await using folder = await newFolder();
  const { audit, logged } = await open(await folder.hold());
  audit.write("one");
  await until(() => folder.read().includes("one"));
  Deno.renameSync(folder.path, `${folder.path}.1`);
  audit.write("two");
  await audit.close();
  const [old, now] = [folder.read("audit.jsonl.1"), folder.read()];
  deepEqual([eventsIn(old), eventsIn(now)], [["one"], ["continued", "two"]]);
  const result = await verified([old, now]);
  deepEqual([result.ok, result.ok && result.last], [true, 3]);
  const told = logged.filter(([event]) => event === "audit head").map(([, { hash }]) => hash);
  ok(told.includes(JSON.parse(old).hash));
});

Deno.test("auditFile() goes on in an empty file that took the place of the old one", async () => {
  await using folder = await newFolder();
  const { audit } = await open(await folder.hold());
  audit.write("one");
  await until(() => folder.read().includes("one"));
  Deno.renameSync(folder.path, `${folder.path}.1`);
  Deno.writeTextFileSync(folder.path, "");
  audit.write("two");
  equal(await audit.close(), true);
  equal((await verified([folder.read("audit.jsonl.1"), folder.read()])).ok, true);
});

Deno.test("auditFile() adds to no other file that took the place of the old one, and is not ready", async () => {
  await using folder = await newFolder();
  const { audit, logged } = await open(await folder.hold());
  audit.write("one");
  await until(() => folder.read().includes("one"));
  Deno.renameSync(folder.path, `${folder.path}.1`);
  Deno.writeTextFileSync(folder.path, "mine\n");
  audit.write("two");
  await until(() => !audit.ready());
  equal(folder.read(), "mine\n");
  match(String(logged.at(-1)![1].error), /another file has taken its place/);
  Deno.removeSync(folder.path);
  await until(() => audit.ready());
  equal(await audit.close(), true);
  equal((await verified([folder.read("audit.jsonl.1"), folder.read()])).ok, true);
});

Deno.test("auditFile() is not ready while the disk is full, and loses nothing when it is not any more", async () => {
  await using folder = await newFolder();
  const disk = diskUnder(await folder.hold());
  const { audit, logged } = await open(disk.path);
  audit.write("one");
  await until(() => folder.read().includes("one"));
  equal(audit.ready(), true);
  // A part of a line still fits in.
  disk.room = 40;
  audit.write("two");
  await until(() => !audit.ready());
  for (let index = 0; index < 100; index++) audit.write("three");
  equal(logged.filter(([event]) => event === "audit log not written").length, 1);
  match(folder.read(), /\n.{40}$/);
  disk.room = Infinity;
  await until(() => audit.ready());
  equal(await audit.close(), true);
  deepEqual(eventsIn(folder.read()), ["one", "two", ...Array(100).fill("three")]);
  equal((await verified([folder.read()], undefined, 65536)).ok, true);
  ok(logged.some(([event]) => event === "audit log written again"));
});

Deno.test("auditFile() writes on where a disk takes a few bytes at a time", async () => {
  await using folder = await newFolder();
  const disk = diskUnder(await folder.hold());
  disk.takes = 3;
  const { audit } = await open(disk.path);
  for (let index = 0; index < 20; index++) audit.write("event", { index });
  equal(await audit.close(), true);
  equal((await verified([folder.read()])).ok, true);
});

Deno.test("auditFile() is not ready when a slow disk is behind, holds a bounded part, and counts the rest", async () => {
  await using folder = await newFolder();
  const disk = diskUnder(await folder.hold());
  const { promise, resolve } = Promise.withResolvers<void>();
  disk.ready = promise;
  const { audit } = await open(disk.path);
  const text = "x".repeat(900);
  let written = 0;
  while (audit.ready()) audit.write("call", { text, nth: written++ });
  ok(written * 900 > FULL * 0.9 && written * 900 < FULL);
  // What was begun before may still end.
  while (written * 900 < 2 * MAX_WAITING) audit.write("call", { text, nth: written++ });
  resolve();
  equal(await audit.close(), true);
  const lines = folder.read().trimEnd().split("\n").map((line) => JSON.parse(line));
  const { event, lines: lost } = lines.at(-1);
  equal(event, "lost");
  equal(lines.length - 1 + lost, written);
  ok(lines.length * 900 < 1.2 * MAX_WAITING);
  deepEqual(lines.slice(0, -1).map(({ nth }) => nth), lines.slice(0, -1).map((_, nth) => nth));
  equal((await verified([folder.read()], undefined, 65536)).ok, true);
});

Deno.test("auditFile() says at the end when lines could not be written", async () => {
  await using folder = await newFolder();
  const disk = diskUnder(await folder.hold());
  disk.room = 0;
  const { audit, logged } = await open(disk.path);
  audit.write("one");
  audit.write("two");
  equal(await audit.close(), false);
  ok(logged.some(([event]) => event === "audit lines lost"));
  (await folder.hold()).release();
});

Deno.test("auditFile() tells the log within a minute how far new lines have taken the chain, once", async () => {
  await using folder = await newFolder();
  const { setTimeout: original } = globalThis;
  const due: (() => void)[] = [];
  globalThis.setTimeout = ((run: () => void, ms: number) => {
    if (ms !== ANCHOR_MS) return original(run, ms);
    due.push(run);
    return original(() => {}, 0);
  }) as never;
  try {
    const { audit, logged } = await open(await folder.hold());
    const told = () => logged.filter(([event]) => event === "audit head").map(([, { seq }]) => seq);
    audit.write("one");
    await until(() => due.length === 1);
    audit.write("two");
    await until(() => folder.read().includes("two"));
    deepEqual([told(), due.length], [[0], 1]);
    due.shift()!();
    deepEqual(told(), [0, 2]);
    audit.write("three");
    await until(() => due.length === 1);
    due.shift()!();
    equal(await audit.close(), true);
    deepEqual(told(), [0, 2, 3]);
  } finally {
    globalThis.setTimeout = original;
  }
});
