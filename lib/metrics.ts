/**
 * The meter that Prometheus reads.
 *
 * Every label has a closed set of values; what is not in it counts as `other`. Each combination is
 * put together and checked once, and kept.
 *
 * @module
 */

import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Refusal } from "./errors.ts";
import {
  type Judgement,
  LIMITS,
  type Meter,
  type NameKind,
  PEER_OUTCOMES,
  PEERS,
  STORE_OPERATIONS,
} from "./meter.ts";

/** How many names of a kind are counted apart; those that are registered later count as `other`. */
export const MAX_NAMES = 1000;

const OTHER = "other";

// Beyond what any single answer takes, requests wait for people, and calls for services.
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "DELETE", "OPTIONS"]);

const REFUSALS = {
  oversized: true,
  malformed: true,
  type: true,
  algorithm: true,
  header: true,
  issuer: true,
  key: true,
  signature: true,
  expired: true,
  "not yet valid": true,
  claim: true,
  audience: true,
  "id token": true,
  use: true,
  inactive: true,
  grant: true,
} as const satisfies Record<Refusal["reason"], true>;

const JUDGEMENTS: readonly (readonly [result: Judgement["result"], reason: string])[] = [
  ["accepted", ""],
  ...[...Object.keys(REFUSALS), "several"].map((reason) => ["refused", reason] as const),
  ["forbidden", "caller"],
  ["forbidden", "scope"],
  ["failed", ""],
];

/** Memory, in bytes. */
export interface Memory {
  /** What the process has. */
  readonly rss: number;
  /** What values take, and garbage until it is collected. */
  readonly heapUsed: number;
}

/** What the program is, and what it has of its machine. */
export interface MetricsOptions {
  readonly version: string;
  readonly deno: string;
  /** Unix seconds. */
  readonly now: () => number;
  readonly memory: () => Memory;
  readonly linesDropped: () => number;
}

/** A meter that can be read. */
export interface Metrics {
  readonly meter: Meter;
  /** All that was counted, in Prometheus' text format. */
  text(): Promise<string>;
  /** The media type of the text. */
  readonly contentType: string;
}

