import {
  deepStrictEqual as deepEqual,
  match,
  notStrictEqual as notEqual,
  ok,
  strictEqual as equal,
} from "node:assert/strict";
import { UNAUDITED } from "../lib/audit.ts";
import type { Fields, Level } from "../lib/ports.ts";
import { UNTRACED } from "../lib/spans.ts";
import { type OpenTrace, tracer } from "../lib/trace.ts";
import { bearerHeader, legacyCall, sign, subject } from "./fakes.ts";

interface Line {
  readonly level: Level;
  readonly event: string;
  readonly fields: Fields;
}

/** Traces over a clock that the test moves and lines that it reads. */
function traces(seed = 1, trace?: string) {
  const lines: Line[] = [];
  let ms = 1000;
  const open = tracer({
    log: (level, event, fields = {}) => lines.push({ level, event, fields }),
    elapsedMs: () => ms,
    random: (length) => new Uint8Array(length).fill(seed),
    audit: UNAUDITED,
    spans: { ...UNTRACED, traceId: () => trace },
  });
  return { lines, open, advance: (by: number) => void (ms += by) };
}

function closed(act: (trace: OpenTrace) => void): Fields {
  const { lines, open } = traces();
  const trace = open();
  act(trace);
  trace.close("info", "request", {});
  return lines.at(-1)!.fields;
}

Deno.test("tracer() names the distributed trace on every line, and only where there is one", () => {
  const { lines, open } = traces(1, "0af7651916cd43dd8448eb211c80319c");
  const trace = open();
  trace.log("warn", "something", { trace: "of somebody else" });
  trace.close("info", "request", {});
  deepEqual(
    lines.map(({ fields }) => fields.trace),
    Array(2).fill("0af7651916cd43dd8448eb211c80319c"),
  );
  ok(!("trace" in closed(() => {})));
});

Deno.test("tracer() gives ids that differ within a process and between processes", () => {
  const { open } = traces(1);
  const ids = Array.from({ length: 100 }, () => open().id);
  equal(new Set(ids).size, 100);
  for (const id of ids) match(id, /^[0-9a-f]{10}-[0-9a-z]+$/);
  notEqual(traces(2).open().id, ids[0]);
});

Deno.test("Trace.log() writes at once, under the id", () => {
  const { lines, open } = traces();
  const trace = open();
  trace.log("warn", "token refused", { reason: "signature" });
  trace.log("debug", "nothing to tell");
  deepEqual(lines, [
    { level: "warn", event: "token refused", fields: { id: trace.id, reason: "signature" } },
    { level: "debug", event: "nothing to tell", fields: { id: trace.id } },
  ]);
});

Deno.test("Trace.note() writes nothing before the request is closed", () => {
  const { lines, open } = traces();
  open().note({ user: "alice" });
  deepEqual(lines, []);
});

Deno.test("Trace.close() writes one line with every note and the duration", () => {
  const { advance, lines, open } = traces();
  const trace = open();
  trace.note({ user: "alice", tool: undefined });
  trace.note({ tool: "whoami" });
  advance(12.345);
  trace.close("info", "request", { method: "POST", status: 200 });
  deepEqual(lines, [{
    level: "info",
    event: "request",
    fields: {
      id: trace.id,
      method: "POST",
      status: 200,
      user: "alice",
      tool: "whoami",
      ms: 12.3,
    },
  }]);
});

Deno.test("Trace.note() keeps the last of two facts of one name", () => {
  equal(
    closed((trace) => {
      trace.note({ outcome: "ok" });
      trace.note({ outcome: "failed" });
    }).outcome,
    "failed",
  );
});

Deno.test("Trace.note() gets a line of its own when the request is closed", () => {
  const { advance, lines, open } = traces();
  const trace = open();
  trace.note({ user: "alice" });
  trace.close("info", "request", { status: 200 });
  advance(5000);
  trace.note({ outcome: "ok" });
  deepEqual(lines.slice(1), [
    { level: "info", event: "stream", fields: { id: trace.id, outcome: "ok", ms: 5000 } },
  ]);
});

Deno.test("Trace.log() writes after the request is closed, too", () => {
  const { lines, open } = traces();
  const trace = open();
  trace.close("info", "request", {});
  trace.log("error", "tool failed");
  deepEqual(lines[1], { level: "error", event: "tool failed", fields: { id: trace.id } });
});

Deno.test("tracer() keeps the facts of requests apart", () => {
  const { lines, open } = traces();
  const [first, second] = [open(), open()];
  first.note({ user: "alice" });
  second.note({ user: "bob" });
  second.close("info", "request", {});
  first.close("info", "request", {});
  deepEqual(lines.map(({ fields }) => [fields.id, fields.user]), [
    [second.id, "bob"],
    [first.id, "alice"],
  ]);
});

Deno.test("Trace.log() keeps the id when a field has its name", () => {
  const { lines, open } = traces();
  const trace = open();
  trace.log("info", "tool speaks", { id: "forged" });
  trace.note({ id: "forged" });
  trace.close("info", "request", { id: "forged" });
  deepEqual(lines.map(({ fields }) => fields.id), [trace.id, trace.id]);
});

Deno.test("Trace.close() keeps what happened when a note has its name", () => {
  const { lines, open } = traces();
  const trace = open();
  trace.note({ status: 200, method: "GET", ms: 0 });
  trace.close("info", "request", { status: 403, method: "POST" });
  const { status, method } = lines[0]!.fields;
  deepEqual({ status, method }, { status: 403, method: "POST" });
});

Deno.test("app() names a request in its answer and in every line, and closes it once (SPEC A4.5)", async () => {
  const { send, ports } = await subject();
  const token = await sign({ aud: "https://other.example" });
  const responses = [
    await send("/mcp", legacyCall("tools/list", {}, bearerHeader(token))),
    await send("/mcp", legacyCall("tools/list", {}, bearerHeader(await sign()))),
    await send("/nowhere?code=secret-code-of-someone"),
  ];
  const ids = responses.map(({ headers }) => headers.get("x-request-id"));
  const lines = ports.lines.map((line) => JSON.parse(line));
  deepEqual(lines.map(({ id, event }) => [id, event]), [
    [ids[0], "token refused"],
    [ids[0], "request"],
    [ids[1], "request"],
    [ids[2], "request"],
  ]);
  equal(new Set(ids).size, 3);
  deepEqual(lines[2].user, "alice@example.com");
  ok(!ports.lines.join("").includes("secret-code-of-someone"));
});
