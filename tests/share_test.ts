import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { MAX_OPEN_PER_PERSON, shared } from "../lib/share.ts";
import { type Limit, UNMETERED } from "../lib/meter.ts";
import { tracer } from "../lib/trace.ts";
import { fakePorts, ORIGIN, sign, subject } from "./fakes.ts";
import { ALICE } from "./pack/kafka/cluster.ts";

/** A handler that answers at once, whose answers stay open until they are read. */
function stage() {
  const limits: Limit[] = [];
  const open = tracer(fakePorts());
  const handle = shared(() => new Response("answered"), {
    ...UNMETERED,
    limited: (limit) => limits.push(limit),
  });
  const reads: (() => void)[] = [];
  const ask = async (identity?: typeof ALICE) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    reads.push(resolve);
    const response = await handle(new Request(`${ORIGIN}/mcp`), open("", promise), identity);
    return response.status;
  };
  const fill = async (identity?: typeof ALICE) => {
    for (let count = 0; count < MAX_OPEN_PER_PERSON; count++) equal(await ask(identity), 200);
  };
  return { ask, fill, reads, limits, handle, open };
}

Deno.test("shared() keeps one person from taking all the room, with whatever clients and tokens", async () => {
  const { ask, fill, limits } = stage();
  await fill(ALICE);
  equal(await ask(ALICE), 429);
  equal(await ask({ ...ALICE, clientId: "another", token: "another" }), 429);
  equal(await ask({ ...ALICE, subject: "bob" }), 200);
  equal(await ask({ ...ALICE, issuer: "https://other.example" }), 200);
  deepEqual(limits, ["open", "open"]);
});

Deno.test("shared() says so in JSON-RPC, and when to try again", async () => {
  const { fill, handle, open } = stage();
  await fill(ALICE);
  const response = await handle(new Request(`${ORIGIN}/mcp`), open(), ALICE);
  equal(response.headers.get("retry-after"), "5");
  deepEqual(await response.json(), {
    jsonrpc: "2.0",
    id: null,
    error: { code: -32600, message: "Too many of your requests are open" },
  });
});

Deno.test("shared() gives room back when an answer is out, and none for what it refused", async () => {
  const { ask, fill, reads } = stage();
  await fill(ALICE);
  equal(await ask(ALICE), 429);
  reads.at(-1)!();
  await Promise.resolve();
  equal(await ask(ALICE), 429);
  reads[0]!();
  await Promise.resolve();
  equal(await ask(ALICE), 200);
  equal(await ask(ALICE), 429);
});

Deno.test("shared() gives room back when the reader of an answer is gone", async () => {
  const { handle, open } = stage();
  for (let count = 0; count <= MAX_OPEN_PER_PERSON; count++) {
    const gone = Promise.reject(new Error("The reader has left"));
    const response = await handle(new Request(`${ORIGIN}/mcp`), open("", gone), ALICE);
    equal(response.status, 200);
    await Promise.resolve();
  }
});

Deno.test("shared() has no shares without OAuth", async () => {
  const { ask, fill } = stage();
  await fill();
  equal(await ask(), 200);
});

Deno.test("the MCP endpoint gives each person a share of what is open, from wherever they call", async () => {
  const { app } = await subject();
  const tokens = { alice: await sign(), bob: await sign({ sub: "bob" }) };
  let count = 0;
  const ask = async (name: keyof typeof tokens) => {
    const headers = { host: "localhost", authorization: `Bearer ${tokens[name]}` };
    const { promise } = Promise.withResolvers<void>();
    const address = `192.0.2.${count++ % 8}`;
    return (await app.fetch(new Request(`${ORIGIN}/mcp`, { headers }), address, promise)).status;
  };
  for (let nth = 0; nth < MAX_OPEN_PER_PERSON; nth++) equal(await ask("alice"), 405);
  equal(await ask("alice"), 429);
  equal(await ask("bob"), 405);
});
