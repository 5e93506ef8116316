import { doesNotMatch, match, ok, strictEqual as equal } from "node:assert/strict";
import { ORIGIN } from "../fakes.ts";
import { read } from "../page/markup.ts";
import { CHALLENGE, type Changes, type Gate, newGate, REDIRECT, type TestClient } from "./flow.ts";
import { altered, openBare, PURPOSES, refusedByPage, sealOf, TITLES } from "./forms.ts";

const APP = "https://app.example/callback?tenant=1";
const DOCUMENT = "https://app.example/client.json";

const CONFIGURED = [{ client_id: "known", client_name: "Known", redirect_uris: [APP] }];

/** A gate with a client of every origin; documents come from `app.example`. */
async function withClients(env: Record<string, string> = {}) {
  const document = { status: 200, redirects: [APP] };
  const gate = await newGate({ OAUTH_CLIENTS: JSON.stringify(CONFIGURED), ...env }, {
    strangers: {
      resolve: () => Promise.resolve(["93.184.215.14"]),
      fetchAt: () => {
        const said = { client_id: DOCUMENT, client_name: "App", redirect_uris: document.redirects };
        return Promise.resolve(Response.json(said, { status: document.status }));
      },
    },
  });
  const clients = {
    loopback: await gate.register(),
    dynamic: await gate.register({ redirect_uris: [APP] }),
    configured: { id: "known", redirectUri: APP },
    document: { id: DOCUMENT, redirectUri: APP },
  };
  return { gate, clients, document };
}

const open = (gate: Gate, client: TestClient, changes: Changes) =>
  openBare(gate, gate.requestOf(client, changes));

Deno.test("authorize() asks the person about a good request of any client (SPEC B5.1)", async () => {
  const { gate, clients } = await withClients();
  for (const client of Object.values(clients)) {
    const response = await open(gate, client, {});
    equal(response.status, 200);
    match(await response.text(), /<form method="post" action="\/oauth\/consent">/);
  }
});

const UNKNOWN: readonly (readonly [what: string, changes: Changes])[] = [
  ["missing", { client_id: undefined }],
  ["empty", { client_id: "" }],
  ["one that nobody has", { client_id: "nobody" }],
  ["a configured one in other case", { client_id: "Known" }],
  ["an http URL", { client_id: "http://app.example/client.json" }],
  ["a property of all objects", { client_id: "__proto__" }],
  ["very long", { client_id: "a".repeat(20_000) }],
];
for (const [what, changes] of UNKNOWN) {
  Deno.test(`authorize() redirects nobody when the client id is ${what} (SPEC B2.3)`, async () => {
    const { gate, clients } = await withClients();
    await refusedByPage(await open(gate, clients.configured, changes), 400, TITLES.client);
  });
}

Deno.test("authorize() does not know a registration of another server, secret or purpose (SPEC B4.4)", async () => {
  const { gate, clients: { dynamic } } = await withClients();
  const other = await newGate({ OAUTH_SERVER_URL: "http://localhost:8081" });
  const row = await sealOf(gate, "client").open(dynamic.id, gate.ports.now());
  ok(row);
  const until = gate.ports.now() + 600;
  const ids = [
    (await other.register({ redirect_uris: [APP] })).id,
    altered(dynamic.id),
    await sealOf(gate, "client", "another secret, of 32 bytes or so").seal(row, until),
  ];
  for (const purpose of PURPOSES.filter((one) => one !== "client")) {
    ids.push(await sealOf(gate, purpose).seal(row, until));
  }
  for (const id of ids) {
    await refusedByPage(await open(gate, dynamic, { client_id: id }), 400, TITLES.client);
  }
  const again = await sealOf(gate, "client").seal(row, until);
  equal((await open(gate, dynamic, { client_id: again })).status, 200);
});

Deno.test("authorize() knows a registration for 90 days, and tells then how to go on (SPEC B4.4)", async () => {
  const { gate, clients: { dynamic } } = await withClients();
  gate.ports.advance(90 * 86_400 - 1);
  equal((await open(gate, dynamic, {})).status, 200);
  gate.ports.advance(1);
  await refusedByPage(await open(gate, dynamic, {}), 400, TITLES.client);
  match(await (await open(gate, dynamic, {})).text(), /Remove this server from the app and add it/);
});

Deno.test("authorize() knows no registration and no document where they are off (SPEC B4.3)", async () => {
  const { gate, clients } = await withClients();
  const closed = await newGate({
    OAUTH_CLIENTS: JSON.stringify(CONFIGURED),
    OAUTH_REGISTRATION: "off",
  });
  equal((await open(gate, clients.dynamic, {})).status, 200);
  equal((await open(closed, clients.configured, {})).status, 200);
  for (const client of [clients.dynamic, clients.document]) {
    await refusedByPage(await open(closed, client, {}), 400, TITLES.client);
  }
});

