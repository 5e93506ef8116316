import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import fc from "fast-check";
import { MAX_DOCUMENT_BYTES, outbound } from "../../lib/outbound.ts";
import { discover, IssuerMismatch } from "../../lib/provider/discover.ts";
import { ISSUER, newIdp, openidUrl } from "../idp.ts";

const OAUTH_URL = "https://idp.example/.well-known/oauth-authorization-server/tenant";

/** Discovers an issuer whose document has these members, or whose location answers so. */
function discovering(document: Record<string, unknown> | (() => Response), issuer = ISSUER) {
  const idp = newIdp([], issuer);
  if (typeof document === "function") idp.answers.set(openidUrl(issuer), document);
  else idp.document = { ...idp.document, ...document };
  return { idp, found: discover(issuer, outbound(idp.fetch)) };
}

const LOCATIONS: readonly (readonly [issuer: string, openid: string, oauth: string])[] = [
  [
    "https://idp.example",
    "https://idp.example/.well-known/openid-configuration",
    "https://idp.example/.well-known/oauth-authorization-server",
  ],
  [
    "https://idp.example/",
    "https://idp.example/.well-known/openid-configuration",
    "https://idp.example/.well-known/oauth-authorization-server",
  ],
  [ISSUER, "https://idp.example/tenant/.well-known/openid-configuration", OAUTH_URL],
  [
    "http://localhost:8180/realms/acme",
    "http://localhost:8180/realms/acme/.well-known/openid-configuration",
    "http://localhost:8180/.well-known/oauth-authorization-server/realms/acme",
  ],
];

for (const [issuer, openid, oauth] of LOCATIONS) {
  Deno.test(`discover() looks for ${issuer} at its OpenID location, then at RFC 8414's (SPEC B1.3)`, async () => {
    const found = discovering({}, issuer);
    equal((await found.found).issuer, issuer);
    deepEqual(found.idp.requests, [`GET ${openid}`]);

    const idp = newIdp([], issuer);
    idp.answers.set(openid, () => new Response(null, { status: 404 }));
    idp.answers.set(oauth, () => Response.json(idp.document));
    equal((await discover(issuer, outbound(idp.fetch))).issuer, issuer);
    deepEqual(idp.requests, [`GET ${openid}`, `GET ${oauth}`]);
  });
}

Deno.test("discover() keeps the document as published (SPEC B1.4)", async () => {
  const more = { scopes_supported: ["openid"], "x-vendor": { a: [1, null] }, claims: "ü" };
  const { idp, found } = discovering(more);
  deepEqual(await found, idp.document);
});

const MISMATCHES: readonly (readonly [name: string, issuer: string])[] = [
  ["with a slash after it", `${ISSUER}/`],
  ["with its host in capitals", "https://IDP.example/tenant"],
  ["with the scheme in capitals", "HTTPS://idp.example/tenant"],
  ["with the usual port", "https://idp.example:443/tenant"],
  ["with an escaped letter", "https://idp.example/%74enant"],
  ["without encryption", "http://idp.example/tenant"],
  ["at another host", "https://idp.example.evil.example/tenant"],
  ["with another path", "https://idp.example/Tenant"],
];

for (const [name, issuer] of MISMATCHES) {
  Deno.test(`discover() refuses the issuer ${name}, and says both (SPEC B1.4)`, async () => {
    await rejects(discovering({ issuer }).found, (error: unknown) => {
      ok(error instanceof IssuerMismatch, String(error));
      deepEqual([error.expected, error.actual], [ISSUER, issuer]);
      match(error.message, /^Cannot use the issuer: it calls itself ".+", not ".+"$/);
      return true;
    });
  });
}

Deno.test("discover() expects the issuer that a vendor documents for a shared address", async () => {
  const shared = "https://login.microsoftonline.com/common/v2.0";
  const template = "https://login.microsoftonline.com/{tenantid}/v2.0";
  const idp = newIdp([], shared);
  idp.document.issuer = template;
  equal((await discover(shared, outbound(idp.fetch), template)).issuer, template);
  await rejects(discover(shared, outbound(idp.fetch)), IssuerMismatch);
});

const json = (value: unknown) => () => Response.json(value);
const status = (code: number) => () => new Response(null, { status: code });
const redirect = (code: number) => () =>
  new Response(null, { status: code, headers: { location: "https://idp.example/elsewhere" } });

