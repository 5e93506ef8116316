import { deepStrictEqual as deepEqual, rejects, strictEqual as equal } from "node:assert/strict";
import { providerOf } from "../../lib/providers.ts";
import { fakePorts, NOW, testConfig } from "../fakes.ts";
import { type Answer, newIdp } from "../idp.ts";
import { issuerSuite } from "../suites/issuer.ts";
import { vectorSuite } from "../suites/vectors.ts";
import vectors from "../vectors/google.json" with { type: "json" };

const TOKEN_INFO = "https://oauth2.googleapis.com/tokeninfo";

issuerSuite({
  name: "google",
  env: { OAUTH_PROVIDER: "google", OIDC_AUDIENCE: "1-web.apps.googleusercontent.com" },
  header: { typ: "JWT" },
  claims: { azp: "1-web.apps.googleusercontent.com", email: "a@acme.example", nonce: "n" },
  answers: { [TOKEN_INFO]: () => Response.json({ error: "invalid_token" }, { status: 400 }) },
  exempt: { "refuses an ID token": "Google documents sending ID tokens to one's own backend" },
  // Google is asked about what cannot be judged here.
  reasons: {
    "a key that is not published": "inactive",
    "alg none without a signature": "inactive",
  },
});

vectorSuite(vectors);

async function asking(answer: Answer) {
  const { http, oauth } = testConfig({ OAUTH_PROVIDER: "google", OIDC_AUDIENCE: "1-web" });
  const idp = newIdp([], oauth!.issuer);
  idp.answers.set(TOKEN_INFO, answer);
  return { idp, provider: await providerOf(oauth!, http.publicUrl, fakePorts(idp.fetch)) };
}

Deno.test("google asks about an opaque token without a word of it in the address (SPEC A4.4, A4.5)", async () => {
  const asked: Request[] = [];
  const { idp, provider } = await asking((request) => {
    asked.push(request.clone());
    return Response.json({ error: "invalid_token" }, { status: 400 });
  });
  equal((await provider.verify("ya29.a0AfH6SMBopaque", NOW)).ok, false);
  deepEqual(idp.requests.at(-1), `POST ${TOKEN_INFO}`);
  equal(await asked[0]!.text(), "access_token=ya29.a0AfH6SMBopaque");
});

const BROKEN: readonly (readonly [name: string, answer: Answer])[] = [
  ["a failure", () => new Response(null, { status: 500 })],
  ["too many questions", () => new Response(null, { status: 429 })],
  ["a redirect", () => Response.redirect("https://evil.example")],
  ["a page", () => new Response("<!doctype html>")],
  ["null", () => Response.json(null)],
  ["nothing", () => Promise.reject(new TypeError("connection refused"))],
];

for (const [name, answer] of BROKEN) {
  Deno.test(`google cannot judge an opaque token when it is answered with ${name} (SPEC A3.1)`, async () => {
    const { provider } = await asking(answer);
    await rejects(provider.verify("ya29.a0AfH6SMBopaque", NOW), Error);
  });
}
