/**
 * One test per vulnerability of others of this kind: what went wrong there does not go wrong here.
 */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { bearerHeader, modernCall, NOW } from "../fakes.ts";
import { formOf } from "../browser.ts";
import { newGate, parameters, REDIRECT, VERIFIER } from "./flow.ts";
import { openBare, postForm, refusedByPage, sealOf, TITLES } from "./forms.ts";
import { newLogins } from "./logins.ts";

const APP = "https://app.example/callback";
const EVIL = "https://evil.example/callback";

Deno.test("CVE-2025-4143: the redirect URI is judged at every step, not at the last alone (SPEC B2.2, B5.5)", async () => {
  const gate = await newGate();
  const { ports } = gate;
  const client = await gate.register({ redirect_uris: [APP] });
  // At the first:
  const first = await openBare(gate, gate.requestOf(client, { redirect_uri: EVIL }));
  await refusedByPage(first, 400, TITLES.redirect);
  // At consent and callback, when what is allowed has changed since:
  const stricter = await newGate({ OAUTH_REDIRECT_URIS: "https://other.example/" }, { ports });
  const browser = gate.browser("/oauth/callback");
  const page = await gate.ask(client, {}, { browser });
  const decided = await postForm(stricter, page, browser, { fields: { decision: "approve" } });
  await refusedByPage(decided, 400, TITLES.redirect);
  const { url } = await gate.approve(page, { browser });
  await refusedByPage(await openBare(stricter, url, browser), 400, TITLES.redirect);
  // And at the token endpoint:
  const back = (await openBare(gate, url, browser)).headers.get("location")!;
  ok(back.startsWith(`${APP}?code=`));
  const code = new URL(back).searchParams.get("code")!;
  const wrong = await gate.redeem(client, code, { redirect_uri: EVIL });
  deepEqual([wrong.status, wrong.body.error], [400, "invalid_grant"]);
});

Deno.test("CVE-2025-4144: PKCE cannot be left out, at either end (SPEC B2.1)", async () => {
  const gate = await newGate();
  const client = await gate.register();
  // No code without a challenge, so none that needs no verifier:
  for (
    const changes of [
      { code_challenge: undefined, code_challenge_method: undefined },
      { code_challenge: undefined },
      { code_challenge: "" },
      { code_challenge_method: undefined },
      { code_challenge_method: "plain", code_challenge: VERIFIER },
    ]
  ) {
    const { url } = await gate.ask(client, changes);
    equal(new URL(url).searchParams.get("error"), "invalid_request");
  }
  // No tokens without the verifier, or with another:
  const code = await gate.code(client);
  for (const code_verifier of [undefined, "", "a".repeat(43), VERIFIER.slice(0, -1)]) {
    const { status, body } = await gate.redeem(client, code, { code_verifier });
    equal(status, 400);
    ok(["invalid_request", "invalid_grant"].includes(body.error));
  }
  equal((await gate.redeem(client, code)).status, 200);
});

Deno.test("workers-oauth-provider 92: a request that makes the round trip cannot be changed on it (SPEC B5.5, E5)", async () => {
  const gate = await newGate();
  const client = await gate.register({ redirect_uris: [APP] });
  const browser = gate.browser("/oauth/callback");
  const page = await gate.ask(client, {}, { browser });
  const { consent } = formOf(page.text).fields;
  const [head, key, iv, text, tag] = consent!.split(".");
  const flip = (part: string) => (part[0] === "A" ? "B" : "A") + part.slice(1);
  const plain = btoa(JSON.stringify({ request: { clientId: client.id, redirectUri: EVIL } }));
  for (
    const forged of [
      plain,
      [head, key, iv, flip(text!), tag].join("."),
      [head, key, flip(iv!), text, tag].join("."),
      [head, key, iv, text, flip(tag!)].join("."),
      [head, key, iv, text].join("."),
      [btoa(`{"alg":"none"}`), plain, ""].join("."),
    ]
  ) {
    const fields = { decision: "approve", consent: forged };
    await refusedByPage(await postForm(gate, page, browser, { fields }), 400, TITLES.expired);
  }
  // What is sent beside it is not read.
  const fields = { decision: "approve", redirect_uri: EVIL, client_id: "evil" };
  equal((await postForm(gate, page, browser, { fields })).status, 200);
  const { url } = await gate.approve(page, { browser });
  const more = `${url}&${parameters({ redirect_uri: EVIL, client_id: "evil" })}`;
  const location = (await openBare(gate, more, browser)).headers.get("location")!;
  ok(location.startsWith(`${APP}?code=`), location);
});