const UNREADABLE: readonly (readonly [name: string, answer: () => Response, why: RegExp])[] = [
  [
    "a page",
    () => new Response("<!doctype html>", { headers: { "content-type": "text/html" } }),
    /no JSON object/,
  ],
  ["an empty body", () => new Response(""), /no JSON object/],
  ["a list", json([{ issuer: ISSUER }]), /no JSON object/],
  ["a text", json(ISSUER), /no JSON object/],
  ["null", json(null), /no JSON object/],
  ["an object without an issuer", json({}), /with an issuer/],
  ["an issuer that is no text", json({ issuer: [ISSUER] }), /with an issuer/],
  ["half of an object", () => new Response('{"issuer":"'), /no JSON object/],
  [
    "more than 512 KiB",
    json({ issuer: ISSUER, filler: "f".repeat(MAX_DOCUMENT_BYTES) }),
    /more than/,
  ],
  ["nothing anywhere", status(404), /404 at its OpenID location, 404 at its OAuth location/],
  ["a failure", status(500), /500 at its OpenID location/],
  ["a redirect 301", redirect(301), /301 at its OpenID location/],
  ["a redirect 302", redirect(302), /302 at its OpenID location/],
  ["a redirect 307", redirect(307), /307 at its OpenID location/],
  ["a redirect 308", redirect(308), /308 at its OpenID location/],
];

for (const [name, answer, why] of UNREADABLE) {
  Deno.test(`discover() refuses ${name} for a document (SPEC E3)`, async () => {
    const { idp, found } = discovering(answer);
    await rejects(
      found,
      (error: Error) => (match(error.message, why), error.message.startsWith("Cannot")),
    );
    equal(idp.requests.some((one) => one.includes("elsewhere")), false);
  });
}

Deno.test("discover() says so when the issuer's name for itself is no URL (SPEC B1.4)", async () => {
  await rejects(discovering({ issuer: "idp.example" }).found, /calls itself "idp.example"/);
});

Deno.test("discover() refuses an issuer that cannot be reached, and does not try elsewhere", async () => {
  const idp = newIdp([]);
  idp.up = false;
  await rejects(discover(ISSUER, outbound(idp.fetch)), /Cannot fetch .*: error sending request/);
  equal(idp.requests.length, 1);
});

Deno.test("discover() refuses an issuer without keys (SPEC A4.6)", async () => {
  await rejects(discovering({ jwks_uri: undefined }).found, /has no jwks_uri/);
  await rejects(discovering({ jwks_uri: "" }).found, Error);
});

const BAD_ADDRESSES: readonly unknown[] = [
  "http://idp.example/x",
  "https://user:password@idp.example/x",
  "/x",
  "javascript:alert(1)",
  "file:///etc/passwd",
  "data:application/json,{}",
  7,
  ["https://idp.example/x"],
];
const ENDPOINTS = [
  ...["jwks_uri", "authorization_endpoint", "token_endpoint", "introspection_endpoint"],
  ...["registration_endpoint", "revocation_endpoint", "pushed_authorization_request_endpoint"],
];

for (const name of ENDPOINTS) {
  Deno.test(`discover() refuses an issuer whose ${name} is not a safe URL (SPEC E3, E8)`, async () => {
    for (const address of BAD_ADDRESSES) {
      await rejects(
        discovering({ [name]: address }).found,
        new RegExp(`Cannot use the issuer's ${name}`),
      );
    }
    equal(
      (await discovering({ [name]: "https://other.example/x" }).found)[name],
      "https://other.example/x",
    );
    equal(
      (await discovering({ [name]: "http://localhost:1/x" }).found)[name],
      "http://localhost:1/x",
    );
  });
}

Deno.test("discover() yields a document that can be used or an error that says why, whatever is published", async () => {
  const url = fc.oneof(fc.webUrl({ validSchemes: ["https", "http"] }), fc.constant(ISSUER));
  const member = fc.oneof(fc.jsonValue({ maxDepth: 2 }), url);
  const names = ["issuer", ...ENDPOINTS, "code_challenge_methods_supported", "__proto__"];
  const document = fc.oneof(
    fc.jsonValue(),
    fc.dictionary(fc.constantFrom(...names), member),
    fc.dictionary(fc.constantFrom(...names.slice(2)), member)
      .map((rest) => ({ jwks_uri: `${ISSUER}/keys`, ...rest, issuer: ISSUER })),
  );
  let used = 0;
  await fc.assert(
    fc.asyncProperty(document, async (published) => {
      const idp = newIdp([]);
      idp.answers.set(openidUrl(ISSUER), () => Response.json(published));
      const found = await discover(ISSUER, outbound(idp.fetch)).catch((error: unknown) => {
        ok(error instanceof Error && error.message.startsWith("Cannot "), String(error));
      });
      if (!found) return;
      used++;
      equal(found.issuer, ISSUER);
      match(found.jwks_uri!, /^https?:/);
    }),
    { seed: 1, numRuns: 400 },
  );
  ok(used > 10, `${used} were used`);
});
