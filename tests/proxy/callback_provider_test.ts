import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { NOW } from "../fakes.ts";
import { encode, ISSUER, keyOf, signWith } from "../idp.ts";
import { newGate } from "./flow.ts";
import { openBare, refusedByPage, TITLES } from "./forms.ts";
import { type Logins, newLogins } from "./logins.ts";

/** What the client hears of a login at a provider that was changed. */
async function heard(change: (idp: Logins) => unknown, env: Record<string, string> = {}) {
  const idp = await newLogins();
  const gate = await newGate(env, { idp });
  await change(idp);
  const answer = await gate.authorize(await gate.register());
  equal(answer.get("iss"), gate.origin);
  equal(answer.get("state"), "client state");
  ok(answer.has("code") !== answer.has("error"));
  return { error: answer.get("error"), lines: gate.ports.lines, idp, gate };
}

const wrong = (status: number, body: BodyInit) => ({ idp }: { idp: Logins }) =>
  idp.refusal = new Response(body, { status, headers: { "content-type": "application/json" } });

type Case = readonly [what: string, change: (idp: Logins) => unknown, error: string];
const CASES: readonly Case[] = [
  [
    "response names another issuer",
    (idp) => idp.response.iss = "https://evil.example",
    "server_error",
  ],
  [
    "response names the issuer less its path",
    (idp) => idp.response.iss = new URL(ISSUER).origin,
    "server_error",
  ],
  [
    "response names no issuer, though it says that it does",
    (idp) => idp.response.iss = undefined,
    "server_error",
  ],
  ["response has no code", (idp) => idp.response.code = undefined, "server_error"],
  ["response has a code that it does not know", (idp) => idp.response.code = "x", "server_error"],
  [
    "response is an ID token (implicit)",
    (idp) => idp.response.id_token = "e30.e30.",
    "server_error",
  ],
  ["ID token has another nonce", (idp) => idp.claims.nonce = "x", "server_error"],
  ["ID token has no nonce", (idp) => idp.claims.nonce = undefined, "server_error"],
  ["ID token is for another audience", (idp) => idp.claims.aud = "other", "server_error"],
  [
    "ID token is for another party of several",
    (idp) => Object.assign(idp.claims, { aud: ["gatehouse", "other"], azp: "other" }),
    "server_error",
  ],
  ["ID token has no audience", (idp) => idp.claims.aud = undefined, "server_error"],
  [
    "ID token is of another issuer",
    (idp) => idp.claims.iss = "https://evil.example",
    "server_error",
  ],
  ["ID token has expired", (idp) => idp.claims.exp = NOW / 2, "server_error"],
  ["ID token never expires", (idp) => idp.claims.exp = undefined, "server_error"],
  ["ID token has no subject", (idp) => idp.claims.sub = undefined, "server_error"],
  ["token response has no ID token", (idp) => idp.tokens.id_token = undefined, "server_error"],
  [
    "ID token is unsigned",
    (idp) => idp.tokens.id_token = `${encode({ alg: "none" })}.${encode({ iss: ISSUER })}.`,
    "server_error",
  ],
  [
    "token response has no access token",
    (idp) => idp.tokens.access_token = undefined,
    "server_error",
  ],
  ["tokens are of another type", (idp) => idp.tokens.token_type = "mac", "server_error"],
  [
    "token endpoint says no",
    (idp) => wrong(400, `{"error":"invalid_grant"}`)({ idp }),
    "server_error",
  ],
  ["token endpoint says so in no words", (idp) => wrong(400, "<html>")({ idp }), "server_error"],
  [
    "token endpoint denies",
    (idp) => wrong(400, `{"error":"access_denied"}`)({ idp }),
    "access_denied",
  ],
  ["token endpoint answers no JSON", (idp) => wrong(200, "<html>")({ idp }), "server_error"],
  [
    "token endpoint redirects",
    (idp) => idp.refusal = Response.redirect("https://evil.example/", 302),
    "server_error",
  ],
  [
    "token endpoint fails",
    (idp) => wrong(500, `{"error":"server_error"}`)({ idp }),
    "temporarily_unavailable",
  ],
  [
    "token endpoint fails in no words",
    (idp) => wrong(502, "<html>")({ idp }),
    "temporarily_unavailable",
  ],
  ["token endpoint is overloaded", (idp) => wrong(503, "")({ idp }), "temporarily_unavailable"],
];
for (const [what, change, error] of CASES) {
  Deno.test(`callback() gives no code when the provider's ${what} (SPEC B5.7, B2.4)`, async () => {
    equal((await heard(change)).error, error);
  });
}

Deno.test("callback() gives a code when the provider's answer is good, with or without iss (SPEC B5.7)", async () => {
  equal((await heard(() => {})).error, null);
  equal(
    (await heard((idp) => Object.assign(idp.claims, { aud: ["gatehouse"], azp: "gatehouse" })))
      .error,
    null,
  );
  const older = (idp: Logins) => {
    delete idp.document.authorization_response_iss_parameter_supported;
    idp.response.iss = undefined;
  };
  equal((await heard(older)).error, null);
});

Deno.test("callback() refuses a wrong iss even of a provider that promises none (SPEC B5.7)", async () => {
  const change = (idp: Logins) => {
    delete idp.document.authorization_response_iss_parameter_supported;
    idp.response.iss = "https://evil.example";
  };
  const { error, idp } = await heard(change);
  equal(error, "server_error");
  // The code was not shown to anybody.
  equal(idp.redeemed.length, 0);
});

