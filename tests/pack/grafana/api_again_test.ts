import {
  deepStrictEqual as deepEqual,
  match,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import type { Acting } from "../../../lib/acting.ts";
import { type ApiRequest, RETRIES } from "../../../lib/pack/grafana/api.ts";
import { settled } from "../../waiting.ts";
import { contextOf, OK, stage, toldBy, withoutWaiting } from "./client.ts";
import { ALICE } from "./grafana.ts";

const AWAY = [502, 503, 504];
for (const status of [...AWAY, 500, 429, 408]) {
  const again = AWAY.includes(status);
  Deno.test(`grafanaClient() ${again ? "tries a read again, at most twice, and longer apart each time," : "does not try again"} on ${status}`, async () => {
    const { api, asked } = stage(() => new Response("", { status }));
    const waits = await withoutWaiting(async () => {
      await toldBy(api.json({ path: "/a" }));
    });
    equal(asked.length, again ? 1 + RETRIES : 1);
    deepEqual(waits, again ? [200, 400] : []);
  });
}

Deno.test("grafanaClient() yields what comes back after all", async () => {
  const { api, asked } = stage((_, attempt) =>
    attempt < 2 ? new Response("", { status: 503 }) : OK()
  );
  await withoutWaiting(async () => deepEqual(await api.json({ path: "/a" }), { fine: true }));
  equal(asked.length, 3);
});

const WRITES: [request: ApiRequest, attempts: number][] = [
  [{ method: "POST", path: "/a", body: {} }, 1],
  [{ method: "PUT", path: "/a", body: {} }, 1],
  [{ method: "PATCH", path: "/a", body: {} }, 1],
  [{ method: "DELETE", path: "/a" }, 1],
  [{ method: "POST", path: "/a", form: { query: "up" }, idempotent: true }, 3],
  [{ path: "/a", idempotent: false }, 1],
];
for (const [request, attempts] of WRITES) {
  const { method = "GET", idempotent } = request;
  Deno.test(`grafanaClient() sends ${method} ${attempts} times when Grafana is away, with idempotent ${idempotent}`, async () => {
    const { api, asked } = stage(() => new Response("", { status: 503 }));
    await withoutWaiting(async () => void await toldBy(api.json(request)));
    equal(asked.length, attempts);
    for (const one of asked.slice(1)) equal(one.headers.get("authorization"), "Bearer alice-token");
  });
}

Deno.test("grafanaClient() stops waiting to try again when nobody waits any more", async () => {
  const controller = new AbortController();
  const { api, asked } = stage(
    () => new Response("", { status: 503 }),
    {},
    contextOf(ALICE, controller.signal),
  );
  const call = api.json({ path: "/a" });
  await settled();
  controller.abort(new Error("gone"));
  await rejects(call, /gone/);
  equal(asked.length, 1);
});

/** Keeps one credential per caller, numbered; what was forgotten is got anew. */
function numbered(): Acting & { readonly forgot: string[] } {
  let count = 0;
  let kept: string | undefined;
  const forgot: string[] = [];
  return {
    forgot,
    credentialFor: () => Promise.resolve({ token: kept ??= `t${++count}`, of: "caller" }),
    forget: (_, { token }) => {
      forgot.push(token);
      if (kept === token) kept = undefined;
      return true;
    },
  };
}

const HTML = { "content-type": "text/html" };
const JSON_TYPE = { "content-type": "application/json" };

const tokensOf = (asked: Request[]) => asked.map(({ headers }) => headers.get("authorization"));

Deno.test("grafanaClient() gets a fresh credential once when Grafana refuses the one that was kept", async () => {
  const acting = numbered();
  const { api, asked } = stage(
    (_, attempt) => attempt === 0 ? new Response("", { status: 401 }) : OK(),
    { acting },
  );
  deepEqual(await api.json({ path: "/a" }), { fine: true });
  await api.json({ path: "/b" });
  deepEqual(tokensOf(asked), ["Bearer t1", "Bearer t2", "Bearer t2"]);
  deepEqual(acting.forgot, ["t1"]);
});

// As Grafana refuses a session, and what data sources say.
const OWN = { message: "Unauthorized", messageId: "auth.unauthorized", statusCode: 401 };
const OTHERS: [whose: string, refusal: () => Response][] = [
  ["plain text", () => new Response("Unauthorized", { status: 401 })],
  ["nothing", () => new Response(null, { status: 401 })],
  ["a web page", () => new Response("<html>", { headers: HTML, status: 401 })],
  ["Prometheus' JSON", () => Response.json({ status: "error", error: "no" }, { status: 401 })],
  ["a gateway's JSON", () => Response.json({ message: "Unauthorized" }, { status: 401 })],
  ["a list", () => Response.json(["messageId"], { status: 401 })],
  ["null", () => Response.json(null, { status: 401 })],
  ["an id that is no text", () => Response.json({ messageId: 7 }, { status: 401 })],
  ["broken JSON", () => new Response('{"messageId":"a"', { headers: JSON_TYPE, status: 401 })],
  ["JSON that is called text", () => new Response(JSON.stringify(OWN), { status: 401 })],
];
const PASSED_ON = [
  "/api/datasources/proxy/uid/prom/api/v1/labels",
  "/api/datasources/proxy/7/api/v1/labels",
  "/api/datasources/uid/prom/resources/api/v1/labels",
  "/api/datasources/7/resources/labels",
  "/api/plugin-proxy/app/x",
  "/api/plugins/app/resources/x",
  "/api/prometheus/prom/api/v1/rules",
  "/api/ruler/prom/api/v1/rules",
  "/api/alertmanager/am/api/v2/silences",
];
for (const path of PASSED_ON) {
  Deno.test(`grafanaClient() keeps the credential when what is behind ${path} answers 401`, async () => {
    for (const [whose, refusal] of OTHERS) {
      const acting = numbered();
      const { api, asked } = stage(refusal, { acting });
      equal((await api.fetch({ path })).status, 401, whose);
      deepEqual([asked.length, acting.forgot], [1, []], whose);
    }
  });

  Deno.test(`grafanaClient() gets a fresh credential when Grafana itself refuses at ${path}`, async () => {
    const acting = numbered();
    const { api } = stage(
      (_, attempt) => attempt === 0 ? Response.json(OWN, { status: 401 }) : OK(),
      { acting },
    );
    deepEqual(await api.json({ path }), { fine: true });
    deepEqual(acting.forgot, ["t1"]);
  });
}

const OWN_PATHS = [
  "/api/datasources",
  "/api/datasources/uid/prom",
  "/api/datasources/uid/prom/health",
  "/api/prometheus/grafana/api/v1/rules",
  "/api/alertmanager/grafana/api/v2/silences",
  "/api/search",
  "/render/d/x",
];
for (const path of OWN_PATHS) {
  Deno.test(`grafanaClient() gets a fresh credential at ${path}, which is Grafana's, however 401 is told`, async () => {
    for (const [whose, refusal] of OTHERS) {
      const acting = numbered();
      const { api } = stage((_, attempt) => attempt === 0 ? refusal() : OK(), { acting });
      deepEqual(await api.json({ path }), { fine: true }, whose);
      deepEqual(acting.forgot, ["t1"], whose);
    }
  });
}

Deno.test("grafanaClient() tells the second refusal in a row", async () => {
  const acting = numbered();
  const { api, asked } = stage(() => new Response("", { status: 401 }), { acting });
  match((await toldBy(api.json({ path: "/a" }))).message, /does not accept who you are/);
  equal(asked.length, 2);
});

Deno.test("grafanaClient() sends a write again after 401, which did nothing", async () => {
  const { api, asked } = stage(
    (_, attempt) => attempt === 0 ? new Response("", { status: 401 }) : OK(),
    { acting: numbered() },
  );
  await api.json({ method: "POST", path: "/a", body: { b: 1 } });
  deepEqual(await Promise.all(asked.map((one) => one.text())), ['{"b":1}', '{"b":1}']);
});

Deno.test("grafanaClient() does not try again where nothing was kept", async () => {
  const { api, asked } = stage(() => new Response("", { status: 401 }));
  await toldBy(api.json({ path: "/a" }));
  equal(asked.length, 1);
});

Deno.test("grafanaClient() renews once for all requests of a call that are refused together", async () => {
  const acting = numbered();
  const { api, asked } = stage(
    ({ headers }) =>
      headers.get("authorization") === "Bearer t1" ? new Response("", { status: 401 }) : OK(),
    { acting },
  );
  const all = await Promise.all(["/a", "/b", "/c"].map((path) => api.json({ path })));
  deepEqual(all, Array(3).fill({ fine: true }));
  deepEqual(tokensOf(asked).slice(3), Array(3).fill("Bearer t2"));
});
