import { deepStrictEqual as deepEqual, match, ok } from "node:assert/strict";
import fc from "fast-check";
import type { Meter } from "../lib/meter.ts";
import { counted, counting, samplesOf } from "./counting.ts";
import { bearerHeader, legacyCall, modernCall, sign } from "./fakes.ts";

const word = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.constantFrom("__proto__", "constructor", 'a"b', "a\nb", "a\\b", "toString", "other"),
);

Deno.test("metrics() gets no series from what a stranger chose, whatever is counted", async () => {
  const kept = counting();
  kept.meter.register("route", ["/mcp", "/"]);
  kept.meter.register("tool", ["whoami"]);
  // The words that only types close are chosen by the program; the others by anybody.
  const everything = (meter: Meter, path: string, method: string, status: number, name: string) => {
    meter.request(path, method, status, 1);
    for (const kind of ["tool", "resource", "prompt"] as const) {
      for (const outcome of ["ok", "unknown", "scope refused"] as const) {
        meter.called(kind, name, outcome, 1);
      }
    }
  };
  for (const path of ["/mcp", "/", "/x"]) {
    for (const method of ["GET", "HEAD", "POST", "DELETE", "OPTIONS", "X"]) {
      for (const status of [100, 200, 300, 400, 500, 600]) {
        everything(kept.meter, path, method, status, path === "/x" ? "x" : "whoami");
      }
    }
  }
  const before = [...(await samplesOf(kept)).keys()];
  fc.assert(fc.property(word, word, fc.integer(), word, (path, method, status, name) => {
    everything(kept.meter, path, method, status, name);
  }));
  deepEqual([...(await samplesOf(kept)).keys()], before);
});

// Most of what is tried should get somewhere.
const mostly = (one: string) => ({ weight: 6, arbitrary: fc.constant(one) });

Deno.test("app() gets no series from any request of a stranger", async () => {
  const { send, text } = await counted({ MCP_SESSIONS: "on", OAUTH_TOOL_SCOPES: "secret*=never" });
  const good = await sign();
  const KNOWN =
    /^(?:\/(?:mcp|healthz|readyz|)|\/\.well-known\/[a-z/-]+(?:\.json)?|other|GET|HEAD|POST|DELETE|OPTIONS|[1-5]xx|tool|prompt|resource|whoami|ok|bad arguments|unknown|scope refused|hit|miss|accepted|refused|forbidden|failed|)$/;
  const request = fc.record({
    path: fc.oneof(
      mostly("/mcp"),
      fc.constantFrom("/", "/healthz"),
      fc.webPath(),
      word.map(encodeURIComponent).map((one) => `/${one}`),
    ),
    method: fc.oneof(
      mostly("POST"),
      fc.constantFrom("GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT", "PATCH", "BREW"),
    ),
    rpc: fc.oneof(
      mostly("tools/call"),
      fc.constantFrom("prompts/get", "resources/read", "initialize", "nothing/such"),
    ),
    name: fc.oneof(fc.constantFrom("whoami", "secret-tool"), word),
    token: fc.oneof(mostly(good), fc.constant(`${good}x`), fc.base64String(), fc.constant("")),
    legacy: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(request, async ({ path, method, rpc, name, token, legacy }) => {
      const call = (legacy ? legacyCall : modernCall)(rpc, { name, uri: name, arguments: {} });
      const headers = new Headers();
      for (
        const [key, value] of Object.entries({
          ...call.headers as Record<string, string>,
          ...bearerHeader(token),
        })
      ) {
        try {
          headers.set(key, value);
        } catch {
          // No header can have it, so nobody can send it.
        }
      }
      const body = method === "GET" || method === "HEAD" ? null : call.body!;
      await send(path, { method, headers, body });
    }),
    { numRuns: 300 },
  );
  const seen = new Set<string>();
  for (const [series, value] of await samplesOf({ text })) {
    if (!/^gatehouse_(?:requests|calls|token_(?:validations|cache))_total/.test(series) || !value) {
      continue;
    }
    for (const [, label, text] of series.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
      if (label !== "reason") seen.add(text!);
    }
  }
  for (const value of seen) match(value, KNOWN);
  for (const value of ["other", "whoami", "unknown", "scope refused", "accepted", "refused"]) {
    ok(seen.has(value), value);
  }
});
