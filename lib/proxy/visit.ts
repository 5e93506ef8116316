/**
 * Fetching JSON from a host that a stranger names, without being led anywhere else (SSRF).
 *
 * Https only. Every address of the name has to be public, and the connection goes to one of the
 * addresses that were judged: a name that changes its mind in between leads nowhere (DNS
 * rebinding). No redirects, a deadline over everything, a cap on what is read, and bounds on how
 * many visits are open and how often one host is visited. It sends nothing that it knows: no
 * credential, no cookie, no word of who asked.
 *
 * @see draft-ietf-oauth-client-id-metadata-document-01, "Server Side Request Forgery (SSRF) Attacks"
 *
 * @module
 */

import { isIP } from "node:net";
import { LRUCache } from "lru-cache";
import { isLoopbackAddress, isPublicAddress } from "../address.ts";
import { readCapped } from "../outbound.ts";
import type { Ports } from "../ports.ts";

/** How long a visit may take, from the name to the last byte, in milliseconds. */
export const VISIT_DEADLINE_MS = 5_000;

/** How many visits may be open at once. */
export const MAX_OPEN_VISITS = 32;

/** How many visits of one host may begin within {@linkcode HOST_WINDOW_SECONDS}. */
export const MAX_HOST_VISITS = 120;

/** Over how many seconds the visits of a host are counted. */
export const HOST_WINDOW_SECONDS = 60;

/** How many addresses of a host are tried. */
export const MAX_ATTEMPTS = 3;

/** Of how many hosts visits are counted. */
const COUNTED_HOSTS = 1_000;

/** Why there is nothing to be had. */
export interface Failure {
  readonly ok: false;
  /**
   * For the log only, as it may tell how this network looks from inside; and it may hold text of
   * the host.
   */
  readonly reason: string;
  /** Whether another time may turn out better. */
  readonly retryable: boolean;
}

/** A failure that stays. */
export const lasting = (reason: string): Failure => ({ ok: false, reason, retryable: false });

/** A failure that may pass. */
const passing = (reason: string): Failure => ({ ok: false, reason, retryable: true });

/** What a visit brought. */
export type Visited =
  | { readonly ok: true; readonly value: unknown; readonly headers: Headers }
  | Failure;

/** Fetches the JSON document at `url`, of `maxBytes` at most. Does not reject. */
export type Visit = (url: string, maxBytes: number) => Promise<Visited>;

/** Settings of {@linkcode visitor}. */
export interface VisitOptions {
  /**
   * Whether loopback addresses pass too; for a server that listens on loopback itself, where
   * whoever reaches it could reach them without it.
   */
  readonly allowLoopback: boolean;
}

type VisitPorts = Pick<Ports, "now" | "resolve" | "fetchAt">;

/** Prepares visits that share their bounds. */
export function visitor(ports: VisitPorts, { allowLoopback }: VisitOptions): Visit {
  const counts = new LRUCache<string, { visits: number; until: number }>({ max: COUNTED_HOSTS });
  let open = 0;

  const isTooOften = (hostname: string) => {
    const now = ports.now();
    const known = counts.get(hostname);
    const count = known && known.until > now
      ? known
      : { visits: 0, until: now + HOST_WINDOW_SECONDS };
    counts.set(hostname, count);
    return ++count.visits > MAX_HOST_VISITS;
  };
  const mayReach = (address: string) =>
    isPublicAddress(address) || (allowLoopback && isLoopbackAddress(address));

  return async (address, maxBytes) => {
    const url = URL.parse(address);
    if (url?.protocol !== "https:" || url.username || url.password) {
      return lasting("the URL is not plain https");
    }
    if (open >= MAX_OPEN_VISITS) return passing("too many visits are open");
    if (isTooOften(url.hostname)) return passing("the host was visited too often");
    open++;
    const signal = AbortSignal.timeout(VISIT_DEADLINE_MS);
    try {
      return await unlessAborted(signal, visit(url, maxBytes, signal, ports, mayReach));
    } catch (error) {
      return passing(signal.aborted ? "the host is too slow" : `the answer broke off: ${error}`);
    } finally {
      open--;
    }
  };
}

async function visit(
  url: URL,
  maxBytes: number,
  signal: AbortSignal,
  ports: VisitPorts,
  mayReach: (address: string) => boolean,
): Promise<Visited> {
  const literal = url.hostname.replace(/^\[(.*)\]$/, "$1");
  let addresses: readonly string[];
  try {
    addresses = isIP(literal) ? [literal] : await ports.resolve(url.hostname);
  } catch (error) {
    return passing(`the name does not resolve: ${error}`);
  }
  // One address for the judge and one for the visit is how rebinding looks within a single answer,
  // so one that is not public spoils them all.
  const barred = addresses.find((address) => !mayReach(address));
  if (barred !== undefined) {
    // A name that resolves inside and one that does not resolve look the same to whoever asks.
    const refuse = isIP(literal) ? lasting : passing;
    return refuse(`${barred} is not a public address`);
  }
  let failure = passing("the name has no address");
  for (const address of addresses.slice(0, MAX_ATTEMPTS)) {
    signal.throwIfAborted();
    const headers = { accept: "application/json" };
    const request = new Request(url, { headers, redirect: "manual", signal });
    let response: Response;
    try {
      response = await ports.fetchAt(request, address);
    } catch (error) {
      failure = passing(`${address} cannot be reached: ${error}`);
      continue;
    }
    try {
      return await judge(response, maxBytes);
    } finally {
      // Ends the connection when the body was not read to its end.
      response.body?.cancel().catch(() => {});
    }
  }
  return failure;
}

async function judge(response: Response, maxBytes: number): Promise<Visited> {
  const { status, headers } = response;
  if (status !== 200) {
    const refuse = status >= 500 || status === 429 ? passing : lasting;
    return refuse(`the answer has status ${status}`);
  }
  const [type = ""] = (headers.get("content-type") ?? "").split(";");
  if (!/^application\/(?:[\w.!#$&^+-]+\+)?json$/i.test(type.trim())) {
    return lasting("the answer is not JSON by its type");
  }
  // A few bytes can unpack into very many.
  if (!/^(?:identity)?$/i.test(headers.get("content-encoding") ?? "")) {
    return lasting("the answer is packed");
  }
  const body = await readCapped(response, maxBytes);
  if (!body) return lasting(`the answer has more than ${maxBytes} bytes`);
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(body);
    return { ok: true, value: JSON.parse(text), headers };
  } catch {
    return lasting("the answer is not JSON");
  }
}

// The host's resolver takes no signal.
async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort);
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
