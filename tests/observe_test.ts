import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { MAX_OPEN_REQUESTS } from "../lib/observe.ts";
import { ORIGIN, subject } from "./fakes.ts";

const at = (path: string) => new Request(`${ORIGIN}${path}`, { headers: { host: "localhost" } });

Deno.test("observe() refuses requests while too many are open, and tells when to come again (SPEC B4.3)", async () => {
  const { app, ports } = await subject();
  const ends: (() => void)[] = [];
  const open = (path: string) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    ends.push(resolve);
    return app.fetch(at(path), "", promise);
  };
  for (let count = 0; count < MAX_OPEN_REQUESTS; count++) await open("/nothing");
  const crowded = await open("/readyz");
  deepEqual([crowded.status, crowded.headers.get("retry-after")], [503, "5"]);
  equal(crowded.headers.get("x-request-id") === null, false);
  equal(JSON.parse(ports.lines.at(-1)!).status, 503);
  // Whoever is told that it is dead would restart it.
  equal((await open("/healthz")).status, 200);
  // Who was refused takes no room.
  ends.at(-1)!();
  ends.at(-2)!();
  await Promise.resolve();
  equal((await open("/readyz")).status, 503);
  ends[0]!();
  await Promise.resolve();
  equal((await open("/readyz")).status, 200);
  equal((await open("/readyz")).status, 503);
});

Deno.test("observe() counts a request as long as its answer is on its way, be that not made at all", async () => {
  const { app } = await subject();
  for (let count = 0; count <= MAX_OPEN_REQUESTS; count++) {
    await app.fetch(at("/healthz"), "", Promise.reject(new Error("The reader has left")));
  }
  equal((await app.fetch(at("/readyz"))).status, 200);
});
