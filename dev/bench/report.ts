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
  /** Per second, over the bare server's in the same round. */
  readonly ratio: number;
}

/** A cost of the process itself, beside that of the bare server. */
export interface Cost {
  readonly name: string;
  readonly label: string;
  readonly unit: "ms" | "MiB";
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
}

/** Puts the facts of the machine to what was found. */
export function reportOf(
  results: readonly Result[],
  costs: readonly Cost[],
  rounds: number,
  secondsPerRound: number,
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
  const { deno, system, cores, rounds, secondsPerRound, connections, results, costs } = report;
  const seconds = secondsPerRound === 1 ? "1 second" : `${secondsPerRound} seconds`;
  return [
    "",
    line("", "per second", "ratio", "p50 ms", "p99 ms"),
    ...results.map(({ label, perSecond, ratio, p50, p99 }) =>
      line(label, perSecond.toFixed(0), ratio.toFixed(3), p50.toFixed(3), p99.toFixed(3))
    ),
    "",
    line("", "bare", "gatehouse", "ratio", ""),
    ...costs.map(({ label, unit, bare, gatehouse, ratio }) =>
      line(`${label}, ${unit}`, bare.toFixed(0), gatehouse.toFixed(0), ratio.toFixed(1), "")
    ),
    "",
    `Deno ${deno}, ${system}, ${cores} cores, shared with the load. Medians of ${rounds} interleaved`,
    `rounds of ${seconds}; ratios are to the bare server in the same round. HTTP over ${connections}`,
    "keep-alive connections, one request at a time on each; validation one token at a time.",
    "",
  ].map((text) => `${text.trimEnd()}\n`).join("");
}

function line(label: string, ...cells: string[]): string {
  return label.padEnd(40) + cells.map((cell) => cell.padStart(11)).join("");
}
