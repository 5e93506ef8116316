/**
 * Settings: whose tokens are accepted.
 *
 * @module
 */

import type { Setting } from "./setting.ts";

/** Whose tokens are accepted. */
export const OAUTH = {
  oauthEnabled: {
    flag: "oauth-enabled",
    env: ["OAUTH_ENABLED"],
    fallback: "off",
    help: "Require a bearer token on every MCP request (HTTP only)",
  },
  oauthMode: {
    flag: "oauth-mode",
    env: ["OAUTH_MODE"],
    value: "native|proxy",
    fallback: "native",
    help: "Who issues tokens: native means the identity provider, proxy this server in front of it",
  },
  oauthProvider: {
    flag: "oauth-provider",
    env: ["OAUTH_PROVIDER"],
    value: "okta|google|azure|keycloak|oidc|hmac",
    fallback: "okta",
    help: "Who logs people in",
  },
  publicUrl: {
    flag: "oauth-server-url",
    env: ["OAUTH_SERVER_URL"],
    value: "URL",
    fallback: "http://localhost:PORT on this machine, else required",
    help: "Origin under which clients reach the server",
  },
  issuer: {
    flag: "oauth-issuer",
    env: ["OIDC_ISSUER", "OAUTH_ISSUER"],
    value: "URL",
    fallback: "required; Google's for google, the server's own URL for hmac",
    help: "Issuer that tokens must name, byte for byte",
  },
  clientId: {
    flag: "oauth-client-id",
    env: ["OIDC_CLIENT_ID"],
    value: "ID",
    fallback: "none; required for proxy",
    help: "This server's client id at the issuer: for logins, or for asking about opaque tokens",
  },
  clientSecret: {
    flag: "oauth-client-secret",
    env: ["OIDC_CLIENT_SECRET"],
    value: "SECRET",
    secret: true,
    fallback: "none",
    help: "The secret of that client",
  },
  tenants: {
    flag: "oauth-tenants",
    env: ["OAUTH_TENANTS"],
    value: "TENANT,...",
    fallback: "the issuer's; required with common and organizations",
    help: "azure: tenant ids whose tokens are accepted",
  },
  hostedDomain: {
    flag: "oauth-hosted-domain",
    env: ["OAUTH_HOSTED_DOMAIN"],
    value: "DOMAIN",
    fallback: "any",
    help: "google: the Workspace domain that callers must be of",
  },
  audience: {
    flag: "oauth-audience",
    env: ["OIDC_AUDIENCE", "OAUTH_AUDIENCE"],
    value: "AUDIENCE,...",
    fallback: "the URL of /mcp",
    help: "Audiences of which a token must name one",
  },
  scopesRequired: {
    flag: "oauth-scopes-required",
    env: ["OAUTH_SCOPES_REQUIRED"],
    value: "SCOPE,...",
    fallback: "none",
    help: "Scopes that every request needs",
  },
  toolScopes: {
    flag: "oauth-tool-scopes",
    env: ["OAUTH_TOOL_SCOPES"],
    value: "GLOB=SCOPE,...",
    fallback: "none",
    help: "Scopes needed besides, by a glob over names of tools and prompts and URIs of resources",
  },
  scopeHierarchy: {
    flag: "oauth-scope-hierarchy",
    env: ["OAUTH_SCOPE_HIERARCHY"],
    value: "BROAD>NARROW,...",
    fallback: "none",
    help: "Chains of scopes in which each covers those after it",
  },
  usernameClaim: {
    flag: "oauth-username-claim",
    env: ["OAUTH_USERNAME_CLAIM"],
    value: "CLAIM",
    fallback: "email, then the provider's, then sub",
    help: "Claim to take the username from",
  },
  rolesClaim: {
    flag: "oauth-roles-claim",
    env: ["OAUTH_ROLES_CLAIM"],
    value: "PATH",
    fallback: "the provider's: see Providers",
    help: "Path of the claim that lists roles, such as realm_access.roles",
  },
  allow: {
    flag: "oauth-allow",
    env: ["OAUTH_ALLOW"],
    value: "RULE,...",
    fallback: "everyone with a valid token",
    help: "Who may call: domain:example.com, group:ops or user:alice, any of which is enough",
  },
  secret: {
    flag: "jwt-secret",
    env: ["JWT_SECRET"],
    value: "SECRET",
    secret: true,
    fallback: "required for hmac and proxy",
    help: "Secret that signs hmac tokens and seals what proxy mode keeps, 32 bytes or more",
  },
} as const satisfies Record<string, Setting>;
