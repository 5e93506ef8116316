import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { isLoopback, origins } from "../lib/origin.ts";
import { tracer } from "../lib/trace.ts";
import { bearerHeader, fakePorts, legacyCall, sign, subject, testConfig } from "./fakes.ts";
import { ERAS, post } from "./mcp/helpers.ts";

const PUBLIC = {
  MCP_HTTP_HOST: "0.0.0.0",
  OAUTH_SERVER_URL: "https://mcp.example.com",
  MCP_ALLOWED_ORIGINS: "https://app.example.com,http://dev.example.com:3000",
};

const ADDRESSES: [address: string, loopback: boolean][] = [
  ["localhost", true],
  ["127.0.0.1", true],
  ["127.255.255.254", true],
  ["::1", true],
  ["[::1]", true],
  ["0.0.0.0", false],
  ["::", false],
  ["10.0.0.1", false],
  ["128.0.0.1", false],
  ["127.0.0.1.example.com", false],
  ["x127.0.0.1", false],
  ["127.0.0", false],
  ["localhost.example.com", false],
  ["", false],
];
for (const [address, loopback] of ADDRESSES) {
  Deno.test(`isLoopback() is ${loopback} when the address is "${address}" (SPEC C1.2)`, () => {
    equal(isLoopback(address), loopback);
  });
}

Deno.test("configure() listens on this machine only when nothing else is said (SPEC C1.2)", () => {
  const { host, loopback } = testConfig().http;
  deepEqual([host, loopback], ["127.0.0.1", true]);
});

const HOSTS: [host: string, admitted: boolean][] = [
  ["localhost:8080", true],
  ["localhost", true],
  ["LocalHost:9", true],
  ["127.0.0.1:8080", true],
  ["[::1]:8080", true],
  ["[::1]", true],
  ["evil.example", false],
  ["evil.example:8080", false],
  ["localhost.evil.example", false],
  ["evil.example:localhost", false],
  ["localhost:8080:80", false],
  ["localhost:123456", false],
  ["localhost@evil.example", false],
  ["user@localhost", false],
  ["evil.example#localhost", false],
  ["localhost,evil.example", false],
  ["0.0.0.0:8080", false],
  ["", false],
];
for (const [host, admitted] of HOSTS) {
  Deno.test(`origins().host ${admitted ? "admits" : "refuses"} "${host}" on loopback (SPEC C1.1)`, async () => {
    const { send } = await subject({ OAUTH_ENABLED: "off" });
    for (const path of ["/mcp", "/healthz"]) {
      const init = path === "/mcp" ? legacyCall("tools/list", {}, { host }) : { headers: { host } };
      const status = admitted ? 200 : /^[\w.:[\]-]*$/.test(host) ? 403 : 400;
      equal((await send(path, init)).status, status, path);
    }
  });
}

Deno.test("origins().host admits the address that the server listens on (SPEC C1.1)", async () => {
  const { send } = await subject({ OAUTH_ENABLED: "off", MCP_HTTP_HOST: "127.0.0.2" });
  equal((await send("/healthz", { headers: { host: "127.0.0.2:8080" } })).status, 200);
});

const AUTHORITIES: [url: string, status: number][] = [
  ["http://localhost:8080/healthz", 200],
  ["http://evil.example/healthz", 403],
];
for (const [url, status] of AUTHORITIES) {
  Deno.test(`origins().host answers ${status} to HTTP/2, which has no Host header, for ${url} (SPEC C1.1)`, async () => {
    const { app } = await subject({ OAUTH_ENABLED: "off" });
    equal((await app.fetch(new Request(url))).status, status);
  });
}

const PAIRS: [header: string, url: string, status: number][] = [
  ["localhost:8080", "http://127.0.0.1:8080/healthz", 200],
  ["localhost:8080", "http://evil.example/healthz", 403],
  ["evil.example", "http://localhost:8080/healthz", 403],
];
for (const [host, url, status] of PAIRS) {
  Deno.test(`origins().host answers ${status} to a request to ${host} for the whole URL ${url} (SPEC C1.1)`, async () => {
    const { app } = await subject({ OAUTH_ENABLED: "off" });
    equal((await app.fetch(new Request(url, { headers: { host } }))).status, status);
  });
}

