import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import type { Peer } from "./clients.ts";
import { expectSent, finishLogin, logIn, LOGIN_KINDS, newAccount } from "./login_clients.ts";
import { newPerson, REDIRECT_URI } from "./login_person.ts";
import { freePort, HTTP_ENV, start } from "./program.ts";

const PROXY_ENV = { ...HTTP_ENV, OAUTH_MODE: "proxy" };

async function subjectOf(peer: Peer): Promise<string | undefined> {
  return (await peer.whoami()).subject;
}

for (const kind of LOGIN_KINDS) {
  Deno.test(`${kind.name} logs in with nothing but the URL, and refreshes by itself (SPEC B1.1, B2.1, B3.2, B4.3)`, async () => {
    await using program = await start({ env: PROXY_ENV });
    const account = newAccount();
    const peer = await logIn(kind, program.endpoint, account, newPerson({ user: "alice" }));
    deepEqual(await peer.list(), ["whoami"]);
    equal(await subjectOf(peer), "alice");

    const issued = [account.tokens()];
    for (const _ of ["once", "again"]) {
      account.spoil();
      equal(await subjectOf(peer), "alice");
      issued.push(account.tokens());
    }
    equal(new Set(issued.map((tokens) => tokens.access_token)).size, 3);
    equal(new Set(issued.map((tokens) => tokens.refresh_token)).size, 3);
    equal(account.sent.length, 1);
    await peer.close();

    const { stderr } = await program.stop();
    const clientId = account.clientId()!;
    const secrets = issued.flatMap((tokens) => [tokens.access_token, tokens.refresh_token!]);
    for (const secret of [...secrets, clientId]) equal(stderr.includes(secret), false);
  });
}

Deno.test("clients that the operator knows log in, with and without a secret (SPEC B4.2)", async () => {
  const secret = "a secret of 32 characters, or more";
  const metadata = { client_name: "Known", redirect_uris: [REDIRECT_URI] };
  const clients = [
    { client_id: "public", ...metadata },
    ...["basic", "post"].map((way) => ({
      client_id: way,
      client_secret: secret,
      token_endpoint_auth_method: `client_secret_${way}`,
      ...metadata,
    })),
  ];
  const known = [
    { client_id: "public" },
    { client_id: "basic", client_secret: secret },
    {
      client_id: "post",
      client_secret: secret,
      ...metadata,
      token_endpoint_auth_method: "client_secret_post",
    },
  ];
  await using program = await start({
    env: { ...PROXY_ENV, OAUTH_CLIENTS: JSON.stringify(clients), OAUTH_REGISTRATION: "off" },
  });
  for (const kind of LOGIN_KINDS) {
    for (const one of known) {
      const account = newAccount({ known: one });
      const peer = await logIn(kind, program.endpoint, account, newPerson({ user: "bob" }));
      account.spoil();
      equal(await subjectOf(peer), "bob", `${kind.name} as ${one.client_id}`);
      equal(account.sent[0]!.searchParams.get("client_id"), one.client_id);
      await peer.close();
    }
    const wrong = { client_id: "basic", client_secret: "another secret of 32 characters" };
    const account = newAccount({ known: wrong });
    await rejects(logIn(kind, program.endpoint, account, newPerson({ user: "bob" })));
  }
  await program.until("stderr", /"reason":"wrong secret"/);
});

Deno.test("clients log in anew when the server has lost its grants, and register anew when it does not know them (SPEC B3.2, B4.4)", async () => {
  const port = freePort();
  const alice = newPerson({ user: "alice" });
  const accounts = LOGIN_KINDS.map((kind) => ({ kind, account: newAccount() }));
  const otherSecret = crypto.getRandomValues(new Uint8Array(32)).toHex();
  for (
    const [changes, isKnown, reason] of [
      [{}, false, undefined],
      [{}, true, "unknown or ended"],
      [{ JWT_SECRET: otherSecret }, false, "unknown client"],
    ] as const
  ) {
    await using program = await start({ env: { ...PROXY_ENV, ...changes }, port });
    for (const { kind, account } of accounts) {
      const before = account.clientId();
      const peer = await logIn(kind, program.endpoint, account, alice);
      equal(await subjectOf(peer), "alice");
      equal(account.clientId() === before, isKnown, `${kind.name}: ${reason}`);
      await peer.close();
    }
    if (reason) await program.until("stderr", new RegExp(`"reason":"${reason}"`));
    await program.stop();
  }
});

