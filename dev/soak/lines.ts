/**
 * A log, line by line.
 *
 * @module
 */

import { audited } from "./front.ts";
import type { Outages } from "./outages.ts";

/** Cuts text into lines, without their ends. */
export class TextLineStream extends TransformStream<string, string> {
  constructor() {
    let rest = "";
    super({
      transform(chunk, controller) {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop()!;
        for (const line of lines) controller.enqueue(line);
      },
      flush(controller) {
        if (rest !== "") controller.enqueue(rest);
      },
    });
  }
}

/** What the log of a server said. */
export interface Log {
  /** How often events for auditors came, by name. */
  readonly audited: ReadonlyMap<string, number>;
  /** What no server should say. */
  readonly wrongs: readonly string[];
  /** How many lines there were. */
  readonly lines: number;
}

/** What may fail while the identity provider is away. */
const OUTAGE_ERRORS: ReadonlySet<unknown> = new Set([
  "login not begun",
  "login not finished",
  "token not refreshed",
]);

/** How many wrong lines are kept. */
const MOST_WRONGS = 20;

/** Prepares the judging of lines. @param now In milliseconds, of the clock of `outages`. */
export function newLog(outages: Outages, now: () => number): Log & { read(line: string): void } {
  const counts = new Map<string, number>();
  const wrongs: string[] = [];
  let lines = 0;
  const wrong = (line: string) => {
    if (wrongs.length < MOST_WRONGS) wrongs.push(line.slice(0, 1000));
  };
  return {
    audited: counts,
    wrongs,
    get lines() {
      return lines;
    },
    read(line) {
      lines++;
      if (!line.startsWith("{")) return wrong(line);
      if (line.includes('"audit":true')) {
        const { event, step, reason } = JSON.parse(line);
        const name = audited(event, step, reason);
        counts.set(name, (counts.get(name) ?? 0) + 1);
      } else if (line.includes('"level":"error"')) {
        const isExcused = OUTAGE_ERRORS.has(JSON.parse(line).event) &&
          outages.excuses(now(), now());
        if (!isExcused) wrong(line);
      }
    },
  };
}
