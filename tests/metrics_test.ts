import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { base64url } from "../lib/base64url.ts";
import type { Judgement, Peer, PeerOutcome } from "../lib/meter.ts";
import { MAX_NAMES } from "../lib/metrics.ts";
import { counted, counting, countsOf, samplesOf } from "./counting.ts";
import { bearerHeader, CLAIMS, legacyCall, modernCall, NOW, sign } from "./fakes.ts";

const whoami = (token: string) =>
  modernCall("tools/call", { name: "whoami", arguments: {} }, bearerHeader(token));

Deno.test("metrics() counts names beyond the bound as other", async () => {
  const kept = counting();
  const names = Array.from({ length: MAX_NAMES + 5 }, (_, at) => `tool-${at}`);
  kept.meter.register("tool", names);
  for (const name of names) kept.meter.called("tool", name, "ok", 1);
  const counts = await countsOf(kept, "calls_total");
  equal(Object.keys(counts).length, MAX_NAMES + 1);
  equal(counts['{kind="tool",name="other",outcome="ok"}'], 5);
});

const EXPIRED = { exp: NOW - 60 };
for (
  const [what, headers, expected] of [
    ["a good token", async () => bearerHeader(await sign()), '{result="accepted",reason=""}'],
    ["no token", () => ({}), undefined],
    ["another scheme", () => ({ authorization: "Basic eDp5" }), undefined],
    ["two tokens", () => bearerHeader("a, Bearer b"), '{result="refused",reason="several"}'],
    ["no JWT", () => bearerHeader("nonsense"), '{result="refused",reason="malformed"}'],
    [
      "an expired one",
      async () => bearerHeader(await sign(EXPIRED)),
      '{result="refused",reason="expired"}',
    ],
    [
      "one of another audience",
      async () => bearerHeader(await sign({ aud: "x" })),
      '{result="refused",reason="audience"}',
    ],
    [
      "one signed by another",
      async () => bearerHeader(await sign({}, {}, "x".repeat(64))),
      '{result="refused",reason="signature"}',
    ],
    [
      "one without the scope",
      async () => bearerHeader(await sign({ scope: "x" })),
      '{result="forbidden",reason="scope"}',
    ],
    [
      "one of somebody else",
      async () => bearerHeader(await sign({ email: "m@elsewhere.test" })),
      '{result="forbidden",reason="caller"}',
    ],
  ] as const
) {
  Deno.test(`bearer() counts ${what} once`, async () => {
    const { send, text } = await counted({
      OAUTH_SCOPES_REQUIRED: "mcp:read",
      OAUTH_ALLOW: "domain:example.com",
    });
    await send("/mcp", modernCall("tools/list", {}, await headers()));
    deepEqual(
      await countsOf({ text }, "token_validations_total"),
      expected ? { [expected]: 1 } : {},
    );
  });
}

Deno.test("bearer() counts tokens that it remembers as hits", async () => {
  const { send, text } = await counted();
  const token = await sign();
  for (let nth = 0; nth < 3; nth++) equal(await send("/mcp", whoami(token)), 200);
  equal(await send("/mcp", whoami(`${token}x`)), 401);
  deepEqual(await countsOf({ text }, "token_cache_total"), {
    '{result="hit"}': 2,
    '{result="miss"}': 2,
  });
});

Deno.test("bearer() counts tokens that it is judging already as hits", async () => {
  const { send, text } = await counted();
  const call = whoami(await sign());
  deepEqual(await Promise.all([send("/mcp", call), send("/mcp", call)]), [200, 200]);
  deepEqual(await countsOf({ text }, "token_cache_total"), {
    '{result="hit"}': 1,
    '{result="miss"}': 1,
  });
});

Deno.test("bearer() counts a token that cannot be judged as failed, and the issuer as unreachable", async () => {
  const issuer = "https://idp.example.com";
  const { send, text } = await counted(
    { OAUTH_PROVIDER: "oidc", OIDC_ISSUER: issuer, OIDC_AUDIENCE: "x" },
    () => Promise.reject(new TypeError("no route")),
  );
  const parts = [{ alg: "RS256", typ: "at+jwt", kid: "k" }, { ...CLAIMS, iss: issuer, aud: "x" }];
  const [header, claims] = parts.map((part) =>
    base64url(new TextEncoder().encode(JSON.stringify(part)))
  );
  equal(await send("/mcp", whoami(`${header}.${claims}.AAAA`)), 503);
  deepEqual(await countsOf({ text }, "token_validations_total"), {
    '{result="failed",reason=""}': 1,
  });
  const asked = await countsOf({ text }, "outbound_requests_total");
  deepEqual(Object.keys(asked), ['{peer="issuer",outcome="unreachable"}']);
  deepEqual(await countsOf({ text }, "outbound_last_success_timestamp_seconds"), {});
  equal((await samplesOf({ text })).get('gatehouse_ready{part="issuer"}'), 0);
});

for (
  const [outcome, params, status] of [
    ["ok", { name: "whoami", arguments: {} }, 200],
    ["bad arguments", { name: "whoami", arguments: { x: 1 } }, 200],
  ] as const
) {
  Deno.test(`mcp() counts a call whose outcome is ${outcome}`, async () => {
    const { send, text } = await counted();
    equal(await send("/mcp", modernCall("tools/call", params, bearerHeader(await sign()))), status);
    deepEqual(await countsOf({ text }, "calls_total"), {
      [`{kind="tool",name="whoami",outcome="${outcome}"}`]: 1,
    });
    deepEqual(await countsOf({ text }, "call_duration_seconds_count"), {
      '{kind="tool",name="whoami"}': 1,
    });
  });
}

