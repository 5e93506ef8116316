import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { guard, type Handler, pathOf, plain, readBody, routes, rpcError } from "../lib/http.ts";
import { tracer } from "../lib/trace.ts";
import { fakePorts, ORIGIN, subject } from "./fakes.ts";
import { orPending, settled } from "./mcp/helpers.ts";

const trace = tracer(fakePorts())();
const SECOND = 1000;

function posted(body: BodyInit | null, headers: Record<string, string> = {}): Request {
  return new Request(ORIGIN, { method: "POST", body, headers });
}

/** A stream of chunks, and whether its reader gave up on it. */
function stream(chunks: Iterable<Uint8Array>, end: "close" | "wait" | "break" = "close") {
  const from = chunks[Symbol.iterator]();
  const seen = { cancelled: false, pulled: 0 };
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      seen.pulled++;
      const { done, value } = from.next();
      if (!done) return controller.enqueue(value);
      if (end === "break") controller.error(new Error("reset"));
      if (end === "close") controller.close();
      return end === "wait" ? new Promise(() => {}) : undefined;
    },
    cancel: () => void (seen.cancelled = true),
  }, { highWaterMark: 0 });
  return { body, seen };
}

const LENGTHS: [bytes: number, declared: number | undefined, text: string | undefined][] = [
  [0, undefined, ""],
  [0, 0, ""],
  [9, undefined, "x".repeat(9)],
  [10, undefined, "x".repeat(10)],
  [10, 10, "x".repeat(10)],
  [11, undefined, undefined],
  [11, 11, undefined],
  [1, 11, undefined],
  [11, 3, undefined],
];
for (const [bytes, declared, text] of LENGTHS) {
  Deno.test(`readBody() ${text === undefined ? "refuses" : "reads"} ${bytes} bytes, declared as ${declared}, when the limit is 10 (SPEC C1.5)`, async () => {
    const headers = declared === undefined ? {} : { "content-length": String(declared) };
    const read = await readBody(posted("x".repeat(bytes), headers), 10, SECOND);
    deepEqual(read, text === undefined ? { ok: false, reason: "too large" } : { ok: true, text });
  });
}

Deno.test("readBody() reads nothing when there is no body", async () => {
  deepEqual(await readBody(posted(null), 10, SECOND), { ok: true, text: "" });
});

Deno.test("readBody() stops reading at twice the limit and lets the rest go (SPEC C1.5)", async () => {
  const { body, seen } = stream(Array(1000).fill(new Uint8Array(4)));
  const read = await readBody(posted(body), 10, SECOND);
  deepEqual(read, { ok: false, reason: "too large" });
  equal(seen.pulled, 6);
  equal(seen.cancelled, true);
});

// Caddy said 502 to a client whose message was too large by a byte: it was still sending it.
for (const headers of [{}, { "content-length": "20" }]) {
  Deno.test(`readBody() reads all of what is a little too large, with ${JSON.stringify(headers)} (SPEC C1.5)`, async () => {
    const { body, seen } = stream(Array(5).fill(new Uint8Array(4)));
    deepEqual(await readBody(posted(body, headers), 10, SECOND), {
      ok: false,
      reason: "too large",
    });
    equal(seen.pulled, 6);
  });
}

Deno.test("readBody() says of a body that is declared too large that it is, though it does not come (SPEC C1.5)", async () => {
  const { body, seen } = stream([], "wait");
  const read = await orPending(readBody(posted(body, { "content-length": "11" }), 10, 5));
  deepEqual(read, { ok: false, reason: "too large" });
  equal(seen.cancelled, true);
});

for (const headers of [{}, { "content-length": "11" }]) {
  Deno.test(`readBody() waits a second for the rest of what is too large, and no longer, with ${JSON.stringify(headers)} (SPEC C1.5)`, async () => {
    const { body, seen } = stream([new Uint8Array(11)], "wait");
    const started = performance.now();
    const read = await readBody(posted(body, headers), 10, 60 * SECOND);
    deepEqual(read, { ok: false, reason: "too large" });
    equal(seen.cancelled, true);
    ok(performance.now() - started < 30 * SECOND);
  });
}

