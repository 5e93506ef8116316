import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import fc from "fast-check";
import { STYLE } from "../../lib/proxy/page_style.ts";
import { type ConsentPage, newPages } from "../../lib/proxy/pages.ts";
import { read, tagsOf, valuesOf } from "../page/markup.ts";

const pages = newPages();

/** Every page, with `text` wherever a page takes text and `url` wherever it takes a link. */
function everyPage(text: string, url: string): Record<string, Response> {
  const form = { action: "/oauth/consent", fields: { token: text } };
  const asked = {
    ...form,
    clientName: text,
    clientId: text,
    clientHost: text,
    redirectHost: text,
    redirectUri: text,
    scopes: [{ name: text, meaning: text }, { name: text }],
    resource: text,
    loginHost: text,
  };
  const told = { title: text, what: text, fix: text, requestId: text };
  return {
    configured: pages.consent({ ...asked, origin: "configured", isLoopbackOnly: false }),
    document: pages.consent({ ...asked, origin: "document", isLoopbackOnly: false }),
    dynamic: pages.consent({ ...asked, origin: "dynamic", isLoopbackOnly: true }),
    login: pages.login({ ...form, people: [{ id: text, name: text, role: text }] }),
    failure: pages.failure({ ...told, status: 400 }),
    back: pages.failure({ ...told, status: 403, back: { label: text, url } }),
    onward: pages.onward({ url, host: text }),
  };
}

const CONSENT: ConsentPage = {
  action: "/oauth/consent",
  fields: { transaction: "t1", token: `"><b>` },
  clientName: "Claude",
  origin: "dynamic",
  redirectHost: "claude.ai",
  redirectUri: "https://claude.ai/callback",
  isLoopbackOnly: false,
  scopes: [],
  resource: "https://mcp.example/mcp",
  loginHost: "login.example",
};

/** The words of the consent page, as they are read aloud. */
async function consentWords(changes: Partial<ConsentPage>): Promise<string> {
  const markup = await pages.consent({ ...CONSENT, ...changes }).text();
  const body = markup.slice(markup.indexOf("<main>"));
  return read(body.replace(/<[^>]*>/g, "")).replace(/\s+/g, " ");
}

const hostile = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("</title><script>alert(1)</script>", `" onclick="alert(1)`, "<!--", "\0<\x1b>'"),
);

Deno.test("pages keep their tags and attributes whatever they tell (SPEC E8, B5.3)", async () => {
  const plain = await tagsOfAll("x", "https://a.example/");
  await fc.assert(fc.asyncProperty(hostile, hostile, async (text, query) => {
    deepEqual(await tagsOfAll(text, `https://a.example/?${query}`), plain);
  }));
});

async function tagsOfAll(text: string, url: string): Promise<Record<string, string[]>> {
  const entries = Object.entries(everyPage(text, url));
  return Object.fromEntries(
    await Promise.all(entries.map(async ([name, page]) => [name, tagsOf(await page.text())])),
  );
}

