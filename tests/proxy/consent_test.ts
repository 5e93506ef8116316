import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { CONSENT_SECONDS } from "../../lib/proxy/authorize.ts";
import type { LoginState } from "../../lib/proxy/consent.ts";
import { type Browser, formOf, type Shown } from "../browser.ts";
import { CHALLENGE, type Gate, newGate, REDIRECT, type TestClient } from "./flow.ts";
import { altered, type FormChanges, postForm, PURPOSES, refusedByPage } from "./forms.ts";
import { sealOf, TITLES } from "./forms.ts";
import { newLogins } from "./logins.ts";
import { valuesOf } from "../page/markup.ts";

const APPROVE = { decision: "approve" };
const APP = "https://app.example/callback";

/** A gate, and the browser of a person who was asked. */
async function asked(env: Record<string, string> = {}) {
  const gate = await newGate(env);
  const client = await gate.register();
  const browser = gate.browser();
  const page = await gate.ask(client, {}, { browser });
  const submit = (changes: FormChanges = {}) =>
    postForm(gate, page, browser, { ...changes, fields: { ...APPROVE, ...changes.fields } });
  return { gate, client, browser, page, submit, consent: formOf(page.text).fields.consent! };
}

/** Checks that the way to the login is open. */
async function approved(response: Response): Promise<string> {
  const text = await response.text();
  equal(response.status, 200, text);
  ok(response.headers.getSetCookie().some((cookie) => cookie.startsWith("gatehouse-login")));
  const [url] = valuesOf(text, "href");
  ok(url?.startsWith("http://localhost:8080/oauth/login?state="), url);
  return url!;
}

Deno.test("consent() sends an approval to the login, which it can finish once (SPEC B5.1, B5.6)", async () => {
  const { submit } = await asked();
  await approved(await submit());
});

Deno.test("no answer sets a cookie for the login before the person said yes (SPEC B5.6)", async () => {
  const { gate, client, browser, page, submit } = await asked();
  const namesOf = () =>
    [...browser.cookies.get("localhost")!.keys()].map((name) => name.slice(0, 15));
  deepEqual(namesOf(), ["gatehouse-form-"]);
  await gate.ask(client, {}, { browser });
  equal((await submit({ fields: { decision: "deny" } })).headers.get("set-cookie"), null);
  equal((await submit({ fields: { decision: "x" } })).headers.get("set-cookie"), null);
  deepEqual(namesOf(), ["gatehouse-form-"]);
  await browser.press(page, "decision", "approve");
  deepEqual(namesOf(), ["gatehouse-form-", "gatehouse-login"]);
});

Deno.test("nothing goes to the identity provider before the person said yes (SPEC B5.1)", async () => {
  const idp = await newLogins();
  const gate = await newGate({}, { idp });
  const client = await gate.register();
  const browser = gate.browser();
  const page = await gate.ask(client, {}, { browser });
  await browser.press(page, "decision", "deny");
  deepEqual([idp.asked, idp.requests], [[], []]);
  await browser.press(page, "decision", "approve");
  equal(idp.asked.length, 1);
});

Deno.test("consent() tells the client that the person said no (SPEC B2.4, B2.5)", async () => {
  const { page, browser, gate } = await asked();
  const { url } = await browser.press(page, "decision", "deny");
  ok(url.startsWith(`${REDIRECT}?`));
  deepEqual([...new URL(url).searchParams], [
    ["error", "access_denied"],
    ["error_description", "Access was denied"],
    ["state", "client state"],
    ["iss", gate.origin],
  ]);
});

const FOREIGN: readonly (readonly [what: string, headers: Record<string, string | undefined>])[] = [
  ["another site's page", { origin: "https://evil.example", "sec-fetch-site": "cross-site" }],
  ["another site, as Origin alone tells", {
    origin: "https://evil.example",
    "sec-fetch-site": undefined,
  }],
  ["another site, as Sec-Fetch-Site alone tells", {
    origin: undefined,
    "sec-fetch-site": "cross-site",
  }],
  ["a page without origin", { origin: "null", "sec-fetch-site": undefined }],
  ["a page without origin that claims to be ours", { origin: "null" }],
  ["another port of this host", { origin: "http://localhost:9090", "sec-fetch-site": "same-site" }],
  ["a site that claims to be ours", { origin: "https://evil.example" }],
  ["a site beside this one", { "sec-fetch-site": "same-site" }],
  ["no page at all", { "sec-fetch-site": "none" }],
  ["this host by https", { origin: "https://localhost:8080" }],
  ["a host that begins alike", { origin: "http://localhost:8080.evil.example" }],
  ["an empty origin", { origin: "" }],
  ["two origins", { origin: "http://localhost:8080, https://evil.example" }],
];
for (const [what, headers] of FOREIGN) {
  Deno.test(`consent() refuses a form from ${what} (SPEC B5.3)`, async () => {
    const { submit } = await asked();
    for (const decision of ["approve", "deny"]) {
      const response = await submit({ headers, fields: { decision } });
      await refusedByPage(response, 403, TITLES.browser);
    }
    await approved(await submit());
  });
}

