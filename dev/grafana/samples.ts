/**
 * An hour of samples, among them what is hard to write down.
 *
 * @module
 */

/** When the first and the last ones are, in Unix seconds. */
export const START = 1_767_225_600;
export const END = START + 3600;

/** Values of a label. */
export const ODD = [
  'a "quoted" text',
  "back\\slash\\n",
  "two\nlines",
  "tab\tand\rreturn",
  "Zürich, 東京 🙂",
  "/a/b/../c",
  "{a='b'}, c",
  "$^.*+?()[]|",
  "`tick`",
  "%2F?x=1&y#z",
];

/** How many series the widest metric has. */
export const WIDE = 1500;

// Upper bounds in seconds, and how many requests a minute are below.
const BUCKETS: [le: string, perMinute: number][] = [["0.1", 50], ["0.5", 100], ["+Inf", 100]];

/** The samples, in OpenMetrics' text format. */
export function openMetrics(): string {
  const every = (seconds: number, line: (at: number) => string) =>
    Array.from(
      { length: 3600 / seconds + 1 },
      (_, at) => `${line(at * seconds / 60)} ${START + at * seconds}`,
    );
  const route = 'route="/a/b"';
  return [
    "# TYPE shop_seconds histogram",
    ...BUCKETS.flatMap(([le, perMinute]) =>
      every(60, (minutes) => `shop_seconds_bucket{${route},le="${le}"} ${perMinute * minutes}`)
    ),
    ...every(60, (minutes) => `shop_seconds_count{${route}} ${100 * minutes}`),
    ...every(60, (minutes) => `shop_seconds_sum{${route}} ${20 * minutes}`),
    "# TYPE odd gauge",
    ...ODD.flatMap((text) => every(60, () => `odd{text="${escaped(text)}"} 1`)),
    "# TYPE wide gauge",
    ...Array.from({ length: WIDE }, (_, n) => every(300, () => `wide{n="${n}"} ${n}`)).flat(),
    "# EOF\n",
  ].join("\n");
}

const escaped = (text: string) =>
  text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
