import { ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { relativeMs } from "../../lib/pack/time_relative.ts";
import { timeMs } from "../../lib/pack/time.ts";

// A Wednesday.
const AT = "2024-02-28T14:35:46.000Z";
const NOW = Date.parse(AT) / 1000;

// As Grafana reads them, in UTC.
const TIMES: [text: string, start: string, end?: string][] = [
  ["now", AT],
  ["now-1d-2h", "2024-02-27T12:35:46.000Z"],
  ["now-2h45m", "2024-02-28T11:50:46.000Z"],
  ["now+2h45m-15m", "2024-02-28T17:05:46.000Z"],
  ["now-1.5h", "2024-02-28T13:05:46.000Z"],
  ["now-0.001s", "2024-02-28T14:35:45.999Z"],
  ["now-1M", "2024-01-28T14:35:46.000Z"],
  ["now+2d+1y", "2025-03-01T14:35:46.000Z"],
  ["now+1d+1y", "2025-02-28T14:35:46.000Z"],
  ["now/d+30d+1M", "2024-04-29T00:00:00.000Z", "2024-04-29T23:59:59.999Z"],
  ["now/M-1d+1M", "2024-02-29T00:00:00.000Z", "2024-03-28T23:59:59.999Z"],
  ["now-1y1M", "2023-01-28T14:35:46.000Z"],
  ["now/s", AT, "2024-02-28T14:35:46.999Z"],
  ["now/m", "2024-02-28T14:35:00.000Z", "2024-02-28T14:35:59.999Z"],
  ["now-1h/h", "2024-02-28T13:00:00.000Z", "2024-02-28T13:59:59.999Z"],
  ["now/d", "2024-02-28T00:00:00.000Z", "2024-02-28T23:59:59.999Z"],
  ["now-1d/d", "2024-02-27T00:00:00.000Z", "2024-02-27T23:59:59.999Z"],
  ["now/d+6h", "2024-02-28T06:00:00.000Z", "2024-02-29T05:59:59.999Z"],
  ["now/w", "2024-02-26T00:00:00.000Z", "2024-03-03T23:59:59.999Z"],
  ["now-3d/w", "2024-02-19T00:00:00.000Z", "2024-02-25T23:59:59.999Z"],
  ["now/M", "2024-02-01T00:00:00.000Z", "2024-02-29T23:59:59.999Z"],
  ["now-1M/M", "2024-01-01T00:00:00.000Z", "2024-01-31T23:59:59.999Z"],
  ["now/y", "2024-01-01T00:00:00.000Z", "2024-12-31T23:59:59.999Z"],
  ["now/y/d", "2024-01-01T00:00:00.000Z", "2024-12-31T23:59:59.999Z"],
];
for (const [text, start, end = start] of TIMES) {
  Deno.test(`relativeMs() reads ${text} as ${start}, at the end of a span as ${end}`, () => {
    equal(new Date(relativeMs(text, NOW, "start")!).toISOString(), start);
    equal(new Date(relativeMs(text, NOW, "end")!).toISOString(), end);
  });
}

const OTHERS = [
  "now-",
  "now-1",
  "now-1h30",
  "now--1h",
  "now-1h+",
  "now-.5h",
  "now-1.h",
  "now-1.5M",
  "now-0.5y",
  "now-1.2345h",
  "now-1234567s",
  "now-1Q",
  "now/",
  "now/x",
  "now//d",
  "now/1d",
  "now-1h /d",
  "now1h",
  "now-1h\n",
  "-1h",
  "2h45m",
];
for (const text of OTHERS) {
  Deno.test(`relativeMs() does not read ${JSON.stringify(text)}`, () => {
    equal(relativeMs(text, NOW, "start"), undefined);
  });
}

Deno.test("relativeMs() tells a time that no calendar has, also on the way to one", () => {
  for (const text of ["now+999999y", "now+999999y/d", "now+999999y-999999y", "now-999999y/M"]) {
    equal(relativeMs(text, NOW, "end"), Infinity, text);
  }
});

const unit = fc.constantFrom(..."smhdwMy");
const nows = fc.nat(4_000_000_000);
const edges = fc.constantFrom("start" as const, "end" as const);
const fixed: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

Deno.test("relativeMs() adds terms of fixed length up, in any order and grouping", () => {
  const count = fc.tuple(fc.nat(999), fc.constantFrom(...Object.keys(fixed)));
  const terms = fc.array(fc.tuple(fc.constantFrom("+", "-"), fc.array(count, { minLength: 1 })));
  fc.assert(fc.property(terms, nows, edges, (all, now, edge) => {
    const text = all.map(([sign, counts]) => sign + counts.map((one) => one.join("")).join(""));
    const sum = all.flatMap(([sign, counts]) =>
      counts.map(([count, unit]) => Number(`${sign}1`) * count * fixed[unit]!)
    ).reduce((total, one) => total + one, 0);
    equal(relativeMs(`now${text.join("")}`, now, edge), (now + sum) * 1000);
  }));
});

Deno.test("relativeMs() rounds to a unit that the time is in, whose start and end are its own", () => {
  fc.assert(fc.property(nows, unit, (now, unit) => {
    const [start, end] = (["start", "end"] as const).map((edge) =>
      relativeMs(`now/${unit}`, now, edge)!
    );
    ok(start! <= now * 1000 && now * 1000 <= end!);
    equal(relativeMs(`now/${unit}`, start! / 1000, "end"), end);
    equal(relativeMs(`now/${unit}`, end! / 1000, "start"), start);
    equal(relativeMs(`now/${unit}`, (end! + 1) / 1000, "start"), end! + 1);
  }));
});

Deno.test("relativeMs() never comes out on another day of the month, but the last of a shorter one", () => {
  const signs = fc.constantFrom("+", "-");
  fc.assert(fc.property(nows, signs, fc.nat(400), (now, sign, count) => {
    const before = new Date(now * 1000);
    const after = new Date(relativeMs(`now${sign}${count}M`, now, "start")!);
    const months = (date: Date) => date.getUTCFullYear() * 12 + date.getUTCMonth();
    ok(months(after) - months(before) === Number(`${sign}${count}`));
    const next = new Date(after.getTime() + 86_400_000);
    ok(after.getUTCDate() === before.getUTCDate() || next.getUTCDate() === 1);
    ok((after.getTime() - before.getTime()) % 86_400_000 === 0);
  }));
});

Deno.test("timeMs() reads every day that there is, and no other", () => {
  const number = (max: number) => fc.nat(max).map((one) => `${one}`.padStart(2, "0"));
  const years = fc.integer({ min: 1, max: 9999 }).map((one) => `${one}`.padStart(4, "0"));
  fc.assert(
    fc.property(years, number(13), number(32), (year, month, day) => {
      const lengths = [
        31,
        Number(year) % 4 || (!(Number(year) % 100) && Number(year) % 400) ? 28 : 29,
      ];
      const length = [...lengths, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][Number(month) - 1] ?? 0;
      const isThere = Number(day) >= 1 && Number(day) <= length;
      let read: number | undefined;
      try {
        read = timeMs(`${year}-${month}-${day}`, NOW);
      } catch { /* Refused. */ }
      equal(read !== undefined, isThere, `${year}-${month}-${day}`);
    }),
    { numRuns: 2000 },
  );
});
