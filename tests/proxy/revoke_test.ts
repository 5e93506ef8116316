import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { REMEMBER_SECONDS } from "../../lib/proxy/access.ts";
import { bearerHeader, sign } from "../fakes.ts";
import type { Changes, Gate, TestClient } from "./flow.ts";
import { audited, later, openGate, outcome, postForm, whoami } from "./grants_helper.ts";
import { newUpstream, type Upstream } from "./upstreams.ts";

type Kind = "refresh_token" | "access_token";
const KINDS: readonly Kind[] = ["refresh_token", "access_token"];

async function connected(metadata: Record<string, unknown> = {}, idp?: Upstream) {
  const gate = await openGate({}, idp && { idp });
  const { client, tokens } = await gate.connect(await gate.register(metadata));
  return { gate, client, tokens };
}

const revoke = (gate: Gate, client: TestClient, form: Changes) =>
  gate.post("/oauth/revoke", client, form);

/** Whether a grant gives tokens, and whether those it gave are accepted once gates forgot them. */
async function isAlive(gate: Gate, client: TestClient, tokens: Record<Kind, string>) {
  gate.ports.advance(REMEMBER_SECONDS);
  const { status } = await whoami(gate, tokens.access_token);
  const refreshed = await gate.refresh(client, tokens.refresh_token);
  equal(status === 200, refreshed.status === 200);
  return status === 200;
}

const HINTS = [undefined, "access_token", "refresh_token", "id_token"];

for (const kind of KINDS) {
  for (const hint of HINTS) {
    Deno.test(`revoke() ends the grant by its ${kind} under the hint ${hint} (SPEC B3.8)`, async () => {
      const { gate, client, tokens } = await connected();
      equal((await whoami(gate, tokens.access_token)).status, 200);
      const form = { token: tokens[kind], token_type_hint: hint };
      const { status, headers, body } = await revoke(gate, client, form);
      deepEqual([status, body], [200, undefined]);
      equal(headers.get("cache-control"), "no-store");
      equal(await isAlive(gate, client, tokens), false);
      const [line] = audited(gate, "revoked");
      deepEqual(
        [line?.step, line?.client, line?.user],
        ["revocation", "Test client", "alice@example.com"],
      );
    });
  }
}

for (const kind of KINDS) {
  for (const method of ["none", "client_secret_basic", "client_secret_post"]) {
    Deno.test(`revoke() ends nothing by the ${kind} of another client, asked by one registered for ${method} (Cloudflare 0.8.0) (SPEC B3.8)`, async () => {
      const { gate, client, tokens } = await connected();
      const stranger = await gate.register({ token_endpoint_auth_method: method });
      const { status, body } = await revoke(gate, stranger, { token: tokens[kind] });
      deepEqual([status, body], [200, undefined]);
      const [line] = audited(gate, "refused");
      deepEqual([line?.step, line?.reason], ["revocation", "another client's token"]);
      deepEqual(audited(gate, "revoked"), []);
      equal(await isAlive(gate, client, tokens), true);
    });
  }
}

Deno.test("revoke() ends the grant by a refresh token that was followed by others (SPEC B3.8)", async () => {
  const { gate, client, tokens } = await connected();
  const first = await gate.refresh(client, tokens.refresh_token);
  const second = await gate.refresh(client, first.body.refresh_token);
  equal((await revoke(gate, client, { token: tokens.refresh_token })).status, 200);
  equal(await isAlive(gate, client, second.body), false);
});

Deno.test("revoke() ends one grant of several (SPEC B3.8)", async () => {
  const { gate, client, tokens } = await connected();
  const { tokens: others } = await gate.connect(client);
  await revoke(gate, client, { token: tokens.refresh_token });
  equal(await isAlive(gate, client, others), true);
});

Deno.test("revoke() ends nothing by what is no token of this server (SPEC B3.8)", async () => {
  const { gate, client, tokens } = await connected();
  const { refresh_token: refresh, access_token: access } = tokens;
  const digest = refresh.at(-5) === "A" ? "B" : "A";
  const unknown = [
    "nonsense",
    " ",
    "x".repeat(20_000),
    refresh.slice(12),
    refresh.slice(0, -5) + digest + refresh.slice(-4),
    access.split(".").slice(0, 2).join("."),
    `${access.slice(0, -6)}AAAAAA`,
    await gate.code(client),
    await sign({ grant_id: "0".repeat(32) }),
  ];
  for (const token of unknown) {
    const { status, body } = await revoke(gate, client, { token });
    deepEqual([status, body], [200, undefined]);
    equal(audited(gate, "refused").at(-1)?.reason, "unknown token");
  }
  deepEqual(audited(gate, "revoked"), []);
  equal(await isAlive(gate, client, tokens), true);
});

Deno.test("revoke() ends nothing by an access token that has expired (SPEC B3.8)", async () => {
  const { gate, client, tokens } = await connected();
  await later(gate, 3600);
  equal((await revoke(gate, client, { token: tokens.access_token })).status, 200);
  equal((await gate.refresh(client, tokens.refresh_token)).status, 200);
});

