import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { RETRY_SECONDS } from "../../lib/proxy/refresh.ts";
import { SECRET } from "../fakes.ts";
import { leaks } from "../tokens.ts";
import { CHALLENGE, type Gate, VERIFIER } from "./flow.ts";
import { audited, basic, newStore, openGate, postForm, whoami } from "./grants_helper.ts";
import { asserted, assertionOf, registerKey } from "./key_client.ts";
import { idToken, newUpstream, type Upstream } from "./upstreams.ts";

const OWN_SECRET = "the-secret-of-this-server-at-the-provider";
const STATE = "the-state-of-the-client-and-nobody-else";

/** Takes every step once, and every refusal that has a secret at hand. */
async function everything(gate: Gate, idp: Upstream): Promise<string[]> {
  const secrets = [SECRET, OWN_SECRET, VERIFIER, CHALLENGE, STATE];
  const client = await gate.register({ token_endpoint_auth_method: "client_secret_post" });
  const { id, secret = "" } = client;
  const browser = gate.browser();
  const code = await gate.code(client, { state: STATE }, { browser });
  const { body: tokens } = await gate.redeem(client, code);
  equal((await whoami(gate, tokens.access_token)).status, 200);
  idp.renewed = {};
  const { body: first } = await gate.refresh(client, tokens.refresh_token);
  secrets.push(secret, code, tokens.access_token, tokens.refresh_token);
  secrets.push(first.access_token, first.refresh_token, await idToken(), "upstream refresh");
  for (const jar of browser.cookies.values()) secrets.push(...jar.values());
  for (const asked of idp.asked) {
    secrets.push(...["state", "nonce", "code_challenge"].map((name) => asked.get(name)!));
  }
  for (const form of idp.redeemed) secrets.push(form.get("code_verifier")!);

  const keyed = await registerKey(gate);
  const assertion = await assertionOf(keyed, { aud: "https://other.example" });
  secrets.push(String(assertion.client_assertion));
  const refresh = { grant_type: "refresh_token", refresh_token: first.refresh_token };
  for (
    const [form, headers] of [
      [{ ...refresh, client_id: id, client_secret: secret }, basic(id, secret)],
      [{ ...refresh, client_id: id, client_secret: `${secret}A` }],
      [{ ...refresh, client_id: secret }],
      [{ ...refresh, grant_type: secret, client_id: id, client_secret: secret }],
      [{ ...refresh, scope: secret, client_id: id, client_secret: secret }],
      [refresh, { authorization: `Basic ${secret}` }],
      [refresh, { authorization: `Bearer ${first.access_token}` }],
      [{ ...refresh, ...assertion }],
      [{ ...refresh, ...asserted(first.access_token) }],
      [{ ...refresh, ...asserted(secret), client_id: keyed.id }],
    ] as const
  ) ok((await postForm(gate, "/oauth/token", form, headers)).status >= 400);

  for (const words of [first.refresh_token, "upstream refresh 1"]) {
    idp.renewalRefusal = Response.json({ error: words, error_description: words }, { status: 400 });
    equal((await gate.refresh(client, first.refresh_token)).status, 503);
    idp.renewalRefusal = new Response(words, { status: 500, statusText: words });
    equal((await gate.refresh(client, first.refresh_token)).status, 503);
  }
  idp.renewalRefusal = undefined;
  gate.ports.advance(RETRY_SECONDS + 1);
  equal((await gate.refresh(client, tokens.refresh_token)).status, 400);
  equal((await gate.redeem(client, code)).status, 400);
  await gate.post("/oauth/revoke", client, { token: first.refresh_token });
  const { tokens: last } = await gate.connect(client);
  idp.revocation = new Response(last.access_token, { status: 500 });
  await gate.post("/oauth/revoke", client, { token: last.access_token });
  secrets.push(last.access_token, last.refresh_token);
  ok(secrets.every((one) => one.length > 8));
  return secrets;
}

Deno.test("no token, code, secret or cookie is in a log line or readable in the store (SPEC A4.5, B3.6, B3.8)", async () => {
  await using store = await newStore();
  const idp = await newUpstream();
  idp.document = {
    ...idp.document,
    token_endpoint_auth_methods_supported: ["client_secret_post"],
  };
  const gate = await store.open({ OIDC_CLIENT_SECRET: OWN_SECRET }, { idp });
  // What is deleted or replaced was there, too.
  const rows = new Map<string, string>();
  const look = () => store.rows().forEach(({ key, value }) => rows.set(value, key));
  const { send } = gate;
  Object.assign(gate, {
    send: async (...sent: Parameters<Gate["send"]>) => {
      const response = await send(...sent);
      look();
      return response;
    },
  });
  const secrets = await everything(gate, idp);
  look();

  const log = gate.ports.lines.join("");
  for (const secret of secrets) deepEqual(leaks(log, secret), []);
  ok(gate.ports.lines.length > 40);
  const kinds = new Set([...rows.values()].map((key) => key.split(":")[0]));
  ok(["keys", "code", "grant", "login"].every((kind) => kinds.has(kind)), [...kinds].join());
  for (const [value, key] of rows) {
    match(value, /^[\w-]+\.\.[\w-]+\.[\w-]+\.[\w-]+$/);
    for (const secret of [...secrets, "dora", "upstream"]) {
      ok(!key.includes(secret) && !value.includes(secret));
    }
  }
});

Deno.test("the audit tells the whole story: who, with which client, why (SPEC B3.2, E13)", async () => {
  const idp = await newUpstream();
  const gate = await openGate({}, { idp });
  const { client, tokens } = await gate.connect();
  await gate.refresh(client, tokens.refresh_token);
  gate.ports.advance(RETRY_SECONDS + 1);
  await gate.refresh(client, tokens.refresh_token);
  const { tokens: others } = await gate.connect(client);
  await gate.post("/oauth/revoke", client, { token: others.refresh_token });
  await gate.refresh(client, others.refresh_token);

  const name = "Test client";
  const user = "dora@example.com";
  const told = audited(gate).map(({ event, step, client, user, reason }) => [
    event,
    step,
    client,
    user,
    reason,
  ]);
  const connected = [
    ["consented", "consent", name, undefined, undefined],
    ["issued", "login", name, user, undefined],
    ["issued", "token", name, user, undefined],
  ];
  deepEqual(told, [
    ["registered", "registration", name, undefined, undefined],
    ...connected,
    ["refreshed", "token", name, user, undefined],
    ["reuse detected", "token", name, user, "an older refresh token"],
    ["refused", "token", name, undefined, "an older refresh token"],
    ...connected,
    ["revoked", "revocation", name, user, undefined],
    ["refused", "token", name, undefined, "unknown or ended"],
  ]);
  const levels = new Map(audited(gate).map(({ event, level }) => [event, level]));
  deepEqual(
    [levels.get("reuse detected"), levels.get("refused"), levels.get("revoked")],
    ["warn", "warn", "info"],
  );
  const ids = audited(gate).map(({ id }) => id);
  equal(ids.every((id) => typeof id === "string"), true);
});
