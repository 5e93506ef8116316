import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { FETCH_DEADLINE_MS, isSafeUrl, MAX_DOCUMENT_BYTES, outbound } from "../lib/outbound.ts";
import { hanging, settled, withDeadlines, within } from "./waiting.ts";

const URL_OF = "https://idp.example/keys?secret=query";

const ADDRESSES: readonly (readonly [address: string, safe: boolean])[] = [
  ["https://idp.example/keys", true],
  ["https://idp.example:8443", true],
  ["https://10.0.0.7/realms/acme", true],
  ["http://localhost:8180/realms/acme", true],
  ["http://127.0.0.1:8180", true],
  ["http://[::1]:8180", true],
  ["http://idp.example", false],
  ["http://10.0.0.7", false],
  ["http://169.254.169.254/latest/meta-data", false],
  ["http://localhost.evil.example", false],
  ["http://127.0.0.1.evil.example", false],
  ["http://0.0.0.0", false],
  ["http://[::2]", false],
  ["https://user@idp.example", false],
  ["https://:password@idp.example", false],
  ["ftp://idp.example", false],
  ["file:///etc/passwd", false],
  ["data:application/json,{}", false],
  ["javascript:alert(1)", false],
  ["ws://localhost", false],
];

for (const [address, safe] of ADDRESSES) {
  Deno.test(`isSafeUrl() says ${safe ? "yes" : "no"} to ${address} (SPEC E3)`, () => {
    equal(isSafeUrl(new URL(address)), safe);
  });
}

Deno.test("outbound() asks nothing of an address that is not safe (SPEC E3)", async () => {
  let asked = 0;
  const fetch = outbound(() => (asked++, Promise.resolve(new Response())));
  for (const [address, safe] of ADDRESSES) {
    if (safe) continue;
    await rejects(fetch(address), /^Error: Cannot fetch .*: only https is allowed$/);
  }
  equal(asked, 0);
});

Deno.test("outbound() sends what it is told, follows no redirect and sets a deadline (SPEC E3)", async () => {
  const sent: Request[] = [];
  const fetch = outbound((request) => {
    sent.push(request);
    return Promise.resolve(new Response("", { status: 302, headers: { location: "http://a.b" } }));
  });
  const headers = { "content-type": "application/x-www-form-urlencoded", authorization: "Basic x" };
  const response = await fetch(URL_OF, { method: "POST", headers, body: "token=t" });
  equal(response.status, 302);
  equal(sent.length, 1);
  const [request] = sent;
  deepEqual([request!.method, request!.url, request!.redirect], ["POST", URL_OF, "manual"]);
  equal(request!.headers.get("authorization"), "Basic x");
  equal(await request!.text(), "token=t");
  equal(request!.signal.aborted, false);
});

Deno.test("outbound() passes status, headers and body on", async () => {
  const fetch = outbound(() =>
    Promise.resolve(Response.json({ a: 1 }, { status: 404, headers: { date: "now" } }))
  );
  const response = await fetch(URL_OF);
  deepEqual([response.status, response.headers.get("date")], [404, "now"]);
  deepEqual(await response.json(), { a: 1 });
});

for (const status of [204, 205, 304]) {
  Deno.test(`outbound() passes an answer ${status} on, which has no body`, async () => {
    const fetch = outbound(() => Promise.resolve(new Response(null, { status })));
    equal((await fetch(URL_OF)).status, status);
  });
}

// A body in chunks, and how much of it was taken.
function chunked(bytes: number, chunk = 64 * 1024) {
  let given = 0;
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      const size = Math.min(chunk, bytes - given);
      if (size === 0) return controller.close();
      given += size;
      controller.enqueue(new Uint8Array(size).fill(0x20));
    },
    cancel: () => void (cancelled = true),
  });
  return { response: new Response(body), given: () => given, cancelled: () => cancelled };
}

Deno.test("outbound() reads a body of 512 KiB, and not one byte more", async () => {
  const whole = chunked(MAX_DOCUMENT_BYTES);
  const fetch = outbound(() => Promise.resolve(whole.response));
  equal((await (await fetch(URL_OF)).text()).length, MAX_DOCUMENT_BYTES);
  const over = chunked(MAX_DOCUMENT_BYTES + 1);
  await rejects(
    outbound(() => Promise.resolve(over.response))(URL_OF),
    /Cannot fetch https:\/\/idp\.example\/keys: Cannot read more than 524288 bytes/,
  );
});

Deno.test("outbound() stops reading a body without end", async () => {
  const endless = chunked(Infinity);
  await rejects(outbound(() => Promise.resolve(endless.response))(URL_OF), /more than/);
  ok(endless.given() < MAX_DOCUMENT_BYTES + 3 * 64 * 1024, `${endless.given()} bytes were taken`);
  ok(endless.cancelled(), "The rest was not let go");
});

// Answers at once, with a body that never ends.
function dripping({ signal }: Request): Promise<Response> {
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      controller.enqueue(new Uint8Array(1));
      signal.addEventListener("abort", () => controller.error(signal.reason));
    },
  });
  return Promise.resolve(new Response(body));
}

for (const [name, answer] of [["head", hanging], ["body", dripping]] as const) {
  Deno.test(`outbound() gives up after five seconds without the ${name} of an answer`, async () => {
    await withDeadlines(async ({ asked, pass }) => {
      const fetched = outbound(answer)(URL_OF);
      const refused = rejects(
        fetched,
        /^Error: Cannot fetch https:\/\/idp\.example\/keys: no answer within 5 seconds$/,
      );
      await settled();
      pass();
      await within(1000, refused);
      deepEqual(asked, [FETCH_DEADLINE_MS]);
    });
  });
}

const FAILURES: readonly (readonly [name: string, error: unknown, why: RegExp])[] = [
  ["a connection that is refused", new TypeError("connection refused"), /: connection refused$/],
  ["something that is no error", "broken", /: broken$/],
];

for (const [name, error, why] of FAILURES) {
  Deno.test(`outbound() says what failed on ${name}, without the query`, async () => {
    const fetched = outbound(() => Promise.reject(error))(URL_OF);
    await rejects(fetched, (thrown: Error) => {
      match(thrown.message, why);
      match(thrown.message, /^Cannot fetch https:\/\/idp\.example\/keys: /);
      equal(thrown.message.includes("secret"), false);
      equal(thrown.cause, error);
      return true;
    });
  });
}

Deno.test("outbound() says what failed when a body breaks off", async () => {
  const body = new ReadableStream({ start: (to) => to.error(new TypeError("connection reset")) });
  const fetched = outbound(() => Promise.resolve(new Response(body)))(URL_OF);
  await rejects(fetched, /Cannot fetch https:\/\/idp\.example\/keys: connection reset/);
});
