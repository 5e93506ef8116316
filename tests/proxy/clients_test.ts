import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { REGISTRATION_SECONDS } from "../../lib/proxy/clients.ts";
import { SECRET } from "../fakes.ts";
import { type Gate, newGate, REDIRECT, type TestClient } from "./flow.ts";
import { later, openGate, outcome, postForm, register } from "./grants_helper.ts";
import { PUBLIC as ADDRESS } from "./visits.ts";

const DOCUMENT = "https://client.example/oauth/client.json";
const SECRET_OF_APP = "the-secret-of-a-configured-app+/%=0";
const CLIENTS = JSON.stringify([
  { client_id: "open-app", client_name: "Open", redirect_uris: [REDIRECT] },
  {
    client_id: "closed.app",
    client_name: "Closed",
    redirect_uris: [REDIRECT],
    client_secret: SECRET_OF_APP,
  },
]);

const knownBy = async (gate: Gate, form: Record<string, string>) =>
  outcome(
    await postForm(gate, "/oauth/token", {
      grant_type: "refresh_token",
      refresh_token: "none",
      ...form,
    }),
  );

/** Hosts that serve one metadata document, and what was fetched of them. */
function web() {
  const fetched: string[] = [];
  const strangers = {
    resolve: () => Promise.resolve([ADDRESS]),
    fetchAt: ({ url }: Request) => {
      fetched.push(url);
      return Promise.resolve(
        Response.json({ client_id: DOCUMENT, client_name: "Doc", redirect_uris: [REDIRECT] }),
      );
    },
  };
  return { fetched, strangers };
}

const UNKNOWN: Readonly<Record<string, string>> = {
  "a word": "nobody",
  "a seal of another purpose or server":
    "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwia2lkIjoiMDAwMDAwMDAifQ..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA",
  "a URL that is no document": "https://client.example/",
  "a name of JavaScript": "__proto__",
  "a long text": "x".repeat(20_000),
};

for (const [name, id] of Object.entries(UNKNOWN)) {
  Deno.test(`clients() does not know ${name}, so that the client registers again (SPEC B4.4)`, async () => {
    const answer = await postForm(await openGate(), "/oauth/token", {
      client_id: id,
      grant_type: "authorization_code",
      code: "code",
    });
    equal(outcome(answer), "401 invalid_client");
    equal(answer.headers.get("www-authenticate"), 'Basic realm="gatehouse"');
    equal(answer.headers.get("cache-control"), "no-store");
  });
}

Deno.test("clients() knows a registration for 90 days to the second (SPEC B4.3, B4.4)", async () => {
  equal(REGISTRATION_SECONDS, 90 * 86_400);
  const gate = await openGate();
  const { id } = await gate.register();
  await later(gate, REGISTRATION_SECONDS - 1);
  equal(await knownBy(gate, { client_id: id }), "400 invalid_grant");
  gate.ports.advance(1);
  equal(await knownBy(gate, { client_id: id }), "401 invalid_client");
});

Deno.test("clients() knows an altered registration no more (SPEC B4.4)", async () => {
  const gate = await openGate();
  const { id } = await gate.register();
  for (const at of [5, id.length - 30, id.length - 5]) {
    const altered = id.slice(0, at) + (id[at] === "A" ? "B" : "A") + id.slice(at + 1);
    equal(await knownBy(gate, { client_id: altered }), "401 invalid_client");
  }
});

Deno.test("clients() knows a registration after a restart, and after a change of secret for as long as the old one is named (SPEC B4.4)", async () => {
  const { id } = await (await openGate()).register();
  equal(await knownBy(await openGate(), { client_id: id }), "400 invalid_grant");
  const next = "Zq8WmT3xVb7RkJ5nHy2LpD9sFc4GaE6u";
  const both = await openGate({ JWT_SECRET: next, JWT_SECRET_PREVIOUS: SECRET });
  equal(await knownBy(both, { client_id: id }), "400 invalid_grant");
  const without = await openGate({ JWT_SECRET: next });
  equal(await knownBy(without, { client_id: id }), "401 invalid_client");
});

