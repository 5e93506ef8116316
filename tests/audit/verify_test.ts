import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { chained, entryOf, GENESIS, sha256 } from "../../lib/audit/chain.ts";
import { type Broken, verifyAudit } from "../../lib/audit/verify.ts";
import { NOW } from "../fakes.ts";
import { hashOf, linesOf, logOf, verified } from "./chains.ts";

const COUNT = 6;
const lines = logOf(COUNT);
const text = lines.join("");
const bytes = new TextEncoder().encode(text);

async function brokenBy(files: readonly (string | Uint8Array)[]): Promise<Broken> {
  const result = await verified(files);
  ok(!result.ok, "nothing was found");
  return result;
}

Deno.test("verifyAudit() finds nothing in a log that nobody touched, however it is read", async () => {
  const head = hashOf(lines.at(-1)!);
  for (const size of [1, 7, 100, 1e6]) {
    deepEqual(await verified([text], undefined, size), {
      ok: true,
      lines: COUNT,
      first: 1,
      last: COUNT,
      head,
      recovered: 0,
    });
  }
});

Deno.test("verifyAudit() finds any byte that was changed, in its line", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(bytes.length - 1),
      fc.integer({ min: 1, max: 255 }),
      async (at, by) => {
        const changed = bytes.slice();
        changed[at]! ^= by;
        const { line } = await brokenBy([changed]);
        const expected = text.slice(0, at).split("\n").length;
        ok(line === expected, `line ${line}, not ${expected}`);
      },
    ),
    { numRuns: 1000 },
  );
});

Deno.test("verifyAudit() finds any byte that was taken out or put in", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(bytes.length - 1),
      fc.integer({ min: 0, max: 255 }),
      async (at, byte) => {
        await brokenBy([new Uint8Array([...bytes.subarray(0, at), ...bytes.subarray(at + 1)])]);
        const more = new Uint8Array([...bytes.subarray(0, at), byte, ...bytes.subarray(at)]);
        await brokenBy([more]);
      },
    ),
    { numRuns: 500 },
  );
});

Deno.test("verifyAudit() finds any line that was taken out, unless it is the last", async () => {
  for (let at = 0; at < COUNT - 1; at++) {
    const { line, why } = await brokenBy([lines.toSpliced(at, 1).join("")]);
    deepEqual([line, why], [at + 1, "missing"]);
  }
});

Deno.test("verifyAudit() finds any two lines that were swapped", async () => {
  for (let left = 0; left < COUNT; left++) {
    for (let right = left + 1; right < COUNT; right++) {
      const swapped = lines.with(left, lines[right]!).with(right, lines[left]!);
      const { line, why } = await brokenBy([swapped.join("")]);
      deepEqual([line, why], [left + 1, "out of order"]);
    }
  }
});

Deno.test("verifyAudit() finds any line that was put in", async () => {
  const foreign = linesOf(["x"], { seq: 2, hash: "f".repeat(64) })[0]!;
  for (const alien of ["\n", "{}\n", "hello\n", foreign, ...lines]) {
    for (let at = 0; at <= COUNT; at++) {
      const { line } = await brokenBy([lines.toSpliced(at, 0, alien).join("")]);
      ok(line === at + 1 || alien === lines[at], `line ${line} for ${at + 1}`);
    }
  }
});

Deno.test("verifyAudit() finds a line that was made anew, at the line after it", async () => {
  const forged = linesOf(["event 0", "event 1", "forged"])[2]!;
  const { line, why } = await brokenBy([lines.with(2, forged).join("")]);
  deepEqual([line, why], [4, "changed"]);
});

Deno.test("verifyAudit() finds what was taken off the end, or all made anew, by a hash alone", async () => {
  const cut = lines.slice(0, 4).join("");
  const forged = linesOf(Array(COUNT).fill("forged")).join("");
  equal((await verified([cut])).ok, true);
  equal((await verified([forged])).ok, true);
  const anchor = hashOf(lines[4]!);
  equal((await verified([text], anchor)).ok, true);
  for (const bad of [cut, forged]) {
    const result = await verified([bad], anchor);
    ok(!result.ok);
    equal(result.why, "missing");
  }
});

