/**
 * The official MCP conformance suite against the product: both revisions, with and without
 * sessions, each through the real gate; and proxy mode as an authorization server.
 *
 * Judged are the scenarios that a revision requires. One that fails must be named here with the
 * reason, and must go on failing: what begins to pass has to be taken off the list.
 *
 * @module
 */

import { AUTHORIZATION, runAuthorization } from "./authorization.ts";
import required from "./required.json" with { type: "json" };
import { fetchSuite, type Revision, runSuite, type Verdicts } from "./suite.ts";
import { target } from "./target.ts";

interface Leg {
  readonly sessions: "on" | "off";
  readonly revision: Revision;
  readonly failing: readonly string[];
}

// Without a session a server of 2025-11-25 has no way to ask the client anything, and the suite
// does not try several streams.
const NEED_A_SESSION = [
  "tools-call-sampling",
  "tools-call-elicitation",
  "elicitation-sep1034-defaults",
  "elicitation-sep1330-enums",
  "server-sse-multiple-streams",
];

const LEGS: readonly Leg[] = [
  { sessions: "on", revision: "2025-11-25", failing: [] },
  { sessions: "on", revision: "2026-07-28", failing: [] },
  { sessions: "off", revision: "2025-11-25", failing: NEED_A_SESSION },
  { sessions: "off", revision: "2026-07-28", failing: [] },
];

const encoder = new TextEncoder();
const print = (line: string) => void Deno.stdout.writeSync(encoder.encode(`${line}\n`));

let passed = 0;
let failed = 0;
await fetchSuite();
for (const { sessions, revision, failing } of LEGS) {
  await using server = await target(sessions);
  const verdicts = await runSuite(server.url, revision);
  report(`${revision}, sessions ${sessions}`, verdicts, required[revision], failing);
}
report("authorization server", await runAuthorization(), AUTHORIZATION, []);
print(`${passed} passed, ${failed} failed`);
if (failed > 0) Deno.exit(1);

function report(
  leg: string,
  verdicts: Verdicts,
  names: readonly string[],
  failing: readonly string[],
): void {
  const surprises = judge(verdicts, names, failing);
  const expected = failing.length > 0 ? `, ${failing.length} of them expected to fail` : "";
  print(
    `${surprises.length === 0 ? "ok  " : "FAIL"} ${leg}: ` +
      `${names.length} required scenarios${expected}; ${unscored(verdicts, names)}`,
  );
  for (const surprise of surprises) print(`     ${surprise}`);
  if (surprises.length > 0) print(verdicts.output);
  passed += names.length - surprises.length;
  failed += surprises.length;
}

function judge(
  { scenarios }: Verdicts,
  names: readonly string[],
  failing: readonly string[],
): string[] {
  return names.flatMap((name) => {
    const verdict = scenarios.get(name);
    if (verdict === undefined) return [`${name} was not run`];
    if (verdict !== failing.includes(name)) return [];
    return [`${name} ${verdict ? "passed, and was expected to fail" : "failed"}`];
  });
}

function unscored({ scenarios }: Verdicts, names: readonly string[]): string {
  const others = [...scenarios].filter(([name]) => !names.includes(name));
  const good = others.filter(([, verdict]) => verdict).length;
  return `${good} of ${others.length} others pass`;
}