Deno.test("revoke() tells the second of two the same (SPEC B3.8)", async () => {
  const { gate, client, tokens } = await connected();
  for (let count = 0; count < 2; count++) {
    equal((await revoke(gate, client, { token: tokens.refresh_token })).status, 200);
  }
  equal(audited(gate, "revoked").length, 1);
});

Deno.test("revoke() refuses who does not prove to be a client (SPEC B3.8)", async () => {
  const { gate, client, tokens } = await connected({
    token_endpoint_auth_method: "client_secret_post",
  });
  const { id } = client;
  const token = tokens.refresh_token;
  const refused: readonly (readonly [Changes, string])[] = [
    [{ token }, "400 invalid_request"],
    [{ token, client_id: id }, "401 invalid_client"],
    [{ token, client_id: id, client_secret: "wrong" }, "401 invalid_client"],
    [{ token, client_id: "unknown" }, "401 invalid_client"],
    [{ client_id: id, client_secret: client.secret }, "400 invalid_request"],
    [{ token: [token, token], client_id: id, client_secret: client.secret }, "400 invalid_request"],
  ];
  for (const [form, expected] of refused) {
    equal(outcome(await postForm(gate, "/oauth/revoke", form)), expected);
  }
  const byToken = await postForm(
    gate,
    "/oauth/revoke",
    { token },
    bearerHeader(tokens.access_token),
  );
  equal(outcome(byToken), "401 invalid_client");
  const json = await postForm(gate, "/oauth/revoke", JSON.stringify({ token }), {
    "content-type": "application/json",
  });
  equal(outcome(json), "400 invalid_request");
  equal(await isAlive(gate, client, tokens), true);
});

Deno.test("revoke() tells the provider with its refresh token, once (SPEC B3.7)", async () => {
  const idp = await newUpstream();
  const { gate, client, tokens } = await connected({}, idp);
  const { body } = await gate.refresh(client, tokens.refresh_token);
  const form = { token: body.access_token };
  await Promise.all(Array.from({ length: 10 }, () => revoke(gate, client, form)));
  deepEqual(idp.revocations.map((one) => Object.fromEntries(one)), [
    { token: "upstream refresh 1", client_id: "gatehouse" },
  ]);
  equal(audited(gate, "revoked").length, 1);
});

Deno.test("revoke() tells the provider with its access token where that is all there is (SPEC B3.7)", async () => {
  const idp = await newUpstream();
  idp.tokens = { refresh_token: undefined };
  const { gate, client, tokens } = await connected({}, idp);
  await revoke(gate, client, { token: tokens.refresh_token });
  deepEqual(idp.revocations.map((one) => one.get("token")), ["upstream access"]);
});

Deno.test("revoke() tells the provider nothing about another client's token (SPEC B3.7)", async () => {
  const idp = await newUpstream();
  const { gate, tokens } = await connected({}, idp);
  await revoke(gate, await gate.register(), { token: tokens.refresh_token });
  equal(idp.revocations.length, 0);
});

const DEAF: Readonly<Record<string, (idp: Upstream) => void>> = {
  "is down": (idp) => void (idp.up = false),
  "answers 500": (idp) => void (idp.revocation = new Response("oops", { status: 500 })),
  "refuses": (idp) =>
    void (idp.revocation = Response.json({ error: "invalid_client" }, { status: 401 })),
};

for (const [name, prepare] of Object.entries(DEAF)) {
  Deno.test(`revoke() ends the grant although the provider ${name} (SPEC B3.7)`, async () => {
    const idp = await newUpstream();
    const { gate, client, tokens } = await connected({}, idp);
    prepare(idp);
    const { status, body } = await revoke(gate, client, { token: tokens.refresh_token });
    deepEqual([status, body], [200, undefined]);
    ok(gate.ports.lines.some((line) => line.includes('"upstream not told"')));
    idp.up = true;
    equal((await gate.refresh(client, tokens.refresh_token)).status, 400);
  });
}

Deno.test("revoke() does not look for a provider that takes no revocations (SPEC B3.7)", async () => {
  const idp = await newUpstream();
  idp.document = { ...idp.document, revocation_endpoint: undefined };
  const { gate, client, tokens } = await connected({}, idp);
  await revoke(gate, client, { token: tokens.refresh_token });
  equal(idp.revocations.length, 0);
  equal(gate.ports.lines.some((line) => line.includes('"upstream not told"')), false);
});

Deno.test("the revocation endpoint is advertised, and for any web page (SPEC B1.7, B1.9)", async () => {
  const gate = await openGate();
  const said = await (await gate.send("/.well-known/oauth-authorization-server")).json();
  equal(said.revocation_endpoint, `${gate.origin}/oauth/revoke`);
  deepEqual(
    said.revocation_endpoint_auth_methods_supported,
    said.token_endpoint_auth_methods_supported,
  );
  const preflight = await gate.send("/oauth/revoke", { method: "OPTIONS" });
  equal(preflight.status, 204);
  equal(preflight.headers.get("access-control-allow-origin"), "*");
  const answer = await postForm(gate, "/oauth/revoke", {});
  equal(answer.headers.get("access-control-allow-origin"), "*");
  const read = await gate.send("/oauth/revoke?token=x");
  await read.body?.cancel();
  equal(read.status, 405);
});
