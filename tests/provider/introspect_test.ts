import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { MAX_QUESTIONS } from "../../lib/provider/introspect.ts";
import { providerOf } from "../../lib/providers.ts";
import {
  bearerHeader,
  CLAIMS,
  fakePorts,
  legacyCall,
  NOW,
  RESOURCE,
  subject,
  testConfig,
} from "../fakes.ts";
import { type Answer, ISSUER, keyOf, newIdp, signWith } from "../idp.ts";
import { settled } from "../waiting.ts";

const ENDPOINT = `${ISSUER}/introspect`;
const ENV = {
  OAUTH_PROVIDER: "oidc",
  OIDC_ISSUER: ISSUER,
  OIDC_CLIENT_ID: "gatehouse: it",
  OIDC_CLIENT_SECRET: "a secret/with+signs",
};
const ACTIVE = {
  active: true,
  token_type: "Bearer",
  sub: "5ba552d67",
  aud: RESOURCE,
  client_id: "cli",
  exp: NOW + 600,
};
const KEY = await keyOf("k1");

type Members = Readonly<Record<string, unknown>>;

/** An issuer that answers questions about tokens, and keeps them. */
function newAuthority(answer: Answer = () => Response.json(ACTIVE)) {
  const idp = newIdp([KEY]);
  idp.document.introspection_endpoint = ENDPOINT;
  const asked: Request[] = [];
  idp.answers.set(ENDPOINT, (request) => (asked.push(request.clone()), answer(request)));
  return { idp, asked };
}

/** A provider that asks this issuer. */
async function asking(answer?: Answer, env: Record<string, string> = {}) {
  const authority = newAuthority(answer);
  const ports = fakePorts(authority.idp.fetch);
  const { http, oauth } = testConfig({ ...ENV, ...env });
  return { ...authority, ports, provider: await providerOf(oauth!, http.publicUrl, ports) };
}

/** The program that asks this issuer, and a call with a token. */
async function calling(answer?: Answer) {
  const authority = newAuthority(answer);
  const { ports, send } = await subject(ENV, undefined, authority.idp.fetch);
  const call = (token: string) => send("/mcp", legacyCall("tools/list", {}, bearerHeader(token)));
  return { ...authority, ports, call };
}

Deno.test("introspection() asks as RFC 7662 says, and as itself (SPEC A4.6, RFC 7662 2.1)", async () => {
  const { asked, provider } = await asking();
  equal((await provider.verify("opaque/+token", NOW)).ok, true);
  const [request] = asked;
  deepEqual([request!.method, request!.url, request!.redirect], ["POST", ENDPOINT, "manual"]);
  const credentials = atob(request!.headers.get("authorization")!.replace("Basic ", ""));
  equal(credentials, "gatehouse%3A+it:a+secret%2Fwith%2Bsigns");
  equal(new URLSearchParams(await request!.text()).get("token"), "opaque/+token");
});

const ACCEPTED: readonly (readonly [name: string, answer: Members, expected: Members])[] = [
  ["everything that the issuer says", {
    scope: "a b",
    iss: ISSUER,
    email: "a@b.example",
    email_verified: true,
  }, {
    subject: "5ba552d67",
    issuer: ISSUER,
    username: "a@b.example",
    scopes: ["a", "b"],
    clientId: "cli",
    expiresAt: NOW + 600,
  }],
  ["one of several audiences", { aud: ["https://other.example", RESOURCE] }, {}],
  ["any spelling of its type", { token_type: "bEARER" }, {}],
  ["an access token of which the issuer does not say the type", { token_type: undefined }, {}],
  ["no issuer, since it was the issuer who answered", { iss: undefined }, { issuer: ISSUER }],
  ["no expiry, for a minute", { exp: undefined }, { expiresAt: NOW + 60 }],
  ["no subject, where the client acts for itself", { sub: undefined }, { subject: "cli" }],
];

for (const [name, answer, expected] of ACCEPTED) {
  Deno.test(`introspection() accepts ${name} (SPEC A4.2, RFC 7662 2.2)`, async () => {
    const { provider } = await asking(() => Response.json({ ...ACTIVE, ...answer }));
    const verdict = await provider.verify("opaque", NOW);
    ok(verdict.ok, JSON.stringify(verdict));
    const identity = verdict.identity as unknown as Members;
    for (const [member, value] of Object.entries(expected)) deepEqual(identity[member], value);
  });
}

