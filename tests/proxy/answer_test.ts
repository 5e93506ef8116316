import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { answers } from "../../lib/proxy/answer.ts";
import { newPages } from "../../lib/proxy/pages.ts";
import type { AuthorizationError } from "../../lib/proxy/request.ts";
import { ORIGIN } from "../fakes.ts";
import { type Changes, type Gate, newGate, REDIRECT, type TestClient } from "./flow.ts";
import { openBare, refusedByPage, TITLES } from "./forms.ts";
import { newLogins } from "./logins.ts";
import { valuesOf } from "../page/markup.ts";

const APP = "https://app.example/callback?tenant=1";
const TEXTS: Record<string, string> = {
  invalid_request: "A parameter is missing or malformed; PKCE with S256 is required",
  unsupported_response_type: "The response type must be code",
  invalid_target: "This resource is not served here",
  request_not_supported: "Request objects are not supported",
  request_uri_not_supported: "Request objects are not supported",
};

const { urlOf, errorUrl } = answers("https://gate.example", newPages());

Deno.test("answers().urlOf() leaves the redirect URI as it was registered (SPEC B2.2, B2.4)", () => {
  const tail = "iss=https%3A%2F%2Fgate.example";
  for (
    const [redirectUri, joined] of [
      ["https://app.example/cb", "?"],
      ["https://app.example/cb?a=%2f&b=+", "&"],
      ["https://app.example/cb?", "&"],
      ["http://127.0.0.1:1", "?"],
      ["cursor://oauth/cb", "?"],
    ] as const
  ) {
    equal(urlOf({ redirectUri }, { code: "c" }), `${redirectUri}${joined}code=c&${tail}`);
  }
});

Deno.test("answers().urlOf() returns any state untouched, and nothing of it as more (SPEC B2.5)", () => {
  const ascii = fc.string({
    unit: fc.integer({ min: 0x20, max: 0x7e }).map((c) => String.fromCharCode(c)),
  });
  fc.assert(
    fc.property(ascii, (state) => {
      const url = new URL(urlOf({ redirectUri: APP, state }, { code: "c" }));
      deepEqual([...url.searchParams], [
        ["tenant", "1"],
        ["code", "c"],
        ["state", state],
        ["iss", "https://gate.example"],
      ]);
      equal(url.hash, "");
    }),
    { seed: 1, numRuns: 500 },
  );
});

Deno.test("answers().errorUrl() names the issuer and never an empty state (SPEC B2.4)", () => {
  const url = new URL(errorUrl({ redirectUri: APP }, "server_error"));
  deepEqual([...url.searchParams], [
    ["tenant", "1"],
    ["error", "server_error"],
    ["error_description", "The login did not work"],
    ["iss", "https://gate.example"],
  ]);
});

const STATE = "a b&c=d%2e+#/?\"'<>{}|\\^`~é".slice(0, -1);

type Wrong = readonly [what: string, changes: Changes, error: AuthorizationError];
const WRONG: readonly Wrong[] = [
  ["no response type", { response_type: undefined }, "invalid_request"],
  ["an empty response type", { response_type: "" }, "invalid_request"],
  ["response type token", { response_type: "token" }, "unsupported_response_type"],
  ["response type code token", { response_type: "code token" }, "unsupported_response_type"],
  ["response type Code", { response_type: "Code" }, "unsupported_response_type"],
  ["a request object", { request: "e30.e30." }, "request_not_supported"],
  ["a request URI", { request_uri: "https://evil.example/" }, "request_uri_not_supported"],
  ["response mode fragment", { response_mode: "fragment" }, "invalid_request"],
  ["response mode form_post", { response_mode: "form_post" }, "invalid_request"],
  ["no PKCE", { code_challenge: undefined, code_challenge_method: undefined }, "invalid_request"],
  ["no challenge", { code_challenge: undefined }, "invalid_request"],
  ["an empty challenge", { code_challenge: "" }, "invalid_request"],
  ["no challenge method", { code_challenge_method: undefined }, "invalid_request"],
  ["challenge method plain", { code_challenge_method: "plain" }, "invalid_request"],
  ["challenge method s256", { code_challenge_method: "s256" }, "invalid_request"],
  ["a challenge of 42 characters", { code_challenge: "a".repeat(42) }, "invalid_request"],
  ["a challenge of 44 characters", { code_challenge: "a".repeat(44) }, "invalid_request"],
  ["a padded challenge", { code_challenge: `${"a".repeat(43)}=` }, "invalid_request"],
  ["a challenge in base64", { code_challenge: `${"a".repeat(42)}+` }, "invalid_request"],
  ["a challenge with a line end", { code_challenge: `${"a".repeat(43)}\n` }, "invalid_request"],
  ["another resource", { resource: "https://other.example/mcp" }, "invalid_target"],
  ["a resource beside this one", { resource: `${ORIGIN}/other` }, "invalid_target"],
  ["the origin for a resource", { resource: ORIGIN }, "invalid_target"],
  ["a resource with a slash more", { resource: `${ORIGIN}/mcp/` }, "invalid_target"],
  ["a second resource", { resource: [`${ORIGIN}/mcp`, ORIGIN] }, "invalid_target"],
];

