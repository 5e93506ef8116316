/**
 * Microsoft Entra ID: tokens of both versions, of one tenant or of those that are listed.
 *
 * An application gets tokens of version 1 or 2 as its manifest says, whatever endpoint the client
 * used; they differ in `iss`, in the form of `aud` and in the client's claim. Addresses are not
 * verified: a tenant's administrator can write any.
 *
 * @see {@link https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference}
 *
 * @module
 */

import type { Refusal } from "../errors.ts";
import type { Members } from "../jwt.ts";
import type { OidcOptions } from "./oidc.ts";

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const SHARED = ["common", "organizations"];
const VERSION_1_HOST = "https://sts.windows.net";

/** The `issuer` of the metadata: a template, where an issuer stands for many tenants. */
export function documentIssuer(issuer: string): string {
  const isShared = SHARED.includes(tenantOf(issuer));
  return isShared ? `${new URL(issuer).origin}/{tenantid}/v2.0` : issuer;
}

/**
 * What Entra does differently.
 *
 * @param tenants The tenants whose tokens are accepted; the issuer's own when empty.
 */
export function azure(options: OidcOptions, tenants: readonly string[]): OidcOptions {
  const { origin } = new URL(options.issuer);
  const tenant = tenantOf(options.issuer);
  const allowed = tenants.length > 0 ? tenants : [tenant];
  const issuers = allowed.flatMap((one) => [`${origin}/${one}/v2.0`, `${VERSION_1_HOST}/${one}/`]);
  return {
    ...options,
    documentIssuer: documentIssuer(options.issuer),
    issuers,
    accessClaims: ["scp", "azp", "appid"],
    // Each key says whose tokens it signs: of all tenants, or of one.
    isOwnKey: (key) => {
      const { issuer } = key as Members;
      return typeof issuer !== "string" || issuer.includes("{tenantid}") ||
        issuers.includes(issuer);
    },
    audiences: options.audiences.flatMap(bothForms),
    judgeVendor: (claims) => judgeVendor(claims, allowed),
  };
}

function tenantOf(issuer: string): string {
  return new URL(issuer).pathname.split("/")[1] ?? "";
}

function bothForms(audience: string): string[] {
  if (GUID.test(audience)) return [audience, `api://${audience}`];
  const bare = audience.replace(/^api:\/\//, "");
  return bare !== audience && GUID.test(bare) ? [audience, bare] : [audience];
}

function judgeVendor(claims: Members, allowed: readonly string[]): Refusal | undefined {
  const { tid, iss } = claims;
  if (typeof tid !== "string" || !allowed.includes(tid) || !String(iss).includes(`/${tid}/`)) {
    return { reason: "claim", claim: "tid", detail: `not of ${allowed.join(", ")}, or not of iss` };
  }
  return undefined;
}
