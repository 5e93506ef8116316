import {
  deepStrictEqual as deepEqual,
  match,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import type { Send } from "../browser.ts";
import { ADA, type IssuerOptions, SELF, startIssuer } from "./issuer.ts";
import { expectSent, finishLogin, logIn, LOGIN_KINDS, newAccount } from "./login_clients.ts";
import { newPerson } from "./login_person.ts";
import { freePort, HTTP_ENV, start } from "./program.ts";

/** The real program in front of a provider that runs. */
async function startBoth(options: IssuerOptions = {}, env: Record<string, string> = {}) {
  await using stack = new AsyncDisposableStack();
  const port = freePort();
  const callback = `http://localhost:${port}/oauth/callback`;
  const issuer = stack.use(await startIssuer({ ...options, callback }));
  const program = stack.use(
    await start({
      port,
      env: {
        ...HTTP_ENV,
        OAUTH_MODE: "proxy",
        OAUTH_PROVIDER: "oidc",
        OIDC_ISSUER: issuer.url,
        OIDC_CLIENT_ID: SELF.id,
        OIDC_CLIENT_SECRET: SELF.secret,
        ...env,
      },
    }),
  );
  const all = stack.move();
  return {
    issuer,
    program,
    endpoint: program.endpoint,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

const [, , MODERN] = LOGIN_KINDS;

for (const kind of LOGIN_KINDS) {
  Deno.test(`${kind.name} logs in at an OpenID provider behind the server, and both refresh (SPEC B2.1, B3.2, B3.6, B3.7)`, async () => {
    const claims: Record<string, unknown> = { ...ADA };
    await using both = await startBoth({ claims });
    const { issuer, endpoint } = both;
    const account = newAccount();
    const peer = await logIn(kind, endpoint, account, newPerson({}));
    const { subject, username, roles } = await peer.whoami();
    deepEqual([subject, username, roles], ["ada-7", "ada@acme.example", ["admin"]]);
    deepEqual(issuer.granted, ["authorization_code"]);

    // The provider rotates its refresh tokens, too: the second time takes what the first one gave.
    for (const role of ["editor", "viewer"]) {
      claims.roles = [role];
      account.spoil();
      deepEqual((await peer.whoami()).roles, [role]);
    }
    deepEqual(issuer.granted, ["authorization_code", "refresh_token", "refresh_token"]);
    equal(account.sent.length, 1);
    await peer.close();
  });
}

Deno.test("the server asks the provider for a login that lasts, with its own state, nonce and PKCE (SPEC B5.6, B5.7)", async () => {
  await using both = await startBoth();
  const account = newAccount();
  const peer = await logIn(MODERN!, both.endpoint, account, newPerson({}));
  await peer.close();
  const [login] = both.issuer.logins;
  const { scope, prompt, client_id, redirect_uri, state, nonce, code_challenge } = login!;
  deepEqual({ scope, prompt, client_id, redirect_uri }, {
    scope: "openid profile email offline_access",
    prompt: "consent",
    client_id: SELF.id,
    redirect_uri: `${both.program.origin}/oauth/callback`,
  });
  match(String(nonce), /^[\w-]{22}$/);
  const theirs = account.sent[0]!.searchParams;
  equal(code_challenge === theirs.get("code_challenge"), false);
  equal(state === theirs.get("state"), false);
});

Deno.test("a client logs in anew when the provider has ended its side (SPEC B3.7)", async () => {
  await using both = await startBoth();
  const { issuer, endpoint } = both;
  const account = newAccount();
  const ada = newPerson({});
  const peer = await logIn(MODERN!, endpoint, account, ada);
  await issuer.forget();
  equal((await peer.whoami()).subject, "ada-7");
  account.spoil();
  await expectSent(peer.whoami(), account);
  await finishLogin(MODERN!, endpoint, account, ada);
  equal((await peer.whoami()).subject, "ada-7");
  await both.program.until("stderr", /"event":"ended".*"reason":"upstream: invalid_grant"/);
  await peer.close();
});

Deno.test("a client that revokes its token ends both sides (SPEC B3.8)", async () => {
  await using both = await startBoth();
  const account = newAccount();
  const peer = await logIn(MODERN!, both.endpoint, account, newPerson({}));
  const { refresh_token } = account.tokens();
  const client_id = account.clientId()!;
  const response = await fetch(`${both.program.origin}/oauth/revoke`, {
    method: "POST",
    body: new URLSearchParams({ token: refresh_token!, client_id }),
  });
  equal(response.status, 200);
  await response.body?.cancel();
  equal(both.issuer.asked.at(-1), "/token/revocation");
  account.spoil();
  await expectSent(peer.whoami(), account);
  await peer.close();
});

Deno.test("a client stays logged in while the provider is down, and refreshes once it is back (SPEC B3.7)", async () => {
  await using both = await startBoth();
  const { issuer, endpoint } = both;
  for (const kind of LOGIN_KINDS) {
    const account = newAccount();
    const peer = await logIn(kind, endpoint, account, newPerson({}));
    issuer.setUp(false);
    equal((await peer.whoami()).subject, "ada-7");
    account.spoil();
    const { refresh_token } = account.tokens();
    await rejects(peer.whoami(), /Try again in a moment/);
    equal(account.tokens().refresh_token, refresh_token);
    const response = await fetch(`${both.program.origin}/oauth/token`, {
      method: "POST",
      body: new URLSearchParams({
        grant_type: "refresh_token",
        refresh_token: refresh_token!,
        client_id: account.clientId()!,
      }),
    });
    equal(response.status, 503);
    equal(response.headers.get("retry-after"), "5");
    equal((await response.json()).error, "temporarily_unavailable");

    issuer.setUp(true);
    equal((await peer.whoami()).subject, "ada-7", kind.name);
    equal(account.sent.length, 1);
    await peer.close();
  }
});

Deno.test("an answer of another issuer ends the login, and the client hears of it (SPEC B2.4, B5.7)", async () => {
  await using both = await startBoth();
  for (const iss of ["https://evil.example", undefined]) {
    const send: Send = (request) => {
      const url = new URL(request.url);
      if (url.pathname !== "/oauth/callback") return fetch(request);
      equal(url.searchParams.get("iss"), both.issuer.url);
      if (iss) url.searchParams.set("iss", iss);
      else url.searchParams.delete("iss");
      return fetch(new Request(url, request));
    };
    await rejects(
      logIn(MODERN!, both.endpoint, newAccount(), newPerson({ send })),
      { code: "server_error" },
    );
  }
  deepEqual(both.issuer.granted, []);
});