/** What a client on loopback hears, straight from the authorization endpoint. */
async function heard(gate: Gate, client: TestClient, changes: Changes): Promise<URLSearchParams> {
  const response = await openBare(gate, gate.requestOf(client, changes));
  equal(response.status, 303);
  equal(await response.text(), "");
  equal(response.headers.get("set-cookie"), null);
  const location = response.headers.get("location")!;
  ok(location.startsWith(`${REDIRECT}?`), location);
  return new URL(location).searchParams;
}

for (const [what, changes, error] of WRONG) {
  Deno.test(`authorize() tells a client on loopback of ${what}, with state and issuer (SPEC B2.1, B2.4, B2.5, B2.6, B2.7, E10)`, async () => {
    const gate = await newGate();
    const client = await gate.register();
    const sent = { state: STATE, ...changes };
    deepEqual([...await heard(gate, client, sent)], [
      ["error", error],
      ["error_description", TEXTS[error]],
      ["state", STATE],
      ["iss", ORIGIN],
    ]);
    const without = await heard(gate, client, { ...sent, state: undefined });
    deepEqual([...without.keys()], ["error", "error_description", "iss"]);
  });
}

const GOOD: readonly Changes[] = [
  { resource: undefined },
  { resource: "" },
  { resource: [`${ORIGIN}/mcp`, `${ORIGIN}/mcp`] },
  { response_mode: "query" },
  { response_mode: "" },
  { request: "", request_uri: "" },
];
for (const changes of GOOD) {
  Deno.test(`authorize() has nothing against ${JSON.stringify(changes)} (SPEC B2.5, B2.6)`, async () => {
    const gate = await newGate();
    const { client, tokens } = await gate.connect(undefined, changes);
    const [, claims] = tokens.access_token.split(".");
    equal(JSON.parse(atob(claims.replaceAll("-", "+").replaceAll("_", "/"))).aud, gate.resource);
    equal((await openBare(gate, gate.requestOf(client, changes))).status, 200);
  });
}

const STATES: readonly (readonly [what: string, state: string, good: boolean])[] = [
  ["2048 characters", "a".repeat(2048), true],
  ["2049 characters", "a".repeat(2049), false],
  ["a letter beyond ASCII", "caf\u00e9", false],
  ["an emoji", "\u{1f600}", false],
  ["a line end", "a\r\nlocation: https://evil.example/", false],
  ["a NUL", "a\0", false],
  ["DEL", "a\x7f", false],
];
for (const [what, state, good] of STATES) {
  Deno.test(`authorize() ${good ? "takes" : "refuses, and does not return,"} a state with ${what} (SPEC B2.5)`, async () => {
    const gate = await newGate();
    const client = await gate.register();
    if (good) return equal((await gate.authorize(client, { state })).get("state"), state);
    deepEqual([...await heard(gate, client, { state })], [
      ["error", "invalid_request"],
      ["error_description", TEXTS.invalid_request],
      ["iss", ORIGIN],
    ]);
  });
}

Deno.test("authorize() lets a person choose to go back to a client that nobody vouches for (SPEC B2.3)", async () => {
  const gate = await newGate();
  const client = await gate.register({ redirect_uris: [APP] });
  for (const [what, changes, error] of WRONG) {
    const response = await openBare(gate, gate.requestOf(client, { state: STATE, ...changes }));
    equal(response.status, 400, what);
    equal(response.headers.get("location"), null);
    const text = await response.text();
    ok(!/http-equiv="refresh"/.test(text));
    deepEqual(valuesOf(text, "href").map((url) => [...new URL(url).searchParams]), [[
      ["tenant", "1"],
      ["error", error],
      ["error_description", TEXTS[error]],
      ["state", STATE],
      ["iss", ORIGIN],
    ]]);
  }
});

