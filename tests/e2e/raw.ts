/**
 * HTTP by hand, for requests that no client library would send.
 *
 * @module
 */

/** What came back. */
export interface RawAnswer {
  /** Absent when the connection ended without an answer. */
  readonly status?: number;
  readonly head: string;
  readonly body: string;
}

const DEADLINE_MS = 8000;

/**
 * Sends `request` to `port` of this machine and reads one answer, to its end or that of the
 * connection. Nobody has to read the request to its end.
 */
export async function exchange(port: number, request: string): Promise<RawAnswer> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const timer = setTimeout(() => connection.close(), DEADLINE_MS);
  const sending = send(connection, request).catch(() => {});
  const text = await receive(connection);
  clearTimeout(timer);
  try {
    connection.close();
  } catch {
    // The timer was faster.
  }
  await sending;
  const [head = "", ...rest] = text.split("\r\n\r\n");
  const status = /^HTTP\/1\.[01] (\d{3}) /.exec(head)?.[1];
  return { ...(status && { status: Number(status) }), head, body: rest.join("\r\n\r\n") };
}

/** Writes all of `text`. */
export async function send(connection: Deno.Conn, text: string): Promise<void> {
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(await connection.write(bytes));
}

async function receive(connection: Deno.Conn): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(64 * 1024);
  let text = "";
  try {
    while (!isWhole(text)) {
      const count = await connection.read(buffer);
      if (count === null) break;
      text += decoder.decode(buffer.subarray(0, count), { stream: true });
    }
  } catch {
    // A reset ends the answer as well.
  }
  return text;
}

function isWhole(text: string): boolean {
  const end = text.indexOf("\r\n\r\n");
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, end + 2))?.[1];
  return end !== -1 && length !== undefined && text.length >= end + 4 + Number(length);
}
