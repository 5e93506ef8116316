/**
 * Measures Gatehouse beside a bare server, in rounds that visit everything, so that what the
 * machine does meanwhile strikes both alike. Only ratios of one run mean anything.
 *
 * Exits with 1 when any answer was wrong, or when the tool list is larger per tool than that of
 * Grafana's own MCP server, output schemas aside, which that one has none of.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { calls } from "./calls.ts";
import { CONNECTIONS, type Figures, type Row } from "./load.ts";
import { type Cost, json, median, type Report, reportOf, type Result, table } from "./report.ts";
import { type Running, startBare, startGatehouse } from "./servers.ts";
import { averageOf, grafanaTools, REFERENCE_AVERAGE, sizesOf } from "./tool_list.ts";
import { validations } from "./validation.ts";

const HELP = `Usage: deno task bench [--kafka] [--seconds N] [--json] [--smoke]

  --kafka      Measure the Kafka pack on a real broker instead (needs Java 17, Maven)
  --seconds N  How long each row is measured, over all rounds (5)
  --json       Print JSON instead of a table
  --smoke      Only check that everything answers correctly; the figures mean nothing
`;

const ROUNDS = 5;
const STARTS = 5;

/** How much longer than the others the round is that warms up. */
const WARM_UP_FACTOR = 2;

/** How long a server rests before its idle memory is read, in milliseconds. */
const SETTLE_MS = 500;

interface Plan {
  readonly rounds: number;
  readonly secondsPerRound: number;
  readonly starts: number;
}

const SMOKE: Plan = { rounds: 1, secondsPerRound: 0.1, starts: 1 };

const HTTP_NOTE = `HTTP over ${CONNECTIONS} keep-alive connections, one request at a time on each`;

const encoder = new TextEncoder();

function progress(text: string): void {
  const line = Deno.stderr.isTerminal() ? `\r\x1b[K${text}` : text && `${text}\n`;
  Deno.stderr.writeSync(encoder.encode(line));
}

/** Measures every row once per round; the first round warms up and does not count. */
async function measure(rows: readonly Row[], plan: Plan): Promise<Result[]> {
  const found = new Map<Row, Figures[]>(rows.map((row) => [row, []]));
  for (let round = 0; round <= plan.rounds; round++) {
    progress(round === 0 ? "Warming up" : `Round ${round} of ${plan.rounds}`);
    // Every other round goes backwards, so that a machine that slows down favours no row.
    for (const row of round % 2 === 0 ? rows : rows.toReversed()) {
      const figures = await row.measure(plan.secondsPerRound * (round === 0 ? WARM_UP_FACTOR : 1));
      if (round > 0) found.get(row)!.push(figures);
    }
  }
  return rows.map((row) => {
    const own = found.get(row)!;
    const base = found.get(row.base ?? row)!;
    return {
      name: row.name,
      label: row.label,
      perSecond: median(own.map(({ perSecond }) => perSecond)),
      ratio: median(own.map(({ perSecond }, round) => perSecond / base[round]!.perSecond)),
      p50: median(own.map(({ p50 }) => p50)),
      p99: median(own.map(({ p99 }) => p99)),
    };
  });
}

async function measureStarts(starts: number): Promise<Cost> {
  const times = { bare: [] as number[], gatehouse: [] as number[] };
  for (let turn = 1; turn <= starts; turn++) {
    progress(`Start ${turn} of ${starts}`);
    for (const [name, start] of [["bare", startBare], ["gatehouse", startGatehouse]] as const) {
      await using server = await start();
      times[name].push(server.startedIn);
    }
  }
  const ratio = median(times.gatehouse.map((time, turn) => time / times.bare[turn]!));
  const [bare, gatehouse] = [median(times.bare), median(times.gatehouse)];
  return {
    name: "start",
    label: "Start until /healthz answers",
    unit: "ms",
    bare,
    gatehouse,
    ratio,
  };
}

async function memory(
  name: string,
  label: string,
  servers: readonly [bare: Running, gatehouse: Running],
): Promise<Cost[]> {
  const [bare, gatehouse] = await Promise.all(servers.map((server) => server.memory()));
  if (bare === undefined || gatehouse === undefined) return [];
  return [{ name, label, unit: "MiB", bare, gatehouse, ratio: gatehouse / bare }];
}

