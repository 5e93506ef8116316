/**
 * One soak from start to stop.
 *
 * @module
 */

import { freePort } from "../../tests/e2e/program.ts";
import { figuresOf } from "../bench/load.ts";
import { type Counts, differences, series, since } from "./counts.ts";
import { BAD_REASONS, badTokens } from "./forge.ts";
import { Front, pause, type Stream } from "./front.ts";
import { live, openSession, openStream, subscribe } from "./life.ts";
import { type Log, newLog } from "./lines.ts";
import { judgeMemory, RESIDENT, type Sample, VALUES } from "./memory.ts";
import { Outages, planned } from "./outages.ts";
import { Person } from "./person.ts";
import { type Issuer, type Server, startIssuer, startServer } from "./processes.ts";
import { recordOf, type Report, wrongsOf } from "./report.ts";
import { tryBodies, tryGrants, tryTokens } from "./strangers.ts";
import { Watch } from "./watch.ts";

/** How many good clients there are; each sends one request at a time. */
const PEOPLE = 24;

const SAMPLE_MS = 2_000;

/** How often those who wait look whether it is over, in milliseconds. */
const LOOK_MS = 500;

/** How long sessions and streams may take to be gone after their clients, in milliseconds. */
const SETTLE_MS = 10_000;

/** How many of each are open when the server is stopped. */
const OPEN_AT_THE_END = 3;

/** What both sides count. */
const FAMILIES = [
  "gatehouse_requests_total",
  "gatehouse_token_validations_total",
  "gatehouse_calls_total",
  "gatehouse_limited_total",
  "gatehouse_store_errors_total",
  "gatehouse_sessions",
  "gatehouse_streams",
];

/** What has to have happened: a soak in which it did not shows nothing. */
const DUE = [
  "log in",
  "refresh",
  "revoke",
  "open and close a session with a stream",
  "subscribe and leave",
  "be too many",
  "be refused: no token",
  "be refused: two tokens",
  "be refused: wrong and used codes",
  "be refused: old refresh tokens",
  "be refused: bad bodies",
  ...BAD_REASONS.map((reason) => `be refused: token ${reason}`),
];

const DROPPED = series("gatehouse_log_lines_dropped_total");

/** Settings of {@linkcode soak}. */
export interface SoakOptions {
  /** Where files may be left. */
  readonly folder: string;
  readonly seconds: number;
  /** Hears how far it is, every so many milliseconds. */
  readonly tell: (progress: { readonly text: string; readonly isGood: boolean }) => void;
  readonly everyMs: number;
  /** Ends the soak early. */
  readonly stop: AbortSignal;
}

/** What everything at work shares. */
interface Stage {
  readonly server: Server;
  readonly issuer: Issuer;
  readonly front: Front;
  readonly log: Log;
  /** Memory of the process. */
  readonly resident: Sample[];
  /** Memory of its values, each time that garbage was collected. */
  readonly values: Sample[];
  /** Seconds since the start. */
  elapsed(): number;
  isOver(): boolean;
}

/** Soaks. Rejects when it cannot begin. */
export async function soak(options: SoakOptions): Promise<Report> {
  const { folder } = options;
  const outages = new Outages();
  const watch = new Watch();
  const log = newLog(outages, () => performance.now());
  const port = freePort();
  let started = performance.now();
  const elapsed = () => (performance.now() - started) / 1000;
  const values: Sample[] = [];
  await using issuer = await startIssuer(folder, `http://localhost:${port}/oauth/callback`);
  await using server = await startServer(folder, issuer.settings, port, {
    line: log.read,
    collected: (mebibytes) => values.push({ at: elapsed(), mebibytes }),
  });
  const front = new Front(server.origin, watch, outages);
  const before = await server.metrics();
  values.length = 0;
  started = performance.now();

  let isDown = false;
  void server.ended.then(() => isDown = true);
  const isOver = () => isDown || options.stop.aborted || elapsed() >= options.seconds;
  const stage = { server, issuer, front, log, resident: [], values, elapsed, isOver };
  await load(stage, options);
  const seconds = elapsed();

  const seen = new Map(watch.counts);
  if (options.stop.aborted) watch.wrong("the soak was stopped early");
  if (isDown) watch.wrong("the server ended under load");
  const counted = isDown ? seen : since(before, await settled(server));
  const exit = isDown ? await server.ended : await stop(stage);
  for (const line of log.wrongs) watch.wrong(`the server said: ${line}`);
  for (const what of DUE) if (!watch.done.has(what)) watch.wrong(`nobody could ${what}`);
  const memory = {
    resident: judgeMemory(stage.resident, seconds, RESIDENT),
    values: judgeMemory(stage.values, seconds, VALUES),
  };
  const linesDropped = counted.get(DROPPED) ?? 0;
  const uneven = [
    ...differences(seen, counted, FAMILIES),
    ...differences(watch.counts, log.audited, ["audit"], linesDropped),
  ];
  const { p50, p99 } = figuresOf(watch.latencies, seconds * 1000);
  return {
    seconds,
    requests: sumOf(seen, "gatehouse_requests_total"),
    calls: watch.latencies.length,
    p50,
    p99,
    outages: outages.count,
    done: recordOf(watch.done),
    excused: recordOf(watch.excuses),
    refusals: { clients: refusalsIn(seen), server: refusalsIn(counted) },
    memory,
    logLines: log.lines,
    linesDropped,
    exit,
    wrongs: wrongsOf({ wrongs: watch.wrongs, uneven, memory, exit }),
  };
}

