/**
 * Two replicas serve the same people without sticky sessions: logins, tokens, and what may happen
 * once only.
 *
 * @module
 */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { ASSERTION_TYPE } from "../../lib/proxy/assertion.ts";
import { keyOf, signWith } from "../../tests/idp.ts";
import { type Answered, REDIRECT, VERIFIER } from "../../tests/proxy/flow.ts";
import { atRandom } from "./balancer.ts";
import { neckAndNeck } from "./races.ts";
import { setStage } from "./replicas.ts";
import { ADA } from "./upstream.ts";

const stage = await setStage();
Deno.test.afterAll(async () => await stage[Symbol.asyncDispose]());
const { a, b, balancer, upstream, admin } = stage;

function outcomes(answers: readonly Answered[]): string[] {
  return answers.map(({ status, body }) => `${status} ${body.error ?? "ok"}`).sort();
}

function refreshes(): number {
  return upstream.answers.filter(({ type }) => type === "refresh_token").length;
}

Deno.test("replicas take turns at one login, down to its tokens (SPEC B3.2, B3.8)", async () => {
  stage.balance();
  const { client, tokens } = await stage.connect();
  deepEqual(balancer.sent, [
    "POST /oauth/register 0",
    "GET /oauth/authorize 1",
    "POST /oauth/consent 0",
    "GET /oauth/callback 1",
    "POST /oauth/token 0",
  ]);
  for (const at of [a, b]) deepEqual(await stage.call(tokens.access_token, at), [200, ADA.email]);

  const { status, body } = await stage.refresh(client, tokens.refresh_token, b);
  equal(status, 200);
  const retry = await stage.refresh(client, tokens.refresh_token, a);
  equal(retry.body.refresh_token, body.refresh_token);
  const fresh = [tokens, body, retry.body].map((one) => one.access_token);
  equal(new Set(fresh).size, 3);
  for (const token of fresh) {
    for (const at of [a, b]) deepEqual(await stage.call(token, at), [200, ADA.email]);
  }
  const next = await stage.refresh(client, body.refresh_token, a);
  equal(next.status, 200);
  equal((await stage.refresh(client, next.body.refresh_token, b)).status, 200);
});

Deno.test("replicas serve logins whose every request goes to any of them", async (t) => {
  const seed = Number(Deno.env.get("SEED") ?? crypto.getRandomValues(new Uint32Array(1))[0]);
  await t.step(`SEED=${seed}`, async () => {
    stage.balance(atRandom(seed));
    try {
      for (let logins = 0; logins < 10; logins++) {
        const { client, tokens } = await stage.connect();
        let current = tokens;
        for (let turn = 0; turn < 3; turn++) {
          const { status, body } = await stage.refresh(client, current.refresh_token);
          equal(status, 200);
          const retry = await stage.refresh(client, current.refresh_token);
          equal(retry.body.refresh_token, body.refresh_token);
          deepEqual(await stage.call(body.access_token), [200, ADA.email]);
          current = body;
        }
        equal((await stage.revoke(client, current.refresh_token)).status, 200);
        equal((await stage.refresh(client, current.refresh_token)).body.error, "invalid_grant");
      }
    } finally {
      stage.balance();
    }
  });
});

Deno.test("replicas publish the same keys", async () => {
  const [ours, theirs] = await Promise.all([a, b].map(async (at) => {
    const response = await stage.send("/.well-known/jwks.json", {}, at);
    return await response.json();
  }));
  equal(ours.keys.length, 1);
  deepEqual(ours, theirs);
});

Deno.test("callback() counts a login once for both replicas, and asks upstream about it once (SPEC B5.6)", async () => {
  const client = await stage.register();
  let isOver = false;
  const isWay = (url: string) => url.startsWith(`${balancer.origin}/oauth/callback?`);
  const isEnd = (url: string) => url.startsWith(`${REDIRECT}?`);
  const browser = stage.browser(client, (url) => isEnd(url) || (!isOver && isWay(url)));
  const { url: way } = await stage.logIn(client, browser);
  isOver = true;
  stage.balance();
  const { url } = await browser.open(way);
  const { status, body } = await stage.redeem(client, new URL(url).searchParams.get("code")!);
  equal(status, 200);
  const asked = upstream.answers.length;
  for (const at of [0, 1]) {
    stage.balance(() => at);
    const again = await browser.open(way);
    equal(again.status, 400);
    match(again.text, /This login was used already/);
  }
  stage.balance();
  equal(upstream.answers.length, asked);
  equal((await stage.refresh(client, body.refresh_token)).status, 200);
});

