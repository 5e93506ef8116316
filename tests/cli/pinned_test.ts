import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { pinned, resolve } from "../../lib/cli/pinned.ts";
import {
  type Certificates,
  certificates,
  secureServer,
  withoutCertificates,
} from "../certificates.ts";
import { skipBecause } from "../e2e/skip.ts";

const tls = skipBecause(withoutCertificates);
const bytes = (text: string) => new TextEncoder().encode(text);

/** The port, over a host that also trusts the test's authority. */
function port({ ca }: Certificates) {
  const asked: Deno.ConnectOptions[] = [];
  const connect = (options: Deno.ConnectOptions) => (asked.push(options), Deno.connect(options));
  const fetchAt = pinned({
    connect: connect as typeof Deno.connect,
    startTls: (conn, options) => Deno.startTls(conn, { ...options, caCerts: [ca] }),
  });
  return { fetchAt, asked };
}

async function readHead(conn: Deno.TlsConn): Promise<string> {
  let text = "";
  const buffer = new Uint8Array(1024);
  while (!text.includes("\r\n\r\n")) {
    const size = await conn.read(buffer);
    if (size === null) break;
    text += new TextDecoder().decode(buffer.subarray(0, size));
  }
  return text;
}

const HELLO = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

Deno.test("resolve() knows the addresses of this machine, and rejects without any", async () => {
  const addresses = await resolve("localhost");
  ok(addresses.length > 0);
  for (const address of addresses) match(address, /^(127\.0\.0\.1|::1)$/);
  await rejects(resolve("name.invalid"));
});

Deno.test({
  name: "pinned() connects to the address, with the name in TLS and Host (SPEC E3, E4)",
  ...tls,
  async fn() {
    await using made = await certificates("DNS:client.example");
    let head = "";
    await using server = secureServer(made, async (conn) => {
      head = await readHead(conn);
      await conn.write(bytes(HELLO));
    });
    const { fetchAt, asked } = port(made);
    // Nobody has this name: to resolve it would fail.
    const url = `https://client.example:${server.port}/a/b.json?c=%20d`;
    const response = await fetchAt(
      new Request(url, { headers: { accept: "application/json" } }),
      "127.0.0.1",
    );
    deepEqual([response.status, await response.text()], [200, "{}"]);
    deepEqual(asked.map(({ hostname, port }) => [hostname, port]), [["127.0.0.1", server.port]]);
    const [first, ...lines] = head.trimEnd().split("\r\n");
    equal(first, "GET /a/b.json?c=%20d HTTP/1.1");
    deepEqual(lines.sort(), [
      "accept-encoding: identity",
      "accept: application/json",
      "connection: close",
      `host: client.example:${server.port}`,
    ]);
  },
});

for (
  const [name, names] of [
    ["another name", ["DNS:other.example"]],
    ["the address instead of the name", ["IP:127.0.0.1"]],
  ] as const
) {
  Deno.test({
    name: `pinned() refuses a certificate for ${name} (SPEC E4)`,
    ...tls,
    async fn() {
      await using made = await certificates(...names);
      let head = "";
      await using server = secureServer(made, async (conn) => void (head = await readHead(conn)));
      const { fetchAt } = port(made);
      const url = `https://client.example:${server.port}/a`;
      await rejects(fetchAt(new Request(url), "127.0.0.1"), /certificate/);
      equal(head, "");
    },
  });
}

Deno.test({
  name: "pinned() refuses a certificate of an authority that nobody trusts (SPEC E4)",
  ...tls,
  async fn() {
    await using made = await certificates("DNS:client.example");
    await using server = secureServer(made, async (conn) => void await readHead(conn));
    const url = `https://client.example:${server.port}/a`;
    await rejects(pinned(Deno)(new Request(url), "127.0.0.1"), /certificate/);
    equal(server.connections(), 1);
  },
});

Deno.test({
  name: "pinned() takes the certificate of an address, when that is the URL's host",
  ...tls,
  async fn() {
    await using made = await certificates("IP:127.0.0.1", "IP:::1");
    await using server = secureServer(made, async (conn) => {
      await readHead(conn);
      await conn.write(bytes(HELLO));
    });
    const { fetchAt } = port(made);
    for (const host of ["127.0.0.1", "[::1]"]) {
      const response = await fetchAt(
        new Request(`https://${host}:${server.port}/a`),
        "127.0.0.1",
      );
      equal(await response.text(), "{}");
    }
  },
});

