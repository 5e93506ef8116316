/**
 * A receiver of OTLP over HTTP with JSON, which keeps the spans that it gets.
 *
 * @module
 */

import { until } from "../keycloak/wait.ts";

/** A span, as far as tests look at it. */
export interface ReceivedSpan {
  /** Who made it: `deno` or `gatehouse`. */
  readonly scope: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly failed: boolean;
}

/** A collector that runs. */
export interface Collector extends AsyncDisposable {
  /** What a program needs in its environment to send here. */
  readonly env: Readonly<Record<string, string>>;
  /** How many requests came, for whatever. */
  readonly requests: () => number;
  readonly spans: () => readonly ReceivedSpan[];
  /** Waits for a span. */
  span(fits: (span: ReceivedSpan) => boolean): Promise<ReceivedSpan>;
}

interface Value {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: string;
  readonly doubleValue?: number;
}

interface Traces {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly {
      readonly scope: { readonly name: string };
      readonly spans: readonly {
        readonly name: string;
        readonly traceId: string;
        readonly spanId: string;
        readonly parentSpanId?: string;
        readonly attributes: readonly { readonly key: string; readonly value: Value }[];
        readonly status?: { readonly code?: number };
      }[];
    }[];
  }[];
}

const DEADLINE_MS = 60_000;
const STATUS_ERROR = 2;

/** Starts a collector. */
export function startCollector(): Collector {
  const spans: ReceivedSpan[] = [];
  let requests = 0;
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      requests++;
      const body = await request.text();
      if (new URL(request.url).pathname === "/v1/traces") spans.push(...read(JSON.parse(body)));
      return Response.json({});
    },
  );
  return {
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${server.addr.port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_BSP_SCHEDULE_DELAY: "100",
    },
    requests: () => requests,
    spans: () => spans,
    async span(fits) {
      await until("the span has come", DEADLINE_MS, () => Promise.resolve(spans.some(fits)));
      return spans.find(fits)!;
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function read({ resourceSpans }: Traces): ReceivedSpan[] {
  return resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap(({ scope, spans }) =>
      spans.map(({ name, traceId, spanId, parentSpanId = "", attributes, status }) => ({
        scope: scope.name,
        name,
        traceId,
        spanId,
        parentSpanId,
        attributes: Object.fromEntries(
          attributes.map(({ key, value }) => [key, Object.values(value)[0]]),
        ),
        failed: status?.code === STATUS_ERROR,
      }))
    )
  );
}
