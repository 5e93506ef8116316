/**
 * A replica dies in the middle of something, and the other one goes on with it.
 *
 * @module
 */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { TURN_SECONDS } from "../../lib/proxy/renewal.ts";
import { PREFIX } from "../../lib/store/redis.ts";
import { type Answered, REDIRECT } from "../../tests/proxy/flow.ts";
import { type Connected, setStage, type Stage } from "./replicas.ts";
import { ADA } from "./upstream.ts";

async function kill({ replicas: [a] }: Stage): Promise<void> {
  a.kill("SIGKILL");
  await a.ended;
}

Deno.test("a login is finished at one replica when the other was killed between consent and callback", async () => {
  await using stage = await setStage();
  const { balancer } = stage;
  const client = await stage.register();
  const isWay = (url: string) => url.startsWith(`${balancer.origin}/oauth/callback?`);
  const isEnd = (url: string) => url.startsWith(`${REDIRECT}?`);
  let dead = false;
  const browser = stage.browser(client, (url) => isEnd(url) || (!dead && isWay(url)));
  stage.balance(() => 0);
  const way = await stage.logIn(client, browser);
  deepEqual(balancer.sent, ["GET /oauth/authorize 0", "POST /oauth/consent 0"]);

  await kill(stage);
  dead = true;
  const end = await browser.open(way.url);
  const answer = new URL(end.url).searchParams;
  deepEqual([answer.get("state"), answer.get("iss")], ["client state", balancer.origin]);
  const { status, body } = await stage.redeem(client, answer.get("code")!);
  equal(status, 200);
  deepEqual(await stage.call(body.access_token), [200, ADA.email]);
  deepEqual(balancer.sent.slice(2), [
    "GET /oauth/callback 1",
    "POST /oauth/token 1",
    "POST /mcp 1",
  ]);
});

Deno.test("a refresh is made up for at one replica when the other was killed over it, unless upstream had done its part", async () => {
  await using stage = await setStage();
  const { upstream, b } = stage;
  const [asked, answered] = [await stage.connect(), await stage.connect()];
  const lost = ({ client, tokens }: Connected) =>
    stage.refresh(client, tokens.refresh_token, stage.a).then(() => "answered", () => "lost");

  const late = upstream.hold("answers");
  const second = lost(answered);
  await late.reached(1);
  const never = upstream.hold("requests");
  const first = lost(asked);
  await never.reached(1);
  await kill(stage);
  deepEqual(await Promise.all([first, second]), ["lost", "lost"]);
  never.drop();
  late.drop();

  const turns = await stage.admin.keys(`${PREFIX}turn:*`);
  equal(turns.length, 2);
  for (const turn of turns) {
    const left = await stage.admin.ttl(turn);
    ok(left > 0 && left <= TURN_SECONDS, `${turn} lives ${left} s`);
    // As if all but this had passed. It is longer than anybody waits for another's turn.
    await stage.admin.expire(turn, 13);
  }
  const [made, ended] = await Promise.all([insist(stage, asked), insist(stage, answered)]);
  equal(made.status, 200);
  deepEqual(await stage.call(made.body.access_token, b), [200, ADA.email]);
  const { client, tokens } = asked;
  const retry = await stage.refresh(client, tokens.refresh_token, b);
  equal(retry.body.refresh_token, made.body.refresh_token);
  equal((await stage.refresh(client, made.body.refresh_token, b)).status, 200);

  // The successor of upstream's token died with the replica, and upstream takes our second use of
  // the one before it for a theft. The person has to log in again.
  deepEqual([ended.status, ended.body.error], [400, "invalid_grant"]);
  await stage.replicas[1].until("stderr", /"event":"ended".*"reason":"upstream: invalid_grant"/);
  deepEqual(await stage.call(answered.tokens.access_token, b), [401]);
});

/** Refreshes until the answer is more than "later", as clients are told to. */
async function insist({ refresh, b }: Stage, { client, tokens }: Connected): Promise<Answered> {
  for (let laters = 0;; laters++) {
    const answer = await refresh(client, tokens.refresh_token, b);
    if (answer.status !== 503) {
      ok(laters > 0, "Somebody took the turn of the dead");
      return answer;
    }
    equal(answer.body.error, "temporarily_unavailable");
    ok(Number(answer.headers.get("retry-after")) > 0);
  }
}