const REFUSED: readonly (readonly [name: string, answer: Members, refusal: Members])[] = [
  ["what is not active", { active: false }, { reason: "inactive" }],
  ["another audience", { aud: "https://other.example" }, { reason: "audience" }],
  ["no audience, where the client is not one", { aud: undefined }, {
    reason: "audience",
    actual: ["cli"],
  }],
  ["an empty list of audiences", { aud: [] }, { reason: "audience" }],
  ["another issuer", { iss: `${ISSUER}/` }, {
    reason: "issuer",
    actual: `${ISSUER}/`,
    expected: [ISSUER],
  }],
  ["what has expired all the same", { exp: NOW - 30 }, { reason: "expired", secondsAgo: 30 }],
  ["an expiry as text", { exp: "1800000600" }, { reason: "claim", claim: "exp" }],
  ["nobody", { sub: undefined, client_id: undefined }, { reason: "claim", claim: "sub" }],
  ["an ID token", { token_use: "id" }, { reason: "use" }],
  ["a refresh token, as some issuers mark it", { typ: "Refresh" }, { reason: "use" }],
  ["a token that is bound to a key", { token_type: "DPoP", cnf: { jkt: "0ZcOCORZNYy" } }, {
    reason: "use",
  }],
];

for (const [name, answer, refusal] of REFUSED) {
  Deno.test(`introspection() refuses ${name} (SPEC A4.2, A4.6)`, async () => {
    const { provider } = await asking(() => Response.json({ ...ACTIVE, ...answer }));
    const verdict = await provider.verify("opaque", NOW);
    ok(!verdict.ok, "It was accepted");
    const facts = verdict.refusal as Members;
    for (const [fact, value] of Object.entries(refusal)) deepEqual(facts[fact], value);
  });
}

Deno.test("introspection() takes the client for the audience only where it is one (SPEC A4.2)", async () => {
  const answer = () => Response.json({ ...ACTIVE, aud: undefined });
  const { provider } = await asking(answer, { OIDC_AUDIENCE: `${RESOURCE},cli` });
  equal((await provider.verify("opaque", NOW)).ok, true);
});

Deno.test("introspection() does not take a refresh token, which names no audience, for the client's (SPEC A4.2, A4.6)", async () => {
  // RFC 7662 section 2.2: token_type is the type of an access token; a refresh token has none.
  const answer = () => Response.json({ ...ACTIVE, aud: undefined, token_type: undefined });
  const { provider } = await asking(answer, { OIDC_AUDIENCE: `${RESOURCE},cli` });
  equal((await provider.verify("opaque", NOW)).ok, false);
});

const BROKEN: readonly (readonly [name: string, answer: Answer])[] = [
  ["a page", () => new Response("<!doctype html>")],
  ["a list", () => Response.json([ACTIVE])],
  ["active in words", () => Response.json({ ...ACTIVE, active: "true" })],
  ["nothing about active", () => Response.json({ ...ACTIVE, active: undefined })],
  [
    "401, since it does not know us",
    () => Response.json({ error: "invalid_client" }, { status: 401 }),
  ],
  ["429", () => new Response(null, { status: 429 })],
  ["500", () => new Response(null, { status: 500 })],
  ["a redirect", () => Response.redirect("https://evil.example/introspect")],
  ["nothing", () => Promise.reject(new TypeError("connection refused"))],
  ["more than 512 KiB", () => Response.json({ ...ACTIVE, filler: "f".repeat(600 * 1024) })],
];

for (const [name, answer] of BROKEN) {
  Deno.test(`introspection() cannot judge when the issuer answers with ${name} (SPEC A3.1)`, async () => {
    const { idp, ports, call } = await calling(answer);
    const response = await call("opaque-8xLOxBtZp8");
    equal(response.status, 503);
    deepEqual([response.headers.get("retry-after"), response.headers.get("www-authenticate")], [
      "5",
      null,
    ]);
    const line = ports.lines.find((one) => one.includes("token not judged"))!;
    match(line, /"level":"error"/);
    equal(/opaque-8xLOxBtZp8|secret/.test(ports.lines.join("")), false);
    equal(idp.requests.some((one) => one.includes("evil")), false);
  });
}

