/**
 * Spans of distributed traces: which work was done for which request, and how long it took.
 *
 * Names and attributes are of closed sets. No token, argument, message or URL has a place in them.
 *
 * @module
 */

/** Facts of a span. */
export type SpanFacts = Readonly<Record<string, string | number | boolean>>;

/** Makes spans. */
export interface Spans {
  /**
   * Does `work` within a span, which is the parent of what begins in it.
   *
   * @param work Gets what adds facts that are known later. When it rejects, the span tells that it
   *   did, and not why.
   */
  run<T>(
    name: string,
    facts: SpanFacts,
    work: (tell: (facts: SpanFacts) => void) => Promise<T>,
  ): Promise<T>;
  /** Names the span that the host made for the request at hand. */
  route(method: string, route: string): void;
  /** Id of the trace at hand, 32 hexadecimal digits; absent when nothing is traced. */
  traceId(): string | undefined;
}

const tellNobody = () => {};

/** Makes none. */
export const UNTRACED: Spans = {
  run: (_name, _facts, work) => work(tellNobody),
  route() {},
  traceId: () => undefined,
};
