import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { type Gate, newGate } from "./flow.ts";
import { newLogins } from "./logins.ts";

/** The routes of people, with a request that each answers with a page. */
const PAGES: readonly (readonly [method: string, path: string])[] = [
  ["GET", "/oauth/authorize"],
  ["POST", "/oauth/consent"],
  ["GET", "/oauth/callback"],
  ["GET", "/oauth/login"],
  ["POST", "/oauth/login"],
];

/** The routes of clients, and how often one address may call each within a minute. */
const CALLS: readonly (readonly [path: string, limit: number])[] = [
  ["/oauth/token", 300],
  ["/oauth/revoke", 60],
  ["/oauth/register", 30],
];

const ALICE = "203.0.113.7";
const BOB = "203.0.113.8";

/** The statuses of as many requests. */
async function statuses(gate: Gate, count: number, method: string, path: string, from = ALICE) {
  const found: number[] = [];
  for (let at = 0; at < count; at++) found.push((await gate.send(path, { method }, from)).status);
  return found;
}

const LIMITS: readonly (readonly [method: string, path: string, limit: number])[] = [
  ...PAGES.map(([method, path]) => [method, path, 60] as const),
  ...CALLS.map(([path, limit]) => ["POST", path, limit] as const),
];
for (const [method, path, limit] of LIMITS) {
  Deno.test(`${method} ${path} takes ${limit} requests of one address in a minute (SPEC B4.3)`, async () => {
    const gate = await newGate();
    ok(!(await statuses(gate, limit, method, path)).includes(429));
    const refused = await gate.send(path, { method }, ALICE);
    equal(refused.status, 429);
    const seconds = Math.ceil(60 / limit);
    equal(refused.headers.get("retry-after"), String(seconds));
    const text = await refused.text();
    if (path in Object.fromEntries(CALLS)) {
      deepEqual(JSON.parse(text), {
        error: "slow_down",
        error_description: `Try again in ${seconds} seconds`,
      });
      equal(refused.headers.get("cache-control"), "no-store");
    } else {
      match(text, /<h1>Too many requests<\/h1>/);
      match(text, new RegExp(`Wait ${seconds} seconds`));
    }
    // Another address is another client, and who waits as told gets on.
    ok(!(await statuses(gate, 1, method, path, BOB)).includes(429));
    deepEqual(await statuses(gate, 1, method, path), [429]);
    gate.ports.advance(seconds);
    ok(!(await statuses(gate, 1, method, path)).includes(429));
  });
}

Deno.test("the limit of one route leaves the others alone (SPEC B4.3)", async () => {
  const gate = await newGate();
  await statuses(gate, 61, "POST", "/oauth/register");
  for (const [method, path] of [...PAGES, ["POST", "/oauth/token"] as const]) {
    ok(!(await statuses(gate, 1, method, path)).includes(429), path);
  }
});

Deno.test("a preflight is not counted", async () => {
  const gate = await newGate();
  const preflights = await statuses(gate, 40, "OPTIONS", "/oauth/register");
  deepEqual([...new Set(preflights)], [204]);
  ok(!(await statuses(gate, 1, "POST", "/oauth/register")).includes(429));
});

for (const path of PAGES.filter(([method]) => method === "GET").map(([, path]) => path)) {
  Deno.test(`${path} answers no HEAD, which looks ahead for nobody (SPEC B5.6)`, async () => {
    const gate = await newGate();
    const response = await gate.send(path, { method: "HEAD" });
    equal(response.status, 405);
    equal(response.headers.get("allow"), "GET");
    equal(response.headers.get("set-cookie"), null);
    equal(await response.text(), "");
  });
}

/** The statuses of 31 registrations that say in turn where they come from. */
async function registrations(gate: Gate, forwarded: (at: number) => string, from = "10.0.0.1") {
  const found: number[] = [];
  for (let at = 0; at < 31; at++) {
    const headers = { "x-forwarded-for": forwarded(at) };
    found.push((await gate.send("/oauth/register", { method: "POST", headers }, from)).status);
  }
  return found.filter((status) => status === 429).length;
}

type Forwarded = (at: number) => string;
const PROXIES: readonly (readonly [string, trusted: string, Forwarded, refused: number])[] = [
  ["no header without trusted proxies", "", (at) => `198.51.100.${at}`, 1],
  ["no header of who is not trusted", "10.0.0.2", (at) => `198.51.100.${at}`, 1],
  [
    "no more of it than the trusted proxy wrote",
    "10.0.0.1",
    (at) => `198.51.100.${at}, ${ALICE}`,
    1,
  ],
  ["what the trusted proxy wrote", "10.0.0.1", (at) => `${ALICE}, 198.51.100.${at}`, 0],
  ["what the first of two proxies wrote", "10.0.0.0/24", (at) => `198.51.100.${at}, 10.0.0.2`, 0],
  ["nothing further left", "10.0.0.0/24", (at) => `198.51.100.${at}, ${ALICE}, 10.0.0.2`, 1],
  ["no text that is no address", "10.0.0.1", (at) => `client-${at}`, 1],
];
for (const [what, trusted, forwarded, refused] of PROXIES) {
  Deno.test(`limits believe ${what} (SPEC B4.3)`, async () => {
    // With proxies in front there is no development login.
    const gate = await newGate({ MCP_TRUSTED_PROXIES: trusted }, { idp: await newLogins() });
    equal(await registrations(gate, forwarded), refused);
  });
}

