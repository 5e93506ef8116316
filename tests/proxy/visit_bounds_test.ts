import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import {
  HOST_WINDOW_SECONDS,
  MAX_ATTEMPTS,
  MAX_HOST_VISITS,
  MAX_OPEN_VISITS,
  VISIT_DEADLINE_MS,
} from "../../lib/proxy/visit.ts";
import { hanging, settled, withDeadlines, within } from "../waiting.ts";
import { DOCUMENT, json, PUBLIC, refused, type Site, visits } from "./visits.ts";

Deno.test("visitor() tries the next address, and no more than a few (SPEC B4.1)", async () => {
  const addresses = ["2606:4700::1", "1.1.1.1", "1.0.0.1", "8.8.8.8"];
  const down = () => Promise.reject(new TypeError("connection refused"));
  const failing = visits({ addresses, answer: down });
  refused(await failing.visit(), /^1\.0\.0\.1 cannot be reached: TypeError: connection ref/, true);
  equal(failing.reached.length, MAX_ATTEMPTS);
  const answer = (_: Request, address: string) =>
    address === "1.1.1.1" ? Response.json(DOCUMENT) : down();
  const second = visits({ addresses, answer });
  ok((await second.visit()).ok);
  equal(second.reached.length, 2);
});

Deno.test("visitor() does not try the next address after an answer", async () => {
  const answer = () => new Response(null, { status: 404 });
  const { visit, reached } = visits({ addresses: ["1.1.1.1", "1.0.0.1"], answer });
  refused(await visit(), /404/, false);
  equal(reached.length, 1);
});

Deno.test("visitor() may be asked again when a name does not resolve, or to nothing", async () => {
  const nowhere = visits({ resolve: () => Promise.reject(new Error("ENOTFOUND")) });
  refused(await nowhere.visit(), /^the name does not resolve: Error: ENOTFOUND$/, true);
  refused(await visits({ addresses: [] }).visit(), /^the name has no address$/, true);
});

Deno.test("visitor() may be asked again when a body breaks off", async () => {
  const body = new ReadableStream({ start: (to) => to.error(new Error("reset")) });
  refused(
    await visits({ answer: json(body) }).visit(),
    /^the answer broke off: Error: reset$/,
    true,
  );
});

const never = new Promise<never>(() => {});
const dripping = () => json(new ReadableStream({ start: (to) => to.enqueue(new Uint8Array(1)) }))();
const SLOW: readonly (readonly [name: string, site: Site])[] = [
  ["a name", { resolve: () => never }],
  ["a head", { answer: hanging }],
  ["a body", { answer: dripping }],
  ["a host that heeds no signal", { answer: () => never }],
];
for (const [name, site] of SLOW) {
  Deno.test(`visitor() gives ${name} up at one deadline, and is free again (SPEC B4.1)`, async () => {
    await withDeadlines(async ({ asked, pass }) => {
      const { visit, reached } = visits({ ...site, addresses: ["1.1.1.1", "1.0.0.1"] });
      const open = Array.from({ length: MAX_OPEN_VISITS }, () => visit());
      await settled();
      refused(await visit(), /^too many visits are open$/, true);
      const before = reached.length;
      pass();
      for (const visited of await within(1000, Promise.all(open))) {
        refused(visited, /^the host is too slow$/, true);
      }
      deepEqual(asked, open.map(() => VISIT_DEADLINE_MS));
      equal(reached.length, before);
      await withDeadlines(async ({ pass }) => {
        const again = visit();
        await settled();
        pass();
        refused(await within(1000, again), /^the host is too slow$/, true);
      });
    });
  });
}

Deno.test("visitor() connects to nothing when the name resolves too late", async () => {
  await withDeadlines(async ({ pass }) => {
    const late = Promise.withResolvers<string[]>();
    const { visit, reached } = visits({ resolve: () => late.promise });
    const visited = visit();
    await settled();
    pass();
    refused(await within(1000, visited), /^the host is too slow$/, true);
    late.resolve([PUBLIC]);
    await settled();
    deepEqual(reached, []);
  });
});

Deno.test("visitor() goes to one host only so often, whatever the path (SPEC B4.1)", async () => {
  const { visit, ports, reached } = visits();
  const tries = Array.from({ length: MAX_HOST_VISITS }, (_, index) => index);
  for (const index of tries) {
    ok((await visit(`https://client.example:${8000 + index}/${index}`)).ok);
  }
  ports.advance(HOST_WINDOW_SECONDS - 1);
  refused(await visit(), /^the host was visited too often$/, true);
  ok((await visit("https://other.example/a")).ok);
  equal(reached.length, MAX_HOST_VISITS + 1);
  ports.advance(1);
  for (const _ of tries) ok((await visit()).ok);
  refused(await visit(), /^the host was visited too often$/, true);
});