Deno.test("refresh() makes one successor of ten requests at two replicas, and asks upstream once (SPEC B3.2)", async () => {
  const { client, tokens } = await stage.connect();
  const before = refreshes();
  const answers = await neckAndNeck(
    admin,
    2,
    () =>
      Promise.all(
        Array.from({ length: 10 }, (_, nth) =>
          stage.refresh(client, tokens.refresh_token, nth % 2 ? a : b)),
      ),
  );
  deepEqual(outcomes(answers), Array(10).fill("200 ok"));
  const [successor, ...others] = new Set(answers.map(({ body }) => body.refresh_token));
  deepEqual(others, []);
  equal(refreshes() - before, 1);
  for (const at of [a, b]) {
    equal((await stage.refresh(client, successor, at)).status, 200);
    for (const { body } of answers) {
      deepEqual(await stage.call(body.access_token, at), [200, ADA.email]);
    }
  }
  equal(refreshes() - before, 2);
});

Deno.test("refresh() ends the grant at both replicas when an older token is used at one (SPEC B3.2)", async () => {
  const { client, tokens: oldest } = await stage.connect();
  const { body: old } = await stage.refresh(client, oldest.refresh_token, b);
  const { body: current } = await stage.refresh(client, old.refresh_token, a);
  const reuse = await stage.refresh(client, oldest.refresh_token, b);
  deepEqual([reuse.status, reuse.body.error], [400, "invalid_grant"]);
  for (const at of [a, b]) {
    for (const { refresh_token } of [current, old, oldest]) {
      equal((await stage.refresh(client, refresh_token, at)).body.error, "invalid_grant");
    }
    // No replica has seen them, so none remembers that they were good.
    for (const { access_token } of [current, old]) {
      deepEqual(await stage.call(access_token, at), [401]);
    }
  }
  await stage.replicas[1].until("stderr", /"event":"reuse detected"/);
});

Deno.test("revoke() at one replica ends the grant at the other, and upstream (SPEC B3.8)", async () => {
  const { client, tokens } = await stage.connect();
  const { body: next } = await stage.refresh(client, tokens.refresh_token, b);
  deepEqual(await stage.call(tokens.access_token, b), [200, ADA.email]);
  const before = upstream.revoked();
  equal((await stage.revoke(client, next.refresh_token, a)).status, 200);
  equal(upstream.revoked() - before, 1);
  for (const at of [a, b]) {
    deepEqual(await stage.call(next.access_token, at), [401]);
    equal((await stage.refresh(client, next.refresh_token, at)).body.error, "invalid_grant");
  }
});

Deno.test("redeem() lets a code through once at most, of two replicas at the same time, 50 times (SPEC B3.3)", async () => {
  for (let tries = 0; tries < 50; tries++) {
    const client = await stage.register();
    const code = await stage.code(client);
    const answers = await neckAndNeck(
      admin,
      2,
      () => Promise.all([a, b].map((at) => stage.redeem(client, code, at))),
    );
    const [won, lost] = answers.toSorted((one, other) => one.status - other.status);
    deepEqual([lost!.status, lost!.body.error], [400, "invalid_grant"]);
    // The loser ends the grant, be it before the winner has its tokens or after.
    if (won!.status === 200) {
      for (const at of [a, b]) deepEqual(await stage.call(won!.body.access_token, at), [401]);
      const { body } = await stage.refresh(client, won!.body.refresh_token);
      equal(body.error, "invalid_grant");
    } else equal(won!.body.error, "invalid_grant");
  }
});

Deno.test("redeem() lets a code through once, whichever replica it was used at (SPEC B3.3)", async () => {
  for (const [first, second] of [[a, b], [b, a]]) {
    const client = await stage.register();
    const code = await stage.code(client);
    const { status, body } = await stage.redeem(client, code, first);
    equal(status, 200);
    equal((await stage.redeem(client, code, second)).body.error, "invalid_grant");
    for (const at of [a, b]) deepEqual(await stage.call(body.access_token, at), [401]);
  }
});

Deno.test("assertions() counts an assertion once, for both replicas together", async () => {
  const key = await keyOf("replicas");
  const client = await stage.register({
    token_endpoint_auth_method: "private_key_jwt",
    jwks: { keys: [key.jwk] },
  });
  const assertion = async () => {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: client.id, sub: client.id, aud: balancer.origin, iat: now };
    return await signWith(key, { ...claims, exp: now + 60, jti: crypto.randomUUID() });
  };
  const redeem = async (code: string, text: string, at: string) =>
    await stage.post("/oauth/token", client, {
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: text,
      grant_type: "authorization_code",
      code,
      code_verifier: VERIFIER,
    }, at);
  const one = await assertion();
  equal((await redeem(await stage.code(client), one, a)).status, 200);
  for (const at of [b, a]) {
    deepEqual(outcomes([await redeem(await stage.code(client), one, at)]), ["401 invalid_client"]);
  }
  await stage.replicas[1].until("stderr", /"reason":"the assertion was used already"/);

  for (let tries = 0; tries < 10; tries++) {
    const text = await assertion();
    const codes = [await stage.code(client), await stage.code(client)] as const;
    const answers = await neckAndNeck(
      admin,
      2,
      () => Promise.all([redeem(codes[0], text, a), redeem(codes[1], text, b)]),
    );
    deepEqual(outcomes(answers), ["200 ok", "401 invalid_client"]);
  }
  ok(!stage.replicas[0].stderr().includes(one));
});
