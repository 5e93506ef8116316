import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  chained,
  entryOf,
  GENESIS,
  looksWhole,
  MAX_LINE_BYTES,
  readLine,
} from "../../lib/audit/chain.ts";
import { forge } from "../tokens.ts";
import { NOW } from "../fakes.ts";
import { logOf } from "./chains.ts";

const bytesOf = (line: string) => new TextEncoder().encode(line.trimEnd());
const digest = (text: string) => createHash("sha256").update(text).digest("hex");
const entry = (event: string, fields: Record<string, unknown>) =>
  JSON.parse(chained(GENESIS, entryOf(NOW * 1000, event, fields)).line);

Deno.test("a line's hash is SHA-256 of the line up to it, and stands in the next line", () => {
  const lines = logOf(3);
  let prev = "0".repeat(64);
  for (const [index, line] of lines.entries()) {
    const [, body, hash] = /^(.*),"hash":"([0-9a-f]{64})"\}\n$/.exec(line)!;
    equal(digest(body!), hash);
    const { seq, prev: told } = JSON.parse(line);
    deepEqual([seq, told], [index + 1, prev]);
    prev = hash!;
  }
});

Deno.test("readLine() reads what chained() writes, whatever the facts are", () => {
  for (const value of ["", "ä€😀", '"},"hash":"', "\u2028\r\n\0", "\ud800", [1, { a: null }]]) {
    const { line, head } = chained(GENESIS, entryOf(NOW * 1000, "call", { value }));
    equal(line.indexOf("\n"), line.length - 1);
    deepEqual(readLine(bytesOf(line)), { ...head, prev: GENESIS.hash, event: "call" });
  }
});

Deno.test("no fact can take the place of what the chain writes", () => {
  const own = { seq: 9, prev: "x", time: "never", event: "other", hash: "y" };
  const { seq, prev, time, event, hash } = entry("call", { ...own, user: "alice" });
  deepEqual([seq, prev, event], [1, GENESIS.hash, "call"]);
  equal(time, new Date(NOW * 1000).toISOString());
  equal(hash.length, 64);
});

Deno.test("an entry drops secrets, and cuts tokens and long texts, like the log", () => {
  const token = forge({});
  const line = entry("call", { access_token: "s3cret", arguments: { a: 1 }, text: token });
  equal(JSON.stringify(line).includes("s3cret"), false);
  equal(JSON.stringify(line).includes(token), false);
  equal("arguments" in line, false);
  ok(entry("call", { text: "x".repeat(1e6) }).text.length < 1100);
});

Deno.test("an entry that is too long for a line is written without its facts", () => {
  const wide = Object.fromEntries(
    Array.from({ length: 20 }, (_, index) => [`n${index}`, Array(20).fill("€".repeat(1000))]),
  );
  const { line } = chained(GENESIS, entryOf(NOW * 1000, "call", wide));
  ok(line.length < MAX_LINE_BYTES);
  const { event, tooLong, n0 } = JSON.parse(line);
  deepEqual([event, tooLong, n0], ["call", true, undefined]);
});

Deno.test("readLine() refuses a line in any other form", () => {
  const line = logOf(1)[0]!.trimEnd();
  const renumbered = (to: string) => {
    const body = line.slice(0, line.indexOf(',"hash"')).replace('"seq":1', `"seq":${to}`);
    return `${body},"hash":"${digest(body)}"}`;
  };
  const exact = (text: string) => readLine(new TextEncoder().encode(text));
  for (
    const bad of ["", "{}", `${line} `, ` ${line}`, `${line}\r`, line.slice(0, -1), line.slice(1)]
  ) {
    equal(exact(bad), undefined, bad);
  }
  for (const seq of ["0", "01", "-1", "1.0", '"1"', "9".repeat(16)]) {
    equal(readLine(bytesOf(renumbered(seq))), undefined, seq);
  }
  equal(readLine(bytesOf(renumbered("7")))?.seq, 7);
});

Deno.test("looksWhole() tells a line that was changed from one that was not finished", () => {
  const line = logOf(1)[0]!.trimEnd();
  equal(looksWhole(bytesOf(line.replace("user-0", "user-1"))), true);
  for (let end = 0; end < line.length; end++) {
    equal(looksWhole(bytesOf(line.slice(0, end))), false);
  }
});
