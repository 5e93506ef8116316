import { match, ok, rejects, strictEqual as equal } from "node:assert/strict";
import { redis } from "../../lib/store/redis.ts";
import { fakePorts } from "../fakes.ts";

const UNUSABLE = [
  "redis:",
  "redis://",
  "redis:6379",
  "redis:///0",
  "redis://:secret@",
  "http://:secret@localhost:6379",
  "redis://:secret@localhost:port",
  "redis://:secret@localhost/name",
  "redis://:secret@localhost/0/1",
  "redis://:secret@localhost/-1",
  "redis://:secret@localhost/12345",
  "redis://:secret@localhost?commandTimeout=0",
  "redis://:secret@localhost#0",
  "redis://:%secret@localhost",
  "redis://a,:secret@b c",
];

for (const url of UNUSABLE) {
  Deno.test(`redis() refuses ${url}, and does not tell the password`, async () => {
    await rejects(redis(url, fakePorts()), (error: Error) => {
      match(error.message, /^Cannot use /);
      equal(Deno.inspect(error).includes("secret"), false);
      return true;
    });
  });
}

Deno.test("redis() opens without a server, is not ready and rejects", async () => {
  const { port } = vacant();
  const ports = fakePorts();
  const store = await redis(`redis://:secret@127.0.0.1:${port}`, ports);
  equal(await store.ready(), false);
  await rejects(store.get("a"), /^Error: Cannot ask Redis: there is no connection$/);
  await rejects(store.put("a", "1", 10), /^Error: Cannot ask Redis: there is no connection$/);
  await store.close();
  equal(ports.lines.length, 1);
  const { level, event, error } = JSON.parse(ports.lines[0]!);
  equal(`${level} ${event}`, "error store lost");
  match(error, /ECONNREFUSED/);
  ok(!ports.lines[0]!.includes("secret"));
});

/** An address where nobody listens. */
function vacant(): Deno.NetAddr {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr;
}