Deno.test("verifyAudit() finds a last line that is not finished, at any place", async () => {
  const start = bytes.length - lines.at(-1)!.length;
  for (let end = start + 1; end < bytes.length; end++) {
    const { line, why } = await brokenBy([bytes.subarray(0, end)]);
    deepEqual([line, why], [COUNT, "torn"]);
  }
});

Deno.test("verifyAudit() finds an empty log broken, as a server never leaves one", async () => {
  for (const empty of [[""], ["", ""], ["\n"]]) equal((await verified(empty)).ok, false);
});

Deno.test("verifyAudit() follows a chain over files, the oldest first", async () => {
  const older = linesOf(["started", "call"]);
  const head = { seq: 2, hash: hashOf(older[1]!) };
  const newer = linesOf(["continued", "call"], head);
  const files = [older.join(""), newer.join("")];
  const both = await verified(files);
  deepEqual([both.ok, both.ok && both.last], [true, 4]);
  const alone = await verified([files[1]!]);
  deepEqual([alone.ok, alone.ok && alone.first], [true, 3]);
  for (
    const [bad, file, why] of [
      [[files[1]!, files[0]!], 1, "out of order"],
      [[older[0]!, files[1]!], 1, "missing"],
      [[files[0]!, newer[1]!], 1, "missing"],
      [[newer[1]!], 0, "missing"],
      [[files[0]!.trimEnd(), files[1]!], 0, "torn"],
    ] as const
  ) {
    const broken = await brokenBy(bad);
    deepEqual([broken.file, broken.why], [file, why]);
  }
});

/** A log with torn bytes before its third line, which tells of `told`. */
function recovered(torn: string, told = torn, event = "recovered"): string {
  const before = lines.slice(0, 2);
  const facts = { bytes: told.length, sha256: sha256(told) };
  const head = { seq: 2, hash: hashOf(before[1]!) };
  const { line, head: next } = chained(head, entryOf(NOW * 1000, event, facts));
  return [...before, torn, line, ...linesOf(["call"], next)].join("");
}

Deno.test("verifyAudit() accepts torn bytes that the next line tells of", async () => {
  for (
    const torn of ["", '{"seq":3,"pr\n', "\n", '{"s\n{"seq":3,"prev\n', `${"\0".repeat(8192)}\n`]
  ) {
    const result = await verified([recovered(torn)]);
    deepEqual([result.ok, result.ok && result.recovered], [true, 1]);
  }
});

Deno.test("verifyAudit() finds torn bytes that were changed, taken out or put in", async () => {
  const torn = '{"seq":3,"pr\n';
  for (const other of ["", "\n", '{"seq":3,"px\n', `${torn}\n`, `\n${torn}`]) {
    const { line, why } = await brokenBy([recovered(other, torn)]);
    deepEqual([line, why], [3, other === "" ? "missing" : "changed"]);
  }
  const { line, why } = await brokenBy([recovered(torn, torn, "call")]);
  deepEqual([line, why], [3, "changed"]);
});

Deno.test("verifyAudit() holds no more of a line without an end than can be recovered", async () => {
  const endless = async function* () {
    const zeros = new Uint8Array(1024 * 1024);
    for (let at = 0; at < 64; at++) yield await zeros;
  };
  const before = Deno.memoryUsage().external;
  const result = await verifyAudit([endless()]);
  ok(!result.ok);
  equal(result.why, "torn");
  ok(Deno.memoryUsage().external - before < 32 * 1024 * 1024);
});

Deno.test("verifyAudit() lets no line of the next file tell of bytes that are torn in this one", async () => {
  const torn = '{"seq":3,"pr\n';
  const text = recovered(torn);
  const end = text.indexOf(torn) + torn.length;
  const { file, line } = await brokenBy([text.slice(0, end), text.slice(end)]);
  deepEqual([file, line], [0, 3]);
});

Deno.test("verifyAudit() finds a line with a right hash that only begins as one that tells of torn bytes", async () => {
  const torn = '{"seq":1,"pr\n';
  const told = entryOf(NOW * 1000, "recovered", { bytes: 13, sha256: sha256(torn) });
  for (const entry of [told.slice(0, -1), told.slice(0, told.indexOf(',"bytes"'))]) {
    const { line, why } = await brokenBy([torn + chained(GENESIS, `${entry},`).line]);
    deepEqual([line, why], [1, "changed"]);
  }
});
