import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { REMEMBER_SECONDS } from "../../lib/proxy/access.ts";
import { UNASKED_SECONDS } from "../../lib/proxy/grants.ts";
import { RETRY_SECONDS } from "../../lib/proxy/refresh.ts";
import { ISSUER } from "../idp.ts";
import type { Members } from "./logins.ts";
import { audited, later, openGate, outcome, whoami } from "./grants_helper.ts";
import { idToken, newUpstream, type Upstream } from "./upstreams.ts";

/** A client with tokens of a gate in front of a provider. */
async function connected(
  env: Readonly<Record<string, string>> = {},
  prepare: (idp: Upstream) => void = () => {},
) {
  const idp = await newUpstream();
  prepare(idp);
  const gate = await openGate(env, { idp });
  const { client, tokens } = await gate.connect();
  const refresh = (token: string) => gate.refresh(client, token);
  return { idp, gate, client, tokens, refresh };
}

Deno.test("refresh() asks the provider with its refresh token, and keeps what it rotated to (SPEC B3.7)", async () => {
  const { idp, tokens, refresh } = await connected();
  const first = await refresh(tokens.refresh_token);
  const second = await refresh(first.body.refresh_token);
  deepEqual([first, second].map(outcome), ["200", "200"]);
  deepEqual(idp.renewals.map((form) => Object.fromEntries(form)), [
    { grant_type: "refresh_token", refresh_token: "upstream refresh", client_id: "gatehouse" },
    { grant_type: "refresh_token", refresh_token: "upstream refresh 1", client_id: "gatehouse" },
  ]);
});

Deno.test("refresh() keeps the provider's refresh token where it does not rotate (SPEC B3.7)", async () => {
  const { idp, tokens, refresh } = await connected();
  idp.renewal = { refresh_token: undefined };
  const first = await refresh(tokens.refresh_token);
  equal(outcome(await refresh(first.body.refresh_token)), "200");
  const sent = idp.renewals.map((form) => form.get("refresh_token"));
  deepEqual(sent, ["upstream refresh", "upstream refresh"]);
});

Deno.test("refresh() hands out nothing of the provider's (SPEC B3.6, E2)", async () => {
  const { idp, tokens, refresh } = await connected();
  idp.renewed = {};
  const { body } = await refresh(tokens.refresh_token);
  for (const one of [tokens, body]) {
    equal(JSON.stringify(one).includes("upstream"), false);
    deepEqual(Object.keys(one).toSorted(), [
      "access_token",
      "expires_in",
      "refresh_token",
      "token_type",
    ]);
  }
});

Deno.test("refresh() asks the provider once for a token and its retries (SPEC B3.7)", async () => {
  const { idp, gate, tokens, refresh } = await connected();
  await refresh(tokens.refresh_token);
  gate.ports.advance(RETRY_SECONDS);
  equal(outcome(await refresh(tokens.refresh_token)), "200");
  equal(idp.renewals.length, 1);
});

Deno.test("refresh() asks the provider once for ten at once (SPEC B3.2, B3.7)", async () => {
  const { idp, tokens, refresh } = await connected();
  const all = await Promise.all(Array.from({ length: 10 }, () => refresh(tokens.refresh_token)));
  deepEqual(all.map(outcome), Array(10).fill("200"));
  equal(new Set(all.map(({ body }) => body.refresh_token)).size, 1);
  equal(idp.renewals.length, 1);
});

Deno.test("refresh() asks the provider nothing for what is refused anyway (SPEC B3.7)", async () => {
  const { idp, gate, client, tokens } = await connected();
  const stranger = await gate.register();
  await gate.refresh(stranger, tokens.refresh_token);
  await gate.refresh(client, tokens.refresh_token, { scope: "more" });
  await gate.refresh(client, tokens.refresh_token, { resource: "https://other.example" });
  await gate.refresh(client, `${tokens.refresh_token}A`);
  equal(idp.renewals.length, 0);
});