async function load(stage: Stage, { seconds, tell, everyMs }: SoakOptions): Promise<void> {
  const { server, front, isOver } = stage;
  // The first login makes the key that bad tokens are signed with.
  await new Person(front, "first", "127.8.0.1").connect();
  const bad = await badTokens(server.origin, server.storeUrl, server.secret);
  const people = Array.from(
    { length: PEOPLE },
    (_, nth) => new Person(front, `person-${nth}`, `127.9.0.${nth + 1}`),
  );
  await Promise.all([
    ...people.map((person) => live(front, person, isOver)),
    tryTokens(front, bad, isOver),
    tryGrants(front, isOver),
    tryBodies(front, isOver),
    goAway(stage, seconds),
    every(SAMPLE_MS, isOver, async () => {
      const mebibytes = await server.memory();
      if (mebibytes !== undefined) stage.resident.push({ at: stage.elapsed(), mebibytes });
    }),
    every(everyMs, isOver, () => Promise.resolve(tell(progressOf(stage, seconds)))),
  ]);
}

async function goAway(
  { issuer, front, elapsed, isOver }: Stage,
  totalSeconds: number,
): Promise<void> {
  const { outages } = front;
  for (const { at, seconds } of planned(totalSeconds)) {
    await waiting(isOver, at - elapsed());
    if (isOver()) return;
    outages.begin(performance.now());
    await issuer.stop();
    await waiting(isOver, seconds);
    await issuer.start();
    outages.end(performance.now());
  }
}

function progressOf({ front, resident, elapsed }: Stage, totalSeconds: number) {
  const { watch, outages } = front;
  const wrongs = watch.wrongs.size;
  const text = [
    `${elapsed().toFixed(0)} of ${totalSeconds.toFixed(0)} s`,
    `${watch.latencies.length} calls`,
    `${watch.done.get("log in") ?? 0} logins`,
    `${watch.done.get("refresh") ?? 0} refreshes`,
    `${resident.at(-1)?.mebibytes.toFixed(0) ?? "?"} MiB`,
    ...(outages.isOne ? ["identity provider away"] : []),
    wrongs === 0 ? "all well" : `${wrongs} wrong`,
  ].join(", ");
  return { text, isGood: wrongs === 0 };
}

/** What the server counts, once nobody is connected any more. */
async function settled(server: Server): Promise<Counts> {
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const counts = await server.metrics();
    const open = ["sessions", "streams"].map((what) => counts.get(series(`gatehouse_${what}`)));
    if (open.every((count) => count === 0) || performance.now() > deadline) return counts;
    await pause(200);
  }
}

/** Stops the server while sessions and streams are open. @returns Its exit status. */
async function stop({ front, server }: Stage): Promise<number> {
  const { watch } = front;
  const person = new Person(front, "last", "127.8.0.2");
  const streams: Stream[] = [];
  try {
    const { tokens } = await person.connect();
    for (let nth = 0; nth < OPEN_AT_THE_END; nth++) {
      const session = await openSession(front, person, tokens);
      streams.push(await openStream(front, person, tokens, session));
      streams.push(await subscribe(front, person, tokens));
    }
  } catch (error) {
    watch.wrong(`before the stop: ${error}`);
  }
  const ends = Promise.allSettled(streams.map((stream) => stream.end()));
  try {
    return await server.stop();
  } catch (error) {
    watch.wrong(String(error));
    return -1;
  } finally {
    for (const { status } of await ends) {
      if (status === "rejected") watch.wrong("a stream broke off when the server stopped");
    }
  }
}

function sumOf(counts: Counts, family: string): number {
  return [...counts].reduce((sum, [name, n]) => name.startsWith(`${family}{`) ? sum + n : sum, 0);
}

/** Answers of the class 4xx: everything that was refused. */
function refusalsIn(counts: Counts): number {
  const refused = [...counts].filter(([name]) => name.endsWith('status="4xx"}'));
  return sumOf(new Map(refused), "gatehouse_requests_total");
}

async function every(ms: number, isOver: () => boolean, work: () => Promise<void>): Promise<void> {
  while (!isOver()) {
    await work();
    await waiting(isOver, ms / 1000);
  }
}

/** Waits, but no longer than until it is over. */
async function waiting(isOver: () => boolean, seconds: number): Promise<void> {
  const end = performance.now() + seconds * 1000;
  for (let left = seconds * 1000; left > 0 && !isOver(); left = end - performance.now()) {
    await pause(Math.min(left, LOOK_MS));
  }
}