Deno.test("authorize() says when a client's document may be had later (SPEC B4.1)", async () => {
  const { gate, clients, document } = await withClients();
  document.status = 503;
  await refusedByPage(await open(gate, clients.document, {}), 503, TITLES.later);
  gate.ports.advance(3600);
  document.status = 404;
  await refusedByPage(await open(gate, clients.document, {}), 400, TITLES.client);
});

const FOREIGN: readonly (readonly [what: string, redirectUri: string | undefined])[] = [
  ["missing", undefined],
  ["empty", ""],
  ["of another host", "https://evil.example/callback?tenant=1"],
  ["of a host below", "https://evil.app.example/callback?tenant=1"],
  ["of a host that begins alike", "https://app.example.evil.example/callback?tenant=1"],
  ["with user information", "https://app.example@evil.example/callback?tenant=1"],
  ["by http", "http://app.example/callback?tenant=1"],
  ["at another port", "https://app.example:8443/callback?tenant=1"],
  ["at the usual port, spelled out", "https://app.example:443/callback?tenant=1"],
  ["in other case", "https://APP.example/callback?tenant=1"],
  ["at another path", "https://app.example/callback2?tenant=1"],
  ["at a path below", "https://app.example/callback/evil?tenant=1"],
  ["with a dot segment", "https://app.example/x/../callback?tenant=1"],
  ["with another query", "https://app.example/callback?tenant=2"],
  ["with a longer query", "https://app.example/callback?tenant=1&next=evil"],
  ["without its query", "https://app.example/callback"],
  ["with a fragment", "https://app.example/callback?tenant=1#"],
  ["with a space behind", "https://app.example/callback?tenant=1 "],
  ["with a line end behind", "https://app.example/callback?tenant=1\n"],
  ["of a loopback client", REDIRECT],
  ["of this server", `${ORIGIN}/oauth/callback`],
  ["a script", "javascript:alert(1)//https://app.example/callback?tenant=1"],
];
for (const [what, redirectUri] of FOREIGN) {
  Deno.test(`authorize() redirects nobody when the redirect URI is ${what} (SPEC B2.2, B2.3, B5.5)`, async () => {
    const { gate, clients: { dynamic, configured, document } } = await withClients();
    for (const client of [dynamic, configured, document]) {
      // Other mistakes do not change that.
      for (const more of [{}, { response_type: "token" }, { state: "\u00e9" }]) {
        const response = await open(gate, client, { redirect_uri: redirectUri, ...more });
        await refusedByPage(response, 400, TITLES.redirect);
      }
    }
  });
}

Deno.test("authorize() lets a loopback client come from any port and nothing else (SPEC B2.2)", async () => {
  const gate = await newGate();
  const uris = ["http://127.0.0.1:33418/callback", "http://[::1]/a?b=1", "http://localhost/"];
  const client = await gate.register({ redirect_uris: uris });
  const good = [
    ...uris,
    "http://127.0.0.1/callback",
    "http://127.0.0.1:1/callback",
    "http://[::1]:65535/a?b=1",
    "http://localhost:3000/",
  ];
  for (const uri of good) equal((await open(gate, client, { redirect_uri: uri })).status, 200, uri);
  const bad = [
    "http://localhost:33418/callback",
    "http://127.0.0.2:33418/callback",
    "http://127.0.0.1:33418/callback/",
    "http://127.0.0.1:33418/callback?x=1",
    "http://127.0.0.1:33418/Callback",
    "http://127.0.0.1:99999/callback",
    "http://127.0.0.1:/callback",
    "http://127.0.0.1.evil.example:33418/callback",
    "http://127.0.0.1:33418@evil.example/callback",
    "https://127.0.0.1:33418/callback",
    "http://[::1]/a?b=2",
    "http://2130706433/callback",
    "http://localhost.:3000/",
  ];
  for (const uri of bad) {
    await refusedByPage(await open(gate, client, { redirect_uri: uri }), 400, TITLES.redirect);
  }
});

Deno.test("authorize() asks for the redirect URI even of a client that has one (SPEC B2.2)", async () => {
  const { gate, clients } = await withClients();
  const changes = { redirect_uri: undefined };
  await refusedByPage(await open(gate, clients.configured, changes), 400, TITLES.redirect);
});

Deno.test("authorize() judges by what the operator allows today (SPEC B5.5)", async () => {
  const { gate, clients: { dynamic } } = await withClients();
  equal((await open(gate, dynamic, {})).status, 200);
  const narrower = await newGate({ OAUTH_REDIRECT_URIS: "https://other.example/callback" });
  await refusedByPage(await open(narrower, dynamic, {}), 400, TITLES.redirect);
});

