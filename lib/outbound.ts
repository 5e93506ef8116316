/**
 * Fetching from an issuer, within bounds: https only (http on this machine), no redirects, a
 * deadline over the whole exchange, and a cap on what is read.
 *
 * It does not choose addresses: URLs come from the operator's configuration, or from a document of
 * the issuer that the operator configured.
 *
 * @module
 */

import type { Ports } from "./ports.ts";

/** How long an exchange may take, in milliseconds. */
export const FETCH_DEADLINE_MS = 5_000;

/** Largest body that is read, in bytes. */
export const MAX_DOCUMENT_BYTES = 512 * 1024;

/** What a request may say. */
export interface OutboundInit {
  readonly method?: string;
  readonly headers?: HeadersInit;
  readonly body?: BodyInit | null | undefined;
}

/** A `fetch` that keeps within the bounds. Its responses are read to the end already. */
export type Outbound = (url: string, init?: OutboundInit) => Promise<Response>;

/** Whether a URL may be fetched, or taken from a document as an address of the issuer. */
export function isSafeUrl(url: URL): boolean {
  if (url.username || url.password) return false;
  const local = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  return url.protocol === "https:" || (url.protocol === "http:" && local);
}

/**
 * Wraps the host's `fetch`.
 *
 * The result rejects with an `Error` that says what went wrong when the URL is not allowed, the
 * exchange fails or is late, or the body is too large. A status is the caller's to judge; a
 * redirect is such a status.
 */
export function outbound(fetch: Ports["fetch"]): Outbound {
  return async (address, init = {}) => {
    const url = new URL(address);
    if (!isSafeUrl(url)) throw new Error(`Cannot fetch ${url.origin}: only https is allowed`);
    const signal = AbortSignal.timeout(FETCH_DEADLINE_MS);
    try {
      const { method = "GET", headers = {}, body: sent = null } = init;
      const request = new Request(url, { method, headers, body: sent, redirect: "manual", signal });
      const response = await fetch(request);
      const body = await readCapped(response, MAX_DOCUMENT_BYTES);
      if (!body) throw new Error(`Cannot read more than ${MAX_DOCUMENT_BYTES} bytes`);
      return new Response(hasBody(response.status) ? body : null, response);
    } catch (error) {
      const why = signal.aborted
        ? `no answer within ${FETCH_DEADLINE_MS / 1000} seconds`
        : error instanceof Error
        ? error.message
        : String(error);
      throw new Error(`Cannot fetch ${url.origin}${url.pathname}: ${why}`, { cause: error });
    }
  };
}

const hasBody = (status: number) => status !== 204 && status !== 205 && status !== 304;

/** Reads the body of an answer; `undefined`, and no further, once it has more than `limit` bytes. */
export async function readCapped(
  response: Response,
  limit: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > limit) return undefined;
    chunks.push(chunk);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}