Deno.test("readBody() reads nothing of what is declared as far too large (SPEC C1.5)", async () => {
  const { body, seen } = stream(Array(5).fill(new Uint8Array(4)));
  const read = await readBody(posted(body, { "content-length": "21" }), 10, SECOND);
  deepEqual(read, { ok: false, reason: "too large" });
  equal(seen.pulled, 0);
});

const SLOW: [how: string, chunks: number, declared: number | undefined][] = [
  ["never begins", 0, undefined],
  ["never ends", 1, undefined],
  ["never ends as it says", 1, 100_000],
  ["never ends as it says, small as that is", 1, 5],
];
for (const [how, chunks, declared] of SLOW) {
  Deno.test(`readBody() gives up a body that ${how}, and lets it go (SPEC C1.5)`, async () => {
    const { body, seen } = stream(Array(chunks).fill(new Uint8Array(1)), "wait");
    const headers = declared === undefined ? {} : { "content-length": String(declared) };
    const read = await orPending(readBody(posted(body, headers), 1_000_000, 5));
    deepEqual(read, { ok: false, reason: "too slow" });
    await settled();
    equal(seen.cancelled, true);
  });
}

Deno.test("readBody() tells that a body broke off", async () => {
  const { body } = stream([new Uint8Array(1)], "break");
  deepEqual(await readBody(posted(body), 10, SECOND), { ok: false, reason: "broken" });
});

Deno.test("readBody() reads exactly what was sent, in whatever pieces, and refuses all else (SPEC C1.3, C1.5)", async () => {
  const limit = 48;
  const text = fc.string({ unit: "binary", maxLength: 20 }).map((one) =>
    new TextEncoder().encode(one)
  );
  const bytes = fc.oneof(text, fc.uint8Array({ maxLength: 64 }));
  await fc.assert(
    fc.asyncProperty(bytes, fc.array(fc.nat(64)), fc.boolean(), async (all, cuts, declare) => {
      const at = [...cuts.map((cut) => cut % (all.length + 1)), 0, all.length].toSorted((a, b) =>
        a - b
      );
      const pieces = at.slice(1).map((end, index) => Uint8Array.from(all.subarray(at[index], end)));
      const headers: Record<string, string> = declare
        ? { "content-length": String(all.length) }
        : {};
      const whole = pieces.filter((piece) => piece.length > 0);
      const read = await readBody(posted(stream(whole).body, headers), limit, SECOND);
      let expected: string | undefined;
      try {
        expected = new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(all));
      } catch {
        expected = undefined;
      }
      if (all.length > limit) deepEqual(read, { ok: false, reason: "too large" });
      else if (expected === undefined) deepEqual(read, { ok: false, reason: "not UTF-8" });
      else deepEqual(read, { ok: true, text: expected });
    }),
    { seed: 1, numRuns: 300 },
  );
});

const PATHS: [url: string, path: string][] = [
  ["http://localhost", "/"],
  ["http://localhost/", "/"],
  ["http://localhost:8080/mcp", "/mcp"],
  ["http://localhost/mcp?a=/b", "/mcp"],
  ["http://localhost/mcp#/b", "/mcp"],
  ["http://localhost/mcp?a#b", "/mcp"],
  ["http://localhost//mcp", "//mcp"],
  ["http://localhost/a://b", "/a://b"],
  ["http://[::1]:8080/mcp/", "/mcp/"],
  ["http://localhost/%2e%2e/mcp", "/%2e%2e/mcp"],
];
for (const [url, path] of PATHS) {
  Deno.test(`pathOf() is ${path} when the URL is ${url}`, () => equal(pathOf(url), path));
}

