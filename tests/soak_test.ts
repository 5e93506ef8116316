import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { differences, readMetrics, series, since } from "../dev/soak/counts.ts";
import { audited, Front, Unavailable } from "../dev/soak/front.ts";
import { attempt } from "../dev/soak/life.ts";
import { newLog, TextLineStream } from "../dev/soak/lines.ts";
import { judgeMemory, RESIDENT, type Sample, VALUES } from "../dev/soak/memory.ts";
import { GRACE_MS, Outages, planned } from "../dev/soak/outages.ts";
import { type Report, table, wrongsOf } from "../dev/soak/report.ts";
import { Watch } from "../dev/soak/watch.ts";

const METRICS = `# HELP gatehouse_requests_total Requests answered
# TYPE gatehouse_requests_total counter
gatehouse_requests_total{route="/mcp",method="POST",status="4xx"} 3
gatehouse_validations_total{result="refused",reason="id token"} 2
gatehouse_quoted{path="a\\\\b\\"c"} 1
gatehouse_sessions 0
process_start_time_seconds 1.8e9
`;

Deno.test("readMetrics() reads Prometheus' text, whatever the order of labels", () => {
  deepEqual(
    readMetrics(METRICS),
    new Map([
      [
        series("gatehouse_requests_total", { status: "4xx", method: "POST", route: "/mcp" }),
        3,
      ],
      [series("gatehouse_validations_total", { reason: "id token", result: "refused" }), 2],
      [series("gatehouse_quoted", { path: 'a\\b"c' }), 1],
      [series("gatehouse_sessions"), 0],
      [series("process_start_time_seconds"), 1.8e9],
    ]),
  );
});

Deno.test("since() is what came on top, of what was there before or not", () => {
  const before = new Map([["a{}", 2]]);
  deepEqual(since(before, new Map([["a{}", 5], ["b{}", 1]])), new Map([["a{}", 3], ["b{}", 1]]));
});

Deno.test("differences() finds nothing where both sides counted the same", () => {
  deepEqual(differences(new Map([["a{}", 2]]), new Map([["a{}", 2], ["a{x}", 0]]), ["a"]), []);
});

Deno.test("differences() finds what one side counted more often, or alone", () => {
  const clients = new Map([["a{more}", 3], ["a{less}", 1], ["a{alone}", 1], ["ab{}", 1]]);
  const server = new Map([["a{more}", 2], ["a{less}", 2], ["a{other}", 1], ["b{}", 9]]);
  deepEqual(differences(clients, server, ["a"]), [
    { name: "a{more}", clients: 3, server: 2 },
    { name: "a{less}", clients: 1, server: 2 },
    { name: "a{alone}", clients: 1, server: 0 },
    { name: "a{other}", clients: 0, server: 1 },
  ]);
});

Deno.test("differences() forgives no more than what was lost, and only what lacks", () => {
  const clients = new Map([["a{x}", 3], ["a{y}", 3]]);
  const server = new Map([["a{x}", 2], ["a{y}", 2]]);
  equal(differences(clients, server, ["a"], 2).length, 0);
  equal(differences(clients, server, ["a"], 1).length, 2);
  equal(differences(server, clients, ["a"], 9).length, 2);
  equal(differences(clients, new Map([["a{x}", 1], ["a{y}", 4]]), ["a"], 9).length, 2);
});

Deno.test("Outages excuse what overlaps one, and what comes just after it", () => {
  const outages = new Outages();
  equal(outages.excuses(0, 1e9), false);
  outages.begin(10_000);
  equal(outages.isOne, true);
  equal(outages.excuses(9_000, 9_999), false);
  equal(outages.excuses(9_000, 10_000), true);
  equal(outages.excuses(50_000, 60_000), true);
  outages.end(20_000);
  equal(outages.isOne, false);
  equal(outages.excuses(20_000 + GRACE_MS, 30_000), true);
  equal(outages.excuses(20_001 + GRACE_MS, 30_000), false);
});

Deno.test("planned() has outages of 10 to 20 seconds, each within its own spell", () => {
  const all = planned(600);
  equal(all.length, 5);
  for (const [nth, { at, seconds }] of all.entries()) {
    ok(seconds >= 10 && seconds <= 20);
    ok(at >= nth * 120 && at + seconds < (nth + 1) * 120 - 20);
  }
  deepEqual(planned(20), [{ at: 8, seconds: 5 }]);
});

/** A log while nothing is away, or the identity provider is. */
function logOf(isAway: boolean) {
  const outages = new Outages();
  if (isAway) outages.begin(0);
  return newLog(outages, () => 1);
}

const NOT_REFRESHED = '{"level":"error","event":"token not refreshed"}';

Deno.test("newLog() counts events for auditors by step and reason", () => {
  const log = logOf(false);
  log.read('{"level":"info","event":"issued","audit":true,"step":"login"}');
  log.read('{"level":"warn","event":"refused","audit":true,"step":"token","reason":"x"}');
  log.read('{"level":"info","event":"request"}');
  deepEqual(
    log.audited,
    new Map([[audited("issued", "login"), 1], [audited("refused", "token", "x"), 1]]),
  );
  deepEqual([log.lines, log.wrongs.length], [3, 0]);
});

