/**
 * Redis goes away under two replicas and comes back: everybody hears that it is for now, and nothing
 * is lost.
 *
 * @module
 */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { PREFIX } from "../../lib/store/redis.ts";
import { REDIRECT } from "../../tests/proxy/flow.ts";
import { until } from "../keycloak/wait.ts";
import { setStage, type Stage } from "./replicas.ts";
import { ADA } from "./upstream.ts";

/** Within how many milliseconds a Redis that is back is used again. */
const NOTICED_MS = 6_000;

// It hands what it was told to the system before it answers, which outlives a killed process. To wait
// for the disk besides would be for a lost machine, and makes it late where the disk is busy.
const PERSISTENT = ["--appendonly", "yes", "--appendfsync", "no"];

for (
  const [what, lose, restore] of [
    ["does not answer", (s: Stage) => s.redis.freeze(), (s: Stage) => s.redis.thaw()],
    ["is gone", (s: Stage) => s.redis.stop(), (s: Stage) => s.redis.start()],
  ] as const
) {
  Deno.test(`replicas say so while Redis ${what}, and lose nothing`, async () => {
    await using stage = await setStage(PERSISTENT);
    const { a, b, balancer, upstream } = stage;
    const [seen, idle, dropped] = [
      await stage.connect(),
      await stage.connect(),
      await stage.connect(),
    ];
    for (const at of [a, b]) {
      deepEqual(await stage.call(seen.tokens.access_token, at), [200, ADA.email]);
    }
    const waiting = await stage.register();
    const code = await stage.code(waiting);
    const asked = upstream.answers.length;

    await lose(stage);
    for (const at of [a, b]) {
      deepEqual(await stage.call(idle.tokens.access_token, at), [503]);
      deepEqual(await stage.call(seen.tokens.access_token, at), [200, ADA.email]);
      equal(await textOf(stage.send("/readyz", {}, at)), "503 waiting for the store\n");
      equal(await textOf(stage.send("/healthz", {}, at)), "200 ok\n");
      for (
        const answer of [
          await stage.refresh(idle.client, idle.tokens.refresh_token, at),
          await stage.redeem(waiting, code, at),
          await stage.revoke(dropped.client, dropped.tokens.refresh_token, at),
        ]
      ) {
        deepEqual([answer.status, answer.body.error], [503, "temporarily_unavailable"]);
        ok(Number(answer.headers.get("retry-after")) > 0);
        equal(answer.headers.get("access-control-allow-origin"), "*");
        equal(answer.headers.get("cache-control"), "no-store");
      }
    }
    // Who wants in comes as far as back from the login, and the client hears that it was for now.
    const newcomer = await stage.register();
    const { url } = await stage.logIn(newcomer, stage.browser(newcomer));
    ok(url.startsWith(`${REDIRECT}?`), url);
    equal(new URL(url).searchParams.get("error"), "temporarily_unavailable");
    equal(new URL(url).searchParams.get("iss"), balancer.origin);
    equal(upstream.answers.slice(asked).filter(({ type }) => type === "refresh_token").length, 0);

    await restore(stage);
    for (const at of [a, b]) {
      await until(
        "the replica is ready",
        NOTICED_MS,
        async () => await textOf(stage.send("/readyz", {}, at)) === "200 ready\n",
      );
    }
    const { status, body } = await stage.redeem(waiting, code, a);
    equal(status, 200);
    deepEqual(await stage.call(body.access_token, b), [200, ADA.email]);
    for (const { client, tokens } of [seen, idle, dropped]) {
      for (const at of [a, b]) {
        deepEqual(await stage.call(tokens.access_token, at), [200, ADA.email]);
      }
      const { body } = await stage.refresh(client, tokens.refresh_token, b);
      const retry = await stage.refresh(client, tokens.refresh_token, a);
      deepEqual([retry.status, retry.body.refresh_token], [200, body.refresh_token]);
    }
    equal((await stage.redeem(newcomer, await stage.code(newcomer))).status, 200);
    for (const { stderr, until } of stage.replicas) {
      await until("stderr", /"event":"store lost"/);
      for (const { tokens } of [seen, idle, dropped]) {
        equal(stderr().includes(tokens.refresh_token), false);
      }
    }
  });
}

Deno.test("refresh() answers with what it did although Redis is lost before the turn is given back", async () => {
  await using stage = await setStage();
  const { client, tokens } = await stage.connect();
  await stage.admin.call("ACL", "SETUSER", "default", "-getdel");
  const { status, body } = await stage.refresh(client, tokens.refresh_token);
  equal(status, 200);
  await stage.admin.call("ACL", "SETUSER", "default", "+getdel");
  const turns = await stage.admin.keys(`${PREFIX}turn:*`);
  equal(turns.length, 1);
  ok(await stage.admin.ttl(turns[0]!) > 0);
  await stage.admin.del(turns);
  equal((await stage.refresh(client, body.refresh_token)).status, 200);
});

async function textOf(answer: Promise<Response>): Promise<string> {
  const response = await answer;
  return `${response.status} ${await response.text()}`;
}
