/**
 * The program against a real Keycloak, both as subprocesses.
 *
 * One test with steps, because a start of Keycloak is what takes time.
 *
 * @module
 */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { decodeJwt } from "@panva/jose";
import { SKEW_SECONDS } from "../../lib/jwt.ts";
import { checkGatehouse, keycloakSettings, startGatehouse } from "./gatehouse.ts";
import { AUDIENCE, CONFIDENTIAL, startKeycloak } from "./keycloak.ts";
import { authorize, curlTokens, loginTokens, REDIRECT_URI } from "./login.ts";
import { discoverAndCall } from "./sdk_client.ts";
import { until } from "./wait.ts";

/** Longer than the cool-down between two requests for keys. */
const NEW_KEYS_MS = 45_000;

/** Longer than the pause between two attempts to find an issuer. */
const FOUND_MS = 20_000;

/** Longer than the tolerated difference of clocks. */
const EXPIRY_MS = 45_000;

const PEOPLE = [
  { username: "alice", role: "admin", name: "Alice Example" },
  { username: "bob", role: "editor", name: "Bob Example" },
  { username: "carol", role: "viewer", name: "Carol Example" },
] as const;

Deno.test("Gatehouse in front of a real Keycloak", async (test) => {
  await using keycloak = await startKeycloak();
  const { issuer } = keycloak;
  const settings = keycloakSettings(issuer, AUDIENCE);
  const shortLived = await curlTokens(issuer, "alice", "short-lived");
  await using gate = await startGatehouse(settings);

  await test.step("check finds nothing wrong", async () => {
    const { code, report } = await checkGatehouse(settings);
    deepEqual([code, report.ok, report.findings], [0, true, []]);
  });

  const wrong = [
    { name: "another realm", OIDC_ISSUER: issuer.replace(/\w+$/, "other"), says: /cannot be used/ },
    { name: "a slash too many", OIDC_ISSUER: `${issuer}/`, says: /calls itself/ },
    {
      name: "another name of the host",
      OIDC_ISSUER: issuer.replace("localhost", "127.0.0.1"),
      says: /calls itself/,
    },
  ];
  for (const { name, OIDC_ISSUER, says } of wrong) {
    await test.step(`check reports ${name}`, async () => {
      const { code, report } = await checkGatehouse({ ...settings, OIDC_ISSUER });
      deepEqual([code, report.ok], [1, false]);
      match(JSON.stringify(report.findings), says);
    });
  }

  for (const { username, role, name } of PEOPLE) {
    await test.step(`${username} calls with a token that curl got`, async () => {
      const { access_token: token } = await curlTokens(issuer, username);
      const { status, whoami } = await gate.call(token);
      equal(status, 200);
      const email = `${username}@example.com`;
      deepEqual(whoami, {
        authenticated: true,
        subject: decodeJwt(token).sub,
        username: email,
        email,
        name,
        roles: [role],
        scopes: String(decodeJwt(token).scope).split(" "),
        expires_at: new Date(decodeJwt(token).exp! * 1000).toISOString(),
        issuer,
      });
    });
  }

  await test.step("a person logs in with authorization code and PKCE, and calls", async () => {
    const { access_token } = await loginTokens(issuer, "bob");
    const { status, whoami } = await gate.call(access_token);
    deepEqual([status, whoami?.email], [200, "bob@example.com"]);
  });

  await test.step("a client without PKCE does not get as far as the login", async () => {
    const query = new URLSearchParams({
      response_type: "code",
      client_id: "mcp-claude",
      redirect_uri: REDIRECT_URI,
    });
    const callback = await authorize(`${issuer}/protocol/openid-connect/auth?${query}`, "bob");
    equal(callback.searchParams.get("error"), "invalid_request");
  });

  await test.step("a client that knows only the endpoint finds the login, and calls", async () => {
    const logIn = (url: URL) => authorize(url, "carol");
    const said = await discoverAndCall(new URL("/mcp", gate.origin), logIn, "mcp-claude");
    equal((said as Record<string, unknown>).email, "carol@example.com");
  });

  await test.step("tokens that are not access tokens for this server are refused", async () => {
    const ours = await curlTokens(issuer, "alice");
    const theirs = await curlTokens(issuer, "alice", "no-audience");
    const cases = [
      {
        token: theirs.access_token,
        refusal: { reason: "audience", actual: ["account"], expected: [AUDIENCE] },
      },
      {
        token: ours.id_token,
        refusal: { reason: "audience", actual: ["mcp-claude"], expected: [AUDIENCE] },
      },
      { token: ours.refresh_token, refusal: { reason: "algorithm", actual: "HS512" } },
    ];
    for (const { token, refusal } of cases) {
      const answer = await gate.call(token);
      equal(answer.status, 401);
      match(answer.headers.get("www-authenticate") ?? "", /error="invalid_token"/);
      const line = await gate.refusal(answer);
      deepEqual({ ...line, ...refusal }, line);
    }
  });

  await test.step("clients read Keycloak's own metadata and keys", async () => {
    const read = async (url: string) => (await fetch(url)).json();
    const published = JSON.stringify(await read(`${issuer}/.well-known/openid-configuration`));
    for (const name of ["oauth-authorization-server", "openid-configuration"]) {
      for (const suffix of ["", "/mcp", new URL(issuer).pathname]) {
        const relayed = await gate.document(`/.well-known/${name}${suffix}`);
        equal(JSON.stringify(relayed), published);
      }
    }
    const keys = await read(`${issuer}/protocol/openid-connect/certs`);
    deepEqual(await gate.document("/.well-known/jwks.json"), keys);
    deepEqual(await gate.document("/.well-known/oauth-protected-resource/mcp"), {
      resource: `${gate.origin}/mcp`,
      authorization_servers: [issuer],
      bearer_methods_supported: ["header"],
    });
  });

  await test.step("a client of Keycloak asks it about what cannot be judged here", async (part) => {
    await using asking = await startGatehouse({
      ...settings,
      OIDC_CLIENT_ID: CONFIDENTIAL.id,
      OIDC_CLIENT_SECRET: CONFIDENTIAL.secret,
      OAUTH_ROLES_CLAIM: "roles",
    });
    // Keycloak makes a key for an algorithm when it is first used, and this server has just looked.
    const newKey = await curlTokens(issuer, "alice", "new-key");
    await part.step("a token whose key is newer than the last look", async () => {
      const { status, whoami } = await asking.call(newKey.access_token);
      deepEqual([status, whoami?.email, whoami?.roles], [200, "alice@example.com", ["admin"]]);
    });
    await part.step("not an ID token, which Keycloak calls active too", async () => {
      equal((await asking.call(newKey.id_token)).status, 401);
    });
    await part.step("not a text that Keycloak does not know", async () => {
      const answer = await asking.call("opaque");
      equal(answer.status, 401);
      equal((await asking.refusal(answer)).reason, "inactive");
    });
    await part.step("a lightweight token, which says nothing of whom it is for", async () => {
      const { access_token } = await curlTokens(issuer, "bob", "lightweight");
      equal((await gate.call(access_token)).status, 401);
      const { status, whoami } = await asking.call(access_token);
      deepEqual([status, whoami?.email, whoami?.roles], [200, "bob@example.com", ["editor"]]);
    });
  });

  const { access_token: signed } = await curlTokens(issuer, "alice");
  const { access_token: outdated } = await curlTokens(issuer, "bob");

  await keycloak.stop();

  await test.step("while Keycloak is down, tokens that it signed still work", async () => {
    equal((await gate.call(signed)).status, 200);
    equal(await gate.status("/readyz"), 200);
    equal(await gate.status("/.well-known/oauth-authorization-server"), 200);
  });

  await test.step("while Keycloak is down, check says so", async () => {
    const { code, report } = await checkGatehouse(settings);
    equal(code, 1);
    match(JSON.stringify(report.findings), /cannot be used: Cannot fetch/);
  });

  await using late = await startGatehouse(settings);
  await test.step("a server that starts while Keycloak is down asks for patience", async () => {
    const { status, headers } = await late.call(outdated);
    equal(status, 503);
    ok(Number(headers.get("retry-after")) > 0);
    equal(await late.status("/healthz"), 200);
    equal(await late.status("/readyz"), 503);
    equal(await late.status("/.well-known/oauth-authorization-server"), 503);
    equal(await late.status("/.well-known/oauth-protected-resource"), 200);
  });

  await keycloak.restartWithNewKeys();

  await test.step("an expired token is refused", async () => {
    const over = decodeJwt(shortLived.access_token).exp! + SKEW_SECONDS;
    await until("it has expired", EXPIRY_MS, () => Date.now() / 1000 > over + 1);
    const answer = await gate.call(shortLived.access_token);
    equal(answer.status, 401);
    // The key is gone, but this server has had no reason yet to look for others.
    equal((await gate.refusal(answer)).reason, "expired");
  });

  const { access_token: fresh } = await curlTokens(issuer, "carol");

  await test.step("a server that started too early recovers by itself", async () => {
    await until("it is ready", FOUND_MS, async () => await late.status("/readyz") === 200);
    equal((await late.call(fresh)).status, 200);
  });

  await test.step("tokens of new keys are accepted without a restart", async () => {
    await until("new keys are known", NEW_KEYS_MS, async () => {
      return (await gate.call(fresh)).status === 200;
    });
  });

  await test.step("tokens of keys that are gone are refused", async () => {
    for (const server of [gate, late]) {
      const answer = await server.call(outdated);
      equal(answer.status, 401);
      equal((await server.refusal(answer)).reason, "key");
    }
  });
});
