/**
 * Times relative to now, as Grafana writes them: `now-1h`, `now-1d/d`, `now/w`; and with several
 * units after one sign, as Go writes durations: `now-2h45m`, `now-1.5h`.
 *
 * Calendars are those of UTC, and weeks begin on Monday; in a browser Grafana would take the time
 * zone and the weeks of whoever looks.
 *
 * @see {@link https://grafana.com/docs/grafana/latest/dashboards/use-dashboards/#time-units-and-relative-ranges}
 *
 * @module
 */

/** Which end of a span a time is: what `/d` rounds to, the first or the last millisecond of it. */
export type Edge = "start" | "end";

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

// Of months and years there are whole ones only, since they differ in length.
const COUNT = String.raw`\d{1,6}(?:(?:\.\d{1,3})?[smhdw]|[My])`;
const RELATIVE = new RegExp(String.raw`^now(?:[+-](?:${COUNT})+|/[smhdwMy])*$`);
const TERM = new RegExp(String.raw`([+-])((?:${COUNT})+)|/([smhdwMy])`, "g");

// The first Monday of Unix time.
const FIRST_MONDAY_MS = 4 * UNIT_MS.d!;

/**
 * Reads a relative time as Unix milliseconds, term by term.
 *
 * @param now Unix seconds.
 * @returns `undefined` for another text; a number that is not finite for a time that no calendar has.
 */
export function relativeMs(text: string, now: number, edge: Edge): number | undefined {
  if (!RELATIVE.test(text)) return undefined;
  let ms = now * 1000;
  for (const [, sign, counts, unit] of text.matchAll(TERM)) {
    ms = unit ? rounded(ms, unit, edge) : shifted(ms, counts!, sign === "-" ? -1 : 1);
  }
  return Number.isNaN(ms) ? Infinity : ms;
}

function shifted(ms: number, counts: string, sign: number): number {
  return counts.match(/[\d.]+[a-zA-Z]/g)!.reduce((at, one) => {
    const [count, unit] = [sign * Number(one.slice(0, -1)), one.at(-1)!];
    return unit in UNIT_MS ? at + count * UNIT_MS[unit]! : withMonths(at, count * monthsOf(unit));
  }, ms);
}

function rounded(ms: number, unit: string, edge: Edge): number {
  const start = startOf(ms, unit);
  if (edge === "start") return start;
  return (unit in UNIT_MS ? start + UNIT_MS[unit]! : withMonths(start, monthsOf(unit))) - 1;
}

function startOf(ms: number, unit: string): number {
  if (unit in UNIT_MS) {
    const first = unit === "w" ? FIRST_MONDAY_MS : 0;
    return Math.floor((ms - first) / UNIT_MS[unit]!) * UNIT_MS[unit]! + first;
  }
  const date = new Date(startOf(ms, "d"));
  return unit === "M" ? date.setUTCDate(1) : date.setUTCMonth(0, 1);
}

/** Where a month is too short for the day, its last day is taken. */
function withMonths(ms: number, months: number): number {
  const date = new Date(ms);
  const day = date.getUTCDate();
  date.setUTCMonth(date.getUTCMonth() + months);
  return date.getUTCDate() === day ? date.getTime() : date.setUTCDate(0);
}

const monthsOf = (unit: string) => unit === "y" ? 12 : 1;
