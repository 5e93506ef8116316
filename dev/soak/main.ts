/**
 * Soaks the real server: full load by good clients and strangers, before an identity provider that
 * goes away and comes back. Every answer is checked, and everything that clients saw is compared
 * with what the server counted.
 *
 * Exits with 1 when anything was wrong.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { table } from "./report.ts";
import { soak } from "./soak.ts";

const HELP = `Usage: deno task soak [--minutes N] [--json]

  --minutes N  How long (10); memory is judged from 5 minutes on
  --json       Print JSON instead of a table
`;

/** How often a line tells how far it is, in milliseconds, on a terminal and elsewhere. */
const PROGRESS_MS = { terminal: 1_000, other: 30_000 };

const encoder = new TextEncoder();
const terminal = Deno.stderr.isTerminal();
const say = (text: string) => Deno.stderr.writeSync(encoder.encode(text));

/** Paints on terminals only, and not where NO_COLOR asks for none. */
function painter(isTerminal: boolean) {
  const paints = isTerminal && !Deno.noColor;
  return (text: string, isGood: boolean) =>
    paints ? `\x1b[${isGood ? 32 : 31}m${text}\x1b[0m` : text;
}

const { values: flags } = parseArgs({
  args: Deno.args,
  options: {
    minutes: { type: "string", default: "10" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const seconds = Number(flags.minutes) * 60;
if (flags.help || !(seconds > 0)) {
  say(HELP);
  Deno.exit(flags.help ? 0 : 2);
}

// Nothing that was started is left behind.
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => stop.abort());
}

const paint = painter(terminal);
const folder = await Deno.makeTempDir({ prefix: "gatehouse-soak-" });
let isGood = false;
try {
  const report = await soak({
    folder,
    seconds,
    stop: stop.signal,
    everyMs: terminal ? PROGRESS_MS.terminal : PROGRESS_MS.other,
    tell: ({ text, isGood }) => void say(terminal ? `\r\x1b[K${paint(text, isGood)}` : `${text}\n`),
  });
  if (terminal) say("\r\x1b[K");
  isGood = report.wrongs.length === 0;
  const words = flags.json
    ? `${JSON.stringify(report, undefined, 2)}\n`
    : table(report, painter(Deno.stdout.isTerminal()));
  await new Blob([words]).stream().pipeTo(Deno.stdout.writable, { preventClose: true });
} finally {
  await Deno.remove(folder, { recursive: true });
}
Deno.exit(isGood ? 0 : 1);