Deno.test("pathOf() is what a URL parser says, for any URL of a request", () => {
  const piece = fc.constantFrom(
    "/",
    "..",
    ".",
    "?",
    "#",
    "a",
    "%2f",
    ":",
    "//",
    "\\",
    "@",
    " ",
    "é",
    ";",
  );
  const rest = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(""));
  const anyUrl = fc.oneof(
    fc.webUrl({ withQueryParameters: true, withFragments: true }),
    rest.map((end) => `http://localhost:8080/${end}`),
    rest.map((end) => `http://[::1]?${end}`),
  );
  fc.assert(
    fc.property(anyUrl, (text) => {
      const { url } = new Request(text);
      equal(pathOf(url), new URL(url).pathname);
    }),
    { seed: 1, numRuns: 400 },
  );
});

const ok200: Handler = (request) => plain(200, request.method, { "x-mark": "yes" });
const TABLE = routes([["/a", { GET: ok200, POST: ok200 }], ["/b", { DELETE: ok200 }]]);

const ROUTES: [method: string, path: string, status: number, allow?: string][] = [
  ["GET", "/a", 200],
  ["HEAD", "/a", 200],
  ["POST", "/a", 200],
  ["POST", "/a?b=c", 200],
  ["DELETE", "/a", 405, "GET, HEAD, POST"],
  ["OPTIONS", "/a", 405, "GET, HEAD, POST"],
  ["get", "/a", 200],
  ["patch", "/a", 405, "GET, HEAD, POST"],
  ["HEAD", "/b", 405, "DELETE"],
  ["GET", "/b", 405, "DELETE"],
  ["GET", "/", 404],
  ["GET", "/a/", 404],
  ["GET", "/A", 404],
  ["GET", "//a", 404],
  ["GET", "/%61", 404],
  ["GET", "/constructor", 404],
  ["GET", "/__proto__", 404],
  ["constructor", "/a", 405, "GET, HEAD, POST"],
  ["toString", "/a", 405, "GET, HEAD, POST"],
  ["hasOwnProperty", "/a", 405, "GET, HEAD, POST"],
  ["__proto__", "/a", 405, "GET, HEAD, POST"],
];
for (const [method, path, status, allow] of ROUTES) {
  Deno.test(`routes() answers ${status} to ${method} ${path}`, async () => {
    const response = await TABLE(new Request(`${ORIGIN}${path}`, { method }), trace);
    ok(response instanceof Response);
    equal(response.status, status);
    equal(response.headers.get("allow"), allow ?? null);
  });
}

Deno.test("routes() answers HEAD with the headers of GET and without its body", async () => {
  const response = await TABLE(new Request(`${ORIGIN}/a`, { method: "HEAD" }), trace);
  equal(response.body, null);
  equal(response.headers.get("x-mark"), "yes");
  equal(response.headers.get("content-type"), "text/plain; charset=utf-8");
});

Deno.test("guard() runs the handler with what the gate admits, and only then", async () => {
  const ran: string[] = [];
  const gated = (admitted: string | Response) =>
    guard<string>(() => admitted, (_request, _trace, value) => {
      ran.push(value);
      return plain(200, "in");
    });
  equal((await gated("alice")(posted("a"), trace)).status, 200);
  equal((await gated(plain(401, "out"))(posted("a"), trace)).status, 401);
  equal((await gated("")(posted("a"), trace)).status, 200, "nothing is something, too");
  deepEqual(ran, ["alice", ""]);
});

Deno.test("rpcError() is an error that answers no request in particular (SPEC C1.4)", async () => {
  const response = rpcError(400, -32600, "No", { allow: "POST" });
  deepEqual([response.status, response.headers.get("allow")], [400, "POST"]);
  const error = { code: -32600, message: "No" };
  deepEqual(await response.json(), { jsonrpc: "2.0", id: null, error });
});

for (const method of ["constructor", "toString", "__proto__", "TRACE1", "PUT"]) {
  Deno.test(`app() answers 405 under all its headers when the method is ${method}`, async () => {
    const { send } = await subject({ OAUTH_ENABLED: "off" });
    const response = await send("/mcp", { method });
    ok(response instanceof Response);
    equal(response.status, 405);
    equal(response.headers.get("x-content-type-options"), "nosniff");
    equal(response.headers.get("cache-control"), "no-store");
    match(response.headers.get("x-request-id")!, /^\w+-\w+$/);
  });
}
