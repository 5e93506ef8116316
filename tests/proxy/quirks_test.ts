import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import type { IssuerDocument } from "../../lib/provider/discover.ts";
import { QUIRKS } from "../../lib/proxy/quirks.ts";
import { ISSUER } from "../idp.ts";

type Vendor = keyof typeof QUIRKS;

const BASIC = ["openid", "profile", "email"];
const LASTING = [...BASIC, "offline_access"];
const SERVER: IssuerDocument = { issuer: ISSUER };
const OFFERING: IssuerDocument = { ...SERVER, scopes_supported: ["openid", "offline_access"] };

type Row = readonly [
  vendor: Vendor,
  server: IssuerDocument,
  scopes: readonly string[],
  parameters: Record<string, string>,
];

const TABLE: readonly Row[] = [
  ["okta", SERVER, LASTING, {}],
  ["google", SERVER, BASIC, { access_type: "offline", prompt: "consent" }],
  ["google", OFFERING, BASIC, { access_type: "offline", prompt: "consent" }],
  ["azure", SERVER, LASTING, {}],
  ["keycloak", OFFERING, BASIC, {}],
  ["oidc", SERVER, BASIC, {}],
  ["oidc", { ...SERVER, scopes_supported: ["openid"] }, BASIC, {}],
  ["oidc", OFFERING, LASTING, { prompt: "consent" }],
];

for (const [vendor, server, scopes, parameters] of TABLE) {
  const which = server.scopes_supported?.join(" ") ?? "no scopes";
  Deno.test(`QUIRKS asks ${vendor}, which lists ${which}, for "${scopes.join(" ")}" (SPEC B5.7)`, () => {
    deepEqual(QUIRKS[vendor](server), { scopes, parameters });
  });
}

Deno.test("QUIRKS asks every vendor for an ID token, and none for a resource (SPEC B5.7)", () => {
  deepEqual(Object.keys(QUIRKS).toSorted(), ["azure", "google", "keycloak", "oidc", "okta"]);
  for (const quirks of Object.values(QUIRKS)) {
    for (const server of [SERVER, OFFERING]) {
      const { scopes, parameters } = quirks(server);
      equal(scopes[0], "openid");
      equal("resource" in parameters, false);
    }
  }
});