Deno.test("clients stay registered and logged in over a restart with the same secret and store (SPEC B4.4)", async () => {
  const folder = await Deno.makeTempDir();
  const env = { ...PROXY_ENV, STORE_URL: `sqlite:${folder}/store.db` };
  const port = freePort();
  try {
    const accounts = LOGIN_KINDS.map((kind) => ({ kind, account: newAccount() }));
    const alice = newPerson({ user: "alice" });
    for (const run of ["first", "second"]) {
      await using program = await start({ env, port, command: withWrite(folder) });
      for (const { kind, account } of accounts) {
        if (run === "first") await (await logIn(kind, program.endpoint, account, alice)).close();
        const peer = await kind.connect(program.endpoint, account);
        equal(await subjectOf(peer), "alice");
        account.spoil();
        equal(await subjectOf(peer), "alice", `${kind.name} in the ${run} run`);
        equal(account.sent.length, 1);
        await peer.close();
      }
      await program.stop();
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("clients hear that their person said no (SPEC B2.4, B2.5, B5.1)", async () => {
  await using program = await start({ env: PROXY_ENV });
  for (const kind of LOGIN_KINDS) {
    const account = newAccount();
    await rejects(
      logIn(kind, program.endpoint, account, newPerson({ decision: "deny" })),
      { code: "access_denied" },
      kind.name,
    );
    await expectSent(kind.connect(program.endpoint, account), account);
  }
});

Deno.test("clients ask for the scopes that a tool needs, as far as they can (SPEC A3.5, B3.5)", async () => {
  await using program = await start({
    env: { ...PROXY_ENV, OAUTH_SCOPES_REQUIRED: "mcp:read", OAUTH_TOOL_SCOPES: "whoami=mcp:who" },
  });
  const alice = newPerson({ user: "alice" });
  for (const kind of LOGIN_KINDS) {
    const account = newAccount();
    const first = await logIn(kind, program.endpoint, account, alice);
    equal(account.sent[0]!.searchParams.get("scope"), "mcp:read");
    deepEqual([await first.list(), account.tokens().scope], [["whoami"], "mcp:read"]);
    if (kind.stepsUp) {
      const sent = await expectSent(first.whoami(), account);
      equal(sent.searchParams.get("scope"), "mcp:read mcp:who");
      await finishLogin(kind, program.endpoint, account, alice);
      const second = await kind.connect(program.endpoint, account);
      deepEqual((await second.whoami()).scopes, ["mcp:read", "mcp:who"]);
      await second.close();
    } else {
      // It refreshes instead, which cannot widen a grant, and then gives up: no loop.
      await rejects(first.whoami(), { code: 403 });
      equal(account.sent.length, 1);
    }
    await first.close();
  }
});

Deno.test("a client is told about scopes that its person cannot grant, without end of logins (SPEC A3.5, B3.5)", async () => {
  await using program = await start({
    env: { ...PROXY_ENV, OAUTH_SCOPES_REQUIRED: "mcp:read", OAUTH_TOOL_SCOPES: "whoami=mcp:who" },
  });
  const bob = newPerson({ user: "bob" });
  for (const kind of LOGIN_KINDS.filter(({ stepsUp }) => stepsUp)) {
    const account = newAccount();
    const first = await logIn(kind, program.endpoint, account, bob);
    await expectSent(first.whoami(), account);
    await finishLogin(kind, program.endpoint, account, bob);
    equal(account.tokens().scope, "mcp:read");
    ok(account.tokens().refresh_token);
    await first.close();
  }
});

// As `-P` says, and the folder of the store, which is the operator's to grant.
function withWrite(folder: string): string[] {
  const main = new URL("../../main.ts", import.meta.url).pathname;
  return [Deno.execPath(), "run", "--quiet", "-P", `--allow-write=${folder}`, main];
}