Deno.test("callback() takes an ID token by TLS, and not from the browser (SPEC B5.7)", async () => {
  const claims = {
    iss: ISSUER,
    aud: "gatehouse",
    sub: "admin",
    exp: 2 * NOW,
    iat: NOW,
    nonce: "n",
  };
  const token = await signWith(await keyOf("forged"), claims);
  const { error, idp } = await heard((idp) => Object.assign(idp.response, { id_token: token }));
  equal(error, "server_error");
  equal(idp.redeemed.length, 0);
});

Deno.test("callback() says that it may work later when the provider is down (SPEC B2.4)", async () => {
  const idp = await newLogins();
  const gate = await newGate({}, { idp });
  const client = await gate.register();
  const browser = gate.browser("/oauth/callback");
  const { url } = await gate.approve(await gate.ask(client, {}, { browser }), { browser });
  idp.up = false;
  const answerOf = async () =>
    new URL((await openBare(gate, url, browser)).headers.get("location")!).searchParams;
  equal((await answerOf()).get("error"), "temporarily_unavailable");
  // What did not get through has used nothing up.
  idp.up = true;
  gate.ports.advance(5);
  const answer = await answerOf();
  deepEqual([answer.get("error"), answer.get("iss")], [null, gate.origin]);
  await refusedByPage(await openBare(gate, url, browser), 400, TITLES.used);
});

Deno.test("callback() asks the provider about one login three times at most (SPEC B5.6)", async () => {
  const idp = await newLogins();
  const gate = await newGate({}, { idp });
  const client = await gate.register();
  const browser = gate.browser("/oauth/callback");
  const { url } = await gate.approve(await gate.ask(client, {}, { browser }), { browser });
  idp.refusal = new Response("", { status: 503 });
  for (let attempt = 0; attempt < 3; attempt++) {
    equal((await openBare(gate, url, browser)).status, 303);
  }
  idp.refusal = undefined;
  await refusedByPage(await openBare(gate, url, browser), 400, TITLES.used);
  equal(idp.redeemed.length, 3);
  // Another login of the same browser has its own three.
  ok((await gate.authorize(client, {}, { browser: gate.browser() })).has("code"));
});

Deno.test("callback() asks the provider about 32 logins at once and no more", async () => {
  const idp = await newLogins();
  const gate = await newGate({}, { idp });
  const client = await gate.register();
  const browser = gate.browser("/oauth/callback");
  const urls: string[] = [];
  for (let at = 0; at < 33; at++) {
    const { url } = await gate.approve(await gate.ask(client, {}, { browser }), { browser });
    urls.push(url);
  }
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const { promise: full, resolve: fill } = Promise.withResolvers<void>();
  idp.hold = () => (idp.redeemed.length === 32 && fill(), released);
  const waiting = urls.slice(0, 32).map((url) => openBare(gate, url, browser));
  await full;
  const errorOf = (response: Response) =>
    new URL(response.headers.get("location")!).searchParams.get("error");
  equal(errorOf(await openBare(gate, urls[32]!, browser)), "temporarily_unavailable");
  release();
  deepEqual((await Promise.all(waiting)).map(errorOf), Array(32).fill(null));
  equal(errorOf(await openBare(gate, urls[32]!, browser)), null);
});

const RULES: readonly (readonly [rule: string, claims: Record<string, unknown>, in_: boolean])[] = [
  ["user:dora-1", {}, true],
  ["user:dora@example.com", {}, true],
  ["user:dora", {}, false],
  ["domain:example.com", {}, true],
  ["domain:example.com", { email_verified: false }, false],
  ["domain:example.com", { email: "dora@evil-example.com" }, false],
  ["group:ops", { groups: ["ops"] }, true],
  ["group:ops", { groups: ["dev"] }, false],
  ["group:ops,user:dora-1", {}, true],
];
for (const [rule, claims, isIn] of RULES) {
  Deno.test(`callback() ${isIn ? "lets in" : "denies"} whom OAUTH_ALLOW=${rule} says, by ${JSON.stringify(claims)} (SPEC A4.9)`, async () => {
    const { error, lines } = await heard(({ claims: all }) => Object.assign(all, claims), {
      OAUTH_ALLOW: rule,
    });
    equal(error, isIn ? null : "access_denied");
    const refusals = lines.filter((line) => line.includes(`"not among those who may call"`));
    equal(refusals.length, isIn ? 0 : 1);
  });
}

Deno.test("callback() keeps what the provider says of roles, and nobody else's user info (SPEC B5.7)", async () => {
  const change = (sub: string, bearer: string[] = []) => (idp: Logins) => {
    const url = `${ISSUER}/userinfo`;
    idp.document.userinfo_endpoint = url;
    idp.answers.set(url, ({ headers }) => {
      bearer.push(headers.get("authorization") ?? "");
      return Response.json({ sub, groups: ["ops"] });
    });
  };
  const bearer: string[] = [];
  equal((await heard(change("dora-1", bearer), { OAUTH_ALLOW: "group:ops" })).error, null);
  deepEqual(bearer, ["Bearer upstream access"]);
  equal((await heard(change("mallory"), { OAUTH_ALLOW: "group:ops" })).error, "access_denied");
});

Deno.test("callback() hands out no token of the provider, nor its id at the provider (SPEC B3.6, E2)", async () => {
  const idp = await newLogins();
  const gate = await newGate({}, { idp });
  const { tokens } = await gate.connect();
  deepEqual(Object.keys(tokens).sort(), [
    "access_token",
    "expires_in",
    "refresh_token",
    "token_type",
  ]);
  ok(!JSON.stringify(tokens).includes("upstream"));
  deepEqual(idp.redeemed.map((form) => form.get("client_id")), ["gatehouse"]);
});