const TRICKS = [
  "javascript:alert(1)",
  "JavaScript:alert(1)",
  " javascript:alert(1)",
  "java\tscript:alert(1)",
  "java\nscript:alert(1)",
  "\u0001javascript:alert(1)",
  "javascript&colon;alert(1)",
  "javascript\u200b:alert(1)",
  "javascript://app.example/%0aalert(1)",
  "data:text/html,<script>alert(1)</script>",
  "DATA:text/html;base64,PHN2Zz4=",
  "vbscript:msgbox(1)",
  "file:///etc/passwd",
  "blob:https://app.example/x",
  "view-source:https://app.example/",
  "about:blank",
  "//evil.example/",
  "https:evil.example",
  "https:/\\evil.example/",
  "https://app.example\\@evil.example/",
  "http://app.example/callback",
  "HTTPS://app.example/callback",
  "https://app.example/callback#",
  "https://app.example/%0d%0aset-cookie:a=b",
];
for (const uri of TRICKS) {
  Deno.test(`workers-oauth-provider 97: no scheme gets in in disguise: ${JSON.stringify(uri)} (SPEC B2.2, E8)`, async () => {
    const gate = await newGate();
    const body = JSON.stringify({ client_name: "x", redirect_uris: [uri] });
    const headers = { "content-type": "application/json" };
    const registered = await gate.send("/oauth/register", { method: "POST", headers, body });
    equal(registered.status, 400);
    equal((await registered.json()).error, "invalid_redirect_uri");
    const client = await gate.register({ redirect_uris: [APP] });
    const asked = await openBare(gate, gate.requestOf(client, { redirect_uri: uri }));
    await refusedByPage(asked, 400, TITLES.redirect);
    // Not even from a registration that was made when rules were laxer.
    const { ports } = gate;
    const row = { name: "x", redirectUris: [uri], authMethod: "none", origin: "dynamic" };
    const lax = { id: await sealOf(gate, "client").seal(row, NOW + 60), redirectUri: uri };
    await refusedByPage(await openBare(gate, gate.requestOf(lax)), 400, TITLES.redirect);
    equal(ports.lines.filter((line) => line.includes(`"consented"`)).length, 0);
  });
}

Deno.test("GHSA-c2jp-c369-7pvx: a cookie at the provider consents to no client (confused deputy) (SPEC B5.1, B5.2, E1)", async () => {
  const idp = await newLogins();
  const gate = await newGate({}, { idp });
  const browser = gate.browser();
  // The person is logged in at the provider, which asks no more, and has let one client in here.
  await gate.connect(await gate.register(), {}, { browser });
  equal(idp.asked.length, 1);
  // A link to another client stops at the page that asks, for every kind of request.
  const evil = await gate.register({ client_name: "Evil", redirect_uris: [EVIL] });
  for (const changes of [{}, { prompt: "none" }, { scope: "mcp:read" }, { state: undefined }]) {
    const page = await gate.ask(evil, changes, { browser });
    equal(page.status, 200);
    ok(page.text.includes("“Evil”") && page.text.includes("Nobody vouches for this app."));
    ok(page.text.includes(EVIL));
  }
  equal(idp.asked.length, 1);
});

Deno.test("CVE-2025-69196: a token is for the resource that was asked for, not for its host (SPEC B2.6, A4.2)", async () => {
  const gate = await newGate();
  const client = await gate.register();
  for (
    const resource of [gate.origin, `${gate.origin}/`, `${gate.origin}/other`, `${gate.resource}/x`]
  ) {
    const { url } = await gate.ask(client, { resource });
    equal(new URL(url).searchParams.get("error"), "invalid_target");
    const { body } = await gate.redeem(client, await gate.code(client), { resource });
    equal(body.error, "invalid_target");
  }
  const { tokens } = await gate.connect(client);
  const call = (token: string) =>
    gate.send("/mcp", modernCall("tools/list", {}, bearerHeader(token)));
  equal((await call(tokens.access_token)).status, 200);
  // A second resource on this host, with the same secret and keys of the same store or not.
  const other = await newGate({ OAUTH_SERVER_URL: "http://localhost:8081" });
  const theirs = (await other.connect()).tokens.access_token;
  equal((await call(theirs)).status, 401);
});

