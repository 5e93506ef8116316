/**
 * Every setting in one table: its flag, its environment variables, its default and its help.
 *
 * @module
 */

/** One setting. */
export interface Setting {
  /** Flag name without the dashes. */
  readonly flag: string;
  /** Environment variables that mean the same; the first is the one we teach. */
  readonly env: readonly string[];
  /** What a value looks like in the help; absent for switches, which are on or off. */
  readonly value?: string;
  /** Whether values are hidden, and may come from a file named by `NAME_FILE`. */
  readonly secret?: true;
  /** The default as people read it. */
  readonly fallback: string;
  readonly help: string;
}

/** The settings by their name in the program. */
export const SETTINGS = {
  transport: {
    flag: "transport",
    env: ["MCP_TRANSPORT"],
    value: "stdio|http",
    fallback: "stdio",
    help: "How clients reach the server",
  },
  host: {
    flag: "host",
    env: ["MCP_HTTP_HOST"],
    value: "ADDRESS",
    fallback: "127.0.0.1",
    help: "Address to listen on",
  },
  port: {
    flag: "port",
    env: ["MCP_HTTP_PORT"],
    value: "PORT",
    fallback: "8080",
    help: "Port to listen on",
  },
  insecure: {
    flag: "insecure",
    env: ["MCP_INSECURE"],
    fallback: "off",
    help: "Allow an address beyond this machine without OAuth",
  },
  allowedOrigins: {
    flag: "allowed-origins",
    env: ["MCP_ALLOWED_ORIGINS"],
    value: "ORIGIN,...",
    fallback: "none",
    help: "Web origins whose pages may call the server, besides its own",
  },
  sessions: {
    flag: "sessions",
    env: ["MCP_SESSIONS"],
    fallback: "off",
    help: "Give clients of the 2025 revisions sessions, held in this process",
  },
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
    help: "Scopes that tools need besides, by a glob over tool names",
  },
  roleScopes: {
    flag: "oauth-role-scopes",
    env: ["OAUTH_ROLE_SCOPES"],
    value: "ROLE=SCOPE,...",
    fallback: "none; dev: admin for those of tools",
    help: "proxy: scopes that only people with a role can grant",
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
  previousSecret: {
    flag: "jwt-secret-previous",
    env: ["JWT_SECRET_PREVIOUS"],
    value: "SECRET",
    secret: true,
    fallback: "none",
    help: "proxy: the secret before this one, which still opens what it sealed",
  },
  store: {
    flag: "store",
    env: ["STORE_URL"],
    value: "URL",
    secret: true,
    fallback: "memory:",
    help: "proxy: where grants are kept: memory:, sqlite:PATH or redis://HOST:PORT",
  },
  redirectUris: {
    flag: "oauth-redirect-uris",
    env: ["OAUTH_REDIRECT_URIS"],
    value: "URI,...",
    fallback: "this computer at any port, and any https URI",
    help: "proxy: the https URIs that clients may return to, and those of other schemes",
  },
  clients: {
    flag: "oauth-clients",
    env: ["OAUTH_CLIENTS"],
    value: "JSON",
    secret: true,
    fallback: "none",
    help: "proxy: clients known beforehand, as a JSON list of RFC 7591 metadata",
  },
  registration: {
    flag: "oauth-registration",
    env: ["OAUTH_REGISTRATION"],
    value: "documents,dynamic|off",
    fallback: "documents,dynamic",
    help: "proxy: how unknown clients may introduce themselves",
  },
  accessTtl: {
    flag: "oauth-access-ttl",
    env: ["OAUTH_ACCESS_TTL"],
    value: "DURATION",
    fallback: "10m",
    help: "proxy: lifetime of access tokens, 1m to 1h",
  },
  trustedProxies: {
    flag: "trusted-proxies",
    env: ["MCP_TRUSTED_PROXIES"],
    value: "COUNT",
    fallback: "0",
    help: "How many proxies stand in front and add to X-Forwarded-For",
  },
  logLevel: {
    flag: "log-level",
    env: ["LOG_LEVEL"],
    value: "debug|info|warn|error",
    fallback: "info",
    help: "Least severe event to log",
  },
  logFormat: {
    flag: "log-format",
    env: ["LOG_FORMAT"],
    value: "text|json",
    fallback: "text on a terminal, else json",
    help: "How log lines look; they go to stderr",
  },
} as const satisfies Record<string, Setting>;

/** Name of a setting. */
export type SettingName = keyof typeof SETTINGS;

/** The table's rows, in order. */
export const SETTING_ROWS = Object.entries(SETTINGS) as [SettingName, Setting][];

/** Every environment variable that is read. */
export const ENVIRONMENT: readonly string[] = SETTING_ROWS.flatMap(([, { env, secret }]) =>
  secret ? env.flatMap((name) => [name, `${name}_FILE`]) : env
);
