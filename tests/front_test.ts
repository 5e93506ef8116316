import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { createHash } from "node:crypto";
import { front } from "../lib/front.ts";
import { factsOf } from "../lib/front/facts.ts";
import { whoami } from "../lib/pack/whoami.ts";
import { tracer } from "../lib/trace.ts";
import {
  fakePorts,
  keysMade,
  modernCall,
  ORIGIN,
  RESOURCE,
  SECRET,
  subject,
  testConfig,
} from "./fakes.ts";
import { read, tagsOf, valuesOf } from "./page/markup.ts";

const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8";

const OKTA = {
  OAUTH_PROVIDER: "okta",
  OAUTH_SERVER_URL: "https://mcp.example.com",
  OIDC_ISSUER: "https://company.okta.com/oauth2/default",
};
const PROXY = {
  ...OKTA,
  OAUTH_MODE: "proxy",
  OIDC_CLIENT_ID: "upstream-client-id",
  OIDC_CLIENT_SECRET: "upstream-client-secret",
};

/** The page that a browser gets of a server with these settings. */
async function page(env: Record<string, string> = {}): Promise<string> {
  return await answer({ headers: { accept: BROWSER } }, env);
}

/** What programs get there. */
async function text(env: Record<string, string> = {}): Promise<string> {
  return await answer({}, env);
}

async function answer(init: RequestInit, env: Record<string, string>): Promise<string> {
  const { send, app } = await subject(env);
  const told = await (await send("/", init)).text();
  // Waits for what the server began at its start.
  await (await send("/readyz")).body?.cancel();
  await app.close();
  return told;
}

function wordsOf(markup: string): string {
  const body = markup.slice(markup.indexOf("<main>"), markup.indexOf("</main>"));
  return read(body.replace(/<[^>]*>/g, "")).replace(/\s+/g, " ");
}

const ACCEPTED: readonly [accept: string | undefined, status: number, type: string][] = [
  [BROWSER, 200, "text/html"],
  ["TEXT/HTML", 200, "text/html"],
  ["application/json, text/html;q=0.1", 200, "text/html"],
  ["text/event-stream, text/html", 200, "text/html"],
  [undefined, 200, "text/plain"],
  ["", 200, "text/plain"],
  ["*/*", 200, "text/plain"],
  ["application/json", 200, "text/plain"],
  ["text/html;q=0", 200, "text/plain"],
  ["text/html; charset=utf-8; q=0.000, */*", 200, "text/plain"],
  ["text/htmlx, xtext/html", 200, "text/plain"],
  ["text/event-stream", 406, "text/plain"],
  ["application/json, text/event-stream", 406, "text/plain"],
];

for (const [accept, status, type] of ACCEPTED) {
  Deno.test(`/ answers Accept: ${accept} with ${status} ${type}`, async () => {
    const { send } = await subject();
    const response = await send("/", { headers: accept === undefined ? {} : { accept } });
    equal(response.status, status);
    equal(response.headers.get("content-type"), `${type}; charset=utf-8`);
    equal(response.headers.get("vary"), "accept");
    ok((await response.text()).includes(RESOURCE));
  });
}

Deno.test("/ takes nothing that a client of MCP sends, so that it looks elsewhere", async () => {
  const { send } = await subject();
  for (const init of [modernCall("tools/list"), { method: "DELETE" }, { method: "OPTIONS" }]) {
    const response = await send("/", init);
    equal(response.status, 405);
    equal(response.headers.get("allow"), "GET, HEAD");
  }
});

Deno.test("/ answers HEAD as GET, without the page", async () => {
  const { send } = await subject();
  const response = await send("/", { method: "HEAD", headers: { accept: BROWSER } });
  equal(response.headers.get("content-type"), "text/html; charset=utf-8");
  equal(await response.text(), "");
});

