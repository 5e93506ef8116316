/**
 * Where Grafana would be: serves what stands in for it, and remembers everything that arrives.
 *
 * @module
 */

/** A request that arrived, and what became of it. */
export interface Seen {
  readonly method: string;
  readonly url: URL;
  /** What came after `Bearer`; everything when that was not there. */
  readonly credential: string;
  readonly body: string;
  /** All of the above and every header, to look for what must be nowhere. */
  readonly everything: string;
  readonly status: number;
}

/** A place where Grafana would be. */
export interface Stand extends AsyncDisposable {
  readonly origin: string;
  /** What arrived so far, in the order of the answers. */
  readonly seen: readonly Seen[];
  /** Lets the next `count` requests wait until all are there, and answers the last one first. */
  hold(count: number): void;
  /** Says who answers; until then nothing is there. */
  answerBy(answer: (request: Request) => Promise<Response>): void;
}

/** Starts to serve on loopback. */
export function startStand(): Stand {
  const seen: Seen[] = [];
  let answer = (_request: Request) => Promise.resolve(new Response(null, { status: 502 }));
  const waiting: (() => void)[] = [];
  let held = 0;
  const turn = async () => {
    if (waiting.length >= held) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    if (waiting.push(resolve) === held) {
      held = 0;
      for (const release of waiting.splice(0).reverse()) release();
    }
    await promise;
  };
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const body = await request.clone().text();
      await turn();
      const response = await answer(request);
      const { method, url, headers } = request;
      seen.push({
        method,
        url: new URL(url),
        credential: (headers.get("authorization") ?? "").replace(/^Bearer /, ""),
        body,
        everything: JSON.stringify([method, url, [...headers], body]),
        status: response.status,
      });
      return response;
    },
  );
  return {
    origin: `http://127.0.0.1:${server.addr.port}`,
    seen,
    hold: (count) => void (held = count),
    answerBy: (next) => void (answer = next),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
