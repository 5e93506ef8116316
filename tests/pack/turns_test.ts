import { deepStrictEqual as deepEqual, rejects, strictEqual as equal } from "node:assert/strict";
import { z } from "zod";
import type { Identity } from "../../lib/identity.ts";
import { prompt, resource, tool, ToolError } from "../../lib/pack.ts";
import { inTurn, MOST_AT_ONCE, MOST_WAITING } from "../../lib/pack/turns.ts";
import { ALICE, CONTEXT } from "./kafka/cluster.ts";

const BOB: Identity = { ...ALICE, subject: "bob" };

const WORDS = { title: "Any", description: "Any" };

/** Settles when all that can go on has. */
const idle = () => new Promise((resolve) => setTimeout(resolve));

/** A pack whose work goes on until it is let go. */
function stage(end: Promise<void>) {
  const begun: string[] = [];
  const work = async ({ identity }: Pick<typeof CONTEXT, "identity">) => {
    begun.push(identity?.subject ?? "nobody");
    await end;
    return {};
  };
  const none = z.strictObject({});
  const pack = inTurn({
    name: "any",
    tools: [
      tool({
        ...WORDS,
        name: "a_tool",
        annotations: {},
        input: none,
        output: none,
        run: (_, context) => work(context),
      }),
    ],
    resources: [
      resource({
        ...WORDS,
        name: "a-resource",
        uri: "any://a",
        read: (_, context) => work(context),
      }),
    ],
    prompts: [
      prompt({
        ...WORDS,
        name: "a_prompt",
        input: none,
        write: (_, context) => work(context).then(() => ""),
      }),
    ],
    ready: () => true,
    close: () => {},
  });
  const contextOf = (identity: Identity | undefined, signal = CONTEXT.signal) => ({
    ...CONTEXT,
    identity,
    signal,
  });
  const ask = async (identity: Identity | undefined, signal?: AbortSignal) =>
    await pack.tools[0]!.run({}, contextOf(identity, signal));
  const many = (count: number, identity?: Identity) =>
    Array.from({ length: count }, () => ask(identity));
  return { pack, ask, many, begun };
}

function heldStage() {
  const { promise, resolve: letGo } = Promise.withResolvers<void>();
  return { ...stage(promise), letGo };
}

Deno.test("one caller who asks very much does not keep others from a pack", async () => {
  const { ask, many, begun, letGo } = heldStage();
  const alices = many(MOST_AT_ONCE + 5, ALICE);
  const others = [ask(BOB), ask({ ...ALICE, issuer: "https://other.example" }), ask(undefined)];
  await idle();
  deepEqual(begun, [...Array(MOST_AT_ONCE).fill("alice"), "bob", "alice", "nobody"]);
  letGo();
  await Promise.all([...alices, ...others]);
  equal(begun.length, MOST_AT_ONCE + 8);
});

Deno.test("other tokens and clients of one person are no more turns", async () => {
  const { ask, many, begun, letGo } = heldStage();
  const all = many(MOST_AT_ONCE, ALICE);
  all.push(ask({ ...ALICE, token: "another", clientId: "another" }));
  await idle();
  equal(begun.length, MOST_AT_ONCE);
  letGo();
  await Promise.all(all);
});

Deno.test("a caller with too much waiting is told so, until there is less", async () => {
  const { ask, many, begun, letGo } = heldStage();
  const all = many(MOST_AT_ONCE + MOST_WAITING, ALICE);
  await rejects(() => ask(ALICE), (error) => {
    equal(error instanceof ToolError && error.reason, "too many calls at once");
    equal(String(error), "Error: 116 of your any calls are under way. Wait for some of them");
    return true;
  });
  const bob = ask(BOB);
  letGo();
  await Promise.all([...all, bob]);
  await ask(ALICE);
  equal(begun.length, MOST_AT_ONCE + MOST_WAITING + 2);
});

Deno.test("who leaves while waiting takes no turn", async () => {
  const { ask, many, begun, letGo } = heldStage();
  const leaving = new AbortController();
  const all = many(MOST_AT_ONCE, ALICE);
  const left = ask(ALICE, leaving.signal);
  leaving.abort(new Error("gone"));
  await rejects(() => left, { message: "gone" });
  await rejects(() => ask(ALICE, leaving.signal), { message: "gone" });
  letGo();
  await Promise.all(all);
  equal(begun.length, MOST_AT_ONCE);
});

// Between being called and going on, a call could be cancelled, and began all the same.
Deno.test("who leaves just when their turn comes does not begin", async () => {
  const first = Promise.withResolvers<void>();
  const { ask, begun } = stage(first.promise);
  const leaving = new AbortController();
  const held = Array.from({ length: MOST_AT_ONCE }, () => ask(ALICE));
  const last = ask(ALICE, leaving.signal);
  await idle();
  first.resolve();
  await held[0];
  leaving.abort(new Error("gone"));
  await rejects(() => last, { message: "gone" });
  await Promise.all(held);
  equal(begun.length, MOST_AT_ONCE);
});

Deno.test("what fails gives its turn back", async () => {
  const { ask, begun } = stage(Promise.reject(new Error("failed")));
  for (let at = 0; at < 2 * MOST_AT_ONCE; at++) {
    await rejects(() => ask(ALICE), { message: "failed" });
  }
  equal(begun.length, 2 * MOST_AT_ONCE);
});

Deno.test("tools, resources and prompts of a pack take turns with each other", async () => {
  const { pack, many, begun, letGo } = heldStage();
  const held = many(MOST_AT_ONCE, ALICE);
  const waiting = [
    pack.tools[0]!.run({}, CONTEXT),
    pack.resources![0]!.read({}, CONTEXT),
    pack.prompts![0]!.write({}, CONTEXT),
  ];
  await idle();
  equal(CONTEXT.identity?.subject, ALICE.subject);
  equal(begun.length, MOST_AT_ONCE);
  letGo();
  await Promise.all([...held, ...waiting]);
  equal(begun.length, MOST_AT_ONCE + waiting.length);
});