Deno.test("pages have no script, no handler, and nothing from elsewhere (SPEC E8)", async () => {
  for (const [name, page] of Object.entries(everyPage("x", "app:/cb"))) {
    const markup = await page.text();
    ok(
      !/<(?:script|link|img|iframe|object|base)|\s(?:on\w+|style|src)=|https?:/i.test(markup),
      name,
    );
    ok(!/url\(|@import|<\//.test(STYLE));
  }
});

Deno.test("pages have one heading, a title, a language and room on a phone", async () => {
  for (const [name, page] of Object.entries(everyPage("x", "app:/cb"))) {
    const markup = await page.text();
    for (const part of ["<h1>", "<main>", "<title>", '<html lang="en">', '<meta name="viewport"']) {
      equal(markup.split(part).length, 2, `${name}: ${part}`);
    }
  }
});

Deno.test("pages cannot be framed (SPEC B5.3, B2.5)", () => {
  for (const { headers } of Object.values(everyPage("x", "app:/cb"))) {
    match(headers.get("content-security-policy")!, /; frame-ancestors 'none';/);
    equal(headers.get("x-frame-options"), "DENY");
  }
});

Deno.test("pages take more headers, for example cookies", () => {
  const cookie = { "set-cookie": "a=1" };
  const told = { status: 400, title: "T", what: "w", fix: "f", requestId: "r" };
  const answers = [
    pages.consent(CONSENT, cookie),
    pages.login({ action: "/", fields: {}, people: [] }, cookie),
    pages.failure(told, cookie),
    pages.onward({ url: "app:/cb", host: "app" }, cookie),
  ];
  for (const { headers } of answers) deepEqual(headers.getSetCookie(), ["a=1"]);
});

Deno.test("consent() names client, permissions, redirect URI and hosts (SPEC B5.3, B4.1)", async () => {
  const words = await consentWords({
    clientId: "c1",
    scopes: [{ name: "a:read", meaning: "Read all" }, { name: "b:write" }],
  });
  for (
    const word of [
      "Let “Claude” act as you?",
      "Access goes to claude.ai https://claude.ai/callback",
      "Read all a:read",
      "b:write",
      "https://mcp.example/mcp",
      "You log in at login.example",
      "c1",
    ]
  ) ok(words.includes(word), `${word} is not in: ${words}`);
});

Deno.test("consent() says so when there are no scopes: everything (SPEC B5.3)", async () => {
  match(await consentWords({}), /What it may do Act as you on this server/);
});

Deno.test("consent() tells who vouches for the client, and doubts the rest (SPEC B4.1)", async () => {
  const host = { clientHost: "claude.ai" };
  match(await consentWords({ origin: "document", ...host }), /claude\.ai vouches for this app/);
  match(await consentWords({ origin: "configured" }), /The operator of this server has registered/);
  match(await consentWords({ origin: "dynamic", ...host }), /Nobody vouches for this app/);
  match(await consentWords({ origin: "document" }), /Nobody vouches for this app/);
});

Deno.test("consent() warns of clients on loopback, and only of those (SPEC E11, B4.1)", async () => {
  match(await consentWords({ isLoopbackOnly: true }), /Any program here can pretend to be it/);
  match(await consentWords({ isLoopbackOnly: true }), /claude\.ai \(this computer\)/);
  ok(!/this computer/.test(await consentWords({})));
});

Deno.test("consent() shows punycode as it is, and claims in a box of their own (SPEC B4.1)", async () => {
  const clientName = "\u202eedualC\u2069";
  const redirectHost = "xn--80ak6aa92e.com";
  const markup = await pages.consent({ ...CONSENT, clientName, redirectHost }).text();
  ok(markup.includes(`<bdi class="claim">“${clientName}”</bdi>`));
  ok(markup.includes(`<bdi dir="ltr">${redirectHost}</bdi>`));
  match(STYLE, /bdi \{ display: inline-block;/);
});

Deno.test("consent() posts one decision and the hidden fields to its own path (SPEC B5.3)", async () => {
  const markup = await pages.consent(CONSENT).text();
  deepEqual(markup.match(/<form[^>]*>/g), ['<form method="post" action="/oauth/consent">']);
  deepEqual(valuesOf(markup, "value"), ["t1", `"><b>`, "approve", "deny"]);
  match(markup, /<input type="hidden" name="transaction" value="t1">/);
  match(markup, /<button class="main" name="decision" value="approve">Continue to <bdi/);
  match(markup, /<button name="decision" value="deny">Cancel<\/button>/);
});

Deno.test("login() offers each person as a button, for development only", async () => {
  const people = [
    { id: "alice", name: "Alice Adams", role: "Admin" },
    { id: "bob", name: "Bob Brown", role: "Viewer" },
  ];
  const markup = await pages.login({ action: "/dev/login", fields: { t: "1" }, people }).text();
  match(markup, /For development only/);
  match(markup, /<title>Development login<\/title>/);
  match(markup, /<form method="post" action="\/dev\/login">/);
  deepEqual(valuesOf(markup, "value"), ["1", "alice", "bob"]);
  equal(markup.match(/<button class="person" name="user" /g)?.length, 2);
});

Deno.test("failure() tells what happened, what to do and under which request", async () => {
  const told = { title: "Not known", what: "It is gone.", fix: "Add it again.", requestId: "r1" };
  const response = pages.failure({ ...told, status: 400 });
  equal(response.status, 400);
  const markup = await response.text();
  for (const part of Object.values(told)) ok(markup.includes(part), part);
  ok(!markup.includes("<a "));
});

Deno.test("failure() leads back only for those who choose it (SPEC B2.3)", async () => {
  const told = { status: 403, title: "T", what: "w", fix: "f", requestId: "r" };
  const back = { label: "Back to a.example", url: "https://a.example/cb?error=access_denied&s=1" };
  const markup = await pages.failure({ ...told, back }).text();
  deepEqual(valuesOf(markup, "href"), [back.url]);
  ok(!/http-equiv/.test(markup));
  throws(
    () => pages.failure({ ...told, back: { label: "Back", url: "javascript:alert(1)" } }),
    /Cannot link/,
  );
});

/** Where a browser goes: the shared declarative refresh steps of HTML, section 4.2.5.3. */
function refreshOf(content: string): string {
  const rest = /^\s*0\s*[;,]?\s*(?:url\s*=\s*)?(.*)$/is.exec(content)?.[1] ?? "";
  const quoted = /^(["'])(.*?)(?:\1|$)/s.exec(rest);
  return new URL(quoted?.[2] ?? rest).href;
}

Deno.test("onward() goes exactly where it is told, at once and by a link (SPEC B2.5)", async () => {
  const start = fc.constantFrom(
    "https://a.example/cb?",
    "http://127.0.0.1:1/cb?",
    "app://x/?",
    "app:",
  );
  await fc.assert(fc.asyncProperty(start, hostile, async (prefix, rest) => {
    const url = prefix + rest;
    const markup = await pages.onward({ url, host: "a.example" }).text();
    const content = /<meta http-equiv="refresh" content="([^"]*)">/.exec(markup)![1]!;
    equal(refreshOf(read(content)), new URL(url).href);
    deepEqual(valuesOf(markup, "href"), [new URL(url).href]);
  }));
});

Deno.test("onward() leaves state and code as they are (SPEC B2.5)", async () => {
  const url = "https://a.example/cb?state=a%3Bb%27%22;url=x&code=1;2";
  deepEqual(valuesOf(await pages.onward({ url, host: "a.example" }).text(), "href"), [url]);
});

Deno.test("onward() refuses a URL that runs (SPEC E8)", () => {
  const url = "javascript:alert(1)";
  throws(() => pages.onward({ url, host: "a" }), {
    message: "Cannot link to a URL with javascript:",
  });
});

/** Contrast of two colours (WCAG 2.2, contrast ratio). */
function contrast(one: string, other: string): number {
  const [low, high] = [one, other].map(luminance).sort((a, b) => a - b);
  return (high! + 0.05) / (low! + 0.05);
}

function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

Deno.test("STYLE can be read in light and in dark (WCAG 2.2 1.4.3 and 1.4.11)", () => {
  const schemes = STYLE.split("@media (prefers-color-scheme: dark)");
  equal(schemes.length, 2);
  for (const scheme of schemes) {
    const colours = Object.fromEntries(
      [...scheme.matchAll(/--([\w-]+): (#\w{6});/g)].map(([, name, value]) => [name, value!]),
    );
    const pair = (one: string, other: string) => contrast(colours[one]!, colours[other]!);
    for (const text of ["ink", "soft", "accent"]) ok(pair(text, "sheet") >= 4.5, text);
    for (const button of ["accent", "accent-over"]) ok(pair("on-accent", button) >= 4.5, button);
    ok(pair("ink", "warn") >= 4.5, "warn");
    ok(pair("edge", "sheet") >= 3, "edge");
  }
});
