import { strictEqual as equal } from "node:assert/strict";
import { deliver, WHOLE_BYTES } from "../../lib/delivery.ts";
import { certificates } from "../certificates.ts";
import { askUnread } from "../unread.ts";
import { clientOf, closed, connect, NAMES, type Secured, serving, tls } from "./secured.ts";

/** Longer than a test may take, and as long as a timer can. */
const FOREVER_MS = 2 ** 31 - 1;

Deno.test({
  name: "secure() closes connections that bring no request, and those that stopped to",
  ...tls,
  async fn() {
    await using made = await certificates(...NAMES);
    const secured = async (server: Secured) =>
      await Deno.startTls(await connect(server), { hostname: "localhost", caCerts: [made.ca] });
    const bytes = (text: string) => new TextEncoder().encode(text);
    {
      await using server = serving(made, undefined, { firstMs: 50 });
      await closed(await connect(server));
      const half = await secured(server);
      // On a slow machine it is closed before its TLS is ready.
      await half.write(bytes("GET / HTTP/1.1\r\nHost: localhost\r\nA:")).catch(() => {});
      await closed(half);
    }
    {
      await using server = serving(made, undefined, { idleMs: 50 });
      const idle = await secured(server);
      await idle.write(bytes("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
      await closed(idle);
    }
  },
});

Deno.test({
  name: "secure() waits for an answer for as long as it takes, whatever its patience",
  ...tls,
  async fn() {
    await using made = await certificates(...NAMES);
    const bounds = { idleMs: 20 };
    const silence = () => new Promise((resolve) => setTimeout(resolve, 5 * bounds.idleMs));
    await using server = serving(made, async () => {
      await silence();
      const body = ReadableStream.from((async function* () {
        yield new Uint8Array(1);
        await silence();
        yield new Uint8Array(1);
      })());
      return new Response(body);
    }, bounds);
    using client = clientOf(made);
    equal((await (await fetch(server.url, { client })).bytes()).length, 2);
  },
});

Deno.test({
  name: "secure() breaks a connection off whose client does not read answers, events excepted",
  ...tls,
  async fn() {
    await using made = await certificates(...NAMES);
    const reading = async (server: Secured) => {
      const tcp = await connect(server);
      const options = { hostname: "localhost", caCerts: [made.ca], alpnProtocols: ["h2"] };
      const connection = await Deno.startTls(tcp, options);
      await askUnread(connection, "/", 3);
      return connection;
    };
    {
      const large = () => Promise.resolve(deliver("x".repeat(2 * WHOLE_BYTES), {}));
      await using server = serving(made, large, { readMs: 50 });
      await closed(await reading(server));
    }
    {
      const large = () => Promise.resolve(deliver("x".repeat(2 * WHOLE_BYTES), {}));
      // A proxy passes on the requests of many.
      await using server = serving(made, large, { readMs: 50 }, () => true);
      const proxy = await reading(server);
      const brokenOff = closed(proxy).then(() => "broken off", () => "closed here");
      const silence = new Promise((resolve) => setTimeout(resolve, 250));
      equal(await Promise.race([silence, brokenOff]), undefined);
      proxy.close();
      await brokenOff;
    }
    {
      const headers = { "content-type": "text/event-stream" };
      const left = Promise.withResolvers<void>();
      const stream = () => new ReadableStream({ cancel: () => left.resolve() });
      const events = () => Promise.resolve(new Response(stream(), { headers }));
      await using server = serving(made, events, { readMs: 50 });
      const connection = await reading(server);
      const silence = new Promise((resolve) => setTimeout(resolve, 250));
      equal(await Promise.race([silence, left.promise.then(() => "broken off")]), undefined);
      connection.close();
      await left.promise;
    }
  },
});

Deno.test({
  name: "secure() lets clients read who take their time, answer by answer",
  ...tls,
  async fn() {
    await using made = await certificates(...NAMES);
    const large = () => Promise.resolve(deliver("x".repeat(100_000), {}));
    await using server = serving(made, large, { readMs: 200 });
    using client = clientOf(made, 2);
    for (let nth = 0; nth < 5; nth++) {
      equal((await (await fetch(server.url, { client })).bytes()).length, 100_000);
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
  },
});

Deno.test({
  name: "secure() bounds connections, and lets others in when one leaves",
  ...tls,
  async fn() {
    await using made = await certificates(...NAMES);
    await using server = serving(made, undefined, { connections: 2, firstMs: FOREVER_MS });
    const [one, other] = [await connect(server), await connect(server)];
    await closed(await connect(server));
    one.close();
    // The place is free once the server has seen that the connection is gone.
    const enter = async () => {
      using client = clientOf(made);
      return await (await fetch(server.url, { client })).text();
    };
    while (await enter().catch(() => "refused") !== "127.0.0.1");
    other.close();
  },
});

Deno.test({
  name: "secure() bounds connections of one address, but not those of an exempt one",
  ...tls,
  async fn() {
    await using made = await certificates(...NAMES);
    for (const isExempt of [true, false]) {
      await using server = serving(
        made,
        undefined,
        { perAddress: 1 },
        (address) => isExempt && address === "127.0.0.1",
      );
      const first = await connect(server);
      using client = clientOf(made);
      const answer = fetch(server.url, { client }).then(({ body, status }) => {
        void body?.cancel();
        return status;
      }, () => 0);
      equal(await answer, isExempt ? 200 : 0);
      first.close();
    }
  },
});

Deno.test({
  name: "another loopback address cannot pass for a client by taking the port of its connection",
  ...tls,
  async fn() {
    await using made = await certificates(...NAMES);
    // Tests may not connect from there, so the server is told that this one does.
    const serve = ((options: Deno.ServeTcpOptions, handler: Deno.ServeHandler<Deno.NetAddr>) =>
      Deno.serve(options, (request, { remoteAddr, completed }) =>
        handler(request, {
          remoteAddr: { ...remoteAddr, hostname: "127.0.0.2" },
          completed,
        }))) as typeof Deno.serve;
    const host = { listen: Deno.listen, connect: Deno.connect, serve };
    let asked = 0;
    await using server = serving(
      made,
      () =>
        Promise.resolve(new Response(`${++asked}`)),
      {},
      undefined,
      host,
    );
    using client = clientOf(made);
    const response = await fetch(server.url, { client });
    await response.body?.cancel();
    equal(response.status, 403);
    equal(asked, 0);
  },
});