const html = { "content-type": "text/html" };
const bearer = { "www-authenticate": 'Basic realm="idp"' };
const PASSING: Readonly<Record<string, () => Response | Promise<Response>>> = {
  "400 invalid_client": () => Response.json({ error: "invalid_client" }, { status: 400 }),
  "401 with a challenge": () =>
    Response.json({ error: "invalid_client" }, { status: 401, headers: bearer }),
  "400 unauthorized_client": () => Response.json({ error: "unauthorized_client" }, { status: 400 }),
  "400 without a word": () => new Response(null, { status: 400 }),
  "400 in HTML": () => new Response("<p>invalid_grant</p>", { status: 400, headers: html }),
  "429": () => Response.json({ error: "slow_down" }, { status: 429 }),
  "500": () => new Response("oops", { status: 500 }),
  "503 that says invalid_grant": () => Response.json({ error: "invalid_grant" }, { status: 503 }),
  "a redirect": () =>
    new Response(null, { status: 302, headers: { location: "https://x.example" } }),
  "200 in HTML": () => new Response("<p>Sign in</p>", { headers: html }),
  "200 that is no JSON": () =>
    new Response("{", { headers: { "content-type": "application/json" } }),
  "200 without a token": () => Response.json({ token_type: "Bearer" }),
  "200 with an error": () => Response.json({ error: "invalid_grant" }),
  "an ID token for another client": async () =>
    Response.json({
      access_token: "a",
      token_type: "Bearer",
      id_token: await idToken({ aud: "another" }),
    }),
  "an ID token of another issuer": async () =>
    Response.json({
      access_token: "a",
      token_type: "Bearer",
      id_token: await idToken({ iss: "https://other.example" }),
    }),
};

for (const [name, answer] of Object.entries(PASSING)) {
  Deno.test(`refresh() can be tried again after the provider answered ${name} (SPEC B3.7)`, async () => {
    const { idp, gate, tokens, refresh } = await connected();
    idp.renewalRefusal = await answer();
    const refused = await refresh(tokens.refresh_token);
    equal(outcome(refused), "503 temporarily_unavailable");
    equal(refused.headers.get("retry-after"), "5");
    equal(refused.headers.get("cache-control"), "no-store");
    equal((await whoami(gate, tokens.access_token)).status, 200);
    deepEqual(audited(gate, "ended"), []);
    idp.renewalRefusal = undefined;
    gate.ports.advance(30);
    equal(outcome(await refresh(tokens.refresh_token)), "200");
  });
}

Deno.test("refresh() can be tried again after the provider was down (SPEC B3.7)", async () => {
  const { idp, gate, client, tokens, refresh } = await connected();
  idp.up = false;
  for (let count = 0; count < 3; count++) {
    const refused = await refresh(tokens.refresh_token);
    equal(outcome(refused), "503 temporarily_unavailable");
    equal(refused.headers.get("retry-after"), "5");
  }
  equal(audited(gate, "refused").at(-1)?.client, "Test client");
  ok(gate.ports.lines.some((line) => line.includes('"token not refreshed"')));
  // Other ways to be wrong are still told apart.
  equal(outcome(await gate.refresh(client, "none")), "400 invalid_grant");
  idp.up = true;
  const { status, body } = await refresh(tokens.refresh_token);
  equal(status, 200);
  equal((await whoami(gate, body.access_token)).status, 200);
});

Deno.test("refresh() ends the grant, and that grant only, at invalid_grant (SPEC B3.7)", async () => {
  const { idp, gate, client, tokens, refresh } = await connected();
  const { tokens: others } = await gate.connect(client);
  equal((await whoami(gate, tokens.access_token)).status, 200);
  idp.renewalRefusal = Response.json(
    { error: "invalid_grant", error_description: "secret words of the provider" },
    { status: 400 },
  );
  const refused = await refresh(tokens.refresh_token);
  equal(outcome(refused), "400 invalid_grant");
  equal(JSON.stringify(refused.body).includes("words of the provider"), false);
  idp.renewalRefusal = undefined;
  equal(outcome(await refresh(tokens.refresh_token)), "400 invalid_grant");
  gate.ports.advance(REMEMBER_SECONDS);
  equal((await whoami(gate, tokens.access_token)).status, 401);
  equal((await whoami(gate, others.access_token)).status, 200);
  equal(outcome(await refresh(others.refresh_token)), "200");
  const [line, more] = audited(gate, "ended");
  deepEqual(
    [line?.client, line?.user, line?.reason],
    ["Test client", "dora@example.com", "upstream: invalid_grant"],
  );
  equal(more, undefined);
});

Deno.test("refresh() ends the grant when the provider names another subject (SPEC B3.7, B5.7)", async () => {
  const { idp, gate, tokens, refresh } = await connected();
  idp.renewed = { sub: "mallory-1" };
  equal(outcome(await refresh(tokens.refresh_token)), "400 invalid_grant");
  equal(audited(gate, "ended")[0]?.reason, "upstream: another subject");
  idp.renewed = {};
  equal(outcome(await refresh(tokens.refresh_token)), "400 invalid_grant");
});

