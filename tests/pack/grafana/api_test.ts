import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import type { Identity } from "../../../lib/identity.ts";
import { ToolError } from "../../../lib/pack.ts";
import { grafanaClient, MAX_ANSWER_BYTES, path } from "../../../lib/pack/grafana/api.ts";
import { hanging, settled, withDeadlines } from "../../waiting.ts";
import { contextOf, FORWARDS, OK, stage, toldBy, withoutWaiting } from "./client.ts";
import { ALICE, GRAFANA } from "./grafana.ts";

const HEADERS: [tokenHeader: string, value: string][] = [
  ["authorization", "Bearer alice-token"],
  ["x-jwt-assertion", "alice-token"],
  ["x-grafana-id", "alice-token"],
];
for (const [tokenHeader, value] of HEADERS) {
  Deno.test(`grafanaClient() puts the credential into ${tokenHeader} as "${value}", and nowhere else`, async () => {
    const { api, asked } = stage(OK, { tokenHeader });
    await api.json({ path: "/api/user", query: { a: 1 }, headers: { [tokenHeader]: "mallory" } });
    const [{ url, headers }] = asked as [Request];
    equal(headers.get(tokenHeader), value);
    equal(url, `${GRAFANA}/api/user?a=1`);
    const others = [...headers].filter(([name]) => name !== tokenHeader);
    ok(!JSON.stringify(others).includes("alice-token"));
  });
}

Deno.test("grafanaClient() sends JSON, a form or nothing, as asked", async () => {
  const { api, asked } = stage(OK);
  await api.json({ path: "/a" });
  await api.json({ method: "POST", path: "/a", body: { b: [1] } });
  await api.json({ method: "POST", path: "/a", form: { q: "a&b", n: [1, 2], none: undefined } });
  await api.json({ method: "DELETE", path: "/a", accept: "text/plain" });
  const sent = asked.map(async (one) => [
    one.method,
    one.headers.get("accept"),
    one.headers.get("content-type"),
    await one.text(),
  ]);
  deepEqual(await Promise.all(sent), [
    ["GET", "application/json", null, ""],
    ["POST", "application/json", "application/json", '{"b":[1]}'],
    ["POST", "application/json", "application/x-www-form-urlencoded", "q=a%26b&n=1&n=2"],
    ["DELETE", "text/plain", null, ""],
  ]);
});

Deno.test("grafanaClient() names the organization of the caller, when there is one", async () => {
  const orgOf = (identity: Identity | undefined) => identity?.claims.org as string | undefined;
  const bob = { ...ALICE, claims: { org: "7" } };
  for (const [identity, expected] of [[ALICE, null], [bob, "7"]] as const) {
    const { api, asked } = stage(OK, { orgOf }, contextOf(identity));
    await api.json({ path: "/a", headers: { "x-grafana-org-id": "1" } });
    equal(asked[0]!.headers.get("x-grafana-org-id"), expected ?? "1");
  }
});

Deno.test("grafanaClient() asks for one credential per call, whatever the call asks of Grafana", async () => {
  let credentials = 0;
  const acting = {
    ...FORWARDS,
    credentialFor: () => Promise.resolve({ token: `t${++credentials}`, of: "caller" as const }),
  };
  const { api, asked } = stage(OK, { acting });
  await Promise.all([api.json({ path: "/a" }), api.json({ path: "/b" })]);
  await api.json({ path: "/c" });
  deepEqual(asked.map(({ headers }) => headers.get("authorization")), Array(3).fill("Bearer t1"));
});

Deno.test("grafanaClient() hands on why a caller cannot be acted for, and asks Grafana nothing", async () => {
  const refused = new ToolError("Log in again", "no upstream token");
  const broken = new Error("Cannot fetch the token endpoint");
  for (const error of [refused, broken]) {
    const { api, asked } = stage(OK, {
      acting: { ...FORWARDS, credentialFor: () => Promise.reject(error) },
    });
    await rejects(api.json({ path: "/a" }), error);
    equal(asked.length, 0);
  }
});

Deno.test("grafanaClient() follows no redirect, and tells where the trouble is (SPEC E3)", async () => {
  for (const status of [301, 302, 303, 307, 308]) {
    const headers = { location: "https://elsewhere.example/login" };
    const { api, asked } = stage(() => new Response("moved", { status, headers }));
    const { message } = await toldBy(api.json({ path: "/api/user" }));
    match(message, /elsewhere, as to a login page.*URL may be wrong/);
    ok(!message.includes("elsewhere.example"));
    deepEqual(asked.map(({ redirect }) => redirect), ["manual"]);
  }
});

Deno.test("grafanaClient() takes no credential to another host, with the real fetch (SPEC E3)", async () => {
  const seen: string[] = [];
  const other = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    seen.push(request.url);
    return new Response("{}");
  });
  const location = `http://127.0.0.1:${other.addr.port}/steal`;
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(null, { status: 307, headers: { location } }),
  );
  const client = grafanaClient({
    url: new URL(`http://127.0.0.1:${server.addr.port}`),
    acting: FORWARDS,
    tokenHeader: "authorization",
    orgOf: () => undefined,
    timeoutMs: 30_000,
  }, { fetch: (request) => fetch(request) });
  match((await toldBy(client(contextOf()).json({ path: "/api/user" }))).message, /elsewhere/);
  deepEqual(seen, []);
  await server.shutdown();
  await other.shutdown();
});

