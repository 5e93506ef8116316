import {
  deepStrictEqual as deepEqual,
  match,
  notStrictEqual as notEqual,
  ok,
  strictEqual as equal,
} from "node:assert/strict";
import { HTTP_ENV, type Program, start, tokenFor } from "../../tests/e2e/program.ts";
import { bearerHeader, modernCall } from "../../tests/fakes.ts";
import { type Collector, type ReceivedSpan, startCollector } from "./collector.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";
const TRACEPARENT = `00-${TRACE}-${PARENT}-01`;

/** What stands where Grafana is, and what it was sent. */
function startGrafana(status = 200) {
  const traceparents: (string | null)[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    traceparents.push(request.headers.get("traceparent"));
    return Response.json([], { status });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    traceparents,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function search(
  { endpoint, origin }: Program,
  query: string,
  headers: Record<string, string> = {},
) {
  const token = await tokenFor(origin, "alice");
  const params = { name: "search_dashboards", arguments: { query } };
  const response = await fetch(
    endpoint,
    modernCall("tools/call", params, { ...bearerHeader(token), ...headers }),
  );
  return { token, status: response.status, answer: await response.json() };
}

const isOwn = (trace: string, name: string) => (span: ReceivedSpan) =>
  span.scope === "gatehouse" && span.traceId === trace && span.name === name;

const traced = (collector: Collector, more: Record<string, string> = {}) => ({
  env: { ...HTTP_ENV, ...collector.env, OTEL_DENO: "true", ...more },
});

Deno.test("a trace goes from the caller through the gate, the token and the tool to Grafana", async () => {
  await using collector = startCollector();
  await using grafana = startGrafana();
  await using program = await start(traced(collector, { GRAFANA_URL: grafana.url }));
  const { status, answer } = await search(program, "shop", { traceparent: TRACEPARENT });
  deepEqual([status, answer.result.isError], [200, undefined], JSON.stringify(answer));

  const request = await collector.span(({ traceId, parentSpanId }) =>
    traceId === TRACE && parentSpanId === PARENT
  );
  deepEqual([request.scope, request.name], ["deno", "POST /mcp"]);
  equal(request.attributes["http.route"], "/mcp");

  const judging = await collector.span(isOwn(TRACE, "judge token"));
  equal(judging.parentSpanId, request.spanId);
  deepEqual(judging.attributes, { result: "accepted" });

  const call = await collector.span(isOwn(TRACE, "call tool"));
  equal(call.parentSpanId, request.spanId);
  deepEqual(call.attributes, { kind: "tool", name: "search_dashboards", outcome: "ok" });

  const asking = await collector.span(isOwn(TRACE, "ask grafana"));
  equal(asking.parentSpanId, call.spanId);
  deepEqual(asking.attributes, { peer: "grafana", outcome: "ok" });

  const fetching = await collector.span(({ parentSpanId }) => parentSpanId === asking.spanId);
  deepEqual(grafana.traceparents, [`00-${TRACE}-${fetching.spanId}-01`]);
});

Deno.test("a span tells that Grafana failed, and the log names the trace of each request", async () => {
  await using collector = startCollector();
  await using grafana = startGrafana(500);
  await using program = await start(traced(collector, { GRAFANA_URL: grafana.url }));
  await search(program, "shop", { traceparent: TRACEPARENT });
  const asking = await collector.span(isOwn(TRACE, "ask grafana"));
  equal(asking.attributes.outcome, "failed");
  const call = await collector.span(isOwn(TRACE, "call tool"));
  equal(call.attributes.outcome, "refused");
  const [line] = await program.until("stderr", /^.*"event":"request".*"path":"\/mcp".*$/m);
  equal(JSON.parse(line).trace, TRACE);
});

Deno.test("a request without a trace, or with a broken one, begins its own", async () => {
  await using collector = startCollector();
  await using grafana = startGrafana();
  await using program = await start(traced(collector, { GRAFANA_URL: grafana.url }));
  for (const headers of [{}, { traceparent: "00-zz-zz-01" }, { traceparent: "x".repeat(5000) }]) {
    const before = collector.spans().length;
    equal((await search(program, "shop", headers)).status, 200);
    const own = await collector.span((span) =>
      span.name === "call tool" && collector.spans().indexOf(span) >= before
    );
    match(own.traceId, /^(?!0{32})[0-9a-f]{32}$/);
    notEqual(own.traceId, TRACE);
  }
});

Deno.test("no span has the token or the secret, and spans of ours have nothing that was sent", async () => {
  await using collector = startCollector();
  await using grafana = startGrafana();
  await using program = await start(traced(collector, { GRAFANA_URL: grafana.url }));
  const { token } = await search(program, "marker-of-argument");
  const bad = `${token.slice(0, -4)}AAAA`;
  for (const credential of [bad, "marker-of-token"]) {
    const call = modernCall("tools/call", { name: "marker-of-tool", arguments: {} });
    const headers = { ...call.headers as Record<string, string>, ...bearerHeader(credential) };
    const response = await fetch(program.endpoint, { ...call, headers });
    equal(response.status, 401);
    await response.body?.cancel();
  }
  await collector.span(({ attributes }) => attributes.result === "signature");
  await collector.span(({ attributes }) => attributes.result === "malformed");
  await collector.span(({ name }) => name === "ask grafana");
  equal((await program.stop()).code, 0);

  const all = JSON.stringify(collector.spans());
  for (const secret of [token, bad, HTTP_ENV.JWT_SECRET, "marker-of-token", "marker-of-tool"]) {
    ok(!all.includes(secret), secret);
  }
  const own = collector.spans().filter(({ scope }) => scope === "gatehouse");
  ok(!JSON.stringify(own).includes("marker"));
  const names = new Set(own.flatMap(({ attributes }) => Object.keys(attributes)));
  deepEqual([...names].sort(), ["kind", "name", "outcome", "peer", "result"]);
});

// What the README warns of. When this fails, Deno has become better, and the warning can go.
Deno.test("Deno's own spans have the queries of URLs, of which the log warns", async () => {
  await using collector = startCollector();
  await using program = await start(traced(collector));
  const response = await fetch(`${program.origin}/oauth/callback?code=marker-of-code`);
  await response.body?.cancel();
  const span = await collector.span(({ attributes }) =>
    attributes["url.path"] === "/oauth/callback"
  );
  equal(span.attributes["url.query"], "code=marker-of-code");
  match(String(span.attributes["url.full"]), /\?code=marker-of-code$/);
  await program.until("stderr", /traces hold the queries of URLs/);
});

Deno.test("nothing is traced, sent or warned of unless OTEL_DENO turns it on", async () => {
  await using collector = startCollector();
  await using grafana = startGrafana();
  const env = { ...HTTP_ENV, ...collector.env, GRAFANA_URL: grafana.url };
  await using program = await start({ env });
  equal((await search(program, "shop", { traceparent: TRACEPARENT })).status, 200);
  const { code, stderr } = await program.stop();
  equal(code, 0);
  equal(collector.requests(), 0);
  deepEqual(grafana.traceparents, [null]);
  ok(!/"trace":|traces hold/.test(stderr));
});
