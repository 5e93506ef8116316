import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { secure } from "../../lib/cli/secure.ts";
import { certificates } from "../certificates.ts";
import { clientOf, closed, connect, NAMES, pairOf, serving, tls } from "./secured.ts";

for (const version of [1, 2] as const) {
  Deno.test({
    name: `secure() serves HTTP/${version} over TLS, and knows where it comes from`,
    ...tls,
    async fn() {
      await using made = await certificates(...NAMES);
      await using server = serving(made, async (request, remote) => {
        const { pathname, protocol } = new URL(request.url);
        return Response.json([protocol, pathname, remote, (await request.text()).length]);
      });
      using client = clientOf(made, version);
      const body = "x".repeat(3_000_000);
      const response = await fetch(`${server.url}a`, { client, method: "POST", body });
      deepEqual(await response.json(), ["https:", "/a", "127.0.0.1", body.length]);
    },
  });
}

Deno.test({
  name: "secure() sends a body of megabytes whole, and a part of it before the rest is there",
  ...tls,
  async fn() {
    await using made = await certificates(...NAMES);
    const rest = Promise.withResolvers<void>();
    await using server = serving(made, () =>
      Promise.resolve(
        new Response(
          new ReadableStream({
            async start(controller) {
              controller.enqueue(new Uint8Array(10));
              await rest.promise;
              controller.enqueue(new Uint8Array(5_000_000));
              controller.close();
            },
          }),
        ),
      ));
    using client = clientOf(made);
    const { body } = await fetch(server.url, { client });
    const reader = body!.getReader();
    equal((await reader.read()).value!.length, 10);
    rest.resolve();
    let size = 0;
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      size += part.value.length;
    }
    equal(size, 5_000_000);
  },
});

Deno.test({
  name: "secure() tells when an answer has been sent, or its reader has left",
  ...tls,
  async fn() {
    await using made = await certificates(...NAMES);
    const told: Promise<string>[] = [];
    await using server = serving(made, (request, _, completed) => {
      told.push(completed.then(() => "over", () => "over"));
      const isEndless = request.url.endsWith("/endless");
      const { readable, writable } = new TransformStream<Uint8Array>();
      if (isEndless) void writable.getWriter().write(new Uint8Array(1)).catch(() => {});
      return Promise.resolve(new Response(isEndless ? readable : "short"));
    });
    {
      using client = clientOf(made);
      await (await fetch(server.url, { client })).text();
      const leave = new AbortController();
      const { body } = await fetch(`${server.url}endless`, { client, signal: leave.signal });
      await body!.getReader().read();
      leave.abort();
    }
    deepEqual(await Promise.all(told), ["over", "over"]);
  },
});

Deno.test({
  name: "secure() shows a renewed certificate to those who come after, and loses nobody before",
  ...tls,
  async fn() {
    await using before = await certificates(...NAMES);
    await using after = await certificates(...NAMES);
    const go = Promise.withResolvers<void>();
    await using server = serving(before, async (request) => {
      if (request.url.endsWith("/slow")) await go.promise;
      return new Response("ok");
    });
    using old = clientOf(before);
    using fresh = clientOf(after);
    const slow = fetch(`${server.url}slow`, { client: old });
    await (await fetch(server.url, { client: old })).text();
    server.listener.renew(pairOf(after));
    equal(await (await fetch(server.url, { client: fresh })).text(), "ok");
    // A connection from before goes on with what it has; a new one does not trust what it sees.
    equal(await (await fetch(server.url, { client: old })).text(), "ok");
    using late = clientOf(before);
    ok(await fetch(server.url, { client: late }).then(() => false, () => true));
    go.resolve();
    equal(await (await slow).text(), "ok");
  },
});