Deno.test({
  name: "pinned() follows no redirect (SPEC E3, E4)",
  ...tls,
  async fn() {
    await using made = await certificates("DNS:client.example");
    await using server = secureServer(made, async (conn) => {
      await readHead(conn);
      const location = `https://client.example:${server.port}/b`;
      await conn.write(bytes(`HTTP/1.1 302 x\r\nLocation: ${location}\r\n\r\n`));
    });
    const { fetchAt } = port(made);
    const url = `https://client.example:${server.port}/a`;
    const response = await fetchAt(new Request(url, { redirect: "follow" }), "127.0.0.1");
    deepEqual([response.status, await response.text()], [302, ""]);
    equal(server.connections(), 1);
  },
});

Deno.test("pinned() connects to nothing but an address, over https, with a GET (SPEC E4)", async () => {
  let asked = 0;
  const connect = () => (asked++, Promise.reject(new Error("asked")));
  const fetchAt = pinned({ connect: connect as typeof Deno.connect, startTls: Deno.startTls });
  const url = "https://client.example/a";
  for (const address of ["localhost", "client.example", "", "127.1", "2130706433", "[::1]"]) {
    await rejects(fetchAt(new Request(url), address), /^TypeError: Cannot connect/);
  }
  for (const [other, method] of [["http://client.example/", "GET"], [url, "POST"], [url, "HEAD"]]) {
    await rejects(
      fetchAt(new Request(other!, { method: method! }), "1.1.1.1"),
      /^TypeError: Cannot/,
    );
  }
  equal(asked, 0);
  await rejects(fetchAt(new Request(url), "1.1.1.1"), /^Error: asked$/);
});

Deno.test("pinned() does not connect for a request that was aborted", async () => {
  const fetchAt = pinned(Deno);
  const reason = new Error("enough");
  const request = new Request("https://client.example:9/a", { signal: AbortSignal.abort(reason) });
  await rejects(fetchAt(request, "127.0.0.1"), reason);
});

Deno.test("pinned() gives a handshake up that is aborted", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const stop = new AbortController();
  const url = `https://client.example:${listener.addr.port}/a`;
  const fetched = pinned(Deno)(new Request(url, { signal: stop.signal }), "127.0.0.1");
  const conn = await listener.accept();
  // Half of a handshake has come: it is under way.
  ok(await conn.read(new Uint8Array(16)));
  const reason = new Error("enough");
  stop.abort(reason);
  await rejects(fetched, reason);
  conn.close();
  listener.close();
});

for (const [name, sent] of [["head", "HTTP/1.1 200"], ["body", `${HELLO.slice(0, -1)}`]] as const) {
  Deno.test({
    name: `pinned() gives a ${name} up that is aborted half-way, and closes (SPEC E4)`,
    ...tls,
    async fn() {
      await using made = await certificates("DNS:client.example");
      const begun = Promise.withResolvers<void>();
      const ended = Promise.withResolvers<void>();
      await using server = secureServer(made, async (conn) => {
        await readHead(conn);
        await conn.write(bytes(sent));
        begun.resolve();
        await conn.read(new Uint8Array(1)).catch(() => {});
        ended.resolve();
      });
      const stop = new AbortController();
      const url = `https://client.example:${server.port}/a`;
      const { fetchAt } = port(made);
      const fetched = fetchAt(new Request(url, { signal: stop.signal }), "127.0.0.1")
        .then((response) => response.text());
      await begun.promise;
      stop.abort(new Error("enough"));
      await rejects(fetched);
      await ended.promise;
    },
  });
}

Deno.test({
  name: "pinned() closes the connection of a body that is cancelled",
  ...tls,
  async fn() {
    await using made = await certificates("DNS:client.example");
    const ended = Promise.withResolvers<void>();
    await using server = secureServer(made, async (conn) => {
      await readHead(conn);
      await conn.write(bytes(HELLO.slice(0, -1)));
      await conn.read(new Uint8Array(1)).catch(() => {});
      ended.resolve();
    });
    const { fetchAt } = port(made);
    const url = `https://client.example:${server.port}/a`;
    const response = await fetchAt(new Request(url), "127.0.0.1");
    await response.body!.cancel();
    await ended.promise;
  },
});
