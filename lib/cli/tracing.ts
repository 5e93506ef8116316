/**
 * Spans by way of the host's OpenTelemetry. Loaded only when the host has it turned on.
 *
 * @module
 */

import { SpanStatusCode, trace } from "@opentelemetry/api";
import type { Spans } from "../spans.ts";
import { VERSION } from "../version.ts";

/** Makes spans within those that the host makes for requests. */
export function tracing(): Spans {
  const tracer = trace.getTracer("gatehouse", VERSION);
  return {
    run: (name, attributes, work) =>
      tracer.startActiveSpan(name, { attributes: { ...attributes } }, async (span) => {
        try {
          return await work((facts) => void span.setAttributes({ ...facts }));
        } catch (error) {
          // Without the message, which may quote anything.
          span.setStatus({ code: SpanStatusCode.ERROR });
          throw error;
        } finally {
          span.end();
        }
      }),
    route(method, route) {
      const span = trace.getActiveSpan();
      span?.updateName(`${method} ${route}`);
      span?.setAttribute("http.route", route);
    },
    traceId: () => trace.getActiveSpan()?.spanContext().traceId,
  };
}