Deno.test("mcp() counts a call that lacks a scope by name, and one of no tool as other", async () => {
  const { send, text } = await counted({ OAUTH_TOOL_SCOPES: "*=mcp:write" });
  const headers = bearerHeader(await sign());
  for (const name of ["whoami", "made-up"]) {
    equal(await send("/mcp", modernCall("tools/call", { name, arguments: {} }, headers)), 403);
  }
  deepEqual(await countsOf({ text }, "calls_total"), {
    '{kind="tool",name="whoami",outcome="scope refused"}': 1,
    '{kind="tool",name="other",outcome="scope refused"}': 1,
  });
  deepEqual(await countsOf({ text }, "call_duration_seconds_count"), {});
});

Deno.test("observe() counts requests by route, method and class of status", async () => {
  const { send, text } = await counted();
  await send("/healthz");
  await send("/healthz?x=1", { method: "HEAD" });
  await send("/healthz", { method: "BREW" });
  await send("/nowhere/at-all");
  await send("/mcp", { method: "POST" });
  deepEqual(await countsOf({ text }, "requests_total"), {
    '{route="/healthz",method="GET",status="2xx"}': 1,
    '{route="/healthz",method="HEAD",status="2xx"}': 1,
    '{route="/healthz",method="other",status="4xx"}': 1,
    '{route="other",method="GET",status="4xx"}': 1,
    '{route="/mcp",method="POST",status="4xx"}': 1,
  });
});

Deno.test("sessions() are counted while they are open, and told apart from those turned away", async () => {
  const { send, text, program } = await counted({ MCP_SESSIONS: "on" });
  const params = {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "test", version: "1" },
  };
  const headers = bearerHeader(await sign());
  for (let nth = 0; nth < 3; nth++) {
    equal(await send("/mcp", legacyCall("initialize", params, headers)), 200);
  }
  equal((await samplesOf({ text })).get("gatehouse_sessions"), 3);
  equal((await samplesOf({ text })).get("gatehouse_streams"), 0);
  await program.close();
  equal((await samplesOf({ text })).get("gatehouse_sessions"), 0);
});

Deno.test("metrics() tells that a part is not ready when asking it fails", async () => {
  const kept = counting();
  kept.meter.watchReady("store", () => Promise.reject(new Error("gone")));
  kept.meter.watchReady("issuer", () => Promise.resolve(true));
  const samples = await samplesOf(kept);
  equal(samples.get('gatehouse_ready{part="store"}'), 0);
  equal(samples.get('gatehouse_ready{part="issuer"}'), 1);
});

Deno.test("metrics() tells what runs, since when, with how much memory, and what the log lost", async () => {
  const samples = await samplesOf(counting());
  equal(samples.get('gatehouse_build_info{version="1.2.3",deno="2.9.6"}'), 1);
  equal(samples.get("process_start_time_seconds"), NOW);
  equal(samples.get("process_resident_memory_bytes"), 1024);
  equal(samples.get("gatehouse_heap_used_bytes"), 512);
  equal(samples.get("gatehouse_log_lines_dropped_total"), 7);
});

Deno.test("metrics() tells the same however often it is read", async () => {
  const kept = counting();
  kept.meter.judged({ result: "accepted" });
  kept.meter.asked("grafana", "ok", 1);
  const first = await samplesOf(kept);
  deepEqual(await samplesOf(kept), first);
  equal(first.get("gatehouse_log_lines_dropped_total"), 7);
  kept.meter.judged({ result: "accepted" });
  equal(
    (await samplesOf(kept)).get('gatehouse_token_validations_total{result="accepted",reason=""}'),
    2,
  );
});

Deno.test("metrics() remembers when a peer last answered well, and only then", async () => {
  const kept = counting();
  const asked = (peer: Peer, outcome: PeerOutcome) => kept.meter.asked(peer, outcome, 1);
  asked("issuer", "ok");
  asked("grafana", "refused");
  asked("grafana", "timeout");
  deepEqual(await countsOf(kept, "outbound_last_success_timestamp_seconds"), {
    '{peer="issuer"}': NOW,
  });
});

Deno.test("metrics() has every judgement from the start, so that the first one is seen to rise", async () => {
  const kept = counting();
  const before = (await samplesOf(kept)).size;
  const all: Judgement[] = [
    { result: "accepted" },
    { result: "refused", reason: "inactive" },
    { result: "refused", reason: "several" },
    { result: "forbidden", reason: "caller" },
    { result: "forbidden", reason: "scope" },
    { result: "failed" },
  ];
  for (const judgement of all) kept.meter.judged(judgement);
  kept.meter.remembered(true);
  kept.meter.limited("requests");
  kept.meter.storeFailed("take");
  equal((await samplesOf(kept)).size, before);
});

Deno.test("proxy() counts requests beyond the limits of pages and of endpoints", async () => {
  const { send, text } = await counted({ OAUTH_MODE: "proxy", OAUTH_PROVIDER: "hmac" });
  let before = 0;
  for (
    const [path, method] of [["/oauth/authorize", "GET"], ["/oauth/register", "POST"]] as const
  ) {
    let refused = 0;
    for (let nth = 0; nth < 70; nth++) if (await send(path, { method }) === 429) refused++;
    ok(refused > 0, path);
    const { '{limit="requests"}': limited = 0 } = await countsOf({ text }, "limited_total");
    equal(limited, refused + before, path);
    before = limited;
  }
});