Deno.test("/ allows its own style and script by digest, and nothing else (SPEC E8)", async () => {
  const { send } = await subject();
  const response = await send("/", { headers: { accept: BROWSER } });
  const markup = await response.text();
  const digestOf = (tag: string) => {
    const source = new RegExp(`<${tag}>(.*?)</${tag}>`, "s").exec(markup)![1]!;
    return `'sha256-${createHash("sha256").update(source).digest("base64")}'`;
  };
  equal(
    response.headers.get("content-security-policy"),
    `default-src 'none'; style-src ${digestOf("style")}; script-src ${digestOf("script")}; ` +
      "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  );
  equal(response.headers.get("x-content-type-options"), "nosniff");
  equal(response.headers.get("x-frame-options"), "DENY");
  ok(!/<(?:link|img|iframe|object|base|form)\b|\s(?:on\w+|style|src)=/i.test(markup));
  ok(!/url\(|@import/.test(markup));
});

Deno.test("/ shows no button before a script shows it", async () => {
  const tags = tagsOf(await page());
  const buttons = tags.filter((tag) => tag.startsWith("<button"));
  ok(buttons.length > 10);
  for (const button of buttons) match(button, / hidden /);
});

Deno.test("/ is the same whatever a request says", async () => {
  const { send } = await subject();
  const headers = { accept: BROWSER };
  const usual = await (await send("/", { headers })).text();
  const odd = await send("/?next=https://evil.example", {
    headers: {
      ...headers,
      host: "127.0.0.1:8080",
      "x-forwarded-host": "evil.example",
      forwarded: "host=evil.example",
      referer: "https://evil.example/",
      cookie: "session=1",
    },
  });
  equal(await odd.text(), usual);
});

Deno.test("/ is not for a host that is not this server's (SPEC E1)", async () => {
  const { send } = await subject();
  equal((await send("/", { headers: { host: "evil.example", accept: BROWSER } })).status, 403);
});

const HIDDEN = {
  JWT_SECRET: SECRET,
  JWT_SECRET_PREVIOUS: SECRET.split("").reverse().join(""),
  OIDC_CLIENT_ID: "upstream-client-id",
  OIDC_CLIENT_SECRET: "upstream-client-secret",
  STORE_URL: "redis://gate:redis-password@store.internal:6379",
  OAUTH_CLIENTS: JSON.stringify([{
    client_id: "hidden-client",
    client_secret: "hidden-secret-of-32-characters-or-more",
    redirect_uris: ["https://hidden.internal/callback"],
  }]),
  OAUTH_ALLOW: "group:directors",
  GRAFANA_URL: "http://grafana.internal:3000",
  GRAFANA_PUBLIC_URL: "https://dashboards.internal",
  GRAFANA_AUTH: "assertion",
};

Deno.test("/ tells no secret, and nothing of what lies behind the server", async () => {
  const answer = await front(factsOf(
    { name: "gatehouse", title: "Gatehouse", version: "1.2.3" },
    testConfig({ ...PROXY, ...HIDDEN }),
    [whoami()],
  ));
  for (const accept of [BROWSER, "*/*"]) {
    const request = new Request(ORIGIN, { headers: { accept } });
    const told = await (await answer(request, tracer(fakePorts())())).text();
    match(told, /company\.okta\.com/);
    for (const value of Object.values(HIDDEN)) ok(!told.includes(value), value);
    ok(!/internal|upstream-|hidden-|directors|password@|redis:/.test(told));
  }
});

const PLACES: readonly [name: string, env: Record<string, string>, words: RegExp][] = [
  ["no login", { OAUTH_ENABLED: "off" }, /Not needed\. Whoever can reach this server may use it\./],
  ["tokens", {}, /With a token, which the operator of this server gives you\./],
  ["native mode", OKTA, /At Okta, company\.okta\.com, which issues the tokens \(native mode\)\./],
  ["proxy mode", PROXY, /At Okta, company\.okta\.com, by way of this server \(proxy mode\)\./],
  ["a nameless issuer", {
    ...OKTA,
    OAUTH_PROVIDER: "oidc",
    OIDC_ISSUER: "https://id.example.com",
  }, /At id\.example\.com, which/],
  ["development", { OAUTH_MODE: "proxy" }, /Here, without a password: this server is for dev/],
];

for (const [name, env, words] of PLACES) {
  Deno.test(`/ says where people log in, with ${name}`, async () => {
    const settings = env.OAUTH_ENABLED === "off" ? { ...env, OAUTH_PROVIDER: "" } : env;
    match(wordsOf(await page(settings)), words);
    match(await text(settings), words);
  });
}

Deno.test("/ promises that apps act as the person only where the server knows who that is", async () => {
  match(wordsOf(await page()), /use its tools as you\. Version \d/);
  const open = await page({ OAUTH_ENABLED: "off", OAUTH_PROVIDER: "" });
  match(wordsOf(open), /use its tools\. Version \d/);
});

Deno.test("/ says what apps need before they can log in", async () => {
  match(
    wordsOf(await page(OKTA)),
    /Apps log in at Okta themselves, so they have to be known there/,
  );
  const only = (kinds: string) => page({ ...PROXY, OAUTH_REGISTRATION: kinds }).then(wordsOf);
  match(await only("off"), /Only apps that the operator of this server has registered can log in/);
  match(await only("documents"), /Only apps that publish metadata of their own can log in/);
  ok(!/Only apps|have to be known/.test(await only("dynamic")));
  ok(!/Only apps|have to be known/.test(wordsOf(await page(PROXY))));
});

Deno.test("/ counts the tools of each pack, and says when none writes", async () => {
  match(wordsOf(await page()), /Tools 1: whoami \(1\)\. Connect/);
  const grafana = { GRAFANA_URL: "http://grafana.internal:3000", GRAFANA_AUTH: "forward" };
  const words = wordsOf(await page({ ...grafana, ...OKTA }));
  const [, all, own] = /Tools (\d+): whoami \(1\), grafana \((\d+)\)\. Connect/.exec(words)!;
  equal(Number(all), Number(own) + 1);
  const reading = wordsOf(await page({ ...grafana, ...OKTA, MCP_READ_ONLY: "on" }));
  const [, fewer] = /grafana \((\d+)\)\. None of them writes\./.exec(reading)!;
  ok(Number(fewer) < Number(own));
});

Deno.test("/ gives the public URL of the endpoint, wherever the server listens", async () => {
  const markup = await page(OKTA);
  ok(markup.includes("https://mcp.example.com/mcp"));
  ok(!markup.includes(new URL(ORIGIN).host));
  const links = valuesOf(markup, "href").map((url) => new URL(url).protocol);
  deepEqual(links, ["vscode:", "cursor:"]);
});

Deno.test("/ does not wait for the issuer", async () => {
  const never = new Promise<Response>(() => {});
  const { app, send } = await subject(PROXY, undefined, () => never);
  equal((await send("/", { headers: { accept: BROWSER } })).status, 200);
  await keysMade(app);
});
