import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { type Patience, Relay } from "../../lib/cli/relay.ts";
import { closed } from "./secured.ts";

const FOREVER_MS = 2 ** 31 - 1;
const SHORT_MS = 20;

/** Two ends of a TCP connection. */
async function pair(): Promise<[near: Deno.TcpConn, far: Deno.TcpConn]> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  return await Promise.all([listener.accept(), Deno.connect({ hostname: "127.0.0.1", port })]);
}

/** A relay, and the far ends of its connections. */
async function stage(patience: Partial<Patience> = {}) {
  const [[clientSide, client], [serverSide, server]] = await Promise.all([pair(), pair()]);
  const all = { firstMs: FOREVER_MS, idleMs: FOREVER_MS, ...patience };
  return { client, server, relay: new Relay(clientSide, serverSide, all) };
}

const bytes = (text: string) => new TextEncoder().encode(text);

async function read(conn: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(100);
  return new TextDecoder().decode(buffer.subarray(0, await conn.read(buffer) ?? 0));
}

/** Whether a relay still runs after all of its short patience. */
async function isUp({ ended }: Relay): Promise<boolean> {
  const pause = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => pause.resolve(true), 5 * SHORT_MS);
  const up = await Promise.race([pause.promise, ended.then(() => false)]);
  clearTimeout(timer);
  return up;
}

Deno.test("Relay passes on what either side says, and that it has nothing more to say", async () => {
  const { client, server, relay } = await stage();
  await client.write(bytes("ask"));
  equal(await read(server), "ask");
  await client.closeWrite();
  equal(await read(server), "");
  await server.write(bytes("answer"));
  equal(await read(client), "answer");
  server.close();
  await closed(client);
  await relay.ended;
});

Deno.test("Relay breaks off when no request begins in time", async () => {
  const { client, server, relay } = await stage({ firstMs: SHORT_MS });
  await relay.ended;
  await Promise.all([closed(client), closed(server)]);
});

Deno.test("Relay waits while requests are at work, for the last of them, and not much longer", async () => {
  const { client, server, relay } = await stage({ firstMs: SHORT_MS, idleMs: SHORT_MS });
  const ends = [relay.begin(), relay.begin()];
  const up = [await isUp(relay)];
  ends[0]!();
  up.push(await isUp(relay));
  const again = relay.begin();
  ends[1]!();
  up.push(await isUp(relay));
  deepEqual(up, [true, true, true]);
  again();
  await relay.ended;
  await Promise.all([closed(client), closed(server)]);
});

Deno.test("Relay tells the server at once that the client has broken off", async () => {
  const { client, server, relay } = await stage();
  relay.begin();
  // What was not read when it closes makes it a reset.
  await server.write(bytes("unread"));
  await new Promise((resolve) => setTimeout(resolve, SHORT_MS));
  client.close();
  await closed(server);
  await relay.ended;
});

Deno.test("Relay passes an answer on although the server no longer reads", async () => {
  const { client, server, relay } = await stage();
  await server.write(bytes("too much"));
  server.close();
  equal(await read(client), "too much");
  // The client may go on for a while; nobody reads it.
  await client.write(bytes("more")).catch(() => {});
  client.close();
  await relay.ended;
});
