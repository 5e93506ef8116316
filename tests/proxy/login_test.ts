import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { formOf } from "../browser.ts";
import { type Gate, newGate } from "./flow.ts";
import { altered, openBare, postForm, PURPOSES, refusedByPage, sealOf, TITLES } from "./forms.ts";
import { newLogins } from "./logins.ts";
import { valuesOf } from "../page/markup.ts";

const SCOPES = {
  OAUTH_SCOPES_REQUIRED: "mcp:read",
  OAUTH_TOOL_SCOPES: "whoami=mcp:write",
};

/** A gate, and a browser that shows the login page after its person said yes. */
async function asked(env: Record<string, string> = {}) {
  const gate = await newGate(env);
  const client = await gate.register();
  const browser = gate.browser("/oauth/callback");
  const consent = await gate.ask(client, { scope: "mcp:read mcp:write" }, { browser });
  const page = await browser.press(consent, "decision", "approve");
  return { gate, client, browser, page };
}

Deno.test("login() lets anybody be anybody whom it knows, on this machine (SPEC B5.8)", async () => {
  const { gate, client } = await asked(SCOPES);
  const scopes: Record<string, string> = {};
  for (const as of ["alice", "bob", "carol"]) {
    const { tokens } = await gate.connect(client, { scope: "mcp:read mcp:write" }, { as });
    scopes[as] = tokens.scope;
    const claims = atob(tokens.access_token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"));
    equal(JSON.parse(claims).sub, as);
  }
  // Only the administrator can grant more than every request needs.
  deepEqual(scopes, { alice: "mcp:read mcp:write", bob: "mcp:read", carol: "mcp:read" });
});

for (
  const address of ["203.0.113.5", "10.0.0.1", "192.168.1.1", "::ffff:10.0.0.1", "fe80::1", ""]
) {
  Deno.test(`login() answers nobody at "${address}", wherever it is served (SPEC D7, E7)`, async () => {
    const { gate, page, browser } = await asked();
    await refusedByPage(await gate.send(page.url, {}, address), 403, TITLES.browser);
    const posted = postForm(gate, page, browser, { fields: { user: "alice" }, address });
    await refusedByPage(await posted, 403, TITLES.browser);
  });
}

for (const address of ["127.0.0.1", "127.1.2.3", "::1"]) {
  Deno.test(`login() answers this machine at ${address} (SPEC D7, E7)`, async () => {
    const { gate, page, browser } = await asked();
    equal((await gate.send(page.url, {}, address)).status, 200);
    const posted = await postForm(gate, page, browser, { fields: { user: "alice" }, address });
    equal(posted.status, 200);
  });
}

for (const name of ["x-forwarded-for", "forwarded"]) {
  Deno.test(`login() answers nothing that was forwarded, whatever ${name} says (SPEC D7, E7)`, async () => {
    const { gate, page, browser } = await asked();
    const fields = { user: "alice" };
    for (const value of ["127.0.0.1", "for=127.0.0.1", "203.0.113.5", ""]) {
      const headers = { [name]: value };
      for (const address of ["127.0.0.1", "203.0.113.5"]) {
        const got = await gate.send(page.url, { headers }, address);
        await refusedByPage(got, 403, TITLES.browser);
        const posted = await postForm(gate, page, browser, { fields, headers, address });
        await refusedByPage(posted, 403, TITLES.browser);
      }
    }
    equal((await postForm(gate, page, browser, { fields })).status, 200);
  });
}

const STRANGE: readonly Record<string, string | undefined>[] = [
  { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
  { origin: "https://evil.example", "sec-fetch-site": undefined },
  { origin: "null" },
  { origin: undefined, "sec-fetch-site": "cross-site" },
  { origin: "http://localhost:9090", "sec-fetch-site": "same-site" },
];
for (const headers of STRANGE) {
  Deno.test(`login() refuses a form from elsewhere: ${JSON.stringify(headers)} (SPEC B5.3)`, async () => {
    const { gate, page, browser } = await asked();
    const response = await postForm(gate, page, browser, { fields: { user: "alice" }, headers });
    await refusedByPage(response, 403, TITLES.browser);
  });
}

for (
  const [what, fields] of [
    ["nobody", {}],
    ["an empty name", { user: "" }],
    ["somebody unknown", { user: "mallory" }],
    ["a name in other case", { user: "Alice" }],
    ["a username", { user: "alice@example.com" }],
    ["two people", { user: ["alice", "bob"] }],
    ["a property of all objects", { user: "__proto__" }],
    ["no state", { user: "alice", state: undefined }],
    ["two states", { user: "alice", state: ["a", "b"] }],
  ] as const
) {
  Deno.test(`login() refuses a form that names ${what}`, async () => {
    const { gate, page, browser } = await asked();
    await refusedByPage(await postForm(gate, page, browser, { fields }), 400, TITLES.malformed);
  });
}

Deno.test("login() needs a state to show its page, and shows any as text", async () => {
  const gate = await newGate();
  for (const path of ["/oauth/login", "/oauth/login?state=", "/oauth/login?state=a&state=b"]) {
    await refusedByPage(await openBare(gate, path), 400, TITLES.malformed);
  }
  const state = `"><script>alert(1)</script>`;
  const text = await (await openBare(gate, `/oauth/login?${new URLSearchParams({ state })}`))
    .text();
  ok(!text.includes("<script"));
  deepEqual(formOf(text), { action: "/oauth/login", fields: { state } });
});

Deno.test("callback() takes no code of the login but the one for its state (SPEC B5.6)", async () => {
  const { gate, client, browser, page } = await asked();
  const { url } = await browser.press(page, "user", "alice");
  const other = gate.browser("/oauth/callback");
  const theirs = await gate.approve(await gate.ask(client, {}, { browser: other }), {
    browser: other,
    as: "bob",
  });
  const code = new URL(url).searchParams.get("code")!;
  const now = gate.ports.now();
  const value = await sealOf(gate, "development login").open(code, now);
  ok(value, "the code is sealed for that");
  const codes = [
    new URL(theirs.url).searchParams.get("code")!,
    altered(code),
    "",
    "alice",
    await sealOf(gate, "development login").seal({ subject: "mallory", state: "x" }, now + 60),
    await sealOf(gate, "development login").seal({ ...value as object, subject: "root" }, now + 60),
  ];
  for (const purpose of PURPOSES.filter((one) => one !== "development login")) {
    codes.push(await sealOf(gate, purpose).seal(value, now + 60));
  }
  const answerOf = async (at: Gate, code: string) => {
    const back = new URL(url);
    back.searchParams.set("code", code);
    const response = await openBare(at, back.href, browser);
    return new URL(response.headers.get("location")!).searchParams;
  };
  for (const one of codes) {
    // A login can be tried a few times; a program that was started anew counts anew.
    const anew = await newGate({}, { ports: gate.ports });
    equal((await answerOf(anew, one)).get("error"), "server_error");
  }
  ok((await answerOf(gate, code)).has("code"));
});

Deno.test("a code of the login lives for a minute (SPEC B3.3)", async () => {
  for (const [seconds, error] of [[59, null], [60, "server_error"]] as const) {
    const { gate, browser, page } = await asked();
    const { url } = await browser.press(page, "user", "alice");
    gate.ports.advance(seconds);
    const location = (await openBare(gate, url, browser)).headers.get("location")!;
    equal(new URL(location).searchParams.get("error"), error);
  }
});

Deno.test("a login page that somebody else's link opens logs nobody in for them (SPEC B5.6)", async () => {
  const { gate, page } = await asked();
  const victim = gate.browser();
  const shown = await victim.press(await victim.open(page.url), "user", "alice");
  equal(shown.status, 403);
  ok(shown.text.includes(TITLES.browser));
});

Deno.test("there is no login page in front of an identity provider", async () => {
  const gate = await newGate({}, { idp: await newLogins() });
  for (const method of ["GET", "POST"]) {
    equal((await gate.send("/oauth/login?state=x", { method })).status, 404);
  }
});

Deno.test("OAUTH_ALLOW holds for the development login too (SPEC A4.9)", async () => {
  const gate = await newGate({ OAUTH_ALLOW: "user:bob" });
  const client = await gate.register();
  equal((await gate.authorize(client, {}, { as: "alice" })).get("error"), "access_denied");
  ok((await gate.authorize(client, {}, { as: "bob" })).has("code"));
});

Deno.test("the login page says that it is for development, and goes to its own callback", async () => {
  const { gate, page, browser } = await asked();
  ok(page.text.includes("For development only."));
  const response = await postForm(gate, page, browser, { fields: { user: "carol" } });
  const [href] = valuesOf(await response.text(), "href");
  const { origin, pathname, searchParams } = new URL(href!);
  deepEqual([origin, pathname, [...searchParams.keys()]], [
    gate.origin,
    "/oauth/callback",
    ["code", "state", "iss"],
  ]);
});
