/**
 * The one question that tells whether a broker is ready: a Metadata request as Kafka has always
 * understood it, so that the script depends on no client.
 *
 * @module
 */

// Length, Metadata (3) version 1, correlation 1, no client id, no topics.
const REQUEST = Uint8Array.of(
  ...[0, 0, 0, 14],
  ...[0, 3, 0, 1],
  ...[0, 0, 0, 1],
  ...[0xff, 0xff],
  ...[0, 0, 0, 0],
);
const COUNT_AT = 8;

/**
 * How many brokers take part in the cluster, as the broker at a plain port of loopback sees it.
 *
 * @returns 0 when nothing answers there.
 */
export async function brokersSeenAt(port: number): Promise<number> {
  try {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(REQUEST);
    const answer = new Uint8Array(COUNT_AT + 4);
    for (let length = 0; length < answer.length;) {
      const read = await connection.read(answer.subarray(length));
      if (read === null) return 0;
      length += read;
    }
    return new DataView(answer.buffer).getInt32(COUNT_AT);
  } catch (error) {
    const { ConnectionRefused, ConnectionReset, BrokenPipe } = Deno.errors;
    if ([ConnectionRefused, ConnectionReset, BrokenPipe].some((kind) => error instanceof kind)) {
      return 0;
    }
    throw error;
  }
}
