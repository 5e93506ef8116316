import { deepStrictEqual as deepEqual, rejects, strictEqual as equal } from "node:assert/strict";
import { issuerPorts, packPorts, watched } from "../lib/metered.ts";
import { UNMETERED } from "../lib/meter.ts";
import type { Ports } from "../lib/ports.ts";
import { type SpanFacts, type Spans, UNTRACED } from "../lib/spans.ts";
import { metered } from "../lib/store/metered.ts";
import { memory } from "../lib/store/memory.ts";
import { fakePorts } from "./fakes.ts";

/** Ports that keep what was counted. */
function listening(fetch?: Ports["fetch"]) {
  const asked: string[] = [];
  const base = fakePorts(fetch);
  const ports: Ports = {
    ...base,
    meter: {
      ...UNMETERED,
      asked: (peer, outcome, seconds) => void asked.push(`${peer} ${outcome} ${seconds}`),
    },
  };
  return { asked, ports, advance: base.advance };
}

const URL_ASKED = "https://elsewhere.example.com/?secret";

for (
  const [status, outcome] of [
    [200, "ok"],
    [204, "ok"],
    [302, "ok"],
    [399, "ok"],
    [400, "refused"],
    [401, "refused"],
    [499, "refused"],
    [500, "failed"],
    [503, "failed"],
  ] as const
) {
  Deno.test(`issuerPorts() counts an answer with ${status} as ${outcome}`, async () => {
    const { asked, ports } = listening(() => Promise.resolve(new Response(null, { status })));
    const response = await issuerPorts(ports).fetch(new Request(URL_ASKED));
    equal(response.status, status);
    deepEqual(asked, [`issuer ${outcome} 0`]);
  });
}

for (
  const [what, reason, outcome] of [
    ["nobody answers", undefined, "unreachable"],
    ["the time is over", new DOMException("late", "TimeoutError"), "timeout"],
    ["the caller left", new DOMException("left", "AbortError"), "given up"],
    ["the caller left without a word", "anything", "given up"],
  ] as const
) {
  Deno.test(`issuerPorts() counts ${outcome} when ${what}, and throws on`, async () => {
    const thrown = new TypeError("no");
    const { asked, ports } = listening(() => Promise.reject(thrown));
    const stop = new AbortController();
    if (reason !== undefined) stop.abort(reason);
    const request = new Request(URL_ASKED, { signal: stop.signal });
    await rejects(issuerPorts(ports).fetch(request), thrown);
    deepEqual(asked, [`issuer ${outcome} 0`]);
  });
}

Deno.test("ports tell peers apart by who asks, whatever the host", async () => {
  const { asked, ports } = listening(() => Promise.resolve(new Response()));
  const all: Ports = { ...ports, fetchAt: () => Promise.resolve(new Response()) };
  const request = () => new Request(URL_ASKED);
  await issuerPorts(all).fetch(request());
  await issuerPorts(all).fetchAt(request(), "192.0.2.1");
  await packPorts(all).fetch(request());
  await packPorts(all).fetchWith({})(request());
  deepEqual(asked, ["issuer ok 0", "document ok 0", "exchange ok 0", "grafana ok 0"]);
});

Deno.test("watched() measures in seconds, and tells spans no more than peer and outcome", async () => {
  const { asked, ports, advance } = listening();
  const told: [string, SpanFacts][] = [];
  const spans: Spans = {
    ...UNTRACED,
    run: (name, facts, work) => {
      told.push([name, facts]);
      return work((more) => void told.push([name, more]));
    },
  };
  const ask = () => Promise.resolve(advance(3));
  await watched({ ...ports, spans }, "kafka", ask, () => "ok", () => "failed");
  deepEqual(asked, ["kafka ok 3"]);
  deepEqual(told, [["ask kafka", { peer: "kafka" }], ["ask kafka", { outcome: "ok" }]]);
});

Deno.test("metered() counts what a store fails at, by operation, and changes nothing else", async () => {
  const failed: string[] = [];
  const meter = { ...UNMETERED, storeFailed: (operation: string) => void failed.push(operation) };
  const good = metered(memory(fakePorts()), meter);
  await good.put("a", "1", 10);
  equal(await good.get("a"), "1");
  equal(await good.putIfAbsent("a", "2", 10), false);
  equal(await good.replace("a", "1", "3", 10), true);
  equal(await good.take("a"), "3");
  equal(await good.ready(), true);
  deepEqual(failed, []);

  const gone = () => Promise.reject(new Error("Cannot reach the store"));
  const bad = metered(
    { ...memory(fakePorts()), get: gone, put: gone, putIfAbsent: gone, replace: gone, take: gone },
    meter,
  );
  const words = /Cannot reach the store/;
  await rejects(bad.get("a"), words);
  await rejects(bad.put("a", "1", 10), words);
  await rejects(bad.putIfAbsent("a", "1", 10), words);
  await rejects(bad.replace("a", "1", "2", 10), words);
  await rejects(bad.take("a"), words);
  deepEqual(failed, ["get", "put", "putIfAbsent", "replace", "take"]);
  await Promise.all([good.close(), bad.close()]);
});
