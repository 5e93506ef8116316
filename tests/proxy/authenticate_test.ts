import { match, strictEqual as equal } from "node:assert/strict";
import { type Changes, type Gate, REDIRECT, type TestClient, VERIFIER } from "./flow.ts";
import { audited, basic, openGate, outcome, postForm } from "./grants_helper.ts";
import { asserted, assertionOf, registerKey } from "./key_client.ts";

/** A request that a client which is who it says gets `400 invalid_grant` for. */
const ASK: Changes = { grant_type: "refresh_token", refresh_token: "none" };
const GOOD = "400 invalid_grant";
const NOT_GOOD = "401 invalid_client";

type Shown = readonly [form: Changes, headers?: Record<string, string> | undefined];

const ask = async (gate: Gate, [form, headers]: Shown, path = "/oauth/token") =>
  await postForm(gate, path, { ...ASK, ...form }, headers);

/** How a client can show who it is, right for its registration or not. */
const WAYS: Readonly<Record<string, (client: TestClient) => Shown | Promise<Shown>>> = {
  none: ({ id }) => [{ client_id: id }],
  client_secret_basic: ({ id, secret = "a guess" }) => [{}, basic(id, encodeURIComponent(secret))],
  client_secret_post: ({ id, secret = "a guess" }) => [{ client_id: id, client_secret: secret }],
  private_key_jwt: async (client) => {
    const { key } = await registerKey({ register: () => Promise.resolve(client) });
    return [await assertionOf({ ...client, key })];
  },
};

const registered = (gate: Gate, method: string) =>
  method === "private_key_jwt"
    ? registerKey(gate)
    : gate.register({ token_endpoint_auth_method: method });

for (const method of Object.keys(WAYS)) {
  for (const [way, show] of Object.entries(WAYS)) {
    const isGood = method === way ||
      [method, way].every((one) => one.startsWith("client_secret_"));
    Deno.test(`authenticator() ${isGood ? "accepts" : "refuses"} ${way} from a client registered for ${method} (SPEC B1.1)`, async () => {
      const gate = await openGate();
      const client = await registered(gate, method);
      const answer = await ask(gate, await show(client));
      equal(outcome(answer), isGood ? GOOD : NOT_GOOD);
      const [line] = audited(gate, "refused");
      match(String(line?.reason), isGood ? /malformed/ : /^authenticated by \w+, registered for/);
    });
  }
}

const POST = "client_secret_post";

Deno.test("authenticator() refuses a secret that is not the client's, whoever's it is (SPEC B1.1)", async () => {
  const gate = await openGate();
  const [one, other] = [
    await gate.register({ token_endpoint_auth_method: POST }),
    await gate.register({ token_endpoint_auth_method: POST }),
  ];
  const { id, secret = "" } = one;
  const wrong = [
    other.secret!,
    `${secret}A`,
    secret.slice(0, -1),
    secret.toLowerCase(),
    `${secret} `,
    "",
    "x".repeat(10_000),
  ];
  for (const client_secret of wrong) {
    equal(outcome(await ask(gate, [{ client_id: id, client_secret }])), NOT_GOOD);
    const header = basic(id, encodeURIComponent(client_secret));
    equal(outcome(await ask(gate, [{}, header])), NOT_GOOD);
  }
  equal(outcome(await ask(gate, [{ client_id: id, client_secret: secret }])), GOOD);
});

const ODD_SECRET = "percent % plus + slash / colon : ümlaut = ";
const ODD = {
  OAUTH_CLIENTS: JSON.stringify([{
    client_id: "odd",
    redirect_uris: [REDIRECT],
    client_secret: ODD_SECRET,
  }]),
};

Deno.test("authenticator() reads Basic as form-encoded (RFC 6749 section 2.3.1) (SPEC B1.1)", async () => {
  const gate = await openGate(ODD);
  const plus = new URLSearchParams({ "": ODD_SECRET }).toString().slice(1);
  for (const encoded of [encodeURIComponent(ODD_SECRET), plus]) {
    equal(outcome(await ask(gate, [{}, basic("odd", encoded)])), GOOD);
    equal(outcome(await ask(gate, [{}, basic("%6Fdd", encoded)])), GOOD);
  }
  equal(outcome(await ask(gate, [{}, basic("odd", plus.replaceAll("+", "%2B"))])), NOT_GOOD);
  const { authorization } = basic("odd", plus);
  for (const scheme of ["basic", "BASIC", "Basic "]) {
    const header = { authorization: authorization!.replace("Basic", scheme) };
    equal(outcome(await ask(gate, [{}, header])), GOOD);
  }
});

const MALFORMED: Readonly<Record<string, string>> = {
  "no credentials": "Basic",
  "no base64": "Basic ?",
  "another alphabet": "Basic b2RkOj8-Pz4_",
  "no colon": `Basic ${btoa("odd")}`,
  "no id": `Basic ${btoa(":secret")}`,
  "no UTF-8": `Basic ${btoa("odd:\xff\xfe")}`,
  "half a percent sign": `Basic ${btoa("odd:100%")}`,
  "more than 8 KiB": `Basic ${btoa(`odd:${"x".repeat(8192)}`)}`,
  "two of them": `Basic ${btoa("odd:a")}, Basic ${btoa("odd:b")}`,
  "another scheme": "Bearer abcdefgh",
  "no scheme": btoa("odd:secret"),
};

