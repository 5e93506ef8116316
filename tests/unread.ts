/**
 * A client of HTTP/2 that reads no bodies: its window is closed, as the protocol allows.
 *
 * @module
 */

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const KIND = { headers: 1, settings: 4 } as const;
const FLAGS = { ack: 1, lastOfHeadersAndRequest: 5 } as const;
const INITIAL_WINDOW_SIZE = 4;
const FRAME_HEAD_BYTES = 9;

const ENCODER = new TextEncoder();

/**
 * Asks for `path` again and again on one connection, and waits until all answers have begun.
 *
 * @param count At most 200, which is what Deno takes on one connection.
 */
export async function askUnread(
  connection: Pick<Deno.Conn, "read" | "write">,
  path: string,
  count: number,
): Promise<void> {
  const fields = { ":method": "GET", ":scheme": "http", ":path": path, ":authority": "localhost" };
  const block = [...Object.entries(fields), ["accept", "text/html"]]
    .flatMap(([name, value]) => [0, ...literal(name!), ...literal(value!)]);
  const closed = [0, INITIAL_WINDOW_SIZE, 0, 0, 0, 0];
  const frames = [
    ...ENCODER.encode(PREFACE),
    ...frame(KIND.settings, 0, 0, closed),
    ...frame(KIND.settings, FLAGS.ack, 0, []),
    ...Array.from(
      { length: count },
      (_, nth) => frame(KIND.headers, FLAGS.lastOfHeadersAndRequest, 1 + 2 * nth, block),
    ).flat(),
  ];
  const bytes = Uint8Array.from(frames);
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
  for (let begun = 0, left = new Uint8Array(); begun < count;) {
    const buffer = new Uint8Array(65_536);
    const size = await connection.read(buffer);
    if (size === null) throw new Error(`Cannot read on after ${begun} of ${count} answers`);
    const unread = new Uint8Array([...left, ...buffer.subarray(0, size)]);
    const { kinds, rest } = framesOf(unread);
    begun += kinds.filter((kind) => kind === KIND.headers).length;
    left = rest;
  }
}

function frame(kind: number, flags: number, stream: number, payload: readonly number[]): number[] {
  const { length } = payload;
  const id = [stream >> 24, stream >> 16, stream >> 8, stream].map((part) => part & 0xff);
  return [length >> 16, (length >> 8) & 0xff, length & 0xff, kind, flags, ...id, ...payload];
}

// HPACK (RFC 7541 section 5.2) of a text that is shorter than 127 bytes.
function literal(text: string): number[] {
  return [text.length, ...ENCODER.encode(text)];
}

function framesOf(bytes: Uint8Array<ArrayBuffer>) {
  const kinds: number[] = [];
  let at = 0;
  while (bytes.length - at >= FRAME_HEAD_BYTES) {
    const [high, middle, low, kind] = bytes.subarray(at);
    const end = at + FRAME_HEAD_BYTES + (high! << 16 | middle! << 8 | low!);
    if (bytes.length < end) break;
    kinds.push(kind!);
    at = end;
  }
  return { kinds, rest: bytes.subarray(at) };
}