const CLAIMS_HERE = { ...CLAIMS, iss: ISSUER };
const QUESTIONS:
  readonly (readonly [name: string, token: () => string | Promise<string>, asks: boolean])[] = [
    ["a text that is no JSON Web Token", () => "opaque", true],
    ["an encrypted token", () => "e30.aa.bb.cc.dd", true],
    [
      "a key that the issuer keeps to itself",
      () => signWith(KEY, CLAIMS_HERE, { kid: "hidden" }),
      true,
    ],
    ["a good token", () => signWith(KEY, CLAIMS_HERE), false],
    ["an expired token", () => signWith(KEY, { ...CLAIMS_HERE, exp: NOW - 60 }), false],
    [
      "another issuer's token",
      () => signWith(KEY, { ...CLAIMS_HERE, iss: "https://x.example" }),
      false,
    ],
    ["an ID token", () => signWith(KEY, { ...CLAIMS_HERE, nonce: "n" }, { typ: "JWT" }), false],
    ["a token that is too long", () => "o".repeat(16 * 1024 + 1), false],
  ];

for (const [name, token, asks] of QUESTIONS) {
  Deno.test(`introspection() ${asks ? "asks" : "does not ask"} about ${name} (SPEC A4.6)`, async () => {
    const { asked, provider } = await asking();
    await provider.verify(await token(), NOW);
    equal(asked.length, asks ? 1 : 0);
  });
}

Deno.test("introspection() refuses an empty token without asking (SPEC A3.1)", async () => {
  const { asked, call } = await calling();
  const response = await call("");
  deepEqual([response.status, asked.length], [401, 0]);
  match(response.headers.get("www-authenticate")!, /error="invalid_token"/);
});

Deno.test("introspection() refuses opaque tokens where the issuer cannot be asked (SPEC A4.6)", async () => {
  const { idp, asked, provider } = await asking();
  delete idp.document.introspection_endpoint;
  const verdict = await provider.verify("opaque", NOW);
  ok(!verdict.ok && verdict.refusal.reason === "inactive");
  equal(asked.length, 0);
});

Deno.test("introspection() has 32 questions open at most, and answers 503 to more (SPEC A3.1)", async () => {
  const gate = Promise.withResolvers<void>();
  const { asked, call } = await calling(async () => (await gate.promise, Response.json(ACTIVE)));
  const open = Array.from(
    { length: MAX_QUESTIONS },
    (_, at) => call(`opaque ${at}`.replace(" ", "-")),
  );
  const same = call("opaque-0");
  await settled();
  equal(asked.length, MAX_QUESTIONS);
  equal((await call("one-too-many")).status, 503);
  gate.resolve();
  for (const response of await Promise.all([...open, same])) equal(response.status, 200);
  equal((await call("one-too-many")).status, 200);
  equal(asked.length, MAX_QUESTIONS + 1);
});

Deno.test("introspection() frees its place when a question fails", async () => {
  const { provider } = await asking(() => Promise.reject(new TypeError("connection refused")));
  for (let at = 0; at < 2 * MAX_QUESTIONS; at++) {
    await rejects(provider.verify(`opaque-${at}`, NOW), /connection refused/);
  }
});

const REMEMBERED: readonly (readonly [name: string, exp: number | undefined, seconds: number])[] = [
  ["until it expires", NOW + 100, 100],
  ["for five minutes at most", NOW + 3600, 300],
  ["for a minute when it says no expiry", undefined, 60],
];

for (const [name, exp, seconds] of REMEMBERED) {
  Deno.test(`bearer() believes an answer ${name} (SPEC A4.6)`, async () => {
    const { asked, ports, call } = await calling(() => Response.json({ ...ACTIVE, exp }));
    equal((await call("opaque")).status, 200);
    ports.advance(seconds - 1);
    equal((await call("opaque")).status, 200);
    equal(asked.length, 1);
    ports.advance(1);
    await call("opaque");
    equal(asked.length, 2);
  });
}

Deno.test("bearer() asks again about a token that was not active (SPEC A4.6)", async () => {
  const answers = [{ active: false }, ACTIVE];
  const { asked, call } = await calling(() => Response.json(answers.shift()));
  deepEqual([(await call("opaque")).status, (await call("opaque")).status], [401, 200]);
  equal(asked.length, 2);
});
