import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { startPrometheus } from "../grafana/prometheus.ts";
import { until } from "../keycloak/wait.ts";
import { bearerHeader, legacyCall, modernCall } from "../../tests/fakes.ts";
import { freePort, HTTP_ENV, type Program, start, tokenFor } from "../../tests/e2e/program.ts";
import dashboard from "./dashboard.json" with { type: "json" };

const DEADLINE_MS = 60_000;
const ALERTS = new URL("alerts.yml", import.meta.url).pathname;

async function watched(more: Record<string, string> = {}) {
  const metrics = `127.0.0.1:${freePort()}`;
  const program = await start({ env: { ...HTTP_ENV, MCP_METRICS_LISTEN: metrics, ...more } });
  return { program, metrics };
}

async function call({ endpoint }: Program, token: string): Promise<number> {
  const params = { name: "whoami", arguments: {} };
  const response = await fetch(endpoint, modernCall("tools/call", params, bearerHeader(token)));
  await response.body?.cancel();
  return response.status;
}

interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

async function query(origin: string, expr: string): Promise<readonly Sample[]> {
  const response = await fetch(`${origin}/api/v1/query`, {
    method: "POST",
    body: new URLSearchParams({ query: expr }),
  });
  const { status, data, error } = await response.json();
  equal(status, "success", `${expr}: ${error}`);
  return data.result;
}

/** Every query of the dashboard, as Grafana would send it. */
const QUERIES = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => ({
    title,
    expr: expr.replaceAll("$__rate_interval", "1m").replaceAll("$instance", ".*"),
  }))
);

// What shows nothing while all is well, or while nobody asks for it.
const MAY_BE_EMPTY = new Set([
  "Since the last good answer",
  "Time until others began to answer, 99 of 100",
]);

Deno.test("Prometheus scrapes the server, counts what happened, and every panel has something to show", async () => {
  await using stack = new AsyncDisposableStack();
  const { program, metrics } = await watched({ MCP_SESSIONS: "on" });
  stack.use(program);
  const token = await tokenFor(program.origin, "alice");
  for (let nth = 0; nth < 5; nth++) equal(await call(program, token), 200);
  for (let nth = 0; nth < 3; nth++) equal(await call(program, `${token}x`), 401);
  const opened = await fetch(
    program.endpoint,
    legacyCall("initialize", {
      protocolVersion: "2025-11-25",
      capabilities: {},
      clientInfo: { name: "test", version: "1" },
    }, bearerHeader(token)),
  );
  equal(opened.status, 200);
  await opened.body?.cancel();

  const prometheus = stack.use(
    await startPrometheus("# EOF\n", { jobs: { gatehouse: [metrics] }, rules: [ALERTS] }),
  );
  const valueOf = async (expr: string) => (await query(prometheus.origin, expr))[0]?.value[1];
  const becomes = (expr: string, value: string) =>
    until(`${expr} is ${value}`, DEADLINE_MS, async () => await valueOf(expr) === value);

  await becomes('up{job="gatehouse"}', "1");
  await becomes('gatehouse_calls_total{kind="tool",name="whoami",outcome="ok"}', "5");
  await becomes('gatehouse_token_validations_total{result="refused",reason="signature"}', "3");
  await becomes('gatehouse_token_validations_total{result="accepted"}', "6");
  await becomes('gatehouse_token_cache_total{result="miss"}', "4");
  await becomes('gatehouse_token_cache_total{result="hit"}', "5");
  await becomes('gatehouse_requests_total{route="/mcp",method="POST",status="4xx"}', "3");
  await becomes("gatehouse_sessions", "1");
  await becomes('min(gatehouse_ready{job="gatehouse"})', "1");

  // A rate takes two scrapes, and calls between them.
  await becomes('count_over_time(up{job="gatehouse"}[1m]) > bool 2', "1");
  for (const { title, expr } of QUERIES) {
    await until(`"${title}" has something to show: ${expr}`, DEADLINE_MS, async () => {
      await call(program, token);
      await call(program, `${token}x`);
      return MAY_BE_EMPTY.has(title) || (await query(prometheus.origin, expr)).length > 0;
    });
  }

  const rules = await (await fetch(`${prometheus.origin}/api/v1/rules`)).json();
  const all = rules.data.groups.flatMap(({ rules }: { rules: { health: string }[] }) => rules);
  ok(all.length > 0);
  await until("every rule was evaluated", DEADLINE_MS, async () => {
    const { data } = await (await fetch(`${prometheus.origin}/api/v1/rules`)).json();
    const healths = data.groups.flatMap(({ rules }: { rules: { health: string }[] }) =>
      rules.map(({ health }) => health)
    );
    ok(!healths.includes("err"), JSON.stringify(data));
    return healths.every((health: string) => health === "ok");
  });
  deepEqual(await query(prometheus.origin, 'ALERTS{alertstate="firing"}'), []);

  equal((await program.stop()).code, 0);
  await becomes('up{job="gatehouse"}', "0");
  await becomes('ALERTS{alertname="GatehouseDown",alertstate="pending"}', "1");
});

Deno.test("the main port never serves metrics, and their port serves nothing else", async () => {
  const { program, metrics } = await watched();
  await using _ = program;
  const statusOf = async (url: string, method = "GET") => {
    const response = await fetch(url, { method });
    await response.body?.cancel();
    return response.status;
  };
  equal(await statusOf(`${program.origin}/metrics`), 404);
  for (const path of ["/", "/mcp", "/readyz", "/healthz", "/metrics/", "/.well-known/jwks.json"]) {
    equal(await statusOf(`http://${metrics}${path}`), 404, path);
  }
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
    equal(await statusOf(`http://${metrics}/metrics`, method), 405, method);
  }
  const response = await fetch(`http://${metrics}/metrics`);
  match(response.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
  ok((await response.text()).endsWith("\n"));
});

Deno.test("the server does not start without the address for metrics, and says which", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const metrics = `127.0.0.1:${taken.addr.port}`;
  let told = "";
  try {
    await using _ = await start({ env: { ...HTTP_ENV, MCP_METRICS_LISTEN: metrics } });
  } catch (error) {
    told = String(error);
  }
  ok(told.includes(`Cannot listen for metrics on ${metrics}`), told);
});

Deno.test("the server warns when its metrics can be read from elsewhere", async () => {
  const { program } = await watched();
  await using _ = program;
  ok(!program.stderr().includes("without a login"));
  const port = freePort();
  await using open = await start({ env: { ...HTTP_ENV, MCP_METRICS_LISTEN: `0.0.0.0:${port}` } });
  await open.until("stderr", /metrics are served beyond this machine without a login/);
});
