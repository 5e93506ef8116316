import { ok, strictEqual as equal } from "node:assert/strict";
import type { Login } from "../../lib/proxy/upstream.ts";
import { lead, LEG, STATE } from "./issuers.ts";
import type { Members } from "./logins.ts";

const MINE = "11111111-2222-3333-4444-555555555555";
const OTHER = "99999999-2222-3333-4444-555555555555";
const ENTRA = "https://login.microsoftonline.com";
const COMMON = `${ENTRA}/common/v2.0`;
const GOOGLE = "https://accounts.google.com";

/** Entra's endpoint for all tenants, of which one is let in. */
async function common() {
  const leading = await lead({
    OAUTH_PROVIDER: "azure",
    OIDC_ISSUER: COMMON,
    OAUTH_TENANTS: MINE,
  });
  leading.idp.document = { ...leading.idp.document, issuer: `${ENTRA}/{tenantid}/v2.0` };
  return leading;
}

const accepted = (login: Login) => login.ok;

const TENANTS: readonly (readonly [name: string, claims: Members, isGood: boolean])[] = [
  ["a tenant that is listed", { iss: `${ENTRA}/${MINE}/v2.0`, tid: MINE }, true],
  ["another tenant", { iss: `${ENTRA}/${OTHER}/v2.0`, tid: OTHER }, false],
  ["another tenant under the name of one", { iss: `${ENTRA}/${MINE}/v2.0`, tid: OTHER }, false],
  ["one under the name of another", { iss: `${ENTRA}/${OTHER}/v2.0`, tid: MINE }, false],
  ["no tenant", { iss: `${ENTRA}/${MINE}/v2.0` }, false],
  ["the template itself", { iss: `${ENTRA}/{tenantid}/v2.0`, tid: MINE }, false],
  ["the configured issuer", { iss: COMMON, tid: MINE }, false],
];

for (const [name, claims, isGood] of TENANTS) {
  Deno.test(`issuer() ${isGood ? "accepts" : "refuses"} ${name} at Entra's common endpoint (SPEC B5.7)`, async () => {
    const leading = await common();
    leading.claims = claims;
    equal(accepted(await leading.finish()), isGood);
  });
}

Deno.test("issuer() asks Entra for a login that lasts, and for no resource (AADSTS9010010) (SPEC B5.7)", async () => {
  const { searchParams } = new URL(await (await common()).upstream.begin(STATE, LEG));
  equal(searchParams.get("scope"), "openid profile email offline_access");
  equal(searchParams.has("resource"), false);
  equal(searchParams.has("prompt"), false);
});

const google = () => lead({ OAUTH_PROVIDER: "google", OAUTH_HOSTED_DOMAIN: "example.com" }, GOOGLE);

const DOMAINS: readonly (readonly [name: string, claims: Members, isGood: boolean])[] = [
  ["its domain", { hd: "example.com" }, true],
  ["its domain, from the issuer without a scheme", {
    iss: "accounts.google.com",
    hd: "example.com",
  }, true],
  ["another domain", { hd: "example.org" }, false],
  ["another spelling", { hd: "Example.com" }, false],
  ["a private account with an address of the domain", { email: "dora@example.com" }, false],
];

for (const [name, claims, isGood] of DOMAINS) {
  Deno.test(`issuer() ${isGood ? "accepts" : "refuses"} ${name} at Google under a hosted domain (SPEC B5.7)`, async () => {
    const leading = await google();
    leading.claims = claims;
    const login = await leading.finish();
    equal(accepted(login), isGood);
    // Whoever is not of the domain may not come in; that is no failure.
    if (!login.ok) equal(login.denied, true);
  });
}

Deno.test("issuer() asks Google for offline access its own way (SPEC B5.7)", async () => {
  const { searchParams } = new URL(await (await google()).upstream.begin(STATE, LEG));
  equal(searchParams.get("access_type"), "offline");
  equal(searchParams.get("prompt"), "consent");
  equal(searchParams.get("scope"), "openid profile email");
  equal(searchParams.has("resource"), false);
});

Deno.test("issuer() does not take an unverified address for anything (SPEC B5.7)", async () => {
  const leading = await lead();
  leading.claims = { email: "boss@example.com", email_verified: false };
  const login = await leading.finish();
  ok(login.ok);
  equal(login.identity.email, undefined);
  equal(login.identity.username, "dora-1");
});
