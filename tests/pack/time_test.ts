import { match, ok, strictEqual as equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { ToolError } from "../../lib/pack.ts";
import { timeMs } from "../../lib/pack/time.ts";
import { NOW } from "../fakes.ts";

const MS = NOW * 1000;

const TIMES: [text: string, ms: number][] = [
  ["now", MS],
  [" now ", MS],
  ["now-1h", MS - 3_600_000],
  ["now+90s", MS + 90_000],
  ["now-5m", MS - 300_000],
  ["now-7d", MS - 7 * 86_400_000],
  ["now-2w", MS - 14 * 86_400_000],
  ["now-1M", Date.parse("2026-12-15T08:00:00Z")],
  ["now-1y", MS - 365 * 86_400_000],
  ["0", 0],
  ["1767225600", 1_767_225_600_000],
  ["1767225600.5", 1_767_225_600_500],
  ["1767225600.0004", 1_767_225_600_000],
  ["1767225600123", 1_767_225_600_123],
  ["99999999999", 99_999_999_999_000],
  ["100000000000", 100_000_000_000],
  ["2026-01-01", 1_767_225_600_000],
  ["2026-01-01T00:00:00Z", 1_767_225_600_000],
  ["2026-01-01t00:00:00z", 1_767_225_600_000],
  ["2026-01-01 00:00:00Z", 1_767_225_600_000],
  ["2026-01-01T00:00Z", 1_767_225_600_000],
  ["2026-01-01T02:00:00+02:00", 1_767_225_600_000],
  ["2026-01-01T00:00:00.250Z", 1_767_225_600_250],
  ["2026-01-01T00:00:00.250999999Z", 1_767_225_600_250],
];
for (const [text, ms] of TIMES) {
  Deno.test(`timeMs() reads ${JSON.stringify(text)}`, () => equal(timeMs(text, NOW), ms));
}

const NO_TIMES = [
  "",
  " ",
  "yesterday",
  "now-",
  "now-1",
  "now-1x",
  "now-1H",
  "now - 1h",
  "now-1234567s",
  "NOW",
  "-5",
  "+5",
  "1e9",
  "0x10",
  "Infinity",
  "NaN",
  "constructor",
  "2026-1-1",
  "2026-13-01",
  "2026-02-29",
  "2026-02-30",
  "2026-04-31T00:00:00Z",
  "2100-02-29T12:00:00+02:00",
  "2026-01-01T25:00:00Z",
  "2026-01-01 (about)",
  "01/02/2026",
  "Thu, 01 Jan 2026 00:00:00 GMT",
  // Nanoseconds.
  "1767225600000000000",
];
for (const text of NO_TIMES) {
  Deno.test(`timeMs() refuses ${JSON.stringify(text)}, and says how to write a time`, () => {
    throws(
      () => timeMs(text, NOW),
      (error) => error instanceof ToolError && /RFC 3339.*now-1h/.test(error.message),
    );
  });
}

Deno.test("timeMs() refuses a time without an offset, which would be one of wherever the server stands", () => {
  for (const text of ["2026-01-01T00:00:00", "2026-01-01 10:00", "2026-01-01T00:00:00.5"]) {
    throws(() => timeMs(text, NOW), { reason: "bad time" });
  }
});

Deno.test("timeMs() refuses a time that no calendar has", () => {
  for (const text of ["now+999999y", "now-999999y", "9999999999999999"]) {
    throws(() => timeMs(text, NOW), (error) => {
      ok(error instanceof ToolError);
      match(error.message, /further away/);
      return true;
    });
  }
});

Deno.test("timeMs() yields whole milliseconds of a date, or a ToolError, whatever it is given", () => {
  const shapes = fc.oneof(
    fc.string({ unit: "binary", maxLength: 64 }),
    fc.tuple(fc.constantFrom("+", "-"), fc.nat(9_999_999), fc.constantFrom(..."smhdwMyx"))
      .map(([sign, count, unit]) => `now${sign}${count}${unit}`),
    fc.stringMatching(/^now([+-]([0-9]{1,7}(\.[0-9]{1,4})?[smhdwMy]){1,3}|\/[smhdwMyx]){0,5}$/),
    fc.double({ min: 0, max: 1e17, noNaN: true }).map(String),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    fc.stringMatching(/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)?$/),
  );
  fc.assert(
    fc.property(shapes, fc.nat(4_000_000_000), (text, now) => {
      try {
        const ms = timeMs(text, now);
        ok(Number.isInteger(ms));
        ok(!Number.isNaN(new Date(ms).getTime()));
      } catch (error) {
        ok(error instanceof ToolError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("timeMs() reads every date that a calendar writes, to the millisecond", () => {
  const dates = fc.date({
    noInvalidDate: true,
    min: new Date("0001-01-01T00:00:00Z"),
    max: new Date("9999-12-31T23:59:59.999Z"),
  });
  fc.assert(fc.property(dates, (date) => {
    equal(timeMs(date.toISOString(), NOW), date.getTime());
  }));
});