Deno.test("origins().host admits any host where the server is public (SPEC C1.1)", async () => {
  const { send } = await subject(PUBLIC);
  equal((await send("/healthz", { headers: { host: "10.2.3.4:8080" } })).status, 200);
});

const LOOPBACK_ORIGINS: [origin: string, admitted: boolean][] = [
  ["http://localhost:8080", true],
  ["http://localhost:3000", true],
  ["http://localhost", true],
  ["https://localhost:1", true],
  ["http://127.0.0.1:6274", true],
  ["http://[::1]:5173", true],
  ["null", false],
  ["", false],
  ["*", false],
  ["https://evil.example", false],
  ["http://localhost.evil.example", false],
  ["http://evil.example:8080", false],
  ["http://localhost@evil.example", false],
  ["http://evil.example/http://localhost", false],
  ["http://localhost:8080/path", false],
  ["http://localhost:8080, http://evil.example", false],
  ["file://localhost", false],
  ["ftp://localhost", false],
  ["localhost:8080", false],
  ["http://0.0.0.0:8080", false],
];

const PUBLIC_ORIGINS: [origin: string, admitted: boolean][] = [
  ["https://mcp.example.com", true],
  ["https://app.example.com", true],
  ["http://dev.example.com:3000", true],
  ["http://mcp.example.com", false],
  ["https://mcp.example.com:8443", false],
  ["https://app.example.com.evil.example", false],
  ["https://evil.app.example.com", false],
  ["https://APP.example.com", false],
  ["https://app.example.com/", false],
  ["http://dev.example.com", false],
  ["http://dev.example.com:3001", false],
  ["http://localhost:8080", false],
  ["http://127.0.0.1", false],
  ["null", false],
  ["", false],
];

const SERVERS: [where: string, env: Record<string, string>, rows: [string, boolean][]][] = [
  ["on loopback", { MCP_SESSIONS: "on" }, LOOPBACK_ORIGINS],
  ["in public", { MCP_SESSIONS: "on", ...PUBLIC }, PUBLIC_ORIGINS],
];

const METHODS: [method: string, init: RequestInit][] = [
  ["POST", legacyCall("tools/list")],
  ["POST", post({ era: ERAS[0], method: "tools/list" })],
  ["GET", { headers: { accept: "text/event-stream" } }],
  ["DELETE", { method: "DELETE" }],
  ["OPTIONS", { method: "OPTIONS", headers: { "access-control-request-method": "POST" } }],
];

for (const [where, env, rows] of SERVERS) {
  for (const [origin, admitted] of rows) {
    Deno.test(`origins().origin ${admitted ? "admits" : "refuses"} "${origin}" ${where}, whatever the method (SPEC C1.1, C1.6, A3.10)`, async () => {
      const { send } = await subject(env);
      const host = new URL(env.OAUTH_SERVER_URL ?? "http://localhost:8080").host;
      for (const [method, init] of METHODS) {
        const headers = { ...init.headers as Record<string, string>, origin, host };
        const response = await send("/mcp", { ...init, headers });
        const allowed = response.headers.get("access-control-allow-origin");
        if (admitted) {
          equal(response.status, method === "OPTIONS" ? 204 : 401, method);
          equal(allowed, origin);
          match(response.headers.get("access-control-expose-headers")!, /www-authenticate/);
          match(response.headers.get("vary")!, /origin/i);
        } else {
          equal(response.status, 403, method);
          equal(response.headers.get("www-authenticate"), null);
          equal(allowed, null);
          equal((await response.json()).error.code, -32600);
        }
      }
    });
  }
}

Deno.test("origins().origin judges the origin before the token, with OAuth and without (SPEC C1.1)", async () => {
  const origin = "https://evil.example";
  for (const env of [{}, { OAUTH_ENABLED: "off" }]) {
    const { send } = await subject(env);
    const headers = { origin, ...bearerHeader(await sign()) };
    equal((await send("/mcp", legacyCall("tools/list", {}, headers))).status, 403);
  }
});

Deno.test("origins().origin lets a request pass that comes from no page, and writes no CORS for it (SPEC C1.1)", async () => {
  const { send } = await subject({ OAUTH_ENABLED: "off" });
  const response = await send("/mcp", legacyCall("tools/list"));
  equal(response.status, 200);
  equal(response.headers.get("access-control-allow-origin"), null);
});

