import {
  deepStrictEqual as deepEqual,
  doesNotMatch,
  ok,
  strictEqual as equal,
} from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { LOGIN_SECONDS, type LoginState } from "../../lib/proxy/consent.ts";
import type { Browser } from "../browser.ts";
import { type Gate, newGate, parameters, REDIRECT, type TestClient } from "./flow.ts";
import { altered, openBare, PURPOSES, refusedByPage, sealOf, TITLES } from "./forms.ts";
import { type Logins, newLogins } from "./logins.ts";

const APP = "https://app.example/callback";

/** A person who said yes, logged in, and is about to come back with `url`. */
interface Returning {
  readonly gate: Gate;
  readonly idp: Logins;
  readonly client: TestClient;
  readonly browser: Browser;
  readonly url: string;
}

async function returning(
  env: Record<string, string> = {},
  change: (idp: Logins) => void = () => {},
  uri = REDIRECT,
): Promise<Returning> {
  const idp = await newLogins();
  change(idp);
  const gate = await newGate(env, { idp });
  const client = await gate.register({ redirect_uris: [uri] });
  const browser = gate.browser("/oauth/callback");
  const { url } = await gate.approve(await gate.ask(client, {}, { browser }), { browser });
  return { gate, idp, client, browser, url };
}

/** The URL of a way back, with parameters changed. */
function withChanges(url: string, changes: Record<string, string | string[] | undefined>): string {
  const { origin, pathname, searchParams } = new URL(url);
  return `${origin}${pathname}?${parameters({ ...Object.fromEntries(searchParams), ...changes })}`;
}

/** What the client hears. */
async function heard(response: Response): Promise<URLSearchParams> {
  equal(response.status, 303, await response.text());
  const location = response.headers.get("location")!;
  ok(location.startsWith(`${REDIRECT}?`), location);
  equal(response.headers.get("set-cookie"), null);
  return new URL(location).searchParams;
}

const come = (
  { gate, browser, url }: Returning,
  changes = {},
  from: Browser | undefined = browser,
) => openBare(gate, withChanges(url, changes), from);

Deno.test("callback() gives the client a code, its state and this issuer (SPEC B2.4, B2.5)", async () => {
  const back = await returning();
  const answer = await heard(await come(back));
  deepEqual([...answer.keys()], ["code", "state", "iss"]);
  deepEqual([answer.get("state"), answer.get("iss")], ["client state", back.gate.origin]);
  equal((await back.gate.redeem(back.client, answer.get("code")!)).status, 200);
});

Deno.test("callback() asks the provider with PKCE, a nonce and one redirect URI, new every time (SPEC B5.6, B5.7)", async () => {
  const idp = await newLogins();
  const gate = await newGate({}, { idp });
  const client = await gate.register();
  await gate.code(client);
  await gate.code(client);
  const [first, second] = idp.asked;
  for (const name of ["state", "nonce", "code_challenge"]) {
    ok(first!.get(name)!.length >= 22, name);
    ok(first!.get(name) !== second!.get(name), name);
  }
  equal(first!.get("code_challenge_method"), "S256");
  equal(first!.get("redirect_uri"), `${gate.origin}/oauth/callback`);
  equal(idp.redeemed[0]!.get("redirect_uri"), `${gate.origin}/oauth/callback`);
  ok(idp.redeemed[0]!.get("code_verifier")!.length >= 43);
  ok(!first!.has("resource"));
});

Deno.test("callback() refuses a login without the cookie of this browser (SPEC B5.6)", async () => {
  const back = await returning();
  const other = back.gate.browser();
  await back.gate.authorize(back.client, {}, { browser: other });
  const [name, marker] = back.browser.cookieFor(back.url)!.split("; ")
    .find((cookie) => cookie.startsWith("gatehouse-login"))!.split("=") as [string, string];
  const cookies = [
    "",
    other.cookieFor(back.url)!,
    back.browser.cookieFor(back.url)!.split("; ").find((one) => one.includes("form"))!,
    `${name.replace("login", "form")}=${marker}`,
    `${name}=${"0".repeat(32)}`,
    `${name}=${marker}; `.replace("=", "=0"),
  ];
  for (const cookie of cookies) {
    const response = await back.gate.send(back.url, { headers: { cookie } });
    await refusedByPage(response, 403, TITLES.browser);
  }
  await refusedByPage(await openBare(back.gate, back.url), 403, TITLES.browser);
  // None of it used the login up, nor the provider's code.
  equal(back.idp.redeemed.length, 1);
  ok((await heard(await come(back))).has("code"));
});