for (
  const name of ["client_id", "redirect_uri", "state", "scope", "code_challenge", "nonce", "any"]
) {
  Deno.test(`authorize() refuses two values of ${name}, alike or not (SPEC B2.5)`, async () => {
    const { gate, clients: { loopback } } = await withClients();
    const [known] = new URL(gate.requestOf(loopback)).searchParams.getAll(name);
    const value = known ?? "x";
    for (const values of [[value, value], [value, "y"], ["y", value]]) {
      const response = await open(gate, loopback, { [name]: values });
      await refusedByPage(response, 400, TITLES.malformed);
    }
    // An empty one counts as absent.
    equal((await open(gate, loopback, { [name]: ["", value] })).status, 200);
  });
}

Deno.test("authorize() ignores parameters that it does not know (SPEC B2.5)", async () => {
  const { gate, clients: { loopback } } = await withClients();
  const changes = { prompt: "none", nonce: "n", max_age: "0", claims: "{}", constructor: "x" };
  equal((await open(gate, loopback, changes)).status, 200);
});

Deno.test("authorize() refuses a query past its bound, and reads one within", async () => {
  const { gate, clients: { loopback } } = await withClients();
  const room = 32 * 1024 - gate.requestOf(loopback, { any: "" }).length;
  equal((await open(gate, loopback, { any: "a".repeat(room) })).status, 200);
  const response = await open(gate, loopback, { any: "a".repeat(room + 1) });
  await refusedByPage(response, 400, TITLES.malformed);
});

const SCOPES = {
  OAUTH_SCOPES_REQUIRED: "mcp:read",
  OAUTH_TOOL_SCOPES: "whoami=mcp:write,whoami=mcp:admin",
};
const ASKED: readonly (readonly [what: string, scope: string | undefined, granted: string])[] = [
  ["the least for none", undefined, "mcp:read"],
  ["the least for an empty one", "", "mcp:read"],
  ["the least for unknown ones", "openid offline_access *", "mcp:read"],
  ["no more than was asked for", "mcp:write", "mcp:write"],
  ["what it knows of those asked for", "openid mcp:write mcp:WRITE mcp:write,", "mcp:write"],
  ["one that is named twice once", "mcp:read  mcp:write mcp:read", "mcp:read mcp:write"],
];
for (const [what, scope, granted] of ASKED) {
  Deno.test(`authorize() grants ${what} (SPEC B3.5, E13)`, async () => {
    const gate = await newGate(SCOPES);
    const client = await gate.register();
    const page = await gate.ask(client, { scope });
    const shown = [...page.text.matchAll(/<li><code dir="ltr">(.*?)<\/code><\/li>/g)];
    equal(shown.map(([, name]) => name).join(" "), granted);
    equal((await gate.connect(client, { scope })).tokens.scope, granted);
  });
}

Deno.test("authorize() shows who asks, for what, and where it goes (SPEC B5.3, B4.1, E11, E12)", async () => {
  const { gate, clients } = await withClients(SCOPES);
  const words = async (client: TestClient) => {
    const { text } = await gate.ask(client, { scope: "mcp:read mcp:write" });
    return read(text.slice(text.indexOf("<main>")).replace(/<[^>]*>/g, "")).replace(/\s+/g, " ");
  };
  const loopback = await words(clients.loopback);
  match(loopback, /Let “Test client” act as you\? Nobody vouches for this app\./);
  match(loopback, /127\.0\.0\.1 \(this computer\) http:\/\/127\.0\.0\.1:33418\/callback/);
  match(loopback, /mcp:read ?mcp:write .*http:\/\/localhost:8080\/mcp .*log in at localhost:8080/);
  match(loopback, /Any program here can pretend to be it/);
  const document = await words(clients.document);
  match(
    document,
    /app\.example vouches for this app.*goes to app\.example https:\/\/app\.example\/c/,
  );
  match(document, /Client ID https:\/\/app\.example\/client\.json/);
  doesNotMatch(document, /Any program here/);
  match(await words(clients.configured), /The operator of this server has registered this app/);
  doesNotMatch(await words(clients.dynamic), /vouches for this app\. Its name/);
});

Deno.test("authorize() takes the challenge to the code, and no other (SPEC B2.1)", async () => {
  const gate = await newGate();
  const client = await gate.register();
  const code = await gate.code(client, { code_challenge: `F${CHALLENGE.slice(1)}` });
  equal((await gate.redeem(client, code)).body.error, "invalid_grant");
  equal((await gate.redeem(client, await gate.code(client))).status, 200);
});
