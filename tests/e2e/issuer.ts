/**
 * A certified OpenID provider in this process, on loopback, and a client that logs in there without
 * a browser.
 *
 * It can change its keys and be out of reach, as issuers do.
 *
 * @module
 */

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { exportJWK, generateKeyPair, type JWK } from "@panva/jose";
import * as oauth from "oauth4webapi";
import { quietly } from "./quietly.ts";

const { default: Provider } = await quietly(() => import("oidc-provider"));
type Provider = InstanceType<typeof Provider>;

/** The client that people use. */
export const CLIENT = "command-line";
/** The client that this server is, for asking about tokens and for logging people in. */
export const SELF = { id: "gatehouse", secret: "a secret that only these two know" };
/** How long things live that tests do not wait for the end of, in seconds. */
export const LIFETIMES = {
  AccessToken: 3600,
  Grant: 7200,
  IdToken: 600,
  Interaction: 600,
  RefreshToken: 7200,
  Session: 600,
} as const;
const REDIRECT_URI = "http://127.0.0.1:5599/callback";

/** A person who can log in. */
export const ADA = {
  email: "ada@acme.example",
  email_verified: true,
  preferred_username: "ada",
  name: "Ada Lovelace",
  roles: ["admin"],
};

/** How the provider issues tokens. */
export interface IssuerOptions {
  /** Form of access tokens; JSON Web Tokens when absent. */
  readonly format?: "jwt" | "opaque";
  /** Claims of the person in access tokens and user info. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Where people come back to whom this server sends. */
  readonly callback?: string;
}

/** Makes a private key to publish the public half of. */
export async function privateKey(kid: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  return { ...await exportJWK(privateKey), kid, alg: "ES256", use: "sig" };
}

/** Tokens that a login yielded. */
export type Tokens = oauth.TokenEndpointResponse;

/** A provider that runs. */
export interface Issuer extends AsyncDisposable {
  readonly url: string;
  /** Signs with the first key from now on, and publishes them all. */
  rotate(...keys: JWK[]): Promise<void>;
  /** Can be reached, or breaks off every connection. */
  setUp(up: boolean): void;
  /** The paths it was asked for, but for those of a login. */
  readonly asked: string[];
  /** The parameters of logins, in order. */
  readonly logins: Readonly<Record<string, unknown>>[];
  /** The types of grant that it gave tokens for, in order. */
  readonly granted: string[];
  /** Ends everything that Ada agreed to. */
  forget(): Promise<void>;
  /** Logs Ada in at the client, for a resource when there is one. */
  logIn(scope: string, resource?: string): Promise<Tokens>;
}

