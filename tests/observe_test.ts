import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { MAX_OPEN_PER_ADDRESS, MAX_OPEN_REQUESTS } from "../lib/observe.ts";
import { ORIGIN, subject } from "./fakes.ts";

const at = (path: string, headers: Record<string, string> = {}) =>
  new Request(`${ORIGIN}${path}`, { headers: { host: "localhost", ...headers } });

type Subject = Awaited<ReturnType<typeof subject>>;

/** Requests whose answers are not read before the test says so. */
function unread({ app }: Subject) {
  const reads: (() => void)[] = [];
  const open = (path: string, address: string, headers?: Record<string, string>) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    reads.push(resolve);
    return app.fetch(at(path, headers), address, promise);
  };
  const fill = async (address: string, headers?: Record<string, string>) => {
    for (let count = 0; count < MAX_OPEN_PER_ADDRESS; count++) {
      const response = await open("/nothing", address, headers);
      equal(response.status, 404);
    }
  };
  return { open, fill, reads };
}

Deno.test("observe() refuses requests while too many are open, and tells when to come again (SPEC B4.3)", async () => {
  const tested = await subject();
  const { ports } = tested;
  const { open, fill, reads } = unread(tested);
  const strangers = MAX_OPEN_REQUESTS / MAX_OPEN_PER_ADDRESS;
  for (let nth = 1; nth <= strangers; nth++) await fill(`192.0.2.${nth}`);
  const ask = async (path: string) => (await open(path, "198.51.100.1")).status;
  const crowded = await open("/readyz", "198.51.100.1");
  deepEqual([crowded.status, crowded.headers.get("retry-after")], [503, "5"]);
  equal(crowded.headers.get("x-request-id") === null, false);
  equal(JSON.parse(ports.lines.at(-1)!).status, 503);
  // Whoever is told that it is dead would restart it.
  equal(await ask("/healthz"), 200);
  // Who was refused takes no room.
  reads.at(-1)!();
  reads.at(-2)!();
  await Promise.resolve();
  equal(await ask("/readyz"), 503);
  reads[0]!();
  await Promise.resolve();
  equal(await ask("/readyz"), 200);
  equal(await ask("/readyz"), 503);
});

Deno.test("observe() keeps the clients of one address from taking all the room (SPEC B4.3)", async () => {
  const tested = await subject();
  const { open, fill, reads } = unread(tested);
  await fill("192.0.2.1");
  const ask = async (path: string, address: string) => (await open(path, address)).status;
  const refused = await open("/readyz", "192.0.2.1");
  deepEqual([refused.status, refused.headers.get("retry-after")], [429, "5"]);
  equal(await refused.text(), "Too many requests of this address are open; close some\n");
  equal(await ask("/readyz", "::ffff:192.0.2.1"), 429);
  equal(await ask("/healthz", "192.0.2.1"), 200);
  equal(await ask("/readyz", "192.0.2.2"), 200);
  reads[0]!();
  await Promise.resolve();
  equal(await ask("/readyz", "192.0.2.1"), 200);
  equal(await ask("/readyz", "192.0.2.1"), 429);
});

Deno.test("observe() takes an IPv6 network for one client, and who comes through a trusted proxy for who they are", async () => {
  const tested = await subject({ MCP_TRUSTED_PROXIES: "192.0.2.9" });
  const { open, fill } = unread(tested);
  await fill("2001:db8:0:1::1");
  equal((await open("/readyz", "2001:db8:0:1:ffff::2")).status, 429);
  equal((await open("/readyz", "2001:db8:0:2::1")).status, 200);
  await fill("192.0.2.9", { "x-forwarded-for": "203.0.113.1" });
  const through = async (address: string) =>
    (await open("/readyz", "192.0.2.9", { "x-forwarded-for": address })).status;
  equal(await through("203.0.113.1"), 429);
  equal(await through("203.0.113.2"), 200);
});

Deno.test("observe() counts a request as long as its answer is on its way, be that not made at all", async () => {
  const { app } = await subject();
  for (let count = 0; count <= MAX_OPEN_PER_ADDRESS; count++) {
    await app.fetch(at("/healthz"), "", Promise.reject(new Error("The reader has left")));
  }
  equal((await app.fetch(at("/readyz"))).status, 200);
});