Deno.test("grafanaClient() lets one request take as long as it is told, and tells when it is over", async () => {
  await withDeadlines(async ({ asked, pass }) => {
    const { api } = stage(hanging, { timeoutMs: 7_000 });
    const call = toldBy(api.json({ path: "/a" }));
    await settled();
    deepEqual(asked, [7_000]);
    pass();
    match((await call).message, /^Grafana did not answer within 7 seconds\./);
  });
});

Deno.test("grafanaClient() lets the body count towards the time, too", async () => {
  await withDeadlines(async ({ pass }) => {
    const { api } = stage(({ signal }) =>
      new Response(
        new ReadableStream({
          start: (stream) => signal.addEventListener("abort", () => stream.error(signal.reason)),
        }),
      )
    );
    const call = toldBy(api.json({ path: "/a" }));
    await settled();
    pass();
    match((await call).message, /did not answer within 30 seconds/);
  });
});

Deno.test("grafanaClient() gives Grafana up when nobody waits any more, and tells nobody", async () => {
  const controller = new AbortController();
  const { api, asked } = stage(hanging, {}, contextOf(ALICE, controller.signal));
  const call = api.json({ path: "/a" });
  await settled();
  controller.abort(new Error("gone"));
  await rejects(call, (error) => !(error instanceof ToolError) && /gone/.test(String(error)));
  ok(asked[0]!.signal.aborted);
});

Deno.test("grafanaClient() reads an answer up to the bound, and not a byte more", async () => {
  let cancelled = false;
  const flood = () => {
    const chunk = new Uint8Array(1024 * 1024);
    return new Response(
      new ReadableStream({
        pull: (stream) => stream.enqueue(chunk),
        cancel: () => void (cancelled = true),
      }),
    );
  };
  const { message } = await toldBy(stage(flood).api.fetch({ path: "/a" }));
  equal(message, "Grafana's answer is larger than 10 MiB. Ask for less");
  ok(cancelled, "the rest is not read");
  const full = () => new Response(new Uint8Array(MAX_ANSWER_BYTES));
  equal((await stage(full).api.fetch({ path: "/a" })).bytes.length, MAX_ANSWER_BYTES);
});

Deno.test("grafanaClient() bounds what a refusal may say, too", async () => {
  const body = new Uint8Array(MAX_ANSWER_BYTES + 1);
  match(
    (await toldBy(stage(() => new Response(body, { status: 400 })).api.json({ path: "/a" })))
      .message,
    /larger/,
  );
});

Deno.test("grafanaClient() tells a host that cannot be reached, and keeps arguments out of the log", async () => {
  const down = ({ url }: Request) => {
    const cause = new Error(`error sending request for url (${url}): Connection refused`);
    throw new TypeError("fetch failed", { cause });
  };
  const query = { query: "private words" };
  const { message, reason } = await toldBy(stage(down).api.json({ path: "/api/search", query }));
  equal(message, "Grafana cannot be reached at the moment. Try again later");
  equal(reason, `grafana: error sending request for url (${GRAFANA}): Connection refused`);
});

Deno.test("grafanaClient() keeps arguments out of the log with the host's own words", async () => {
  const { port } = (() => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    return listener.addr;
  })();
  const client = grafanaClient({
    url: new URL(`http://127.0.0.1:${port}`),
    acting: FORWARDS,
    tokenHeader: "authorization",
    orgOf: () => undefined,
    timeoutMs: 30_000,
  }, { fetch: (request) => fetch(request) });
  const { reason } = await toldBy(
    client(contextOf()).json({
      path: path`/api/dashboards/uid/${"secret-uid"}`,
      query: { query: "private words" },
    }),
  );
  match(reason, /refused/i);
  ok(!/private|secret-uid/.test(reason), reason);
});

Deno.test("grafanaClient() says nothing of a credential that no header takes", async () => {
  for (const token of ["glsa_secret\nx", "glsa_secret→", "glsa_secret\0"]) {
    const acting = {
      ...FORWARDS,
      credentialFor: () => Promise.resolve({ token, of: "server" as const }),
    };
    await rejects(stage(OK, { acting }).api.json({ path: "/a" }), (error) => {
      ok(error instanceof TypeError);
      equal(error.message, "Cannot put the credential for Grafana into the header authorization");
      ok(!`${error.stack}${error.cause}`.includes("glsa_secret"));
      return true;
    });
  }
});

const STATUSES = [300, 302, 400, 401, 403, 404, 409, 412, 418, 422, 429, 500, 501, 502, 503, 504];
Deno.test("grafanaClient() puts no credential into what it tells or what it logs", async () => {
  for (const tokenHeader of ["authorization", "x-jwt-assertion"]) {
    for (const status of STATUSES) {
      const { api } = stage(() => Response.json({ message: "no" }, { status }), { tokenHeader });
      await withoutWaiting(async () => {
        const error = await toldBy(api.json({ path: "/a" }));
        ok(!JSON.stringify([error.message, error.reason, String(error)]).includes("alice-token"));
      });
    }
  }
});
