import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { app } from "../lib/app.ts";
import { ROOMS } from "../lib/observe.ts";
import { type Limit, UNMETERED } from "../lib/meter.ts";
import { fakePorts, ORIGIN, testConfig } from "./fakes.ts";

/** The rooms, and a path in each with the status of its answers. */
const PLACES = [
  { room: ROOMS.callers, path: "/readyz", good: 200, otherPath: "/nothing", otherGood: 404 },
  { room: ROOMS.strangers, path: "/nothing", good: 404, otherPath: "/readyz", otherGood: 200 },
] as const;

/** A program whose answers are not read before the test says so. */
async function stage(env: Record<string, string> = {}) {
  const limits: Limit[] = [];
  const meter = { ...UNMETERED, limited: (limit: Limit) => limits.push(limit) };
  const ports = { ...fakePorts(), meter };
  const program = await app(testConfig(env), ports);
  const reads: (() => void)[] = [];
  const open = (path: string, address: string, headers: Record<string, string> = {}) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    reads.push(resolve);
    const init = { headers: { host: "localhost", ...headers } };
    return program.fetch(new Request(`${ORIGIN}${path}`, init), address, promise);
  };
  const status = async (path: string, address: string, headers?: Record<string, string>) =>
    (await open(path, address, headers)).status;
  const fill = async (
    { path, good, room }: typeof PLACES[number],
    address: string,
    headers?: Record<string, string>,
  ) => {
    for (let nth = 0; nth < room.mostOfEach; nth++) {
      equal(await status(path, address, headers), good);
    }
  };
  const read = async (nth: number) => {
    reads.at(nth)!();
    await Promise.resolve();
  };
  return { open, status, fill, read, ports, limits };
}

for (const place of PLACES) {
  const { room, path, good, otherPath, otherGood } = place;

  Deno.test(`observe() refuses ${path} while too many are open, tells when to come again, and goes on elsewhere (SPEC B4.3)`, async () => {
    const { open, status, fill, read, ports } = await stage();
    const others = room.most / room.mostOfEach;
    for (let nth = 1; nth <= others; nth++) await fill(place, `192.0.2.${nth}`);
    const crowded = await open(path, "198.51.100.1");
    deepEqual([crowded.status, crowded.headers.get("retry-after")], [503, "5"]);
    equal(crowded.headers.get("x-request-id") === null, false);
    equal(JSON.parse(ports.lines.at(-1)!).status, 503);
    equal(await status(otherPath, "192.0.2.1"), otherGood);
    // Whoever is told that it is dead would restart it.
    equal(await status("/healthz", "198.51.100.1"), 200);
    // Who was refused takes no room.
    await read(-3);
    equal(await status(path, "198.51.100.1"), 503);
    await read(0);
    equal(await status(path, "198.51.100.1"), good);
    equal(await status(path, "198.51.100.1"), 503);
  });

  Deno.test(`observe() keeps the clients of one address from taking all the room of ${path} (SPEC B4.3)`, async () => {
    const { open, status, fill, read, limits } = await stage();
    await fill(place, "192.0.2.1");
    deepEqual(limits, []);
    const refused = await open(path, "192.0.2.1");
    deepEqual([refused.status, refused.headers.get("retry-after")], [429, "5"]);
    equal(await refused.text(), "Too many requests of this address are open; close some\n");
    equal(await status(path, "::ffff:192.0.2.1"), 429);
    deepEqual(limits, ["open", "open"]);
    equal(await status("/healthz", "192.0.2.1"), 200);
    equal(await status(path, "192.0.2.2"), good);
    await read(0);
    equal(await status(path, "192.0.2.1"), good);
    equal(await status(path, "192.0.2.1"), 429);
  });

  Deno.test(`observe() counts requests of ${path} as long as their answers are on their way, be they not made at all`, async () => {
    const program = await app(testConfig({}), fakePorts());
    for (let count = 0; count <= room.mostOfEach; count++) {
      const gone = Promise.reject(new Error("The reader has left"));
      const request = new Request(`${ORIGIN}${path}`, { headers: { host: "localhost" } });
      equal((await program.fetch(request, "", gone)).status, good);
    }
  });
}

Deno.test("observe() takes an IPv6 network for one client, and who comes through a trusted proxy for who they are", async () => {
  const { status, fill } = await stage({ MCP_TRUSTED_PROXIES: "192.0.2.9" });
  const [, strangers] = PLACES;
  const { path, good } = strangers;
  await fill(strangers, "2001:db8:0:1::1");
  equal(await status(path, "2001:db8:0:1:ffff::2"), 429);
  equal(await status(path, "2001:db8:0:2::1"), good);
  const through = (address: string) => ({ "x-forwarded-for": address });
  await fill(strangers, "192.0.2.9", through("203.0.113.1"));
  equal(await status(path, "192.0.2.9", through("203.0.113.1")), 429);
  equal(await status(path, "192.0.2.9", through("203.0.113.2")), good);
});
