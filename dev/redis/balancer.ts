/**
 * A load balancer without sticky sessions, as simple as one can be: it sends a request to a replica,
 * whatever the one before it got.
 *
 * It stands where the public URL points to. When a replica does not listen, the request goes to
 * another; when one breaks off, the client hears 502, since nobody knows what was done.
 *
 * @module
 */

/** Chooses one of so many replicas. */
export type Choice = (count: number) => number;

/** A balancer that runs. */
export interface Balancer extends AsyncDisposable {
  /** What the public URL of the replicas is. */
  readonly origin: string;
  /** Sends requests to replicas of these origins from now on. */
  serve(replicas: readonly string[], choose: Choice): void;
  /** What went where, in order: `POST /oauth/token 0`. */
  readonly sent: string[];
}

/** Every replica in its turn. */
export function inTurn(): Choice {
  let turns = 0;
  return (count) => turns++ % count;
}

/** Any replica, the same ones for the same seed. */
export function atRandom(seed: number): Choice {
  let state = seed;
  return (count) => {
    // A linear congruential generator (Numerical Recipes); its high bits are the good ones.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(state / 2 ** 32 * count);
  };
}

/** Starts a balancer with nothing behind it. */
export function startBalancer(): Balancer {
  let replicas: readonly string[] = [];
  let choose: Choice = inTurn();
  const sent: string[] = [];

  const forward = async (request: Request): Promise<Response> => {
    const { pathname, search } = new URL(request.url);
    const { method, headers } = request;
    const body = method === "POST" ? await request.arrayBuffer() : null;
    const first = choose(replicas.length);
    for (let attempt = 0; attempt < replicas.length; attempt++) {
      const at = (first + attempt) % replicas.length;
      try {
        const url = `${replicas[at]}${pathname}${search}`;
        const response = await fetch(url, { method, headers, body, redirect: "manual" });
        sent.push(`${method} ${pathname} ${at}`);
        return response;
      } catch (error) {
        if (!String((error as Error).cause).includes("client error (Connect)")) break;
      }
    }
    return new Response("The replica broke off\n", { status: 502 });
  };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, forward);
  return {
    origin: `http://localhost:${server.addr.port}`,
    serve(origins, choice) {
      replicas = origins;
      choose = choice;
      sent.length = 0;
    },
    sent,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
