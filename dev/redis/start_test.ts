/**
 * Replicas that come up together, before there is a Redis, and with nothing in it.
 *
 * @module
 */

import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { Redis } from "ioredis";
import { freePort, HTTP_ENV, launchOf } from "../../tests/e2e/program.ts";
import { until } from "../keycloak/wait.ts";
import { startBalancer } from "./balancer.ts";
import { neckAndNeck } from "./races.ts";
import { startRedis } from "./redis.ts";
import { clients } from "./replicas.ts";

Deno.test("replicas that find an empty Redis at the same moment agree on one signing key (SPEC B3.8)", async () => {
  await using redis = await startRedis();
  await using balancer = startBalancer();
  await redis.stop();
  const launch = (port: number) => {
    const settings = { OAUTH_MODE: "proxy", OAUTH_SERVER_URL: balancer.origin };
    const where = { STORE_URL: redis.url, MCP_HTTP_PORT: `${port}`, LOG_FORMAT: "json" };
    return launchOf({ env: { ...HTTP_ENV, ...settings, ...where } });
  };
  const ports = [freePort(), freePort()] as const;
  await using one = launch(ports[0]);
  await using other = launch(ports[1]);
  const stage = clients(
    balancer,
    [`http://localhost:${ports[0]}`, `http://localhost:${ports[1]}`],
    false,
  );
  const both = [stage.a, stage.b];
  for (const program of [one, other]) await program.until("stderr", /"event":"serving"/);
  for (const at of both) {
    const response = await stage.send("/readyz", {}, at);
    equal(response.status, 503);
    await response.body?.cancel();
  }
  await redis.start();
  for (const program of [one, other]) await program.until("stderr", /"event":"store connected"/);

  using stack = new DisposableStack();
  const admin = stack.adopt(new Redis(redis.url), (client) => client.disconnect());
  // A replica that failed takes a second until it tries again.
  const keysOf = (at: string) =>
    until("there are keys", 5_000, async () => {
      const response = await stage.send("/.well-known/jwks.json", {}, at);
      const text = await response.text();
      return response.ok && JSON.parse(text).keys;
    });
  const [ours, theirs] = await neckAndNeck(admin, 2, () => Promise.all(both.map(keysOf)));
  equal(ours.length, 1);
  deepEqual(ours, theirs);

  for (const at of both) {
    const client = await stage.register();
    const { body } = await stage.redeem(client, await stage.code(client), at);
    for (const there of both) {
      deepEqual(await stage.call(body.access_token, there), [200, "alice@example.com"]);
    }
  }
});
