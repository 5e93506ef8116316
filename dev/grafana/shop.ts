/**
 * A shop that nobody buys from: makes up requests, logs them to Loki and counts them for Prometheus,
 * so that there is something to ask about.
 *
 * Runs alone in its container, from this file only.
 *
 * @module
 */

const PUSH_URL = "http://localhost:3100/loki/api/v1/push";
const METRICS = { hostname: "127.0.0.1", port: 9464 };
const PAUSE_MS = 1_000;

/** Upper bounds of the histogram's buckets, in seconds. */
const BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5];
const ROUTES = ["/", "/cart", "/checkout"] as const;

/** A request that never was. */
export interface Visit {
  readonly route: string;
  readonly status: number;
  /** In seconds. */
  readonly seconds: number;
}

/** Makes up a request; the slow and the failing ones are mostly at the checkout. */
export function visit(random: () => number): Visit {
  const route = ROUTES[Math.floor(random() * ROUTES.length)]!;
  const isHard = route === "/checkout";
  const fails = random() < (isHard ? 0.1 : 0.01);
  return { route, status: fails ? 500 : 200, seconds: random() ** 3 * (isHard ? 3 : 0.6) };
}

/** What Loki takes. @param atMs Unix milliseconds. */
export function push({ route, status, seconds }: Visit, atMs: number) {
  const level = status < 500 ? "info" : "error";
  const message = status < 500 ? "served" : "payment service did not answer";
  const line = JSON.stringify({ level, message, route, status, seconds: round(seconds) });
  return { streams: [{ stream: { app: "shop", level }, values: [[`${atMs}000000`, line]] }] };
}

/** Counts requests. */
export function counters() {
  const requests = new Map<string, number>();
  const times = new Map<string, { sum: number; count: number; buckets: number[] }>();
  return {
    add({ route, status, seconds }: Visit): void {
      const labels = `route="${route}",status="${status}"`;
      requests.set(labels, (requests.get(labels) ?? 0) + 1);
      const time = times.get(route) ?? { sum: 0, count: 0, buckets: BUCKETS.map(() => 0) };
      times.set(route, time);
      time.sum += seconds;
      time.count++;
      BUCKETS.forEach((bound, at) => seconds <= bound && time.buckets[at]!++);
    },
    /** In Prometheus' text format. */
    text(): string {
      const name = "shop_request_duration_seconds";
      const lines = [
        "# HELP shop_requests_total Requests by route and status.",
        "# TYPE shop_requests_total counter",
        ...[...requests].map(([labels, count]) => `shop_requests_total{${labels}} ${count}`),
        `# HELP ${name} How long requests took.`,
        `# TYPE ${name} histogram`,
        ...[...times].flatMap(([route, { sum, count, buckets }]) => [
          ...BUCKETS.map((le, at) => `${name}_bucket{route="${route}",le="${le}"} ${buckets[at]}`),
          `${name}_bucket{route="${route}",le="+Inf"} ${count}`,
          `${name}_sum{route="${route}"} ${round(sum)}`,
          `${name}_count{route="${route}"} ${count}`,
        ]),
      ];
      return `${lines.join("\n")}\n`;
    },
  };
}

const round = (seconds: number) => Math.round(seconds * 1000) / 1000;

async function main(): Promise<void> {
  const counted = counters();
  Deno.serve({ ...METRICS, onListen: () => {} }, () => {
    return new Response(counted.text(), {
      headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
    });
  });
  while (true) {
    const one = visit(Math.random);
    counted.add(one);
    const response = await fetch(PUSH_URL, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(push(one, Date.now())),
    }).catch(() => undefined);
    await response?.body?.cancel();
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

if (import.meta.main) await main();