Deno.test("origins().preflight tells a page what it may send (SPEC C1.6)", async () => {
  const { send } = await subject();
  const headers = {
    origin: "http://localhost:6274",
    "access-control-request-method": "POST",
    "access-control-request-headers":
      "authorization,Mcp-Param-Region,x-evil,mcp-param-,mcp-param-a b,cookie",
  };
  const response = await send("/mcp", { method: "OPTIONS", headers });
  equal(response.status, 204);
  const words = (name: string) => response.headers.get(name)!.split(", ").toSorted();
  deepEqual(words("access-control-allow-methods"), ["DELETE", "GET", "POST"]);
  deepEqual(words("access-control-allow-headers"), [
    ...["accept", "authorization", "content-type", "last-event-id", "mcp-method", "mcp-name"],
    ...["mcp-param-region", "mcp-protocol-version", "mcp-session-id"],
  ]);
  equal(response.headers.get("access-control-allow-credentials"), null);
});

Deno.test("origins().allow exposes what a client needs to log in and to go on (SPEC C1.6)", async () => {
  const { send } = await subject();
  const headers = { origin: "http://localhost:6274" };
  const response = await send("/mcp", legacyCall("tools/list", {}, headers));
  equal(response.status, 401);
  const exposed = response.headers.get("access-control-expose-headers")!.split(", ");
  for (const name of ["www-authenticate", "mcp-session-id", "mcp-protocol-version"]) {
    ok(exposed.includes(name), name);
  }
});

const trace = tracer(fakePorts())();

Deno.test("origins() admits no origin but its own, those listed, and on loopback the loopback ones (SPEC C1.1)", async () => {
  const publicUrl = new URL("https://mcp.example.com");
  const allowed = ["https://app.example.com"];
  const names = ["localhost", "127.0.0.1", "[::1]"];
  const label = fc.constantFrom("localhost", "127.0.0.1", "[::1]", "app", "mcp", "evil", "com", "");
  const host = fc.array(label, { maxLength: 3 }).map((labels) => labels.join("."));
  const scheme = fc.constantFrom("http", "https", "ftp", "HTTPS", "");
  const rest = fc.constantFrom(
    "",
    ":80",
    ":8080",
    ":x",
    "/",
    "?",
    "#",
    "@evil.example",
    " ",
    ".example.com",
  );
  const text = fc.tuple(scheme, host, rest).map(([one, two, end]) => `${one}://${two}${end}`);
  await fc.assert(
    fc.asyncProperty(fc.oneof(text, fc.string()), fc.boolean(), async (origin, loopback) => {
      const headers = new Headers();
      try {
        headers.set("origin", origin);
      } catch {
        return;
      }
      const request = new Request("http://localhost/mcp", { headers });
      const rules = origins({ publicUrl, listenHost: "127.0.0.1", loopback, allowed });
      const admitted = await rules.origin(request, trace) === headers.get("origin");
      const url = URL.parse(headers.get("origin")!);
      const local = loopback && url !== null && /^https?:$/.test(url.protocol) &&
        names.includes(url.hostname) && url.username === "" && url.pathname === "/";
      const listed = ["https://mcp.example.com", "https://app.example.com"]
        .includes(headers.get("origin")!);
      if (admitted) ok(listed || local, origin);
      if (listed) ok(admitted, origin);
    }),
    { seed: 1, numRuns: 2000 },
  );
});

Deno.test("origins() admits no host on loopback whose name is not of this machine (SPEC C1.1)", async () => {
  const publicUrl = new URL("http://localhost:8080");
  const rules = origins({ publicUrl, listenHost: "127.0.0.1", loopback: true, allowed: [] });
  const label = fc.constantFrom("localhost", "127.0.0.1", "[::1]", "evil", "com", ":", "80", "@");
  const host = fc.array(label, { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(host, fc.constantFrom("", "."), async (labels, joint) => {
      const text = labels.join(joint);
      const request = new Request("http://localhost/", { headers: { host: text } });
      const admitted = await rules.host(request, trace) === true;
      const isLocal = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/.test(text);
      if (admitted) ok(isLocal, text);
      if (/^(?:localhost|127\.0\.0\.1|\[::1\])(?::80)?$/.test(text)) ok(admitted, text);
    }),
    { seed: 1, numRuns: 2000 },
  );
});