Deno.test({
  name: "secure() loses no request while certificates change, on connections old and new",
  ...tls,
  async fn() {
    await using one = await certificates(...NAMES);
    await using other = await certificates(...NAMES);
    await using server = serving(one, async (request) => new Response(await request.text()));
    const caCerts = [one.ca, other.ca];
    let isOver = false;
    const ask = async (client: Deno.HttpClient, body: string) => {
      const response = await fetch(server.url, { client, method: "POST", body });
      equal(await response.text(), body);
    };
    const kept = async (http2: boolean) => {
      using client = Deno.createHttpClient({ caCerts, http1: !http2, http2 });
      let count = 0;
      while (!isOver) await ask(client, `${count++}`);
      return count;
    };
    const fresh = async () => {
      let count = 0;
      while (!isOver) {
        using client = Deno.createHttpClient({ caCerts, http2: false });
        await ask(client, `${count++}`);
      }
      return count;
    };
    const asking = [kept(false), kept(false), kept(true), fresh(), fresh(), fresh()];
    for (let round = 0; round < 20; round++) {
      using client = Deno.createHttpClient({ caCerts });
      server.listener.renew(pairOf(round % 2 ? one : other));
      await ask(client, "after");
    }
    isOver = true;
    ok((await Promise.all(asking)).every((count) => count > 0));
  },
});

Deno.test({
  name: "secure() refuses a pair that does not work, and goes on with the one before",
  ...tls,
  async fn() {
    await using made = await certificates(...NAMES);
    await using other = await certificates(...NAMES);
    await using server = serving(made);
    for (const bad of [{ key: other.key }, { cert: other.cert }, { cert: "" }, { key: "x" }]) {
      throws(() => server.listener.renew({ ...pairOf(made), ...bad }));
      using client = clientOf(made);
      equal(await (await fetch(server.url, { client })).text(), "127.0.0.1");
    }
    throws(() => serving({ ...made, key: other.key }));
  },
});

Deno.test({
  name: "secure() throws when the port is taken",
  ...tls,
  async fn() {
    await using made = await certificates(...NAMES);
    await using server = serving(made);
    const again = { hostname: "127.0.0.1", port: server.listener.port };
    throws(
      () => secure(Deno)(again, pairOf(made), () => Promise.reject()),
      Deno.errors.AddrInUse,
    );
  },
});

Deno.test({
  name: "secure() lets nobody in at the back",
  ...tls,
  async fn() {
    await using made = await certificates(...NAMES);
    const ports: number[] = [];
    const serve = ((options: Deno.ServeTcpOptions, handler: Deno.ServeHandler<Deno.NetAddr>) => {
      const server = Deno.serve(options, handler);
      ports.push(server.addr.port);
      return server;
    }) as typeof Deno.serve;
    let asked = 0;
    const listener = secure({ listen: Deno.listen, connect: Deno.connect, serve })(
      { hostname: "127.0.0.1", port: 0 },
      pairOf(made),
      () => Promise.resolve(new Response(`${++asked}`)),
    );
    {
      using client = clientOf(made);
      const response = await fetch(`https://localhost:${ports[0]}/`, { client });
      equal(response.status, 403);
      await response.body?.cancel();
    }
    equal(asked, 0);
    await listener.shutdown();
  },
});

Deno.test({
  name: "secure() ends although somebody is connected who says nothing",
  ...tls,
  async fn() {
    await using made = await certificates(...NAMES);
    const server = serving(made, undefined, { firstMs: 2 ** 31 - 1 });
    const silent = await connect(server);
    using client = clientOf(made);
    await (await fetch(server.url, { client })).text();
    await server.listener.shutdown();
    await closed(silent);
  },
});

Deno.test({
  name: "secure() answers what is in flight before it ends",
  ...tls,
  async fn() {
    await using made = await certificates(...NAMES);
    const begun = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const server = serving(made, async () => {
      begun.resolve();
      await go.promise;
      return new Response("late");
    });
    using client = clientOf(made);
    const answer = fetch(server.url, { client });
    await begun.promise;
    const ended = server.listener.shutdown();
    go.resolve();
    equal(await (await answer).text(), "late");
    await ended;
  },
});
