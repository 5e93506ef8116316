import { rejects, strictEqual as equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { kafkaClient } from "../../../lib/pack/kafka/client.ts";
import { sizes } from "../../../lib/pack/kafka/frames.ts";
import { fakePorts } from "../../fakes.ts";

/** A broker that answers the first request of a connection with an answer of `size`. */
function lyingBroker(size: number) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serve = async (connection: Deno.TcpConn) => {
    const request = new Uint8Array(1024);
    await connection.read(request);
    const answer = new DataView(new ArrayBuffer(40));
    answer.setInt32(0, size);
    answer.setInt32(4, new DataView(request.buffer).getInt32(8));
    await connection.write(new Uint8Array(answer.buffer));
    await connection.read(request);
    connection.close();
  };
  const served = (async () => {
    const open: Promise<void>[] = [];
    for await (const connection of listener) open.push(serve(connection));
    await Promise.allSettled(open);
  })();
  const { port } = listener.addr;
  return {
    address: `127.0.0.1:${port}` as const,
    async [Symbol.asyncDispose]() {
      listener.close();
      await served;
    },
  };
}

for (const size of [-100, 3, 0x7fffffff]) {
  Deno.test(`a broker that says an answer has ${size} bytes loses its connection, and nobody else anything`, async () => {
    await using broker = lyingBroker(size);
    const client = kafkaClient(
      { clientId: "gatehouse", timeoutMs: 10_000, brokers: [broker.address] },
      fakePorts(),
    );
    await rejects(() => client.snapshot(), {
      message: /^Kafka cannot be reached/,
      reason: new RegExp(`Cannot read an answer of ${size >>> 0} bytes$`),
    });
    await client.close();
  });
}

Deno.test("sizes() is right however the bytes are cut (property)", () => {
  const answers = fc.array(fc.integer({ min: 4, max: 40 }), { maxLength: 10 });
  const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 10 });
  fc.assert(fc.property(answers, cuts, fc.boolean(), (answers, cuts, isBad) => {
    const all = isBad ? [...answers, 41] : answers;
    const bytes = new Uint8Array(all.reduce((sum, size) => sum + 4 + size, 0));
    all.reduce((at, size) => {
      new DataView(bytes.buffer).setInt32(at, size);
      return at + 4 + size;
    }, 0);
    const check = sizes(40);
    const pass = () => {
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const next = at + cuts[turn % cuts.length]!;
        check(bytes.subarray(at, next));
        at = next;
      }
    };
    if (isBad) throws(pass, { message: "Cannot read an answer of 41 bytes" });
    else pass();
  }));
});

Deno.test("sizes() knows an alert of TLS", () => {
  throws(() => sizes(1024)(new Uint8Array([0x15, 3, 3, 0, 2, 2, 80])), {
    message: "Broker requires TLS",
  });
  equal(sizes(1024)(new Uint8Array([0, 0, 0, 4])), undefined);
});
