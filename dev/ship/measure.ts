/**
 * Measures what is shipped, each from an empty folder with an empty environment.
 *
 * Exits with 1 when an answer was wrong, or when memory grew out of bounds.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { connected, CONNECTIONS } from "../bench/load.ts";
import { median } from "../bench/report.ts";
import { memoryOf } from "../bench/servers.ts";
import { type Artefact, artefacts } from "./artefacts.ts";
import { started } from "./started.ts";

const HELP = `Usage: deno run -A dev/ship/measure.ts [--calls N] [--starts N] [--json]

  --calls N   How many guarded calls to make (100000)
  --starts N  How often to start (5)
  --json      Print JSON instead of a table
`;

/** How long a program rests before its memory is read, in milliseconds. */
const SETTLE_MS = 1000;

/** How long one call may take on average before the load counts as stuck, in milliseconds. */
const STUCK_MS = 10;

/**
 * How much more memory a program may have after the calls than at rest. A busy heap settles below
 * three times that; a kilobyte left by each of 100,000 calls comes on top as a fourth.
 */
const MOST_GROWTH = 4;

/** What was found about something that is shipped. Memory is in mebibytes. */
interface Figures {
  readonly name: string;
  readonly bytes: number;
  /** From starting the process until its first guarded answer, in milliseconds: the median. */
  readonly start: number;
  /** `undefined` where the system does not tell. */
  readonly atRest: number | undefined;
  readonly afterHalf: number | undefined;
  readonly afterAll: number | undefined;
  readonly perSecond: number;
}

async function measure(artefact: Artefact, calls: number, starts: number): Promise<Figures> {
  const times: number[] = [];
  for (let turn = 1; turn < starts; turn++) {
    await using program = await started(artefact);
    times.push(program.startedIn);
  }
  await using program = await started(artefact);
  times.push(program.startedIn);
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const { pid, target } = program;
  const { name, bytes } = artefact;
  const atRest = await memoryOf(pid);
  const half = Math.ceil(calls / 2 / CONNECTIONS);
  const call = () =>
    connected(target, calls * STUCK_MS, (turns) =>
      Promise.all(turns.map(async (turn) => {
        for (let sent = 0; sent < half; sent++) await turn();
      })));
  const begun = performance.now();
  await call();
  const afterHalf = await memoryOf(pid);
  await call();
  const perSecond = half * 2 * CONNECTIONS / (performance.now() - begun) * 1000;
  const afterAll = await memoryOf(pid);
  return { name, bytes, start: median(times), atRest, afterHalf, afterAll, perSecond };
}

function table(found: readonly Figures[], calls: number, starts: number): string {
  const mebibytes = (value: number | undefined) => value?.toFixed(0) ?? "?";
  const rows: [label: string, cell: (figures: Figures) => string][] = [
    ["Size, MB", ({ bytes }) => (bytes / 1e6).toFixed(1)],
    [`First guarded answer, ms (median of ${starts})`, ({ start }) => start.toFixed(0)],
    ["Memory at rest, MiB", ({ atRest }) => mebibytes(atRest)],
    [`Memory after ${calls / 2} calls, MiB`, ({ afterHalf }) => mebibytes(afterHalf)],
    [`Memory after ${calls} calls, MiB`, ({ afterAll }) => mebibytes(afterAll)],
    ["Calls per second", ({ perSecond }) => perSecond.toFixed(0)],
  ];
  const line = (label: string, cells: readonly string[]) =>
    `${label.padEnd(40)}${cells.map((cell) => cell.padStart(12)).join("")}\n`;
  return [
    line("", found.map(({ name }) => name)),
    ...rows.map(([label, cell]) => line(label, found.map(cell))),
  ].join("");
}

/** @throws {Error} When memory grew out of bounds. */
function judge({ name, atRest, afterAll }: Figures): void {
  if (atRest === undefined || afterAll === undefined || afterAll <= atRest * MOST_GROWTH) return;
  const [rest, all] = [atRest, afterAll].map((value) => value.toFixed(0));
  throw new Error(`The ${name} has ${all} MiB after the calls, ${rest} at rest`);
}

const say = (text: string) => Deno.stdout.write(new TextEncoder().encode(text));
const complain = (text: string) => Deno.stderr.write(new TextEncoder().encode(text));

function optionsOf(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      calls: { type: "string", default: "100000" },
      starts: { type: "string", default: "5" },
      json: { type: "boolean", default: false },
    },
  });
  const [calls, starts] = [Number(values.calls), Number(values.starts)];
  if (!(calls > 0) || !(starts > 0)) throw new TypeError("--calls and --starts are above 0");
  return { calls, starts, json: values.json };
}

/** @returns The exit status. */
async function main(args: string[]): Promise<number> {
  let options: ReturnType<typeof optionsOf>;
  try {
    options = optionsOf(args);
  } catch (error) {
    await complain(`measure: ${(error as Error).message}\n\n${HELP}`);
    return 2;
  }
  const { calls, starts, json } = options;
  try {
    await using shipped = await artefacts();
    const found: Figures[] = [];
    for (const artefact of shipped.all) found.push(await measure(artefact, calls, starts));
    await say(json ? `${JSON.stringify(found, null, 2)}\n` : table(found, calls, starts));
    found.forEach(judge);
    return 0;
  } catch (error) {
    await complain(`measure: ${(error as Error).message}\n`);
    return 1;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