/** Starts counting. */
export function metrics(options: MetricsOptions): Metrics {
  const { version, deno, now, memory, linesDropped } = options;
  const registry = new Registry();
  const registers = [registry];
  // Counts are kept here, and handed on when somebody reads: an addition is all that each costs.
  const counter = (name: string, help: string, ...labelNames: string[]) => {
    const kept = cells((labels) => ({ labels, fresh: 0 }));
    new Counter({
      name: `gatehouse_${name}`,
      help,
      labelNames,
      registers,
      collect() {
        for (const cell of kept.all()) {
          this.labels(...cell.labels).inc(cell.fresh);
          cell.fresh = 0;
        }
      },
    });
    return (...values: string[]) => kept.of(values);
  };
  const histogram = (name: string, help: string, ...labelNames: string[]) => {
    const options = { name: `gatehouse_${name}`, help, labelNames, registers, buckets: BUCKETS };
    const metric = new Histogram(options);
    const kept = cells((labels) => metric.labels(...labels));
    return (...values: string[]) => kept.of(values);
  };
  const requests = counter("requests_total", "Requests answered", "route", "method", "status");
  const requestSeconds = histogram(
    "request_duration_seconds",
    "Time until an answer began",
    "route",
  );
  const validations = counter(
    "token_validations_total",
    "Access tokens judged, by what came of it and why",
    "result",
    "reason",
  );
  const cache = counter("token_cache_total", "Tokens looked for among those judged", "result");
  const outbound = counter(
    "outbound_requests_total",
    "Requests of this server to others",
    "peer",
    "outcome",
  );
  const outboundSeconds = histogram(
    "outbound_request_duration_seconds",
    "Time until others began to answer",
    "peer",
  );
  const outboundSuccess = new Gauge({
    name: "gatehouse_outbound_last_success_timestamp_seconds",
    help: "When another last gave an answer that is good, in Unix time",
    labelNames: ["peer"],
    registers,
  });
  const calls = counter(
    "calls_total",
    "Calls of tools, resources and prompts",
    "kind",
    "name",
    "outcome",
  );
  const callSeconds = histogram("call_duration_seconds", "Time that calls took", "kind", "name");
  const limits = counter("limited_total", "Callers turned away by a limit", "limit");
  const storeErrors = counter(
    "store_errors_total",
    "Operations of the store that failed",
    "operation",
  );
  const level = (name: string, help: string, read: () => number) =>
    void new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });

  const counts = new Map<string, () => number>();
  for (const what of ["sessions", "streams"]) {
    level(`gatehouse_${what}`, `Open ${what}`, () => counts.get(what)?.() ?? 0);
  }
  const parts = new Map<string, () => Promise<boolean>>();
  new Gauge({
    name: "gatehouse_ready",
    help: "Whether a part of the program can work",
    labelNames: ["part"],
    registers,
    async collect() {
      for (const [part, isReady] of parts) {
        this.set({ part }, await isReady().catch(() => false) ? 1 : 0);
      }
    },
  });
  new Gauge({
    name: "gatehouse_build_info",
    help: "What is running",
    labelNames: ["version", "deno"],
    registers,
  }).set({ version, deno }, 1);
  new Counter({
    name: "gatehouse_log_lines_dropped_total",
    help: "Lines of the log that were not read in time",
    registers,
    collect() {
      this.reset();
      this.inc(linesDropped());
    },
  });
  new Gauge({
    name: "process_start_time_seconds",
    help: "When the process started, in Unix time",
    registers,
  }).set(now());
  level("process_resident_memory_bytes", "Memory of the process", () => memory().rss);
  const heap = "Memory that values take, and garbage until it is collected";
  level("gatehouse_heap_used_bytes", heap, () => memory().heapUsed);

  // Series that are there from the start: a rate over one that appears misses its first event.
  for (const judgement of JUDGEMENTS) validations(...judgement);
  for (const result of ["hit", "miss"]) cache(result);
  for (const peer of PEERS) for (const outcome of PEER_OUTCOMES) outbound(peer, outcome);
  for (const limit of LIMITS) limits(limit);
  for (const operation of STORE_OPERATIONS) storeErrors(operation);

  const names: Record<NameKind, Set<string>> = {
    route: new Set(),
    tool: new Set(),
    resource: new Set(),
    prompt: new Set(),
  };
  const known = (kind: NameKind, name: string) => names[kind].has(name) ? name : OTHER;

  const meter: Meter = {
    register(kind, all) {
      for (const name of all) if (names[kind].size < MAX_NAMES) names[kind].add(name);
    },
    request(path, method, status, seconds) {
      const route = known("route", path);
      requests(route, METHODS.has(method) ? method : OTHER, classOf(status)).fresh++;
      requestSeconds(route).observe(seconds);
    },
    judged(judgement) {
      validations(judgement.result, "reason" in judgement ? judgement.reason : "").fresh++;
    },
    remembered(hit) {
      cache(hit ? "hit" : "miss").fresh++;
    },
    asked(peer, outcome, seconds) {
      outbound(peer, outcome).fresh++;
      outboundSeconds(peer).observe(seconds);
      if (outcome === "ok") outboundSuccess.set({ peer }, now());
    },
    called(kind, name, outcome, seconds) {
      const own = known(kind, name);
      calls(kind, own, outcome).fresh++;
      if (seconds !== undefined) callSeconds(kind, own).observe(seconds);
    },
    limited(limit) {
      limits(limit).fresh++;
    },
    storeFailed(operation) {
      storeErrors(operation).fresh++;
    },
    watch(what, count) {
      counts.set(what, count);
    },
    watchReady(part, isReady) {
      parts.set(part, isReady);
    },
  };
  return { meter, text: () => registry.metrics(), contentType: registry.contentType };
}

/** One value for each combination of labels, made when it is first asked for. */
function cells<Cell>(make: (labels: readonly string[]) => Cell) {
  const kept = new Map<string, Cell>();
  return {
    all: () => kept.values(),
    of(labels: readonly string[]): Cell {
      const key = labels.join("\n");
      let cell = kept.get(key);
      if (cell === undefined) kept.set(key, cell = make(labels));
      return cell;
    },
  };
}

function classOf(status: number): string {
  return status >= 100 && status < 600 ? `${Math.floor(status / 100)}xx` : OTHER;
}
