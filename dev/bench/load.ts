/**
 * The load generator: keep-alive connections that send one request each and wait for its answer.
 *
 * It speaks HTTP/1.1 over plain TCP, without pipelining, because generators that parse and keep
 * statistics as they go are slower than the bare server and would measure themselves.
 *
 * @module
 */

/** How many connections send at the same time. */
export const CONNECTIONS = 32;

/** How long a measurement may run over before it counts as stuck, in milliseconds. */
const STUCK_MS = 10_000;

const LARGEST_RESPONSE = 64 * 1024;

/** One request, ready to be sent any number of times, and what every answer must look like. */
export interface Target {
  readonly name: string;
  readonly port: number;
  readonly request: Uint8Array;
  readonly status: number;
  /** Length of the response body, in bytes, or what judges it when that varies. */
  readonly body: number | ((text: string) => boolean);
}

/** What one measurement found. Latencies are in milliseconds. */
export interface Figures {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

/** Something that is measured in every round. */
export interface Row {
  readonly name: string;
  readonly label: string;
  /** The row that its ratio is to; itself when absent. */
  readonly base?: Row;
  /** @throws {Error} When an answer is wrong. */
  measure(seconds: number): Promise<Figures>;
}

/**
 * Sends `target` for `seconds` over {@linkcode CONNECTIONS} connections.
 *
 * @throws {Error} When a response is not as `target` says, or does not come.
 */
export async function load(target: Target, seconds: number): Promise<Figures> {
  const deadlineMs = seconds * 1000 + STUCK_MS;
  return await connected(target, deadlineMs, (turns) => repeat(turns, seconds));
}

/**
 * Does `work` with {@linkcode CONNECTIONS} connections, on each of which a turn sends `target`.
 *
 * @throws {Error} When a response is not as `target` says, or `work` is not done in time.
 */
export async function connected<T>(
  target: Target,
  deadlineMs: number,
  work: (turns: readonly (() => Promise<void>)[]) => Promise<T>,
): Promise<T> {
  const { port } = target;
  const connections = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => Deno.connect({ hostname: "127.0.0.1", port })),
  );
  let stuck = false;
  const watchdog = setTimeout(() => {
    stuck = true;
    for (const connection of connections) connection.close();
  }, deadlineMs);
  try {
    return await work(connections.map((connection) => {
      connection.setNoDelay(true);
      return exchanges(connection, target);
    }));
  } catch (error) {
    throw stuck ? new Error(`${target.name}: a response did not come`) : error;
  } finally {
    clearTimeout(watchdog);
    if (!stuck) { for (const connection of connections) connection.close(); }
  }
}

/** Does each of `turns` again and again for `seconds`, all of them at the same time. */
export async function repeat(
  turns: readonly (() => Promise<void>)[],
  seconds: number,
): Promise<Figures> {
  const latencies: number[] = [];
  const started = performance.now();
  await Promise.all(turns.map(async (turn) => {
    let now = performance.now();
    while (now < started + seconds * 1000) {
      await turn();
      const then = now;
      now = performance.now();
      latencies.push(now - then);
    }
  }));
  return figuresOf(latencies, performance.now() - started);
}

/** Sums up single `latencies`, of which `elapsed` milliseconds were full. */
export function figuresOf(latencies: readonly number[], elapsed: number): Figures {
  const sorted = Float64Array.from(latencies).sort();
  const quantile = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? NaN;
  return {
    perSecond: latencies.length / elapsed * 1000,
    p50: quantile(0.5),
    p99: quantile(0.99),
  };
}

function exchanges(connection: Deno.TcpConn, target: Target): () => Promise<void> {
  const { name, request, status, body } = target;
  const statusLine = `HTTP/1.1 ${status} `;
  const buffer = new Uint8Array(LARGEST_RESPONSE);
  const decoder = new TextDecoder();
  return async () => {
    if (await connection.write(request) !== request.length) throw new Error("Cannot send in one");
    let size = 0;
    let whole = buffer.length;
    let text = "";
    let head = 0;
    while (size < whole) {
      const read = await connection.read(buffer.subarray(size));
      if (read === null) throw new Error(`${name}: the connection was closed`);
      size += read;
      text = decoder.decode(buffer.subarray(0, size));
      head = text.indexOf("\r\n\r\n") + 2;
      if (head === 1) continue;
      const length = lengthOf(text);
      whole = head + 2 + length;
      const isLength = typeof body === "number" ? length === body : length >= 0;
      if (text.startsWith(statusLine) && isLength) continue;
      throw new Error(`${name}: not ${status} with the length that was due, but\n${text}`);
    }
    if (size !== whole) throw new Error(`${name}: ${size - whole} bytes too many`);
    if (typeof body === "number" || body(text.slice(head + 2))) return;
    throw new Error(`${name}: not the answer that was due:\n${text}`);
  };
}

function lengthOf(head: string): number {
  return Number(/\r\ncontent-length: (\d+)\r\n/.exec(head)?.[1]);
}
