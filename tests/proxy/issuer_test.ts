import {
  deepStrictEqual as deepEqual,
  match,
  notStrictEqual as notEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Login } from "../../lib/proxy/upstream.ts";
import { NOW } from "../fakes.ts";
import { ISSUER, keyOf, signWith } from "../idp.ts";
import { CHALLENGE } from "./flow.ts";
import { openGate } from "./grants_helper.ts";
import { CALLBACK, lead, LEG, STATE } from "./issuers.ts";
import type { Members } from "./logins.ts";
import { newUpstream } from "./upstreams.ts";

const MORE = "https://idp.example/tenant/me";

function identityOf(login: Login) {
  ok(login.ok, JSON.stringify(login));
  return login.identity;
}

function refused(login: Login, denied = false): string {
  ok(!login.ok, "The login was accepted");
  equal(login.denied, denied);
  return login.reason;
}

Deno.test("issuer() asks for a login of its own, with PKCE and nonce (SPEC B5.7)", async () => {
  const { upstream } = await lead();
  const url = new URL(await upstream.begin(STATE, LEG));
  equal(`${url.origin}${url.pathname}`, `${ISSUER}/authorize`);
  deepEqual(Object.fromEntries(url.searchParams), {
    response_type: "code",
    client_id: "gatehouse",
    redirect_uri: CALLBACK,
    scope: "openid profile email",
    state: STATE,
    nonce: LEG.nonce,
    code_challenge: createHash("sha256").update(LEG.verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
});

Deno.test("issuer() keeps what stands in the provider's address (SPEC B5.7)", async () => {
  const { upstream, idp } = await lead();
  idp.document = { ...idp.document, authorization_endpoint: `${ISSUER}/authorize?tenant=one` };
  const { searchParams } = new URL(await upstream.begin(STATE, LEG));
  equal(searchParams.get("tenant"), "one");
  equal(searchParams.get("client_id"), "gatehouse");
});

Deno.test("issuer() begins nothing at a provider that is down or has no login (SPEC B5.7)", async () => {
  const down = await lead();
  down.idp.up = false;
  await rejects(down.upstream.begin(STATE, LEG), /^Error: Cannot/);
  const without = await lead();
  without.idp.document = { ...without.idp.document, authorization_endpoint: undefined };
  await rejects(without.upstream.begin(STATE, LEG), /^Error: Cannot log in/);
});

Deno.test("two logins share neither state, nonce nor challenge, and none is the client's (SPEC B5.6, B5.7)", async () => {
  const idp = await newUpstream();
  const gate = await openGate({}, { idp });
  const client = await gate.register();
  await gate.connect(client);
  await gate.connect(client);
  const [one, other] = idp.asked;
  for (const name of ["state", "nonce", "code_challenge"]) {
    match(one!.get(name)!, /^[\w.-]{20,}$/);
    notEqual(one!.get(name), other!.get(name));
  }
  notEqual(one!.get("code_challenge"), CHALLENGE);
  ok(!one!.get("state")!.includes("client state"));
  equal(one!.get("redirect_uri"), `${gate.origin}/oauth/callback`);
  for (const form of [...idp.asked, ...idp.redeemed]) equal(form.has("resource"), false);
});

Deno.test("issuer() redeems the code with its own verifier, as a public client (SPEC B5.7)", async () => {
  const { finish, sent } = await lead();
  equal(identityOf(await finish()).subject, "dora-1");
  deepEqual(sent, [{
    authorization: null,
    form: {
      grant_type: "authorization_code",
      code: "the code",
      redirect_uri: CALLBACK,
      code_verifier: LEG.verifier,
      client_id: "gatehouse",
    },
  }]);
});

const SECRET = "a secret with + / % and spaces";
const BY_HEADER = `Basic ${btoa(`gatehouse:a+secret+with+%2B+%2F+%25+and+spaces`)}`;
const METHODS: readonly (readonly [offered: readonly string[] | undefined, isBasic: boolean])[] = [
  [undefined, true],
  [["client_secret_basic"], true],
  [["client_secret_post", "client_secret_basic"], true],
  [["client_secret_post"], false],
  [["private_key_jwt", "client_secret_post"], false],
];

for (const [offered, isBasic] of METHODS) {
  const way = isBasic ? "Basic" : "the body";
  Deno.test(`issuer() proves who it is by ${way} where ${offered ?? "nothing"} is offered (RFC 8414) (SPEC B5.7)`, async () => {
    const { finish, idp, sent } = await lead({ OIDC_CLIENT_SECRET: SECRET });
    idp.document = { ...idp.document, token_endpoint_auth_methods_supported: offered };
    ok((await finish()).ok);
    const [{ authorization, form } = { authorization: null, form: {} as Record<string, string> }] =
      sent;
    equal(authorization, isBasic ? BY_HEADER : null);
    equal(form.client_secret, isBasic ? undefined : SECRET);
  });
}

const ANSWERS: readonly (readonly [name: string, answer: Members, denied: boolean])[] = [
  ["another state", { state: "another" }, false],
  ["no state", { state: undefined }, false],
  ["no code", { code: undefined }, false],
  ["another issuer (RFC 9207)", { iss: "https://other.example" }, false],
  ["a refusal by the person", { code: undefined, error: "access_denied" }, true],
  ["an error", { code: undefined, error: "server_error", error_description: "<b>" }, false],
  ["an ID token in the front channel", { id_token: "a.b.c" }, false],
];

for (const [name, answer, denied] of ANSWERS) {
  Deno.test(`issuer() refuses an answer with ${name} (SPEC B5.7)`, async () => {
    const { finish, sent } = await lead();
    equal(refused(await finish(answer), denied).includes("<b>"), false);
    deepEqual(sent, []);
  });
}

Deno.test("issuer() wants iss in the answer where the provider promised it (RFC 9207) (SPEC B5.7)", async () => {
  const { finish, idp } = await lead();
  idp.document = { ...idp.document, authorization_response_iss_parameter_supported: true };
  refused(await finish());
  ok((await finish({ iss: ISSUER })).ok);
});

const CLAIMS: readonly (readonly [name: string, claims: Members])[] = [
  ["another nonce", { nonce: "another" }],
  ["no nonce", { nonce: undefined }],
  ["another audience", { aud: "another" }],
  ["a second audience and no authorized party", { aud: ["gatehouse", "another"] }],
  ["another authorized party", { aud: ["gatehouse", "another"], azp: "another" }],
  ["another issuer", { iss: "https://other.example" }],
  ["no subject", { sub: undefined }],
  ["no expiry", { exp: undefined }],
  ["an expiry long ago", { exp: 1_700_000_000 }],
];

for (const [name, claims] of CLAIMS) {
  Deno.test(`issuer() refuses an ID token with ${name} (SPEC B5.7)`, async () => {
    const leading = await lead();
    ok((await leading.finish()).ok);
    leading.claims = claims;
    refused(await leading.finish());
  });
}

const TOKENS: readonly (readonly [name: string, tokens: Members])[] = [
  ["no ID token", { id_token: undefined }],
  ["an ID token of nonsense", { id_token: "nonsense" }],
  ["no access token", { access_token: undefined }],
  ["tokens of another type", { token_type: "mac" }],
];

for (const [name, tokens] of TOKENS) {
  Deno.test(`issuer() refuses an answer of the token endpoint with ${name} (SPEC B5.7)`, async () => {
    const leading = await lead();
    ok((await leading.finish()).ok);
    leading.tokens = tokens;
    refused(await leading.finish());
  });
}

Deno.test("issuer() tells a code that is refused from a provider that is out of order (SPEC B5.7)", async () => {
  const leading = await lead();
  leading.refusal = Response.json({ error: "invalid_grant" }, { status: 400 });
  equal(refused(await leading.finish()), "invalid_grant");
  leading.refusal = new Response("oops", { status: 502 });
  await rejects(leading.finish());
  leading.idp.up = false;
  await rejects(leading.finish(), /^Error: Cannot fetch/);
});

Deno.test("issuer() keeps the provider's tokens, with when they end (SPEC B3.6)", async () => {
  const { finish } = await lead();
  const login = await finish();
  ok(login.ok);
  deepEqual(login.tokens, {
    accessToken: "upstream access",
    expiresAt: NOW + 3600,
    refreshToken: "upstream refresh",
  });
});

/** A login at a provider with user info. */
async function informed(answer: (request: Request) => Response) {
  const leading = await lead();
  leading.idp.document = { ...leading.idp.document, userinfo_endpoint: MORE };
  leading.idp.answers.set(MORE, answer);
  const said = identityOf(await leading.finish());
  return { said, lines: leading.ports.lines };
}

Deno.test("issuer() adds user info to what the ID token says, which is the last word (SPEC B5.7)", async () => {
  let authorization: string | null = "";
  const { said } = await informed(({ headers }) => {
    authorization = headers.get("authorization");
    return Response.json({ sub: "dora-1", name: "Dora", roles: ["editor"], email: "x@y.example" });
  });
  equal(authorization, "Bearer upstream access");
  deepEqual([said.name, said.roles, said.email], ["Dora", ["editor"], "dora@example.com"]);
});

const UNTOLD: Readonly<Record<string, () => Response>> = {
  "is out of order": () => new Response("oops", { status: 500 }),
  "refuses the token": () => new Response(null, { status: 401 }),
  "is no JSON": () => new Response("<p>", { headers: { "content-type": "text/html" } }),
  "speaks of another subject": () => Response.json({ sub: "mallory", roles: ["admin"] }),
  "speaks of nobody": () => Response.json({ roles: ["admin"] }),
  "cannot be reached": () => {
    throw new TypeError("connection refused");
  },
};

for (const [name, answer] of Object.entries(UNTOLD)) {
  Deno.test(`issuer() goes by the ID token alone when user info ${name} (SPEC B5.7)`, async () => {
    const { said, lines } = await informed(answer);
    deepEqual([said.subject, said.email, said.roles], ["dora-1", "dora@example.com", []]);
    ok(lines.some((line) => line.includes('"user info not had"')));
  });
}

for (const [sub, roles] of [["dora-1", ["editor"]], ["mallory", []]] as const) {
  Deno.test(`issuer() reads ${roles.length} roles from an access token about ${sub} (SPEC B5.7)`, async () => {
    const leading = await lead();
    const claims = { iss: ISSUER, sub, roles: ["editor"], nonce: "another" };
    leading.tokens = { access_token: await signWith(await keyOf("issuers"), claims) };
    deepEqual(identityOf(await leading.finish()).roles, roles);
  });
}
