/**
 * What a run found, for people and for scripts.
 *
 * @module
 */

import { CONNECTIONS, type Figures } from "./load.ts";

/** One line of the results: medians over the rounds. */
export interface Result extends Figures {
  readonly name: string;
  readonly label: string;
  /** Per second, over that of what it is measured against, in the same round. */
  readonly ratio: number;
}

/** A cost of the process itself, beside that of the bare server, or of the tool list. */
export interface Cost {
  readonly name: string;
  readonly label: string;
  readonly unit: "ms" | "MiB" | "characters per tool";
  /** The bare server's; of the tool list, that of Grafana's own MCP server. */
  readonly bare: number;
  readonly gatehouse: number;
  readonly ratio: number;
}

/** Everything a run found. */
export interface Report {
  readonly deno: string;
  readonly system: string;
  readonly cores: number;
  readonly rounds: number;
  readonly secondsPerRound: number;
  readonly connections: number;
  readonly results: readonly Result[];
  readonly costs: readonly Cost[];
  /** What the figures are, line by line. */
  readonly notes: readonly string[];
}

/** Puts the facts of the machine to what was found. */
export function reportOf(
  results: readonly Result[],
  costs: readonly Cost[],
  rounds: number,
  secondsPerRound: number,
  notes: readonly string[],
): Report {
  return {
    deno: Deno.version.deno,
    system: `${Deno.build.os} ${Deno.build.arch}`,
    cores: navigator.hardwareConcurrency,
    rounds,
    secondsPerRound,
    connections: CONNECTIONS,
    results,
    costs,
    notes,
  };
}

/** The middle of `values`. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** The report for scripts. */
export function json(report: Report): string {
  const short = (_: string, value: unknown) =>
    typeof value === "number" ? Math.round(value * 1e4) / 1e4 : value;
  return `${JSON.stringify(report, short, 2)}\n`;
}

/** The report for people. */
export function table(report: Report): string {
  const { deno, system, cores, rounds, secondsPerRound, results, costs, notes } = report;
  const seconds = secondsPerRound === 1 ? "1 second" : `${secondsPerRound} seconds`;
  const heading = costs.length > 0 ? [line("", "bare", "gatehouse", "ratio", "")] : [];
  return [
    "",
    line("", "per second", "ratio", "p50 ms", "p99 ms"),
    ...results.map(({ label, perSecond, ratio, p50, p99 }) =>
      line(label, perSecond.toFixed(0), ratio.toFixed(3), p50.toFixed(3), p99.toFixed(3))
    ),
    "",
    ...heading,
    ...costs.map(({ label, unit, bare, gatehouse, ratio }) =>
      line(`${label}, ${unit}`, bare.toFixed(0), gatehouse.toFixed(0), ratio.toFixed(2), "")
    ),
    ...(costs.length > 0 ? [""] : []),
    `Deno ${deno}, ${system}, ${cores} cores, shared with the load.`,
    `Medians of ${rounds} interleaved rounds of ${seconds}; ratios are within the same round.`,
    ...notes,
    "",
  ].map((text) => `${text.trimEnd()}\n`).join("");
}

function line(label: string, ...cells: string[]): string {
  return label.padEnd(40) + cells.map((cell) => cell.padStart(11)).join("");
}
