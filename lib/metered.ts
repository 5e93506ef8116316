/**
 * Asking peers under the eyes of the meter: who was asked, how it ended, and how long it took
 * until the answer began.
 *
 * @module
 */

import type { Peer, PeerOutcome } from "./meter.ts";
import type { Ports } from "./ports.ts";

/** What watching needs. */
export type Watching = Pick<Ports, "meter" | "spans" | "elapsedMs">;

/**
 * Asks a peer, and counts how it ended. What `ask` throws is thrown on.
 *
 * @param outcomeOf Judges an answer.
 * @param failureOf Judges what was thrown.
 */
export function watched<T>(
  { meter, spans, elapsedMs }: Watching,
  peer: Peer,
  ask: () => Promise<T>,
  outcomeOf: (answer: T) => PeerOutcome,
  failureOf: (error: unknown) => PeerOutcome,
): Promise<T> {
  return spans.run(`ask ${peer}`, { peer }, async (tell) => {
    const started = elapsedMs();
    const end = (outcome: PeerOutcome) => {
      meter.asked(peer, outcome, (elapsedMs() - started) / 1000);
      tell({ outcome });
    };
    try {
      const answer = await ask();
      end(outcomeOf(answer));
      return answer;
    } catch (error) {
      end(failureOf(error));
      throw error;
    }
  });
}

/** The ports of whatever deals with the identity provider, and with documents of clients. */
export function issuerPorts(ports: Ports): Ports {
  return {
    ...ports,
    fetch: (request) => fetched(ports, "issuer", request, () => ports.fetch(request)),
    fetchAt: (request, address) =>
      fetched(ports, "document", request, () => ports.fetchAt(request, address)),
  };
}

/** The ports of packs, which fetch nothing but tokens without certificates of their own. */
export function packPorts(ports: Ports): Ports {
  return {
    ...ports,
    fetch: (request) => fetched(ports, "exchange", request, () => ports.fetch(request)),
    fetchWith: (tls) => {
      const fetch = ports.fetchWith(tls);
      return (request) => fetched(ports, "grafana", request, () => fetch(request));
    },
  };
}

function fetched(
  ports: Ports,
  peer: Peer,
  { signal }: Request,
  ask: () => Promise<Response>,
): Promise<Response> {
  return watched(ports, peer, ask, ({ status }) => outcomeOfStatus(status), () => {
    if (!signal.aborted) return "unreachable";
    const { reason } = signal;
    const isLate = reason instanceof DOMException && reason.name === "TimeoutError";
    return isLate ? "timeout" : "given up";
  });
}

function outcomeOfStatus(status: number): PeerOutcome {
  if (status >= 500) return "failed";
  return status >= 400 ? "refused" : "ok";
}