/** Starts a provider. */
export async function startIssuer(options: IssuerOptions = {}): Promise<Issuer> {
  let up = true;
  const asked: string[] = [];
  const logins: Readonly<Record<string, unknown>>[] = [];
  const granted: string[] = [];
  let forget = () => Promise.resolve();
  const sockets = new Set<Socket>();
  let answer: (request: IncomingMessage, response: ServerResponse) => unknown = () => {};
  const server = createServer((request, response) => {
    if (!/^\/(auth|token$|login)/.test(request.url!)) asked.push(request.url!);
    answer(request, response);
  });
  server.on("connection", (socket: Socket) => {
    if (!up) return void socket.destroy();
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const hangUp = () => sockets.forEach((socket) => socket.destroy());

  const rotate = async (...keys: JWK[]) => {
    const provider = await quietly(() => new Provider(url, configuration(keys, options)));
    provider.on("grant.success", ({ oidc }: Granting) => void granted.push(oidc.params.grant_type));
    const rest = provider.callback();
    const grants: string[] = [];
    answer = async (request, response) => {
      if (!request.url!.startsWith("/login/")) return rest(request, response);
      const { params, grantId } = await consent(provider, request, response);
      logins.push(params);
      grants.push(grantId);
    };
    forget = async () => {
      for (const id of grants.splice(0)) await (await provider.Grant.find(id))?.destroy();
    };
  };
  await rotate(await privateKey("first"));
  return {
    url,
    rotate,
    asked,
    logins,
    granted,
    forget: () => forget(),
    setUp: (isUp) => {
      up = isUp;
      if (!up) hangUp();
    },
    logIn: (scope, resource) => logIn(url, scope, resource),
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      hangUp();
      await closed;
    },
  };
}

function configuration(keys: JWK[], { format = "jwt", claims = ADA, callback }: IssuerOptions) {
  return {
    jwks: { keys },
    clients: [{
      client_id: CLIENT,
      token_endpoint_auth_method: "none",
      redirect_uris: [REDIRECT_URI],
      grant_types: ["authorization_code", "refresh_token"],
      application_type: "native",
    }, {
      client_id: SELF.id,
      client_secret: SELF.secret,
      redirect_uris: callback ? [callback] : [],
      response_types: callback ? ["code"] : [],
      grant_types: callback ? ["authorization_code", "refresh_token"] : [],
    }],
    clientDefaults: { id_token_signed_response_alg: "ES256" },
    cookies: { keys: ["a key for cookies"] },
    scopes: ["openid", "offline_access", "mcp:read", "mcp:write"],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "roles"] },
    rotateRefreshToken: true,
    enabledJWA: { idTokenSigningAlgValues: ["ES256"] },
    features: {
      devInteractions: { enabled: false },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true, allowedPolicy: () => true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_: unknown, resource: string) => ({
          scope: "mcp:read mcp:write",
          audience: resource,
          accessTokenFormat: format,
          ...(format === "jwt" && { jwt: { sign: { alg: "ES256" } } }),
        }),
      },
    },
    ttl: LIFETIMES,
    extraTokenClaims: () => claims,
    findAccount: (_: unknown, id: string) => ({
      accountId: id,
      claims: () => ({ ...claims, sub: id }),
    }),
    interactions: { url: (_: unknown, { uid }: { uid: string }) => `/login/${uid}` },
  };
}

interface Granting {
  readonly oidc: { readonly params: { readonly grant_type: string } };
}

// Whoever comes is Ada, and agrees.
async function consent(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
) {
  const { params } = await provider.interactionDetails(request, response);
  const grant = new provider.Grant({ accountId: "ada-7", clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  if (params.resource) grant.addResourceScope(params.resource, params.scope);
  const grantId = await grant.save();
  const result = { login: { accountId: "ada-7" }, consent: { grantId } };
  await provider.interactionFinished(request, response, result);
  return { params, grantId };
}

// The authorization code flow with PKCE, as a client of the issuer's metadata runs it.
async function logIn(url: string, scope: string, resource?: string): Promise<Tokens> {
  const insecure = { [oauth.allowInsecureRequests]: true };
  const issuer = new URL(url);
  const server = await oauth.processDiscoveryResponse(
    issuer,
    await oauth.discoveryRequest(issuer, insecure),
  );
  const client = { client_id: CLIENT, id_token_signed_response_alg: "ES256" };
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const start = new URL(server.authorization_endpoint!);
  start.search = new URLSearchParams({
    client_id: CLIENT,
    redirect_uri: REDIRECT_URI,
    response_type: "code",
    scope,
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    ...(scope.includes("offline_access") && { prompt: "consent" }),
    ...(resource && { resource }),
  }).toString();
  const callback = await browse(start);
  const parameters = oauth.validateAuthResponse(server, client, callback, state);
  const response = await oauth.authorizationCodeGrantRequest(
    server,
    client,
    oauth.None(),
    parameters,
    REDIRECT_URI,
    verifier,
    { ...insecure, ...(resource && { additionalParameters: { resource } }) },
  );
  return await oauth.processAuthorizationCodeResponse(server, client, response);
}

// Follows redirects with cookies, up to the client's own address.
async function browse(start: URL): Promise<URL> {
  const cookies = new Map<string, string>();
  let at = start;
  for (let hops = 0; hops < 10 && !at.href.startsWith(REDIRECT_URI); hops++) {
    const cookie = [...cookies].map((pair) => pair.join("=")).join("; ");
    const response = await fetch(at, { redirect: "manual", headers: { cookie } });
    const page = await response.text();
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
      cookies.set(name!, value!);
    }
    const location = response.headers.get("location");
    if (!location) throw new Error(`Cannot follow ${at.pathname}: ${response.status} ${page}`);
    at = new URL(location, at);
  }
  return at;
}
