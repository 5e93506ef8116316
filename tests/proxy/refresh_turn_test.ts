import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import type { Client } from "../../lib/proxy/client.ts";
import { readParameters } from "../../lib/proxy/form.ts";
import { type Grant, grants, refreshTokenOf } from "../../lib/proxy/grants.ts";
import { records } from "../../lib/proxy/records.ts";
import { refresh } from "../../lib/proxy/refresh.ts";
import { TURN_SECONDS } from "../../lib/proxy/renewal.ts";
import type { Renewal, Upstream } from "../../lib/proxy/upstream.ts";
import { seals } from "../../lib/seal.ts";
import { memory } from "../../lib/store/memory.ts";
import { tracer } from "../../lib/trace.ts";
import { fakePorts, ORIGIN, RESOURCE, SECRET } from "../fakes.ts";
import { REDIRECT } from "./flow.ts";

const CLIENT: Client = {
  id: "app",
  name: "App",
  redirectUris: [REDIRECT],
  authMethod: "none",
  origin: "configured",
};

/** One grant, its first refresh token, and a refresh of it whose waiting a test decides over. */
async function waiting() {
  const ports = fakePorts();
  const store = memory(ports);
  const seal = seals([new TextEncoder().encode(SECRET)], ORIGIN);
  const rows = <T>(kind: string) => records<T>(store, seal(`row ${kind}`), kind, ports.now);
  const [family, turns] = [grants(rows<Grant>("grant"), ports), rows<true>("turn")];
  const id = await family.create({
    clientId: CLIENT.id,
    clientName: CLIENT.name,
    scopes: [],
    resource: RESOURCE,
    person: { subject: "dora-1", username: "dora", roles: [] },
    upstream: { accessToken: "access", refreshToken: "refresh" },
  }, 300);
  const grant = async () => (await family.get(id))?.value;
  const first = refreshTokenOf(id, (await grant())!, 0);
  const test = {
    ports,
    family,
    turns,
    id,
    grant,
    sleeps: [] as number[],
    /** What happens elsewhere while the refresh waits. */
    meanwhile: (): void | Promise<void> => {},
    renewals: 0,
    beforeReplace: (): void | Promise<void> => {},
    /** What another replica does that refreshes the grant. */
    moveOn: async () => {
      const kept = await family.get(id);
      const next = { ...kept!.value, generation: 1, rotatedAt: ports.now() };
      await family.replace(id, kept!, next);
    },
    renew: (): Renewal | Promise<Renewal> => ({
      ok: true,
      tokens: { accessToken: "next access", refreshToken: "next refresh" },
    }),
    refresh: async () => {
      const read = readParameters(new URLSearchParams({ refresh_token: first }));
      ok(read.ok);
      return await judge(read.parameters, CLIENT, tracer(ports)());
    },
  };
  const upstream: Pick<Upstream, "renew"> = {
    renew: async () => {
      test.renewals++;
      return await test.renew();
    },
  };
  const judge = refresh({
    grants: {
      ...family,
      replace: async (...changes) => {
        await test.beforeReplace();
        return await family.replace(...changes);
      },
    },
    turns,
    upstream: upstream as Upstream,
    mayCall: () => true,
    grantable: (_roles, scopes) => scopes,
    sleep: async (ms) => {
      test.sleeps.push(ms);
      await test.meanwhile();
    },
  }, ports);
  return test;
}

Deno.test("refresh() gives up after ten seconds of waiting for another, and changes nothing (SPEC B3.2)", async () => {
  const test = await waiting();
  await test.turns.add(test.id, true, TURN_SECONDS);
  const before = await test.grant();
  const granted = await test.refresh();
  ok(!granted.ok);
  equal(granted.error, "temporarily_unavailable");
  equal(test.sleeps.reduce((sum, ms) => sum + ms), 10_000);
  equal(test.renewals, 0);
  deepEqual(await test.grant(), before);
  equal(await test.turns.get(test.id) !== undefined, true);
});

Deno.test("refresh() gives what another made while it waited (SPEC B3.2)", async () => {
  const test = await waiting();
  await test.turns.add(test.id, true, TURN_SECONDS);
  test.meanwhile = test.moveOn;
  const granted = await test.refresh();
  ok(granted.ok);
  equal(granted.grant.generation, 1);
  equal(test.sleeps.length, 1);
  equal(test.renewals, 0);
});

Deno.test("refresh() takes the turn of a replica that died, once it is over (SPEC B3.2)", async () => {
  const test = await waiting();
  await test.turns.add(test.id, true, TURN_SECONDS);
  test.meanwhile = () => test.ports.advance(1);
  ok((await test.refresh()).ok);
  equal(test.sleeps.length, TURN_SECONDS);
  equal(test.renewals, 1);
  equal(await test.turns.get(test.id), undefined);
});

Deno.test("refresh() brings no grant back that ended while the provider was asked (SPEC B3.2, B3.7)", async () => {
  const test = await waiting();
  const { renew } = test;
  test.renew = async () => {
    await test.family.end(test.id);
    return renew();
  };
  const granted = await test.refresh();
  ok(!granted.ok);
  equal(granted.error, "invalid_grant");
  equal(await test.grant(), undefined);
});

Deno.test("refresh() brings no grant back that ended in the last moment (SPEC B3.2, B3.7)", async () => {
  const test = await waiting();
  test.beforeReplace = async () => void await test.family.end(test.id);
  const granted = await test.refresh();
  ok(!granted.ok);
  equal(granted.error, "invalid_grant");
  equal(await test.grant(), undefined);
});

Deno.test("refresh() ends nothing for what the provider says of tokens that another replaced (SPEC B3.2, B3.7)", async () => {
  const test = await waiting();
  test.renew = async () => {
    await test.moveOn();
    return { ok: false, reason: "invalid_grant" };
  };
  const granted = await test.refresh();
  ok(granted.ok);
  equal(granted.grant.generation, 1);
  equal((await test.grant())?.generation, 1);
});

Deno.test("refresh() hands its turn on, whatever came of it (SPEC B3.7)", async () => {
  const test = await waiting();
  const { renew } = test;
  test.renew = () => Promise.reject(new Error("Cannot fetch it"));
  const granted = await test.refresh();
  ok(!granted.ok);
  equal(granted.error, "temporarily_unavailable");
  test.renew = renew;
  ok((await test.refresh()).ok);
  equal(test.sleeps.length, 0);
});