Deno.test("consent() takes the cookie for enough where a browser tells nothing of pages (SPEC B5.3)", async () => {
  const { submit } = await asked();
  await approved(await submit({ headers: { origin: undefined, "sec-fetch-site": undefined } }));
});

Deno.test("consent() refuses a form without this browser's cookie (SPEC B5.3, B5.4)", async () => {
  const { gate, browser, page, submit, client } = await asked();
  const other = gate.browser();
  await gate.ask(client, {}, { browser: other });
  await gate.authorize(client, {}, { browser: other });
  const own = browser.cookieFor(page.url)!;
  const [name, marker] = own.split("=") as [string, string];
  const cookies = [
    undefined,
    "",
    other.cookieFor(page.url)!,
    `${name}=`,
    `${name}=${marker.toUpperCase()}x`,
    `${name}=${"0".repeat(32)}`,
    `${name}=${marker}0`,
    `${name.replace("form", "login")}=${marker}`,
    `x${name}=${marker}`,
    marker,
  ];
  for (const cookie of cookies) {
    await refusedByPage(await submit({ headers: { cookie } }), 403, TITLES.browser);
  }
  await approved(await submit({ headers: { cookie: `a=b; ${own}; c="d"` } }));
  await approved(await submit({ headers: { cookie: `${other.cookieFor(page.url)}; ${own}` } }));
});

Deno.test("consent() opens no value that was sealed for anything else (SPEC B5.3, E5)", async () => {
  const { gate, submit, consent } = await asked();
  const now = gate.ports.now();
  const value = await sealOf(gate, "consent").open(consent, now);
  ok(value, "the form is sealed for that");
  const far = now + 600;
  const values = ["", "x", "....", altered(consent), `${consent}A`, consent.slice(1)];
  for (const purpose of PURPOSES.filter((one) => one !== "consent")) {
    values.push(await sealOf(gate, purpose).seal(value, far));
  }
  values.push(await sealOf(gate, "consent", "another secret, of 32 bytes or so").seal(value, far));
  values.push(await sealOf({ ...gate, origin: "http://localhost" }, "consent").seal(value, far));
  for (const one of values) {
    await refusedByPage(await submit({ fields: { consent: one } }), 400, TITLES.expired);
  }
  await refusedByPage(await submit({ fields: { consent: undefined } }), 400, TITLES.expired);
  const again = await sealOf(gate, "consent").seal(value, far);
  await approved(await submit({ fields: { consent: again } }));
});

Deno.test("consent() takes an answer for half an hour (SPEC B5.6)", async () => {
  const { gate, submit } = await asked();
  gate.ports.advance(CONSENT_SECONDS - 1);
  await approved(await submit());
  gate.ports.advance(1);
  await refusedByPage(await submit(), 400, TITLES.expired);
  equal(CONSENT_SECONDS, 1800);
});

for (
  const [what, fields] of [
    ["without a decision", { decision: undefined }],
    ["with an empty decision", { decision: "" }],
    ["with another decision", { decision: "Approve" }],
    ["with two decisions", { decision: ["deny", "approve"] }],
    ["with one decision twice", { decision: ["approve", "approve"] }],
    ["with any field twice", { x: ["1", "2"] }],
  ] as const
) {
  Deno.test(`consent() refuses a form ${what} (SPEC B2.5)`, async () => {
    const { submit } = await asked();
    await refusedByPage(await submit({ fields }), 400, TITLES.malformed);
  });
}

Deno.test("consent() refuses two sealed requests, be they the same (SPEC B2.5)", async () => {
  const { submit, consent } = await asked();
  const response = await submit({ fields: { consent: [consent, consent] } });
  await refusedByPage(response, 400, TITLES.malformed);
});

