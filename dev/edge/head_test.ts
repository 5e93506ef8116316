/**
 * What Deno bounds by itself in the head of a request, as the README says. Deno 2.7 knows another
 * bound in HTTP/1.1, so this is of the version that tests run on.
 *
 * @module
 */

import { strictEqual as equal } from "node:assert/strict";
import { secure } from "../../lib/cli/secure.ts";
import { certificates } from "../../tests/certificates.ts";
import { start } from "../../tests/e2e/program.ts";
import { exchange } from "../../tests/e2e/raw.ts";

const KIB = 1024;

Deno.test("a head of more than 64 KiB or 128 headers is refused in HTTP/1.1", async () => {
  await using program = await start();
  const statusOf = async (lines: readonly string[]) => {
    const host = `Host: localhost:${program.port}`;
    const head = ["GET /healthz HTTP/1.1", host, "Connection: close", ...lines, "", ""];
    return (await exchange(program.port, head.join("\r\n"))).status;
  };
  const headers = (count: number) => Array.from({ length: count }, (_, at) => `a${at}: b`);
  equal(await statusOf(headers(126)), 200);
  equal(await statusOf(headers(127)), 400);
  equal(await statusOf([`a: ${"b".repeat(63 * KIB)}`]), 200);
  for (const size of [65, 100, 1000]) {
    equal(await statusOf([`a: ${"b".repeat(size * KIB)}`]), 400, `${size} KiB`);
  }
});

Deno.test("a head of more than 16 KiB is refused in HTTP/2", async () => {
  await using made = await certificates("DNS:localhost");
  const pair = { ...made, until: "" };
  const address = { hostname: "127.0.0.1", port: 0 };
  const listener = secure(Deno)(address, pair, () => Promise.resolve(new Response("ok")));
  {
    using client = Deno.createHttpClient({ caCerts: [made.ca], http1: false });
    for (const [size, status] of [[15, 200], [16, 431], [100, 431]] as const) {
      const headers = { a: "b".repeat(size * KIB) };
      const response = await fetch(`https://localhost:${listener.port}/`, { client, headers });
      await response.body?.cancel();
      equal(response.status, status, `${size} KiB`);
    }
  }
  await listener.shutdown();
});
