import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { callers, MAX_CALLERS } from "../../../lib/pack/kafka/callers.ts";
import type { Closable } from "../../../lib/pack/kafka/lent.ts";
import { ToolError } from "../../../lib/pack.ts";
import { person } from "../../acting/people.ts";
import { fakePorts, NOW } from "../../fakes.ts";
import { settled } from "../../waiting.ts";

/** Clients that know whose they are and whether they are closed, and nothing of Kafka. */
function stage() {
  const ports = fakePorts();
  const made: { token: string; closed: number; answer: () => void }[] = [];
  const all = callers(({ token }) => {
    const answered = Promise.withResolvers<void>();
    const state = { token, closed: 0, answer: answered.resolve };
    made.push(state);
    const client: Partial<Closable> = {
      groups: () => Promise.resolve([{ id: token, state: "Stable", type: undefined }]),
      commits: async () => {
        await answered.promise;
        return new Map();
      },
      close: () => {
        state.closed++;
        return Promise.resolve();
      },
    };
    return client as Closable;
  }, ports.now);
  const clusterOf = (subject: string, more = {}) => all.clusterOf(person(subject, more));
  const tokenOf = async (subject: string, more = {}) =>
    (await clusterOf(subject, more).groups())[0]!.id;
  return { all, made, ports, clusterOf, tokenOf };
}

Deno.test("callers() refuses nobody in particular", () => {
  throws(() => stage().all.clusterOf(undefined), ToolError);
});

Deno.test("callers() gives a caller the same connections again", async () => {
  const { all, made, tokenOf } = stage();
  deepEqual([await tokenOf("alice"), await tokenOf("alice")], ["token-of-alice", "token-of-alice"]);
  equal(made.length, 1);
  await all.close();
});

Deno.test("callers() never lends connections of one token to another, not even of the same person", async () => {
  const { all, tokenOf } = stage();
  equal(await tokenOf("alice"), "token-of-alice");
  equal(await tokenOf("alice", { token: "narrower" }), "narrower");
  equal(await tokenOf("bob", { subject: "alice" }), "token-of-bob");
  await all.close();
});

Deno.test("callers() gives everybody their own, in whatever order they come (property)", async () => {
  const orders = fc.array(fc.nat(2 * MAX_CALLERS), { maxLength: 500 });
  await fc.assert(fc.asyncProperty(orders, async (order) => {
    const { all, tokenOf } = stage();
    for (const number of order) equal(await tokenOf(`p${number}`), `token-of-p${number}`);
    await all.close();
  }));
});

Deno.test("callers() lets go of connections whose token has ended", async () => {
  const { all, made, ports, tokenOf } = stage();
  await tokenOf("alice", { expiresAt: NOW + 10 });
  await tokenOf("bob", { expiresAt: NOW + 20 });
  ports.advance(10);
  await tokenOf("carol");
  await settled();
  deepEqual(made.map(({ closed }) => closed), [1, 0, 0]);
  await all.close();
});

Deno.test("callers() lets go of who was away longest when there are too many", async () => {
  const { all, made, tokenOf } = stage();
  for (let n = 0; n < MAX_CALLERS; n++) await tokenOf(`p${n}`);
  await tokenOf("p0");
  await tokenOf("one more");
  await settled();
  deepEqual(made.filter(({ closed }) => closed).map(({ token }) => token), ["token-of-p1"]);
  await all.close();
});

Deno.test("callers() lets what is under way finish for who has to give way", async () => {
  const { all, made, clusterOf, tokenOf } = stage();
  const cluster = clusterOf("alice");
  const asked = cluster.commits(["shop"]).then(() => cluster.groups());
  for (let n = 0; n < MAX_CALLERS; n++) await tokenOf(`p${n}`);
  await settled();
  equal(made[0]!.closed, 0);
  made[0]!.answer();
  equal((await asked)[0]!.id, "token-of-alice");
  await settled();
  equal(made[0]!.closed, 1);
  await all.close();
  equal(made[0]!.closed, 1);
});

Deno.test("callers() lets what was lent be used by who has to give way before that begins", async () => {
  const { all, made, clusterOf } = stage();
  const cluster = clusterOf("alice");
  for (let n = 0; n < MAX_CALLERS; n++) clusterOf(`p${n}`);
  const asked = cluster.commits(["shop"]);
  await settled();
  equal(made[0]!.closed, 0);
  made[0]!.answer();
  await asked;
  await settled();
  equal(made[0]!.closed, 1);
  await all.close();
});

Deno.test("callers().close() lets go of all, each once, whatever is under way", async () => {
  const { all, made, clusterOf, tokenOf } = stage();
  await tokenOf("alice");
  const asked = clusterOf("bob").commits(["shop"]);
  for (let n = 1; n < MAX_CALLERS; n++) await tokenOf(`p${n}`);
  await all.close();
  deepEqual(made.map(({ closed }) => closed), Array(MAX_CALLERS + 1).fill(1));
  made[1]!.answer();
  await asked;
});
