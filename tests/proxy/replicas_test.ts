import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { REMEMBER_SECONDS } from "../../lib/proxy/access.ts";
import { RETRY_SECONDS } from "../../lib/proxy/refresh.ts";
import { type Browser, newBrowser } from "../browser.ts";
import { ORIGIN, SECRET } from "../fakes.ts";
import type { Gate, TestClient } from "./flow.ts";
import { audited, newStore, openGate, outcome, type SharedStore, whoami } from "./grants_helper.ts";
import { newUpstream, type Upstream } from "./upstreams.ts";

/** Two programs over one store, with one clock. */
async function replicas(store: SharedStore, idp?: Upstream): Promise<readonly [Gate, Gate]> {
  const one = await store.open({}, idp && { idp });
  return [one, await store.open({}, { ports: one.ports, ...(idp && { idp }) })];
}

/** A browser that a load balancer sends to both in turn. */
function balanced(gates: readonly Gate[]): Browser {
  let count = 0;
  return newBrowser(
    (request) => gates[count++ % gates.length]!.app.fetch(withHost(request), "127.0.0.1"),
    (url) => !url.startsWith(`${ORIGIN}/`),
  );
}

function withHost(request: Request): Request {
  const headers = new Headers(request.headers);
  headers.set("host", "localhost:8080");
  return new Request(request, { headers });
}

const atBoth = <T>(gates: readonly Gate[], act: (gate: Gate) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: 10 }, (_, index) => act(gates[index % 2]!)));

const refused = async (gate: Gate, client: TestClient, token: string) =>
  outcome(await gate.refresh(client, token)) === "400 invalid_grant";

Deno.test("every step can be taken at another replica (SPEC B3.2, B3.3)", async () => {
  await using store = await newStore();
  const [one, other] = await replicas(store);
  const client = await one.register();
  const browser = balanced([one, other]);
  const code = await other.code(client, {}, { browser });
  const { body: tokens } = await one.redeem(client, code);
  equal((await whoami(other, tokens.access_token)).body.username, "alice@example.com");
  const first = await other.refresh(client, tokens.refresh_token);
  const second = await one.refresh(client, first.body.refresh_token);
  for (const gate of [one, other]) {
    equal((await whoami(gate, second.body.access_token)).status, 200);
  }
});

Deno.test("replicas publish the same keys, whoever made them (SPEC B3.8)", async () => {
  await using store = await newStore();
  const gates = await replicas(store);
  const [one, other] = await Promise.all(
    gates.map(async (gate) => (await gate.send("/.well-known/jwks.json")).json()),
  );
  equal(one.keys.length, 1);
  deepEqual(one, other);
});

Deno.test("a code is redeemed once at most by ten at two replicas (SPEC B3.3)", async () => {
  await using store = await newStore();
  const gates = await replicas(store);
  const [one] = gates;
  const client = await one.register();
  const code = await one.code(client);
  const all = await atBoth(gates, (gate) => gate.redeem(client, code));
  const won = all.filter(({ status }) => status === 200);
  ok(won.length <= 1);
  for (const { body } of won) ok(await refused(one, client, body.refresh_token));
});

Deno.test("ten refreshes at two replicas leave one grant, and ask the provider once (SPEC B3.2, B3.7)", async () => {
  await using store = await newStore();
  const idp = await newUpstream();
  const gates = await replicas(store, idp);
  const [one, other] = gates;
  const { client, tokens } = await one.connect();
  const all = await atBoth(gates, (gate) => gate.refresh(client, tokens.refresh_token));
  deepEqual(all.map(outcome), Array(10).fill("200"));
  const successors = new Set(all.map(({ body }) => body.refresh_token));
  equal(successors.size, 1);
  equal(idp.renewals.length, 1);
  equal(audited(one, "refreshed").length, 1);
  one.ports.advance(RETRY_SECONDS + 1);
  equal(outcome(await other.refresh(client, [...successors][0])), "200");
  deepEqual(idp.renewals.map((form) => form.get("refresh_token")), [
    "upstream refresh",
    "upstream refresh 1",
  ]);
});

Deno.test("a retry at another replica gets the same successor (SPEC B3.2)", async () => {
  await using store = await newStore();
  const [one, other] = await replicas(store);
  const { client, tokens } = await one.connect();
  const first = await one.refresh(client, tokens.refresh_token);
  one.ports.advance(RETRY_SECONDS);
  const again = await other.refresh(client, tokens.refresh_token);
  equal(again.body.refresh_token, first.body.refresh_token);
});

Deno.test("reuse at one replica ends the grant at all within 30 seconds (SPEC B3.2)", async () => {
  await using store = await newStore();
  const [one, other] = await replicas(store);
  const { client, tokens } = await one.connect();
  const { body } = await one.refresh(client, tokens.refresh_token);
  one.ports.advance(RETRY_SECONDS + 1);
  for (const gate of [one, other]) {
    equal((await whoami(gate, body.access_token)).status, 200);
  }
  ok(await refused(other, client, tokens.refresh_token));
  ok(await refused(one, client, body.refresh_token));
  one.ports.advance(REMEMBER_SECONDS);
  for (const gate of [one, other]) {
    equal((await whoami(gate, body.access_token)).status, 401);
  }
});

Deno.test("what one replica revokes is revoked at all within 30 seconds (SPEC B3.8)", async () => {
  await using store = await newStore();
  const [one, other] = await replicas(store);
  const { client, tokens } = await one.connect();
  equal((await whoami(one, tokens.access_token)).status, 200);
  await other.post("/oauth/revoke", client, { token: tokens.access_token });
  ok(await refused(one, client, tokens.refresh_token));
  one.ports.advance(REMEMBER_SECONDS);
  equal((await whoami(one, tokens.access_token)).status, 401);
});

Deno.test("grants outlive a restart in a store that does (SPEC B3.2)", async () => {
  await using store = await newStore();
  const before = await store.open();
  const { client, tokens } = await before.connect();
  await before.app.close();
  const after = await store.open({}, { ports: before.ports });
  equal((await whoami(after, tokens.access_token)).status, 200);
  equal(outcome(await after.refresh(client, tokens.refresh_token)), "200");
});

Deno.test("grants end with the memory they are in, and clients need not register again (SPEC B4.4)", async () => {
  const before = await openGate();
  const { client, tokens } = await before.connect();
  const after = await openGate({}, { ports: before.ports });
  equal((await whoami(after, tokens.access_token)).status, 401);
  ok(await refused(after, client, tokens.refresh_token));
  await after.connect(client);
});

Deno.test("a new secret ends what the old one sealed, unless it is named (SPEC B3.8)", async () => {
  await using store = await newStore();
  const before = await store.open();
  const { client, tokens } = await before.connect();
  const next = "Zq8WmT3xVb7RkJ5nHy2LpD9sFc4GaE6u";
  const { ports } = before;
  const both = await store.open({ JWT_SECRET: next, JWT_SECRET_PREVIOUS: SECRET }, { ports });
  const refreshed = await both.refresh(client, tokens.refresh_token);
  equal(outcome(refreshed), "200");
  equal((await whoami(both, refreshed.body.access_token)).status, 200);
  const without = await store.open({ JWT_SECRET: "hJ3bQ9vK5xLr7NwP2mTz8YcD4sGf6AeU" }, { ports });
  equal(outcome(await without.refresh(client, refreshed.body.refresh_token)), "401 invalid_client");
});