Deno.test("limits take an IPv6 network for one client", async () => {
  const gate = await newGate();
  await statuses(gate, 30, "POST", "/oauth/register", "2001:db8::1");
  deepEqual(await statuses(gate, 1, "POST", "/oauth/register", "2001:db8::2"), [429]);
  deepEqual(await statuses(gate, 1, "POST", "/oauth/register", "2001:db8:0:1::1"), [400]);
});

const POLICY =
  /^default-src 'none'; style-src 'sha256-[\w+/]{43}='; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/;

/** Checks the headers of a page. */
function pageHeaders({ headers }: Response, what: string) {
  match(headers.get("content-security-policy")!, POLICY, what);
  equal(headers.get("x-frame-options"), "DENY", what);
  equal(headers.get("x-content-type-options"), "nosniff", what);
  equal(headers.get("cache-control"), "no-store", what);
  equal(headers.get("referrer-policy"), "same-origin", what);
  equal(headers.get("content-type"), "text/html; charset=utf-8", what);
}

/** Checks that no page of another origin can read an answer. */
function noCors({ headers }: Response, what: string) {
  for (const [name] of headers) ok(!name.startsWith("access-control-"), `${what}: ${name}`);
}

for (const [method, path] of PAGES) {
  Deno.test(`${method} ${path} cannot be framed, kept or read by others (SPEC B1.9, B2.5, B5.3, E8)`, async () => {
    const gate = await newGate();
    const headers = { origin: "https://app.example" };
    const refused = await gate.send(path, { method, headers });
    pageHeaders(refused, path);
    noCors(refused, path);
    for (let at = 0; at < 60; at++) await gate.send(path, { method });
    const limited = await gate.send(path, { method, headers });
    equal(limited.status, 429);
    pageHeaders(limited, path);
    noCors(limited, path);
    const asked = {
      ...headers,
      "access-control-request-method": method,
      "access-control-request-headers": "content-type",
    };
    const preflight = await gate.send(path, { method: "OPTIONS", headers: asked });
    equal(preflight.status, 405);
    noCors(preflight, path);
  });
}

Deno.test("no answer on the way through a login can be framed, kept or read by others (SPEC B1.9, B2.5, B5.3)", async () => {
  for (const idp of [undefined, await newLogins()]) {
    const gate = await newGate({}, idp ? { idp } : {});
    const client = await gate.register();
    const seen: string[] = [];
    const { fetch } = gate.app;
    const look: typeof fetch = async (request, address) => {
      const response = await fetch(request, address);
      const { pathname } = new URL(request.url);
      seen.push(`${request.method} ${pathname} ${response.status}`);
      noCors(response, pathname);
      equal(response.headers.get("cache-control"), "no-store");
      if (response.headers.get("location") === null) pageHeaders(response, pathname);
      return response;
    };
    Object.assign(gate.app, { fetch: look });
    await gate.authorize(client);
    deepEqual(seen, [
      "GET /oauth/authorize 200",
      "POST /oauth/consent 200",
      ...(idp ? [] : ["GET /oauth/login 200", "POST /oauth/login 200"]),
      "GET /oauth/callback 303",
    ]);
  }
});

for (const [path, limit] of CALLS) {
  Deno.test(`POST ${path} can be read by any web page, whatever it answers (SPEC B1.9)`, async () => {
    const gate = await newGate();
    const headers = { origin: "https://app.example" };
    const readable = (response: Response) => {
      equal(response.headers.get("access-control-allow-origin"), "*");
      equal(response.headers.get("access-control-allow-credentials"), null);
      const exposed = response.headers.get("access-control-expose-headers")!;
      match(exposed, /retry-after.*www-authenticate/);
    };
    const refused = await gate.send(path, { method: "POST", headers });
    ok([400, 401].includes(refused.status));
    readable(refused);
    equal(refused.headers.get("cache-control"), "no-store");
    for (let at = 0; at < limit; at++) await gate.send(path, { method: "POST" });
    readable(await gate.send(path, { method: "POST", headers }));
    const preflight = await gate.send(path, { method: "OPTIONS", headers });
    equal(preflight.status, 204);
    readable(preflight);
    equal(preflight.headers.get("access-control-allow-methods"), "POST");
    match(preflight.headers.get("access-control-allow-headers")!, /authorization, content-type/);
  });
}

Deno.test("no route of proxy mode is there in native mode (SPEC B1.2)", async () => {
  const gate = await newGate({ OAUTH_MODE: "native" });
  for (const [method, path] of [...PAGES, ...CALLS.map(([path]) => ["POST", path] as const)]) {
    equal((await gate.send(path, { method })).status, 404, path);
  }
});

Deno.test("a server that is reached by https says so to browsers (SPEC B1.9, E8)", async () => {
  for (
    const [url, value] of [["https://localhost:8080", "max-age=31536000"], [
      "http://localhost:8080",
      null,
    ]] as const
  ) {
    const gate = await newGate({ OAUTH_SERVER_URL: url });
    for (const [method, path] of PAGES) {
      const { headers } = await gate.send(path, { method });
      equal(headers.get("strict-transport-security"), value);
    }
  }
});
