import { rejects, throws } from "node:assert/strict";
import { strictEqual as equal } from "node:assert/strict";
import { kafkaClient } from "../../../lib/pack/kafka/client.ts";
import { fakePorts } from "../../fakes.ts";

const OPTIONS = { clientId: "gatehouse", timeoutMs: 2_000 };

function client(...brokers: [string, ...string[]]) {
  return kafkaClient({ ...OPTIONS, brokers }, fakePorts());
}

Deno.test("making a client opens nothing, and closing it leaves nothing", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const made = client(`127.0.0.1:${listener.addr.port}`);
  await made.close();
  await made.close();
});

Deno.test("an address that is not host:port is refused at once", () => {
  for (
    const text of ["", "broker", "broker:", ":9092", "broker:0", "broker:65536", "a:b:1", "[::1]"]
  ) {
    throws(() => client(text), { name: "TypeError", message: /it is not host:port$/ }, text);
  }
  for (const text of ["broker:9092", "127.0.0.1:1", "[::1]:65535"]) client(text);
});

Deno.test("a Kafka that is not there is told so, and makes no client unusable", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const made = client(`127.0.0.1:${port}`);
  const place = { topic: "orders", partition: 0 };
  const away = { message: /^Kafka cannot be reached at the moment/ };
  await rejects(() => made.snapshot(), away);
  await rejects(() => made.read([{ ...place, offset: 0n }], { maxBytes: 1, maxWaitMs: 0 }), away);
  await rejects(() => made.write({ ...place, value: undefined, headers: [] }), away);
  await rejects(() => made.groups(), away);
  equal(await made.ready(), false);
  await made.close();
  await rejects(() => made.snapshot(), { message: "Cannot ask Kafka: the client is closed" });
});

Deno.test("a broker that takes connections and says nothing is given up in time", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const made = client(`127.0.0.1:${listener.addr.port}`);
  await rejects(() => made.snapshot(), {
    name: "Error",
    message: /cannot be reached|did not answer/,
  });
  await made.close();
});

Deno.test("closing ends a call in the middle of connecting", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const made = client(`127.0.0.1:${listener.addr.port}`);
  const asked = made.snapshot();
  const ended = rejects(() => asked, { message: "Cannot ask Kafka: the client is closed" });
  const connection = await listener.accept();
  await made.close();
  await ended;
  connection.close();
});
