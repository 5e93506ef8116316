/**
 * What the log of the program may say, and what never.
 *
 * @module
 */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import type { Program } from "../../tests/e2e/program.ts";
import type { Stand } from "./pack_steps.ts";

type Line = Readonly<Record<string, unknown>>;

/** Topics, keys, values, headers and groups of these tests have one of these in them. */
const MARKS = ["zebra", "okapi", "quokka", "numbat", "tapir"];

/**
 * Holds that the log has a line for each call that names who called what, and nothing of what was
 * said: neither names that callers gave nor what records hold, be it in base64.
 *
 * @param secrets What must not be there either.
 * @returns The lines of calls.
 */
export function discreet(
  { stderr }: Pick<Program, "stderr">,
  secrets: readonly string[] = [],
): readonly Line[] {
  const text = stderr();
  const hidden = [...MARKS, ...MARKS.flatMap(inBase64), ...secrets];
  deepEqual(hidden.filter((mark) => text.includes(mark)), []);
  const lines: Line[] = text.trimEnd().split("\n").map((line) => JSON.parse(line));
  const calls = lines.filter(({ event, rpc }) => event === "request" && isCall(rpc));
  for (const line of calls) {
    ok(typeof line.user === "string" && line.user !== "", JSON.stringify(line));
    ok(line.tool ?? line.resource ?? line.prompt, JSON.stringify(line));
    // What was cut off when the program ended has come to nothing.
    ok(line.status !== 200 || line.outcome, JSON.stringify(line));
  }
  return calls;
}

/** Ends the program, and holds that its log names everything that was used, and was discreet. */
export async function audit({ gate, alice }: Stand): Promise<void> {
  const { tools, resources, prompts } = await alice.offered();
  const offered = new Set([...tools, ...resources, ...prompts]);
  equal((await gate.stop()).code, 0);
  for (const { user, tool, resource, prompt, outcome } of discreet(gate)) {
    equal(user, "alice");
    ok(offered.has(String(tool ?? resource ?? prompt)));
    ok(["ok", "refused", "bad arguments"].includes(String(outcome)), String(outcome));
  }
}

function isCall(rpc: unknown): boolean {
  return ["tools/call", "resources/read", "prompts/get"].some((name) => name === rpc);
}

/** The part of a text in base64 that is the same whatever surrounds it, at each place it can have. */
function inBase64(text: string): string[] {
  return [0, 1, 2].map((before) => btoa(" ".repeat(before) + text).slice(before && 4, -4))
    .filter((part) => part.length >= 4);
}
