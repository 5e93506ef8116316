import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { RESOURCE, subject } from "../fakes.ts";
import { keyOf, newIdp } from "../idp.ts";

const KEY = await keyOf("k1");

const ISSUERS: readonly (readonly [issuer: string, path: string])[] = [
  ["https://idp.example", ""],
  ["https://acme.eu.auth0.com/", ""],
  ["https://keycloak.example/realms/acme", "/realms/acme"],
  ["https://idp.example/tenant/", "/tenant"],
  ["https://IDP.example:443/Tenant", "/Tenant"],
];

for (const [issuer, path] of ISSUERS) {
  Deno.test(`discovery() names ${issuer} to the letter, and serves its documents under its path (SPEC A2.2, B1.3, B1.4)`, async () => {
    const idp = newIdp([KEY], issuer);
    // The host normalises URLs, so that the issuer is asked by another spelling of its name.
    const fetch = ({ url }: Request) =>
      Promise.resolve(Response.json(url.endsWith("/keys") ? { keys: idp.keys } : idp.document));
    const env = { OAUTH_PROVIDER: "oidc", OIDC_ISSUER: issuer };
    const { send } = await subject(env, undefined, fetch);
    const own = await (await send("/.well-known/oauth-protected-resource/mcp")).json();
    deepEqual([own.resource, own.authorization_servers], [RESOURCE, [issuer]]);
    for (
      const location of [
        `/.well-known/oauth-authorization-server${path}`,
        `/.well-known/openid-configuration${path}`,
        `${path}/.well-known/openid-configuration`,
      ]
    ) {
      const response = await send(location, { headers: { origin: "https://app.example" } });
      equal(response.status, 200, location);
      equal(response.headers.get("access-control-allow-origin"), "*");
      deepEqual(await response.json(), idp.document);
    }
  });
}