for (const [name, authorization] of Object.entries(MALFORMED)) {
  Deno.test(`authenticator() answers 401 to an Authorization header with ${name} (RFC 6749 section 5.2) (SPEC B3.4)`, async () => {
    const gate = await openGate(ODD);
    for (const path of ["/oauth/token", "/oauth/revoke"]) {
      const answer = await ask(gate, [{ client_id: "odd", token: "t" }, { authorization }], path);
      equal(outcome(answer), NOT_GOOD);
      equal(answer.headers.get("www-authenticate"), 'Basic realm="gatehouse"');
      equal(answer.headers.get("access-control-allow-origin"), "*");
      equal(answer.headers.get("cache-control"), "no-store");
    }
  });
}

Deno.test("authenticator() refuses two ways at once, even when both are right (SPEC B1.1)", async () => {
  const gate = await openGate();
  const client = await gate.register({ token_endpoint_auth_method: POST });
  const { id, secret = "" } = client;
  const [post, header] = [{ client_id: id, client_secret: secret }, basic(id, secret)];
  const keyed = await registerKey(gate);
  const key = await assertionOf(keyed);
  const several: Shown[] = [
    [post, header],
    [{ ...key, client_id: keyed.id, client_secret: "a guess" }],
    [key, basic(keyed.id, "a guess")],
    [{ ...post, ...key }, header],
  ];
  for (const shown of several) {
    equal(outcome(await ask(gate, shown)), "400 invalid_request");
    equal(audited(gate, "refused").at(-1)?.reason, "several ways to authenticate");
  }
});

Deno.test("authenticator() refuses another client_id in the body than in Basic (SPEC B1.1)", async () => {
  const gate = await openGate();
  const one = await gate.register({ token_endpoint_auth_method: "client_secret_basic" });
  const other = await gate.register();
  const header = basic(one.id, one.secret!);
  equal(outcome(await ask(gate, [{ client_id: other.id }, header])), "400 invalid_request");
  equal(outcome(await ask(gate, [{ client_id: one.id }, header])), GOOD);
});

Deno.test("authenticator() refuses who names no client (SPEC B1.1)", async () => {
  const gate = await openGate();
  for (const form of [{}, { client_id: "" }, { client_secret: "secret" }, asserted("no token")]) {
    equal(outcome(await ask(gate, [form])), "400 invalid_request");
    equal(audited(gate, "refused").at(-1)?.reason, "no client id");
  }
});

Deno.test("authenticator() counts an empty secret as none (SPEC B1.1, B2.5)", async () => {
  const gate = await openGate();
  const { id } = await gate.register();
  equal(outcome(await ask(gate, [{ client_id: id, client_secret: "" }])), GOOD);
});

Deno.test("authenticator() wants the type of an assertion (RFC 7521 section 4.2) (SPEC B1.1)", async () => {
  const gate = await openGate();
  const client = await registerKey(gate);
  const good = await assertionOf(client);
  for (
    const client_assertion_type of [
      undefined,
      "urn:ietf:params:oauth:client-assertion-type:saml2-bearer",
    ]
  ) {
    const answer = await ask(gate, [{ ...good, client_assertion_type }]);
    equal(outcome(answer), "400 invalid_request");
  }
  // The type alone proves nothing.
  const alone = { client_id: client.id, ...good, client_assertion: undefined };
  equal(outcome(await ask(gate, [alone])), NOT_GOOD);
  equal(outcome(await ask(gate, [good])), GOOD);
});

for (const method of ["client_secret_basic", POST, "private_key_jwt"]) {
  Deno.test(`authenticator() wants the proof of a client registered for ${method} at every step (SPEC B1.1, B4.1)`, async () => {
    const gate = await openGate();
    const keyed = method === "private_key_jwt" ? await registerKey(gate) : undefined;
    const client = keyed ?? await registered(gate, method);
    let count = 0;
    const prove = async (): Promise<Shown> =>
      keyed ? [await assertionOf(keyed, { jti: `proof ${++count}` })] : await WAYS[method]!(client);
    const code = await gate.code(client);
    const redeem = { grant_type: "authorization_code", code, redirect_uri: REDIRECT };
    const withCode = { ...redeem, code_verifier: VERIFIER, refresh_token: undefined };
    equal(outcome(await ask(gate, [{ ...withCode, client_id: client.id }])), NOT_GOOD);
    const [form, headers] = await prove();
    const { body: tokens } = await ask(gate, [{ ...withCode, ...form }, headers]);
    const { refresh_token } = tokens;
    equal(outcome(await ask(gate, [{ refresh_token, client_id: client.id }])), NOT_GOOD);
    const [again, withHeaders] = await prove();
    const refreshed = await ask(gate, [{ ...again, refresh_token }, withHeaders]);
    equal(outcome(refreshed), "200");
    const token = refreshed.body.refresh_token;
    const open = { token, client_id: client.id };
    equal(outcome(await ask(gate, [open], "/oauth/revoke")), NOT_GOOD);
    const [last, lastHeaders] = await prove();
    equal(outcome(await ask(gate, [{ ...last, token }, lastHeaders], "/oauth/revoke")), "200");
    equal(audited(gate, "revoked").length, 1);
  });
}