Deno.test("callback() finishes a login once (SPEC B5.6)", async () => {
  const back = await returning();
  ok((await heard(await come(back))).has("code"));
  await refusedByPage(await come(back), 400, TITLES.used);
  // Nor with a new code of the provider.
  await refusedByPage(await come(back, { code: "code-9" }), 400, TITLES.used);
});

Deno.test("callback() does not show the provider a code twice, which it would take for a theft", async () => {
  const back = await returning();
  await come(back);
  await come(back);
  equal(back.idp.redeemed.length, 1);
});

Deno.test("callback() leaves a login to its person when something looks ahead (SPEC B5.6)", async () => {
  const { gate, browser, url, idp } = await returning();
  const cookie = browser.cookieFor(url)!;
  equal((await gate.send(url, { method: "HEAD", headers: { cookie } })).status, 405);
  equal(idp.redeemed.length, 0);
  ok((await heard(await openBare(gate, url, browser))).has("code"));
});

Deno.test("callback() finishes a login once when it comes several times at once (SPEC B5.6)", async () => {
  const back = await returning();
  const responses = await Promise.all(Array.from({ length: 8 }, () => come(back)));
  const codes = responses.map((one) => new URL(one.headers.get("location") ?? "x:").searchParams);
  equal(codes.filter((one) => one.has("code")).length, 1);
});

Deno.test("callback() finishes a login once, even where every code of the provider is good (SPEC B5.6)", async () => {
  const gate = await newGate();
  const client = await gate.register();
  const browser = gate.browser("/oauth/callback");
  const { url } = await gate.approve(await gate.ask(client, {}, { browser }), { browser });
  const responses = await Promise.all(
    Array.from({ length: 8 }, () => openBare(gate, url, browser)),
  );
  equal(responses.filter(({ status }) => status === 303).length, 1);
  for (const one of responses.filter(({ status }) => status !== 303)) {
    await refusedByPage(one, 400, TITLES.used);
  }
});

Deno.test("callback() opens no state that was sealed for anything else (SPEC B5.6)", async () => {
  const back = await returning();
  const { gate } = back;
  const now = gate.ports.now();
  const text = new URL(back.url).searchParams.get("state")!;
  const state = await sealOf(gate, "login").open(text, now) as LoginState;
  ok(state, "the state is sealed for that");
  const far = now + 600;
  const states: (string | undefined)[] = [
    undefined,
    "",
    "x",
    "client state",
    altered(text),
    `${text}A`,
  ];
  for (const purpose of PURPOSES.filter((one) => one !== "login")) {
    states.push(await sealOf(gate, purpose).seal(state, far));
  }
  states.push(await sealOf(gate, "login", "another secret, of 32 bytes or so").seal(state, far));
  states.push(await sealOf({ ...gate, origin: "http://localhost" }, "login").seal(state, far));
  for (const one of states) {
    await refusedByPage(await come(back, { state: one }), 400, TITLES.expired);
  }
  for (const one of [[text, text], [text, "x"], ["x", text]]) {
    await refusedByPage(await come(back, { state: one }), 400, TITLES.malformed);
  }
  equal(back.idp.redeemed.length, 0);
});

Deno.test("callback() takes a login for ten minutes (SPEC B5.6)", async () => {
  equal(LOGIN_SECONDS, 600);
  const late = await returning();
  late.gate.ports.advance(LOGIN_SECONDS);
  await refusedByPage(await come(late), 400, TITLES.expired);
  late.gate.ports.advance(-1);
  ok((await heard(await come(late))).has("code"));
  late.gate.ports.advance(1);
  await refusedByPage(await come(late), 400, TITLES.expired);
});

