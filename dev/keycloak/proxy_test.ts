/**
 * Proxy mode in front of a real Keycloak, both as subprocesses.
 *
 * One test with steps, because a start of Keycloak is what takes time.
 *
 * @module
 */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { decodeJwt } from "@panva/jose";
import { chromiumPath, startChromium } from "../browser/chromium.ts";
import { OUTCOMES, startClient } from "../browser/client.ts";
import { heading } from "../browser/stage.ts";
import { adminOf } from "./admin.ts";
import { checkGatehouse, proxySettings, startGatehouse } from "./gatehouse.ts";
import { GATEHOUSE, startKeycloak } from "./keycloak.ts";
import { personAt } from "./person.ts";
import { proxied } from "./proxied.ts";
import { discoverAndCall } from "./sdk_client.ts";
import { until } from "./wait.ts";

/** Longer than a grant is taken for granted. */
const ENDED_MS = 45_000;

const isCallback = ({ pathname }: URL) => pathname === "/oauth/callback";

Deno.test("Proxy mode in front of a real Keycloak", async (test) => {
  await using keycloak = await startKeycloak();
  const { issuer } = keycloak;
  const admin = adminOf(issuer);
  const settings = proxySettings(issuer);
  await using gate = await startGatehouse(settings);
  const client = await proxied(gate.origin);

  await test.step("check finds nothing wrong", async () => {
    const { code, report } = await checkGatehouse(settings);
    const findings = report.findings as { advice?: boolean }[];
    deepEqual([code, report.ok, findings.filter(({ advice }) => !advice)], [0, true, []]);
  });

  await test.step("a client that knows only the endpoint registers and calls (SPEC B4.3)", async () => {
    const alice = personAt("alice");
    const said = await discoverAndCall(new URL("/mcp", gate.origin), (url) => alice.open(url));
    const { email, roles } = said as Record<string, unknown>;
    deepEqual([email, roles], ["alice@example.com", ["admin"]]);
  });

  await test.step({
    name: "a person comes all the way in a real browser",
    ignore: chromiumPath() === undefined,
    fn: async () => {
      await using app = await startClient(gate.origin, "Example Editor");
      await using running = await startChromium();
      const page = await running.browser.newPage();
      await page.goto(app.request());
      await page.getByRole("button", { name: `Continue to ${new URL(issuer).host}` }).click();
      await page.getByLabel("Username or email").fill("alice");
      await page.getByLabel("Password", { exact: true }).fill("alice123");
      await page.getByRole("button", { name: "Sign In" }).click();
      equal(await heading(page, /connected/i), OUTCOMES.connected("alice@example.com"));
    },
  });

  await test.step("people are who Keycloak says, each themselves (SPEC B5.7)", async () => {
    const subjects = new Set();
    for (const [name, role] of [["alice", "admin"], ["bob", "editor"], ["carol", "viewer"]]) {
      const { access } = await client.connect(personAt(name!));
      const { status, whoami } = await gate.call(access);
      equal(status, 200);
      deepEqual(whoami?.roles, [role]);
      equal(whoami?.username, `${name}@example.com`);
      equal(whoami?.issuer, gate.origin);
      subjects.add(whoami?.subject);
      // The client gets nothing of Keycloak's (SPEC B3.6).
      const { iss, aud } = decodeJwt(access);
      deepEqual([iss, aud], [gate.origin, `${gate.origin}/mcp`]);
    }
    equal(subjects.size, 3);
  });

  await test.step("Keycloak sees a client with PKCE and nonce, and names itself (SPEC B5.7)", async () => {
    const alice = personAt("alice");
    const callback = await alice.open(client.attempt().url, { until: isCallback });
    equal(callback.searchParams.get("iss"), issuer);
    const asked = alice.visited.find(({ pathname }) => pathname.endsWith("/auth"))!.searchParams;
    equal(asked.get("code_challenge_method"), "S256");
    match(asked.get("code_challenge") ?? "", /^[\w-]{43}$/);
    match(asked.get("nonce") ?? "", /^[\w-]{16,}$/);
    equal(asked.get("redirect_uri"), `${gate.origin}/oauth/callback`);
  });

  await test.step("an answer that does not come from Keycloak uses nothing up (SPEC B5.7)", async () => {
    const bob = personAt("bob");
    const attempt = client.attempt();
    const callback = await bob.open(attempt.url, { until: isCallback });
    for (const iss of ["https://other.example", undefined]) {
      const forged = new URL(callback);
      if (iss) forged.searchParams.set("iss", iss);
      else forged.searchParams.delete("iss");
      equal((await bob.open(forged)).searchParams.get("error"), "server_error");
    }
    equal((await client.redeem(await bob.open(callback), attempt)).status, 200);
  });

  await test.step("a code of another login is refused by Keycloak, for its PKCE (SPEC B5.7)", async () => {
    const bob = personAt("bob");
    const first = await bob.open(client.attempt().url, { until: isCallback });
    const second = await bob.open(client.attempt().url, { until: isCallback });
    second.searchParams.set("code", first.searchParams.get("code")!);
    equal((await bob.open(second)).searchParams.get("error"), "server_error");
    await gate.logged({ event: "refused", step: "login", reason: "invalid_grant" });
  });

  await test.step("who says no is not asked to log in (SPEC B5.1)", async () => {
    const carol = personAt("carol");
    const answer = await carol.open(client.attempt().url, { consent: "deny" });
    equal(answer.searchParams.get("error"), "access_denied");
    equal(answer.searchParams.get("iss"), gate.origin);
    ok(carol.visited.every(({ origin }) => origin === gate.origin));
  });

  await test.step("who says no at Keycloak is told apart from a failure", async () => {
    await using asking = await startGatehouse(proxySettings(issuer, GATEHOUSE.asking));
    const theirs = await proxied(asking.origin);
    const { url } = theirs.attempt();
    const answer = await personAt("carol").open(url, { grant: "cancel" });
    equal(answer.searchParams.get("error"), "access_denied");
    const { access } = await theirs.connect(personAt("carol"));
    equal((await asking.call(access)).whoami?.username, "carol@example.com");
  });

  await test.step("who comes back twice loses nothing (SPEC B5.6)", async () => {
    const bob = personAt("bob");
    const attempt = client.attempt();
    const callback = await bob.open(attempt.url, { until: isCallback });
    const answer = await bob.open(callback);
    const { refresh_token } = await client.redeem(answer, attempt);
    await bob.open(callback).then(() => ok(false), (error) => match(String(error), /used already/));
    equal((await client.refresh(refresh_token!)).status, 200);
  });

  await test.step("a code works once, and a second time ends what it gave (SPEC B3.3)", async () => {
    const attempt = client.attempt();
    const answer = await personAt("bob").open(attempt.url);
    const first = await client.redeem(answer, attempt);
    equal(first.status, 200);
    equal((await client.redeem(answer, attempt)).error, "invalid_grant");
    equal((await client.refresh(first.refresh_token!)).error, "invalid_grant");
  });

  await test.step("another resource is refused at every step (SPEC B2.6)", async () => {
    const resource = "https://other.example/mcp";
    const bob = personAt("bob");
    const { url } = client.attempt({ resource });
    equal((await bob.open(url)).searchParams.get("error"), "invalid_target");
    const { refresh } = await client.connect(bob);
    equal((await client.refresh(refresh, { resource })).error, "invalid_target");
    equal((await client.refresh(refresh)).status, 200);
  });

  await test.step("a refresh asks Keycloak who it is now (SPEC B3.7)", async () => {
    const { refresh } = await client.connect(personAt("carol"));
    await admin.changeRole("carol", "viewer", "editor");
    try {
      const { status, access_token } = await client.refresh(refresh);
      equal(status, 200);
      deepEqual((await gate.call(access_token!)).whoami?.roles, ["editor"]);
    } finally {
      await admin.changeRole("carol", "editor", "viewer");
    }
  });

  await test.step("refreshes at once are one to a Keycloak that rotates, too (SPEC B3.2)", async () => {
    await admin.setRealm({ revokeRefreshToken: true, refreshTokenMaxReuse: 0 });
    try {
      let { refresh } = await client.connect(personAt("bob"));
      for (let round = 0; round < 3; round++) {
        const answers = await Promise.all(Array.from({ length: 8 }, () => client.refresh(refresh)));
        deepEqual(answers.map(({ status }) => status), Array(8).fill(200));
        const [next, ...others] = new Set(answers.map(({ refresh_token }) => refresh_token));
        deepEqual(others, []);
        refresh = next!;
      }
    } finally {
      await admin.setRealm({ revokeRefreshToken: false });
    }
  });

  await test.step("an old refresh token ends the grant (SPEC B3.2)", async () => {
    const { refresh } = await client.connect(personAt("bob"));
    const second = (await client.refresh(refresh)).refresh_token!;
    const third = (await client.refresh(second)).refresh_token!;
    equal((await client.refresh(refresh)).error, "invalid_grant");
    await gate.logged({ event: "reuse detected", user: "bob@example.com" });
    equal((await client.refresh(third)).error, "invalid_grant");
  });

  await test.step("who is logged out at Keycloak is out here (SPEC B3.7)", async () => {
    const { access, refresh } = await client.connect(personAt("bob"));
    equal((await gate.call(access)).status, 200);
    await admin.logOut("bob");
    equal((await client.refresh(refresh)).error, "invalid_grant");
    await gate.logged({ event: "ended", reason: "upstream: invalid_grant" });
    await until("the access token has ended", ENDED_MS, async () => {
      return (await gate.call(access)).status === 401;
    });
  });

  await test.step("who is locked out at Keycloak is out here (SPEC B3.7)", async () => {
    const { refresh } = await client.connect(personAt("bob"));
    await admin.setEnabled("bob", false);
    try {
      equal((await client.refresh(refresh)).error, "invalid_grant");
    } finally {
      await admin.setEnabled("bob", true);
    }
    equal((await client.refresh(refresh)).error, "invalid_grant");
    await client.connect(personAt("bob"));
  });

  await test.step("a client that lets go ends the session at Keycloak (SPEC B3.8)", async () => {
    await admin.logOut("carol");
    const { refresh } = await client.connect(personAt("carol"));
    equal(await admin.sessionsOf("carol"), 1);
    equal(await client.revoke(refresh), 200);
    equal(await admin.sessionsOf("carol"), 0);
    equal((await client.refresh(refresh)).error, "invalid_grant");
  });

  await test.step("only those whom the operator names come in, and only while they are", async () => {
    await using picky = await startGatehouse({ ...settings, OAUTH_ALLOW: "group:editor" });
    const theirs = await proxied(picky.origin);
    const answer = await personAt("carol").open(theirs.attempt().url);
    equal(answer.searchParams.get("error"), "access_denied");
    const { access, refresh } = await theirs.connect(personAt("bob"));
    equal((await picky.call(access)).status, 200);
    await admin.changeRole("bob", "editor", "viewer");
    try {
      equal((await theirs.refresh(refresh)).error, "invalid_grant");
    } finally {
      await admin.changeRole("bob", "viewer", "editor");
    }
  });

  const kept = await client.connect(personAt("alice"));

  await test.step("while Keycloak hangs, a refresh can be tried again", async () => {
    await keycloak.pause();
    try {
      equal((await client.refresh(kept.refresh)).status, 503);
      equal((await gate.call(kept.access)).status, 200);
    } finally {
      await keycloak.resume();
    }
    equal((await client.refresh(kept.refresh)).status, 200);
  });

  const waiting = await client.connect(personAt("alice"));
  const attempt = client.attempt();
  const alice = personAt("alice");
  const callback = await alice.open(attempt.url, { until: isCallback });
  await keycloak.stop();

  await test.step("while Keycloak is down, nothing is lost that was there", async () => {
    const { status, error } = await client.refresh(waiting.refresh);
    deepEqual([status, error], [503, "temporarily_unavailable"]);
    equal((await gate.call(waiting.access)).status, 200);
    const answer = await alice.open(callback);
    equal(answer.searchParams.get("error"), "temporarily_unavailable");
  });

  await keycloak.restartWithNewKeys();

  await test.step("a Keycloak that forgot everybody ends what hung on it", async () => {
    equal((await client.refresh(waiting.refresh)).error, "invalid_grant");
    const { access } = await client.connect(personAt("alice"));
    equal((await gate.call(access)).status, 200);
  });
});