Deno.test("authorize() sends people back at once only where the operator knows the client (SPEC B2.3)", async () => {
  const known = [{ client_id: "known", client_name: "Known", redirect_uris: [APP] }];
  const id = "https://app.example/client.json";
  const gate = await newGate({ OAUTH_CLIENTS: JSON.stringify(known) }, {
    strangers: {
      resolve: () => Promise.resolve(["93.184.215.14"]),
      fetchAt: () =>
        Promise.resolve(Response.json({ client_id: id, client_name: "A", redirect_uris: [APP] })),
    },
  });
  const changes = { response_type: "token" };
  const trusted = { id: "known", redirectUri: APP };
  const sent = await openBare(gate, gate.requestOf(trusted, changes));
  equal(sent.status, 303);
  ok(sent.headers.get("location")!.startsWith(`${APP}&error=unsupported_response_type&`));
  const documented = { id, redirectUri: APP };
  const page = await openBare(gate, gate.requestOf(documented, changes));
  equal(page.status, 400);
  equal(page.headers.get("location"), null);
  // A client of its own making that can only be on this computer harms nobody else.
  const local = await gate.register({ redirect_uris: [APP, REDIRECT] });
  equal((await heard(gate, { ...local, redirectUri: REDIRECT }, changes)).get("iss"), ORIGIN);
});

Deno.test("every way to the client ends with its state and this issuer (SPEC B2.4, B2.5, B2.7, E10)", async () => {
  const idp = await newLogins();
  const gate = await newGate({ OAUTH_ALLOW: "user:dora-1" }, { idp });
  const client = await gate.register();
  const browser = gate.browser();
  const finish = () => gate.authorize(client, { state: STATE }, { browser });
  const answers: URLSearchParams[] = [await finish()];
  const denied = await browser.press(
    await gate.ask(client, { state: STATE }, { browser }),
    "decision",
    "deny",
  );
  answers.push(new URL(denied.url).searchParams);
  const fail = async (break_: () => void, mend: () => void) => {
    break_();
    answers.push(await finish());
    mend();
  };
  await fail(() => idp.claims.sub = "somebody", () => delete idp.claims.sub);
  await fail(() => idp.response.error = "access_denied", () => delete idp.response.error);
  await fail(() => idp.response.error = "invalid_scope", () => delete idp.response.error);
  await fail(() => idp.refusal = Response.json({}, { status: 500 }), () => idp.refusal = undefined);
  deepEqual(answers.map((one) => one.get("error")), [
    null,
    "access_denied",
    "access_denied",
    "access_denied",
    "server_error",
    "temporarily_unavailable",
  ]);
  for (const one of answers) {
    equal(one.get("state"), STATE);
    deepEqual(one.getAll("iss"), [gate.origin]);
    ok(one.has("code") !== one.has("error"));
  }
});

Deno.test("an app with a scheme of its own is answered like any other (SPEC B2.2, B2.4)", async () => {
  const uri = "cursor://anysphere.cursor/callback";
  const gate = await newGate({ OAUTH_REDIRECT_URIS: uri });
  const client = await gate.register({ redirect_uris: [uri] });
  const browser = gate.browser();
  const page = await gate.ask(client, {}, { browser });
  for (
    const { url } of [
      await browser.press(page, "decision", "deny"),
      await gate.approve(page, { browser }),
    ]
  ) {
    ok(url.startsWith(`${uri}?`), url);
    equal(new URL(url).searchParams.get("iss"), gate.origin);
  }
  // Nobody vouches for it, so it gets no error without a person.
  const early = await openBare(gate, gate.requestOf(client, { response_type: "token" }));
  deepEqual([early.status, early.headers.get("location")], [400, null]);
});

Deno.test("answers().fail() names the request for whoever asks the operator", async () => {
  const gate = await newGate();
  const response = await openBare(gate, "/oauth/authorize");
  const id = response.headers.get("x-request-id");
  ok(id && (await response.clone().text()).includes(`<code>${id}</code>`));
  await refusedByPage(response, 400, TITLES.client);
});