Deno.test("CVE-2026-27124: who consents and who logs in are one browser (SPEC B5.6, B5.8)", async () => {
  for (const idp of [undefined, await newLogins()]) {
    const gate = await newGate({}, idp ? { idp } : {});
    const evil = await gate.register({ client_name: "Evil", redirect_uris: [EVIL] });
    const [mallory, alice] = [gate.browser(), gate.browser("/oauth/callback")];
    // Mallory says yes and sends Alice the link to the login, instead of going there.
    const page = await gate.ask(evil, {}, { browser: mallory });
    const said = await postForm(gate, page, mallory, { fields: { decision: "approve" } });
    const [, link] = /href="([^"]*)"/.exec(await said.text())!;
    // Alice has business here herself, with cookies of both kinds.
    const own = await gate.register();
    await gate.approve(await gate.ask(own, {}, { browser: alice }), { browser: alice });
    const shown = await alice.open(link!.replaceAll("&amp;", "&"));
    const back = idp ? shown : await alice.press(shown, "user", "alice");
    ok(back.url.startsWith(`${gate.origin}/oauth/callback?`), back.url);
    await refusedByPage(await openBare(gate, back.url, alice), 403, TITLES.browser);
    ok(gate.ports.lines.some((line) => line.includes(`"another browser"`)));
    ok(!gate.ports.lines.some((line) => line.includes(`"issued"`)));
  }
});

Deno.test("fastmcp 3519: another site cannot press the button (SPEC B5.3)", async () => {
  const gate = await newGate();
  const evil = await gate.register({ client_name: "Evil", redirect_uris: [EVIL] });
  const [mallory, alice] = [gate.browser(), gate.browser()];
  const theirs = await gate.ask(evil, {}, { browser: mallory });
  const page = await gate.ask(evil, {}, { browser: alice });
  const fields = { decision: "approve" };
  const origin = "https://evil.example";
  // Mallory's form in Alice's browser, with and without what a browser adds.
  for (const headers of [{}, { origin: undefined, "sec-fetch-site": undefined }]) {
    const forged = await postForm(gate, theirs, alice, { fields, headers });
    await refusedByPage(forged, 403, TITLES.browser);
  }
  // Alice's own form, from Mallory's page.
  for (const headers of [{ origin }, { origin: "null" }, { "sec-fetch-site": "cross-site" }]) {
    const forged = await postForm(gate, page, alice, { fields, headers });
    await refusedByPage(forged, 403, TITLES.browser);
  }
  // Nobody but Alice can read the form, or lay another page over it.
  const { headers } = page;
  equal(headers.get("access-control-allow-origin"), null);
  ok(headers.get("content-security-policy")!.includes("frame-ancestors 'none'"));
  ok(headers.getSetCookie().every((cookie) => cookie.includes("SameSite=Lax")));
});

Deno.test("GHSA-6x8h-498w-gv8c: no consent is remembered, for whoever says to be the same client (SPEC B5.2, B5.8)", async () => {
  const id = "https://app.example/client.json";
  const gate = await newGate({}, {
    strangers: {
      resolve: () => Promise.resolve(["93.184.215.14"]),
      fetchAt: () => {
        const said = { client_id: id, client_name: "App", redirect_uris: [APP, REDIRECT] };
        return Promise.resolve(Response.json(said));
      },
    },
  });
  const browser = gate.browser();
  for (const client of [{ id, redirectUri: APP }, { id }, await gate.register()]) {
    for (let time = 0; time < 2; time++) {
      const page = await gate.ask(client, {}, { browser });
      equal(page.status, 200);
      equal(formOf(page.text).action, "/oauth/consent");
      ok((await gate.approve(page, { browser })).url.includes("code="));
    }
  }
});