Deno.test("clients() does not know a registration of another server (SPEC B4.4)", async () => {
  const { id } = await (await openGate()).register();
  const other = await openGate({ OAUTH_SERVER_URL: "http://localhost:9090" });
  equal(await knownBy(other, { client_id: id }), "401 invalid_client");
});

Deno.test("clients() knows the clients of the operator, with and without a secret (SPEC B4.2)", async () => {
  const gate = await openGate({ OAUTH_CLIENTS: CLIENTS });
  const open: TestClient = { id: "open-app" };
  const closed: TestClient = {
    id: "closed.app",
    secret: SECRET_OF_APP,
    method: "client_secret_basic",
  };
  for (const client of [open, closed, { ...closed, method: "client_secret_post" }]) {
    const { tokens } = await gate.connect(client);
    equal((await gate.refresh(client, tokens.refresh_token)).status, 200);
  }
  equal(await knownBy(gate, { client_id: "closed.app" }), "401 invalid_client");
  equal(await knownBy(gate, { client_id: "Open-App" }), "401 invalid_client");
});

Deno.test("clients() knows the operator's clients when registration is off (SPEC B4.2)", async () => {
  const gate = await openGate({ OAUTH_CLIENTS: CLIENTS, OAUTH_REGISTRATION: "off" });
  const { tokens } = await gate.connect({ id: "open-app" });
  equal(typeof tokens.access_token, "string");
});

Deno.test("clients() fetches the document of a client that is a URL (SPEC B4.1)", async () => {
  const { strangers, fetched } = web();
  const gate = await newGate({}, { strangers });
  const { tokens } = await gate.connect({ id: DOCUMENT });
  equal((await gate.refresh({ id: DOCUMENT }, tokens.refresh_token)).status, 200);
  deepEqual(fetched, [DOCUMENT]);
});

Deno.test("clients() asks to try again when a document cannot be had at the moment (SPEC B4.1, B4.4)", async () => {
  const { strangers } = web();
  let status = 503;
  const fetchAt = (request: Request) =>
    status === 200 ? strangers.fetchAt(request) : Promise.resolve(new Response(null, { status }));
  const gate = await openGate({}, { strangers: { ...strangers, fetchAt } });
  const answer = await postForm(gate, "/oauth/token", {
    client_id: DOCUMENT,
    grant_type: "refresh_token",
    refresh_token: "none",
  });
  equal(outcome(answer), "503 temporarily_unavailable");
  equal(answer.headers.get("retry-after"), "5");
  status = 200;
  gate.ports.advance(10);
  equal(await knownBy(gate, { client_id: DOCUMENT }), "400 invalid_grant");
});

const MODES:
  readonly (readonly [mode: string | undefined, documents: boolean, dynamic: boolean])[] = [
    [undefined, true, true],
    ["documents,dynamic", true, true],
    ["documents", true, false],
    ["dynamic", false, true],
    ["off", false, false],
  ];

for (const [mode, documents, dynamic] of MODES) {
  Deno.test(`OAUTH_REGISTRATION=${mode ?? ""} says what it does (SPEC B1.7, B4.1, B4.3, E12)`, async () => {
    const earlier = await (await openGate()).register();
    const { strangers, fetched } = web();
    const gate = await openGate(mode === undefined ? {} : { OAUTH_REGISTRATION: mode }, {
      strangers,
    });
    for (const name of ["oauth-authorization-server", "openid-configuration"]) {
      const said = await (await gate.send(`/.well-known/${name}`)).json();
      const url = dynamic ? `${gate.origin}/oauth/register` : undefined;
      equal(said.registration_endpoint, url);
      equal(said.client_id_metadata_document_supported, documents || undefined);
    }
    if (dynamic) {
      const metadata = { redirect_uris: [REDIRECT], token_endpoint_auth_method: "none" };
      equal((await register(gate, metadata)).status, 201);
    } else {
      const gone = await gate.send("/oauth/register", { method: "POST", body: "{}" });
      await gone.body?.cancel();
      equal(gone.status, 404);
    }
    const known = (is: boolean) => is ? "400 invalid_grant" : "401 invalid_client";
    equal(await knownBy(gate, { client_id: earlier.id }), known(dynamic));
    equal(await knownBy(gate, { client_id: DOCUMENT }), known(documents));
    deepEqual(fetched, documents ? [DOCUMENT] : []);
  });
}
