import { deepStrictEqual as deepEqual, rejects, strictEqual as equal } from "node:assert/strict";
import type { Identity } from "../../../lib/identity.ts";
import { kafka } from "../../../lib/pack/kafka.ts";
import { MOST_AT_ONCE, MOST_WAITING, turns } from "../../../lib/pack/kafka/turns.ts";
import { ToolError } from "../../../lib/pack.ts";
import { ALICE, CONTEXT, newCluster, newKafka } from "./cluster.ts";

const BOB: Identity = { ...ALICE, subject: "bob" };

/** Settles when all that can go on has. */
const idle = () => new Promise((resolve) => setTimeout(resolve));

/** Work that goes on until it is let go. */
function stage() {
  const turn = turns();
  const { promise: end, resolve: letGo } = Promise.withResolvers<void>();
  const begun: string[] = [];
  const ask = (identity: Identity | undefined, signal = CONTEXT.signal) =>
    turn({ identity, signal }, async () => {
      begun.push(identity?.subject ?? "nobody");
      await end;
    });
  const many = (count: number, identity?: Identity) =>
    Array.from({ length: count }, () => ask(identity));
  return { ask, many, begun, letGo };
}

Deno.test("one caller who asks very much does not keep others from Kafka", async () => {
  const { ask, many, begun, letGo } = stage();
  const alices = many(MOST_AT_ONCE + 5, ALICE);
  const others = [ask(BOB), ask({ ...ALICE, issuer: "https://other.example" }), ask(undefined)];
  await idle();
  deepEqual(begun, [...Array(MOST_AT_ONCE).fill("alice"), "bob", "alice", "nobody"]);
  letGo();
  await Promise.all([...alices, ...others]);
  equal(begun.length, MOST_AT_ONCE + 8);
});

Deno.test("other tokens and clients of one person are no more turns", async () => {
  const { ask, many, begun, letGo } = stage();
  const all = many(MOST_AT_ONCE, ALICE);
  all.push(ask({ ...ALICE, token: "another", clientId: "another" }));
  await idle();
  equal(begun.length, MOST_AT_ONCE);
  letGo();
  await Promise.all(all);
});

Deno.test("a caller with too much waiting is told so, until there is less", async () => {
  const { ask, many, begun, letGo } = stage();
  const all = many(MOST_AT_ONCE + MOST_WAITING, ALICE);
  await rejects(() => ask(ALICE), ToolError);
  const bob = ask(BOB);
  letGo();
  await Promise.all([...all, bob]);
  await ask(ALICE);
  equal(begun.length, MOST_AT_ONCE + MOST_WAITING + 2);
});

Deno.test("who leaves while waiting takes no turn, and what fails gives its own back", async () => {
  const { ask, many, begun, letGo } = stage();
  const leaving = new AbortController();
  const all = many(MOST_AT_ONCE, ALICE);
  const left = ask(ALICE, leaving.signal);
  leaving.abort(new Error("gone"));
  await rejects(() => left, { message: "gone" });
  letGo();
  await Promise.all(all);
  equal(begun.length, MOST_AT_ONCE);

  const turn = turns();
  for (let at = 0; at < 2 * MOST_AT_ONCE; at++) {
    await rejects(() => turn(CONTEXT, () => Promise.reject(new Error("failed"))));
  }
});

Deno.test("every tool, resource and prompt of the pack takes its turn", async () => {
  const cluster = newCluster();
  const { promise: end, resolve: letGo } = Promise.withResolvers<void>();
  let asked = 0;
  const pack = kafka({
    ...newKafka(cluster),
    clusterFor: async () => {
      asked++;
      await end;
      return cluster;
    },
    readOnly: false,
    ready: () => true,
    close: () => {},
  });
  const args: Record<string, Record<string, unknown>> = {
    produce_message: { topic: "t", value: "v", encoding: "text" },
    consume_messages: { topics: ["t"], from: "latest" },
    describe_topic: { topic_name: "t" },
    describe_consumer_group: { group_id: "g" },
    describe_configs: { resource_type: "broker", resource_name: "1" },
  };
  const ways = [
    ...pack.tools.map((one) => () => one.run(args[one.name] ?? {}, CONTEXT)),
    ...pack.resources!.map((one) => () => one.read({}, CONTEXT)),
    ...pack.prompts!.map((one) => () => one.write({}, CONTEXT)),
  ];
  const held = Array.from({ length: MOST_AT_ONCE }, () => pack.prompts![0]!.write({}, CONTEXT));
  const waiting = ways.map(async (ask) => await ask());
  const settled = Promise.allSettled([...held, ...waiting]);
  await idle();
  equal(asked, MOST_AT_ONCE);
  letGo();
  await settled;
  equal(asked, MOST_AT_ONCE + ways.length);
});