Deno.test("callback() asks again whether client and redirect URI still stand (SPEC B5.5)", async () => {
  const back = await returning({}, () => {}, APP);
  const { idp, gate: { ports } } = back;
  const stricter = { OAUTH_REDIRECT_URIS: "https://other.example/callback" };
  const narrower = await newGate(stricter, { idp, ports });
  await refusedByPage(await openBare(narrower, back.url, back.browser), 400, TITLES.redirect);
  const closed = await newGate({ OAUTH_REGISTRATION: "documents" }, { idp, ports });
  await refusedByPage(await openBare(closed, back.url, back.browser), 400, TITLES.client);
  equal(idp.redeemed.length, 0);
  equal((await come(back)).status, 303);
});

Deno.test("callback() gives no code to a client whose registration ended meanwhile (SPEC B4.4)", async () => {
  const idp = await newLogins();
  const gate = await newGate({}, { idp });
  const client = await gate.register();
  gate.ports.advance(90 * 86_400 - 60);
  const browser = gate.browser("/oauth/callback");
  const { url } = await gate.approve(await gate.ask(client, {}, { browser }), { browser });
  gate.ports.advance(60);
  await refusedByPage(await openBare(gate, url, browser), 400, TITLES.client);
});

const SAID = `"><script>alert(1)</script> https://evil.example/ &code=x`;

Deno.test("callback() passes nothing on of what the provider says (SPEC B2.4)", async () => {
  for (
    const [said, error] of [
      ["access_denied", "access_denied"],
      ["invalid_scope", "server_error"],
      ["login_required", "server_error"],
      [SAID, "server_error"],
    ] as const
  ) {
    const change = ({ response }: Logins) => {
      response.code = undefined;
      response.error = said;
      response.error_description = SAID;
      response.error_uri = "https://evil.example/";
    };
    const answer = await heard(await come(await returning({}, change)));
    deepEqual([...answer.keys()], ["error", "error_description", "state", "iss"]);
    equal(answer.get("error"), error);
    doesNotMatch(answer.get("error_description")!, /script|evil/);
  }
});

Deno.test("callback() adds nothing to the answer that came with the way back (SPEC B2.5)", async () => {
  const back = await returning();
  const extra = { redirect_uri: "https://evil.example/", session_state: "x", scope: "all" };
  deepEqual([...(await heard(await come(back, extra))).keys()], ["code", "state", "iss"]);
});

Deno.test("nothing is stored before somebody logged in, so strangers cannot fill the store (SPEC B5.6)", async () => {
  const folder = await Deno.makeTempDir();
  const back = await returning({ STORE_URL: `sqlite:${folder}/store` });
  const database = new DatabaseSync(`${folder}/store`, { readOnly: true });
  const kinds = () => {
    const rows = database.prepare("SELECT key FROM entries ORDER BY key").all();
    return rows.map(({ key }) => String(key).split(":")[0]);
  };
  try {
    // This server's own keys alone, whatever is registered, asked and approved.
    deepEqual(kinds(), ["keys"]);
    await come(back, { state: "x" });
    await openBare(back.gate, back.url);
    deepEqual(kinds(), ["keys"]);
    await come(back);
    deepEqual(kinds(), ["code", "grant", "keys", "login", "person"]);
  } finally {
    database.close();
    await back.gate.app.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("callback() logs why, and never a code, state or verifier", async () => {
  const back = await returning();
  const code = (await heard(await come(back))).get("code")!;
  await come(back);
  const log = back.gate.ports.lines.join("");
  const sealed = new URL(back.url).searchParams.get("state")!;
  const state = await sealOf(back.gate, "login").open(sealed, back.gate.ports.now()) as LoginState;
  for (const secret of [code, sealed, state.verifier, state.nonce, "code-1", "upstream access"]) {
    ok(!log.includes(secret), secret);
  }
  ok(!log.includes(back.browser.cookieFor(back.url)!.split("=")[1]!.slice(0, 32)));
});