Deno.test("consent() reads nothing but what was sealed from the form (SPEC B5.5)", async () => {
  const { gate, client, browser, page } = await asked();
  const fields = {
    redirect_uri: "https://evil.example/",
    client_id: "x",
    scope: "all",
    state: "x",
  };
  const response = await postForm(gate, page, browser, { fields: { ...APPROVE, ...fields } });
  const state = new URL(await approved(response)).searchParams.get("state")!;
  const opened = await sealOf(gate, "login").open(state, gate.ports.now());
  deepEqual((opened as LoginState).request, {
    redirectUri: REDIRECT,
    state: "client state",
    clientId: client.id,
    challenge: CHALLENGE,
    scopes: [],
    resource: gate.resource,
  });
});

for (const type of ["text/plain", "application/json", "multipart/form-data; boundary=x", ""]) {
  Deno.test(`consent() refuses a body of type "${type}" (SPEC B5.3)`, async () => {
    const { submit } = await asked();
    const response = await submit({ headers: { "content-type": type } });
    await refusedByPage(response, 400, TITLES.malformed);
  });
}

Deno.test("consent() refuses a form past its bound, and another method", async () => {
  const { gate, submit } = await asked();
  const response = await submit({ fields: { x: "a".repeat(32 * 1024) } });
  await refusedByPage(response, 400, TITLES.malformed);
  const got = await gate.send("/oauth/consent?decision=approve");
  equal(got.status, 405);
  equal(got.headers.get("allow"), "POST");
});

/** Logs in where an approval led to, and checks that the client gets its tokens. */
async function finish(gate: Gate, client: TestClient, browser: Browser, page: Shown) {
  const { url } = await browser.press(page, "user", "alice");
  const code = new URL(url).searchParams.get("code")!;
  equal((await gate.redeem(client, code)).status, 200);
}

Deno.test("consent() pressed twice begins two logins, and the person can finish either", async () => {
  const { gate, client, browser, page } = await asked();
  const first = await browser.press(page, "decision", "approve");
  const second = await browser.press(page, "decision", "approve");
  await finish(gate, client, browser, second);
  await finish(gate, client, browser, first);
});

Deno.test("two windows of one browser both finish, in any order, after a reload too", async () => {
  const { gate, client, browser, page } = await asked();
  const other = await gate.register({ redirect_uris: ["http://127.0.0.1:1/other"] });
  const window = await gate.ask(other, {}, { browser });
  await gate.ask(client, {}, { browser });
  const [first, second] = await Promise.all([
    browser.press(page, "decision", "approve"),
    browser.press(window, "decision", "approve"),
  ]);
  await finish(gate, other, browser, second);
  await finish(gate, client, browser, first);
});

Deno.test("two windows that open at once both finish", async () => {
  const gate = await newGate();
  const client = await gate.register();
  const browser = gate.browser();
  const pages = await Promise.all([1, 2].map(() => gate.ask(client, {}, { browser })));
  const logins = await Promise.all(pages.map((one) => browser.press(one, "decision", "approve")));
  for (const login of logins) await finish(gate, client, browser, login);
});

Deno.test("consent() asks again whether the client and its redirect URI still stand (SPEC B5.5)", async () => {
  const gate = await newGate();
  const client = await gate.register({ redirect_uris: [APP] });
  gate.ports.advance(90 * 86_400 - 60);
  const browser = gate.browser();
  const page = await gate.ask(client, {}, { browser });
  const at = (other: Gate) => postForm(other, page, browser, { fields: APPROVE });
  const stricter = { OAUTH_REDIRECT_URIS: "https://other.example/callback" };
  const { ports } = gate;
  await refusedByPage(await at(await newGate(stricter, { ports })), 400, TITLES.redirect);
  const closed = await newGate({ OAUTH_REGISTRATION: "documents" }, { ports });
  await refusedByPage(await at(closed), 400, TITLES.client);
  equal((await at(gate)).status, 200);
  gate.ports.advance(60);
  await refusedByPage(await at(gate), 400, TITLES.client);
});

Deno.test("consent() says so when the identity provider cannot be reached", async () => {
  const idp = await newLogins();
  const gate = await newGate({}, { idp });
  idp.up = false;
  const browser = gate.browser();
  const page = await gate.ask(await gate.register(), {}, { browser });
  const submit = () => postForm(gate, page, browser, { fields: APPROVE });
  await refusedByPage(await submit(), 502, TITLES.provider);
  idp.up = true;
  gate.ports.advance(5);
  equal((await submit()).status, 200);
});
