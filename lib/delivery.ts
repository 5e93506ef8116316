/**
 * Answers that are under way until they have been read.
 *
 * The host takes an answer whose body it was given whole for sent, and keeps what its reader does
 * not take. With HTTP/2 a reader takes as much or as little as it likes, of hundreds of answers on
 * one connection.
 *
 * @module
 */

/** Bodies up to here are given to the host whole, in bytes: keeping them costs little. */
export const WHOLE_BYTES = 4096;

/** The most bytes that a UTF-16 unit of a text becomes. */
const BYTES_PER_UNIT = 3;

const ENCODER = new TextEncoder();

/**
 * An answer with a body that is at hand. One of more than {@linkcode WHOLE_BYTES} is under way until
 * its reader has taken it; when they take nothing, ending it is up to whoever has the connection.
 *
 * @param init The status and headers, the media type among them; those of another answer will do.
 */
export function deliver(
  body: string | Uint8Array<ArrayBuffer>,
  init: ResponseInit | Response,
): Response {
  if (body.length * BYTES_PER_UNIT <= WHOLE_BYTES) return new Response(body, init);
  const bytes = typeof body === "string" ? ENCODER.encode(body) : body;
  if (bytes.length <= WHOLE_BYTES) return new Response(body, init);
  const response = new Response(ReadableStream.from([bytes]), init);
  response.headers.set("content-length", `${bytes.length}`);
  return response;
}

/** Another's answer, delivered likewise. A stream of events is none that is at hand. */
export async function redeliver(response: Response): Promise<Response> {
  if (!response.body || isEventStream(response)) return response;
  return deliver(await response.bytes(), response);
}

/** Whether an answer is a stream of events. */
export function isEventStream({ headers }: Response): boolean {
  return headers.get("content-type")?.startsWith("text/event-stream") ?? false;
}
