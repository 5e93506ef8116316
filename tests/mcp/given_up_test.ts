import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { ToolError } from "../../lib/pack.ts";
import { legacyCall, type Subject } from "../fakes.ts";
import { ERAS, note, post, settled, stage, work, workshop } from "./helpers.ts";
import { document, letter, pack, serve } from "./shelf.ts";

const OPEN = { OAUTH_ENABLED: "off" };

/** Lines that tell how a call ended, and those at the level of an error. */
function told({ ports }: Subject) {
  const lines = ports.lines.map((line) => JSON.parse(line));
  return {
    outcomes: lines.flatMap(({ outcome }) => outcome ?? []),
    errors: lines.filter(({ level }) => level === "error").map(({ event }) => event),
  };
}

Deno.test("worker() notes a call of 2026-07-28 that its caller gave up, and logs no error for it (SPEC C2.16)", async () => {
  const shop = workshop();
  const program = await stage(OPEN, shop.newServer);
  const client = new AbortController();
  const answer = program.send("/mcp", work("2026-07-28", "a", { signal: client.signal }));
  const job = await shop.job("a");
  client.abort();
  equal((await answer).status, 499);
  job.fail(new Error("aborted"));
  await settled();
  deepEqual(told(program), { outcomes: ["given up"], errors: [] });
});

Deno.test("worker() notes a call in a session that its caller cancelled, and logs no error for it (SPEC C4.6)", async () => {
  const shop = workshop();
  const program = await stage({ ...OPEN, MCP_SESSIONS: "on" }, shop.newServer);
  const hello = {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "test", version: "0" },
  };
  const opened = await program.send("/mcp", legacyCall("initialize", hello));
  await opened.text();
  const session = { "mcp-session-id": opened.headers.get("mcp-session-id")! };
  const response = await program.send("/mcp", work("2025-11-25", "a", { headers: session, id: 7 }));
  const job = await shop.job("a");
  const cancel = { method: "notifications/cancelled", params: { requestId: 7 } };
  await program.send("/mcp", note(cancel, session));
  equal(job.context.signal.aborted, true);
  job.fail(new Error("aborted"));
  await settled();
  deepEqual(told(program), { outcomes: ["given up"], errors: [] });
  await response.body?.cancel();
  await program.app.close();
});

Deno.test("worker() notes what a call whose caller gave up yields all the same (SPEC C2.16)", async () => {
  const ends: [outcome: string, fail: Error | undefined][] = [
    ["ok", undefined],
    ["refused", new ToolError("Name another", "no such thing")],
  ];
  for (const [outcome, error] of ends) {
    const shop = workshop();
    const program = await stage(OPEN, shop.newServer);
    const client = new AbortController();
    const answer = program.send("/mcp", work("2026-07-28", "a", { signal: client.signal }));
    const job = await shop.job("a");
    client.abort();
    await answer;
    if (error) job.fail(error);
    else job.done();
    await settled();
    deepEqual(told(program), { outcomes: [outcome], errors: [] });
  }
});

Deno.test("worker() logs an error for a call of 2025-11-25 that runs on when its client goes (SPEC C4.6)", async () => {
  const shop = workshop();
  const program = await stage(OPEN, shop.newServer);
  const client = new AbortController();
  const answer = program.send("/mcp", work("2025-11-25", "a", { signal: client.signal }));
  const job = await shop.job("a");
  client.abort();
  job.fail(new Error("broken"));
  await answer;
  deepEqual(told(program), { outcomes: ["failed"], errors: ["tool failed"] });
});

for (const era of ERAS) {
  Deno.test(`worker() logs an error for a call of ${era} that fails while its caller waits (SPEC C1.8)`, async () => {
    const shop = workshop();
    const program = await stage(OPEN, shop.newServer);
    const answer = program.send("/mcp", work(era, "a"));
    (await shop.job("a")).fail(new DOMException("The signal was aborted", "AbortError"));
    await answer;
    deepEqual(told(program), { outcomes: ["failed"], errors: ["tool failed"] });
  });
}

const OTHERS: [method: string, params: Record<string, string>][] = [
  ["resources/read", { uri: "shelf://slow" }],
  ["prompts/get", { name: "slow" }],
];
for (const [method, params] of OTHERS) {
  Deno.test(`worker() notes a ${method} that its caller gave up, and logs no error for it (SPEC C2.16)`, async () => {
    const started = Promise.withResolvers<void>();
    const slow = (_: unknown, { signal }: { signal: AbortSignal }) =>
      new Promise<never>((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
        started.resolve();
      });
    const resources = [document("shelf://slow", { read: slow })];
    const prompts = [letter("slow", { write: slow })];
    const program = await stage(OPEN, serve(pack({ resources, prompts })));
    const client = new AbortController();
    const { signal } = client;
    const answer = program.send("/mcp", post({ era: "2026-07-28", method, params, signal }));
    await started.promise;
    client.abort();
    equal((await answer).status, 499);
    await settled();
    deepEqual(told(program), { outcomes: ["given up"], errors: [] });
  });
}