Deno.test("newLog() excuses errors of the identity provider only while it is away", () => {
  const [away, there] = [logOf(true), logOf(false)];
  for (const log of [away, there]) log.read(NOT_REFRESHED);
  deepEqual([away.wrongs, there.wrongs], [[], [NOT_REFRESHED]]);
});

for (
  const line of [
    '{"level":"error","event":"request failed","error":"x"}',
    'gatehouse: unexpected: "TypeError"',
    "error: Uncaught (in promise) TypeError",
    "thread 'main' panicked",
  ]
) {
  Deno.test(`newLog() never excuses ${line}`, () => {
    const log = logOf(true);
    log.read(line);
    deepEqual(log.wrongs, [line]);
  });
}

Deno.test("TextLineStream cuts lines wherever the pieces end", async () => {
  const pieces = ReadableStream.from(["a\nb", "c\n", "\nd"]);
  deepEqual(await Array.fromAsync(pieces.pipeThrough(new TextLineStream())), ["a", "bc", "", "d"]);
});

function frontOf(isAway: boolean): Front {
  const outages = new Outages();
  if (isAway) outages.begin(0);
  return new Front("http://localhost:1", new Watch(), outages);
}

for (
  const [isAway, error, isExcused] of [
    [true, new Unavailable("no login"), true],
    [true, new Error("a call was answered 500"), false],
    [false, new Unavailable("no login"), false],
  ] as const
) {
  const when = isAway ? "during" : "without";
  Deno.test(`attempt() ${isExcused ? "excuses" : "blames"} "${error.message}" ${when} an outage`, async () => {
    const front = frontOf(isAway);
    await attempt(front, "try", () => Promise.reject(error));
    deepEqual([front.watch.excuses.size, front.watch.wrongs.size], isExcused ? [1, 0] : [0, 1]);
  });
}

Deno.test("Front notes a request without an answer as a wrong, outage or not", async () => {
  const front = frontOf(true);
  await attempt(front, "try", () => front.ask("/mcp", {}, "127.0.0.1"));
  match([...front.watch.wrongs.keys()].join(), /no answer to GET \/mcp/);
});

Deno.test("Watch tells kinds of wrongs apart up to a bound, and never an id", () => {
  const watch = new Watch();
  watch.wrong(`no grant ${"a".repeat(43)}`);
  watch.wrong(`no grant ${"b".repeat(43)}`);
  deepEqual(watch.wrongs, new Map([["no grant …", 2]]));
  for (let nth = 0; nth < 100; nth++) watch.wrong(`kind ${nth}`);
  equal(watch.wrongs.size, 51);
});

/** Samples of ten minutes in which so much is added in each. */
function growing(perMinute: number): readonly Sample[] {
  return Array.from({ length: 300 }, (_, nth) => ({
    at: nth * 2,
    mebibytes: 200 + nth * perMinute / 30,
  }));
}

const STEADY = {
  resident: judgeMemory(growing(0), 600, RESIDENT),
  values: judgeMemory(growing(0), 600, VALUES),
};

Deno.test("wrongsOf() is empty when all is well", () => {
  deepEqual(wrongsOf({ wrongs: new Map(), uneven: [], memory: STEADY, exit: 0 }), []);
});

Deno.test("wrongsOf() tells every kind of wrong", () => {
  const wrongs = wrongsOf({
    wrongs: new Map([["a call was answered 500", 2]]),
    uneven: [{ name: "a{}", clients: 1, server: 2 }],
    memory: {
      resident: judgeMemory(growing(50), 600, RESIDENT),
      values: judgeMemory(growing(2), 600, VALUES),
    },
    exit: 1,
  });
  equal(wrongs.length, 5);
  match(wrongs[0]!, /500 \(2 times\)/);
  match(wrongs[1]!, /clients saw 1, the server counted 2/);
  match(wrongs[2]!, /memory \(resident\) grew by 50\.00 MiB/);
  match(wrongs[3]!, /memory \(values\) grew by 2\.00 MiB/);
  match(wrongs[4]!, /ended with 1/);
});

Deno.test("table() prints the figures, the bound and what was wrong", () => {
  const report: Report = {
    seconds: 600,
    requests: 10,
    calls: 5,
    p50: 1,
    p99: 2,
    outages: 5,
    done: { "log in": 3 },
    excused: { refresh: 2 },
    refusals: { clients: 4, server: 4 },
    memory: STEADY,
    logLines: 7,
    linesDropped: 0,
    exit: 0,
    wrongs: [],
  };
  const plain = (text: string) => text;
  match(table(report, plain), /3 × log in[^]*2 × refresh[^]*bound 9\.64[^]*Nothing was wrong/);
  match(table({ ...report, wrongs: ["a leak"] }, plain), /Wrong:\n {2}a leak/);
});
