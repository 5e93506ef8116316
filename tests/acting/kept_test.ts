import { deepStrictEqual as deepEqual, rejects, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { type Got, kept, KEPT_CREDENTIALS, MARGIN_SECONDS } from "../../lib/acting/kept.ts";
import { stored } from "../../lib/acting/stored.ts";
import type { Identity } from "../../lib/identity.ts";
import { ToolError } from "../../lib/pack.ts";
import { fakePorts, NOW } from "../fakes.ts";
import { person } from "./people.ts";

const LIFETIME = 300;

/** Keeps credentials that say whose they are and the how manieth. */
function keeper() {
  const ports = fakePorts();
  const got: string[] = [];
  const state = {
    get: ({ subject }: Identity): Promise<Got> => {
      got.push(subject);
      return Promise.resolve({
        token: `${subject}-${got.length}`,
        expiresAt: ports.now() + LIFETIME,
      });
    },
  };
  const acting = kept((identity) => state.get(identity), ports.now);
  const tokenOf = async (caller: Identity) => (await acting.credentialFor(caller)).token;
  return { acting, tokenOf, ports, got, state };
}

const [ALICE, BOB] = [person("alice"), person("bob")];

Deno.test("kept() gets a credential once, and again shortly before it ends", async () => {
  const { tokenOf, ports } = keeper();
  equal(await tokenOf(ALICE), "alice-1");
  ports.advance(LIFETIME - MARGIN_SECONDS - 1);
  equal(await tokenOf(ALICE), "alice-1");
  ports.advance(1);
  equal(await tokenOf(ALICE), "alice-2");
});

Deno.test("kept() keeps a credential for the caller's token, not for their name", async () => {
  const { tokenOf } = keeper();
  equal(await tokenOf(ALICE), "alice-1");
  equal(await tokenOf({ ...ALICE, token: "another" }), "alice-2");
  equal(await tokenOf(BOB), "bob-3");
  equal(await tokenOf(ALICE), "alice-1");
});

Deno.test("kept() says that a credential is the caller's, and has none for nobody", async () => {
  const { acting, got } = keeper();
  equal((await acting.credentialFor(ALICE)).of, "caller");
  got.length = 0;
  await rejects(acting.credentialFor(undefined), ToolError);
  deepEqual(got, []);
  equal(acting.forget(undefined, { token: "x", of: "caller" }), false);
});

Deno.test("kept() gets one at a time for each token, and for several tokens at once", async () => {
  const { tokenOf, got, state } = keeper();
  const gates = new Map<string, PromiseWithResolvers<Got>>();
  state.get = ({ subject }) => {
    got.push(subject);
    const gate = Promise.withResolvers<Got>();
    gates.set(subject, gate);
    return gate.promise;
  };
  const all = Promise.all([tokenOf(ALICE), tokenOf(BOB), tokenOf(ALICE), tokenOf(BOB)]);
  deepEqual(got, ["alice", "bob"]);
  for (const [subject, { resolve }] of gates) {
    resolve({ token: `of-${subject}`, expiresAt: NOW + LIFETIME });
  }
  deepEqual(await all, ["of-alice", "of-bob", "of-alice", "of-bob"]);
});

Deno.test("kept() keeps no failure, and tells it to all who waited for it", async () => {
  const { tokenOf, state } = keeper();
  const { get } = state;
  const down = new Error("Cannot fetch");
  state.get = () => Promise.reject(down);
  const waiting = [tokenOf(ALICE), tokenOf(ALICE)];
  for (const one of waiting) await rejects(one, down);
  state.get = get;
  equal(await tokenOf(ALICE), "alice-1");
});

Deno.test("kept() uses what ends too soon to be kept, and gets another next time", async () => {
  const { tokenOf, state } = keeper();
  let count = 0;
  state.get = () => Promise.resolve({ token: `${++count}`, expiresAt: NOW + MARGIN_SECONDS });
  deepEqual([await tokenOf(ALICE), await tokenOf(ALICE)], ["1", "2"]);
});

Deno.test("kept() forgets what was refused, for that token alone", async () => {
  const { acting, tokenOf } = keeper();
  const refused = await acting.credentialFor(ALICE);
  await tokenOf(BOB);
  equal(acting.forget(ALICE, refused), true);
  deepEqual([await tokenOf(ALICE), await tokenOf(BOB)], ["alice-3", "bob-2"]);
});

Deno.test("kept() does not forget a fresh credential for one that another call was refused with", async () => {
  const { acting, tokenOf } = keeper();
  const refused = await acting.credentialFor(ALICE);
  acting.forget(ALICE, refused);
  equal(await tokenOf(ALICE), "alice-2");
  equal(acting.forget(ALICE, refused), true, "a fresh one may be had");
  equal(await tokenOf(ALICE), "alice-2");
});

Deno.test("kept() keeps no more than the bound, those used last", async () => {
  const { tokenOf, got } = keeper();
  for (let at = 0; at < KEPT_CREDENTIALS; at++) await tokenOf(person(`user-${at}`));
  await tokenOf(person("user-0"));
  await tokenOf(person("one-more"));
  got.length = 0;
  await tokenOf(person("user-0"));
  deepEqual(got, []);
  await tokenOf(person("user-1"));
  deepEqual(got, ["user-1"]);
});

Deno.test("kept() never hands one caller's credential to another, whatever happens in whatever order", async () => {
  const step = fc.record({
    who: fc.constantFrom("alice", "bob", "carol"),
    does: fc.constantFrom("ask", "ask", "forget", "wait", "fail"),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40 }),
      fc.scheduler(),
      async (steps, scheduler) => {
        const { acting, ports, state } = keeper();
        let fails = false;
        state.get = (identity) => {
          if (fails) return scheduler.schedule(Promise.reject(new Error("Cannot fetch")));
          return scheduler.schedule(
            Promise.resolve({ token: `of-${identity.subject}`, expiresAt: ports.now() + LIFETIME }),
          );
        };
        const asked: Promise<unknown>[] = [];
        for (const { who, does } of steps) {
          const caller = person(who);
          fails = does === "fail";
          if (does === "forget") acting.forget(caller, { token: `of-${who}`, of: "caller" });
          else if (does === "wait") ports.advance(LIFETIME / 2);
          else {
            const credential = acting.credentialFor(caller).then(
              (got) => deepEqual(got, { token: `of-${who}`, of: "caller" }),
              (error) => equal(error.message, "Cannot fetch"),
            );
            asked.push(credential);
          }
        }
        await scheduler.waitFor(Promise.all(asked));
      },
    ),
  );
});

Deno.test("stored() acts with the token that is held, and asks for a login when none is", async () => {
  const held = new Map([["alice", { token: "upstream", expiresAt: NOW + 60 }]]);
  const acting = stored(({ subject }) => Promise.resolve(held.get(subject)), () => NOW);
  deepEqual(await acting.credentialFor(ALICE), { token: "upstream", of: "caller" });
  await rejects(acting.credentialFor(BOB), (error) => {
    equal(
      (error as ToolError).message,
      "Your login at the identity provider has ended. Log in again",
    );
    return error instanceof ToolError;
  });
});
