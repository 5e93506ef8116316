/**
 * The program over a meter that can be read.
 *
 * @module
 */

import { app } from "../lib/app.ts";
import { metrics } from "../lib/metrics.ts";
import { fakePorts, NOW, ORIGIN, testConfig } from "./fakes.ts";

/** A meter over facts that stand. */
export function counting() {
  return metrics({
    version: "1.2.3",
    deno: "2.9.6",
    now: () => NOW,
    memory: () => ({ rss: 1024, heapUsed: 512 }),
    linesDropped: () => 7,
  });
}

/** Samples by their series: `name{label="value"}`. */
export async function samplesOf(
  { text }: { text(): Promise<string> },
): Promise<Map<string, number>> {
  const lines = (await text()).split("\n").filter((line) => line && !line.startsWith("#"));
  return new Map(lines.map((line) => {
    const end = line.lastIndexOf(" ");
    return [line.slice(0, end), Number(line.slice(end + 1))];
  }));
}

/** What is not zero of one metric, by its labels. */
export const countsOf = async (kept: { text(): Promise<string> }, name: string) =>
  Object.fromEntries(
    [...await samplesOf(kept)]
      .filter(([series, value]) => series.startsWith(`gatehouse_${name}{`) && value !== 0)
      .map(([series, value]) => [series.slice(series.indexOf("{")), value]),
  );

/** The program whose counts are kept. */
export async function counted(
  env: Record<string, string> = {},
  fetch?: (request: Request) => Promise<Response>,
) {
  const kept = counting();
  const program = await app(testConfig(env), { ...fakePorts(fetch), meter: kept.meter });
  const send = async (path: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    headers.set("host", "localhost:8080");
    const response = await program.fetch(new Request(ORIGIN + path, { ...init, headers }));
    await response.body?.cancel();
    return response.status;
  };
  return { ...kept, program, send };
}