async function measureToolList(): Promise<Cost[]> {
  const { bare, whole } = averageOf(sizesOf(await grafanaTools(false)));
  const rows = [
    ["tool-list", "Tool list", bare],
    ["tool-list-whole", "With output schemas", whole],
  ] as const;
  return rows.map(([name, label, gatehouse]) => ({
    name,
    label,
    unit: "characters per tool",
    bare: REFERENCE_AVERAGE,
    gatehouse,
    ratio: gatehouse / REFERENCE_AVERAGE,
  }));
}

/** @throws {Error} When the tool list is larger than the reference's. */
function judgeToolList({ costs }: Report): void {
  const list = costs.find(({ name }) => name === "tool-list");
  if (!list || list.gatehouse <= list.bare) return;
  const size = list.gatehouse.toFixed(0);
  throw new Error(
    `The tool list takes ${size} characters per tool, more than the reference's ${list.bare}`,
  );
}

async function run(plan: Plan): Promise<Report> {
  await using bare = await startBare();
  await using gatehouse = await startGatehouse();
  const servers = [bare, gatehouse] as const;
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const idle = await memory("memory-idle", "Memory, idle after start", servers);
  const [base, ...others] = [...await calls(bare.port, gatehouse.port), ...await validations()];
  const rows = [base!, ...others.map((row) => ({ ...row, base: base! }))];
  const results = await measure(rows, plan);
  const loaded = await memory("memory-loaded", "Memory, after the load", servers);
  const costs = [await measureStarts(plan.starts), ...idle, ...loaded, ...await measureToolList()];
  progress("");
  return reportOf(results, costs, plan.rounds, plan.secondsPerRound, [
    "They are to the bare server. The tool list is that of the Grafana pack, beside that of Grafana's",
    `own MCP server. ${HTTP_NOTE};`,
    "validation one token at a time.",
  ]);
}

async function runKafka(plan: Plan): Promise<Report> {
  const [{ kafkaCalls }, { startKafka }, { reach }] = await Promise.all([
    import("./kafka.ts"),
    import("../kafka/kafka.ts"),
    import("../kafka/reaching.ts"),
  ]);
  await using kafka = await startKafka();
  await using gatehouse = await startGatehouse({ KAFKA_BROKERS: kafka.bootstrap().join() });
  await using client = reach(kafka.bootstrap());
  const results = await measure(await kafkaCalls(kafka, client, gatehouse.port), plan);
  progress("");
  return reportOf(results, [], plan.rounds, plan.secondsPerRound, [
    `They are to the same work of the client, called directly by ${CONNECTIONS} at a time.`,
    `${HTTP_NOTE}.`,
  ]);
}

async function main(): Promise<number> {
  let flags: { kafka: boolean; seconds: string; json: boolean; smoke: boolean; help: boolean };
  try {
    flags = parseArgs({
      args: Deno.args,
      options: {
        kafka: { type: "boolean", default: false },
        seconds: { type: "string", default: "5" },
        json: { type: "boolean", default: false },
        smoke: { type: "boolean", default: false },
        help: { type: "boolean", default: false, short: "h" },
      },
    }).values;
    if (!(Number(flags.seconds) > 0)) throw new TypeError("--seconds takes a number above 0");
  } catch (error) {
    Deno.stderr.writeSync(encoder.encode(`bench: ${(error as Error).message}\n\n${HELP}`));
    return 2;
  }
  if (flags.help) {
    Deno.stdout.writeSync(encoder.encode(HELP));
    return 0;
  }
  const { kafka, json: wantsJson, smoke } = flags;
  const plan = { rounds: ROUNDS, secondsPerRound: Number(flags.seconds) / ROUNDS, starts: STARTS };
  try {
    const report = await (kafka ? runKafka : run)(smoke ? SMOKE : plan);
    const text = smoke ? "Every answer was right.\n" : table(report);
    Deno.stdout.writeSync(encoder.encode(wantsJson ? json(report) : text));
    judgeToolList(report);
    return 0;
  } catch (error) {
    progress("");
    Deno.stderr.writeSync(encoder.encode(`bench: ${(error as Error).message}\n`));
    return 1;
  }
}

Deno.exit(await main());
