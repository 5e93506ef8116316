/**
 * The providers by the name that configuration gives them.
 *
 * @module
 */

import type { IssuerConfig, OAuthConfig } from "./config/oauth.ts";
import type { Ports } from "./ports.ts";
import type { Provider } from "./provider.ts";
import { azure } from "./provider/azure.ts";
import { google } from "./provider/google.ts";
import { hmac } from "./provider/hmac.ts";
import { introspection } from "./provider/introspect.ts";
import { keycloak } from "./provider/keycloak.ts";
import { oidc, type OidcOptions } from "./provider/oidc.ts";
import { okta } from "./provider/okta.ts";

/** Makes the provider that `oauth` names. */
export async function providerOf(
  oauth: OAuthConfig,
  publicUrl: URL,
  ports: Pick<Ports, "now" | "fetch" | "log">,
): Promise<Provider> {
  const { provider, issuer, audiences, usernameClaims, rolesClaims } = oauth;
  if (provider.kind === "hmac") {
    return await hmac({
      issuer,
      audiences,
      secret: provider.secret,
      mapping: { usernameClaims, rolesClaims, emailTrusted: true },
      jwksUri: new URL("/.well-known/jwks.json", publicUrl).href,
    });
  }
  return oidc(asking(vendorOf(oauth, provider), provider.client), ports);
}

/** What judging and logging in at a vendor's issuer need. */
export function vendorOf(
  { issuer, audiences, usernameClaims, rolesClaims }: OAuthConfig,
  provider: IssuerConfig,
): OidcOptions {
  const mapping = { usernameClaims, rolesClaims, emailTrusted: false };
  return VENDORS[provider.kind]({ issuer, audiences, mapping }, provider);
}

const VENDORS: Record<
  IssuerConfig["kind"],
  (options: OidcOptions, config: IssuerConfig) => OidcOptions
> = {
  okta: (options) => okta(options),
  google: (options, { hostedDomain }) => google(options, hostedDomain),
  azure: (options, { tenants }) => azure(options, tenants),
  keycloak: (options) => keycloak(options),
  oidc: (options) => options,
};

function asking(options: OidcOptions, client: IssuerConfig["client"]): OidcOptions {
  if (!client || options.ask) return options;
  const { audiences, mapping, judgeVendor, issuers = [options.issuer] } = options;
  return { ...options, ask: introspection({ client, audiences, issuers, mapping, judgeVendor }) };
}