Deno.test("refresh() takes over what the provider says of the person now (SPEC B3.7)", async () => {
  const { idp, gate, tokens, refresh } = await connected({}, (idp) => {
    idp.claims = { roles: ["editor"] };
  });
  const before = (await whoami(gate, tokens.access_token)).body;
  deepEqual([before.username, before.name, before.roles], ["dora@example.com", "Dora", ["editor"]]);
  idp.renewed = { roles: ["viewer"], name: "Dora D.", email: "d@example.com" };
  const { body } = await refresh(tokens.refresh_token);
  const after = (await whoami(gate, body.access_token)).body;
  deepEqual([after.username, after.name, after.roles], ["d@example.com", "Dora D.", ["viewer"]]);
  equal(after.subject, before.subject);
});

for (const renewed of [undefined, {}]) {
  const how = renewed ? "beside an ID token" : "alone";
  Deno.test(`refresh() takes over roles from user info ${how}, and nothing when it is out of order (SPEC B3.7)`, async () => {
    let answer = () => Response.json({ sub: "dora-1", roles: ["editor"] });
    const { gate, idp, tokens, refresh } = await connected({}, (idp) => {
      idp.document = { ...idp.document, userinfo_endpoint: `${ISSUER}/me` };
      idp.answers.set(`${ISSUER}/me`, () => answer());
    });
    deepEqual((await whoami(gate, tokens.access_token)).body.roles, ["editor"]);
    idp.renewed = renewed;
    answer = () => Response.json({ sub: "dora-1", roles: ["viewer"] });
    const first = await refresh(tokens.refresh_token);
    deepEqual((await whoami(gate, first.body.access_token)).body.roles, ["viewer"]);
    const others = [
      () => new Response("oops", { status: 500 }),
      () => Response.json({ sub: "mallory-1", roles: ["admin"] }),
    ];
    let { refresh_token: token } = first.body;
    for (const other of others) {
      answer = other;
      const { body } = await refresh(token);
      deepEqual((await whoami(gate, body.access_token)).body.roles, ["viewer"]);
      token = body.refresh_token;
    }
  });
}

Deno.test("refresh() leaves the person as they were where the provider says nothing new (SPEC B3.7)", async () => {
  const { gate, tokens, refresh } = await connected();
  const { body } = await refresh(tokens.refresh_token);
  equal((await whoami(gate, body.access_token)).body.username, "dora@example.com");
});

const STAFF = { OAUTH_ALLOW: "group:staff" };
const LEFT: Readonly<Record<string, Members>> = {
  "left the group": { groups: ["alumni"] },
  "has no groups any more": {},
};

for (const [name, renewed] of Object.entries(LEFT)) {
  Deno.test(`refresh() ends the grant of a person who ${name} (SPEC B3.7, A4.9)`, async () => {
    const { idp, gate, tokens, refresh } = await connected(STAFF, (idp) => {
      idp.claims = { groups: ["staff"] };
    });
    idp.renewed = { groups: ["staff", "sales"] };
    const first = await refresh(tokens.refresh_token);
    equal(outcome(first), "200");
    idp.renewed = renewed;
    equal(outcome(await refresh(first.body.refresh_token)), "400 invalid_grant");
    const [line] = audited(gate, "ended");
    match(String(line?.reason), /may call/);
    equal(line?.user, "dora@example.com");
    gate.ports.advance(REMEMBER_SECONDS);
    equal((await whoami(gate, first.body.access_token)).status, 401);
  });
}

Deno.test("refresh() works for 12 hours where the provider cannot be asked again (SPEC B3.7)", async () => {
  equal(UNASKED_SECONDS, 12 * 3600);
  const { idp, gate, tokens, refresh } = await connected({}, (idp) => {
    idp.tokens = { refresh_token: undefined };
  });
  await later(gate, UNASKED_SECONDS - 1);
  const first = await refresh(tokens.refresh_token);
  equal(outcome(first), "200");
  equal((await whoami(gate, first.body.access_token)).status, 200);
  equal(idp.renewals.length, 0);
  gate.ports.advance(1);
  equal(outcome(await refresh(first.body.refresh_token)), "400 invalid_grant");
  gate.ports.advance(REMEMBER_SECONDS);
  equal((await whoami(gate, first.body.access_token)).status, 401);
});
