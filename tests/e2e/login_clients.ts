/**
 * The official clients, logging people in: each has nothing but a URL, and finds the rest by itself.
 *
 * @module
 */

import {
  Client,
  type OAuthClientInformationMixed,
  type OAuthClientProvider,
  type OAuthTokens,
  StreamableHTTPClientTransport,
  UnauthorizedError,
  type VersionNegotiationOptions,
} from "@modelcontextprotocol/client";
import {
  type OAuthClientProvider as ProviderV1,
  UnauthorizedError as UnauthorizedV1,
} from "@modelcontextprotocol/sdk/client/auth.js";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as HttpV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { fail, strictEqual as equal } from "node:assert/strict";
import { type Peer, peer } from "./clients.ts";
import { type Person, REDIRECT_URI } from "./login_person.ts";

/** How a client introduces itself, unless it registers. */
export interface Introduction {
  /** An id that the server knows beforehand, and the secret to it. */
  readonly known?: OAuthClientInformationMixed;
  /** Where its metadata document is. */
  readonly documentUrl?: string;
}

/** What a client keeps between its runs. */
export interface Account {
  readonly provider: OAuthClientProvider;
  clientId(): string | undefined;
  /** @throws {Error} When nobody is logged in. */
  tokens(): OAuthTokens;
  /** Puts something in the place of the access token that is none. */
  spoil(): void;
  /** Where the client sent its person, in order. */
  readonly sent: URL[];
}

/** Begins with nothing. */
export function newAccount({ known, documentUrl }: Introduction = {}): Account {
  const sent: URL[] = [];
  const kept = new Map<string, unknown>(known ? [["client", known]] : []);
  const get = <T>(name: string) => kept.get(name) as T;
  const forgotten = { all: ["client", "tokens"], client: ["client"], tokens: ["tokens"] };
  const provider: OAuthClientProvider = {
    redirectUrl: REDIRECT_URI,
    clientMetadata: {
      client_name: "A client of the tests",
      redirect_uris: [REDIRECT_URI],
      grant_types: ["authorization_code", "refresh_token"],
      token_endpoint_auth_method: "none",
    },
    ...(documentUrl && { clientMetadataUrl: documentUrl }),
    state: () => {
      kept.set("state", crypto.randomUUID());
      return get<string>("state");
    },
    clientInformation: () => get("client"),
    // Who cannot save does not register (both clients).
    ...(!known && { saveClientInformation: (client) => void kept.set("client", client) }),
    tokens: () => get("tokens"),
    saveTokens: (tokens) => void kept.set("tokens", tokens),
    codeVerifier: () => get("verifier"),
    saveCodeVerifier: (verifier) => void kept.set("verifier", verifier),
    discoveryState: () => get("discovery"),
    saveDiscoveryState: (state) => void kept.set("discovery", state),
    invalidateCredentials: (scope) => {
      const names = scope in forgotten ? forgotten[scope as keyof typeof forgotten] : [scope];
      for (const name of names) if (!known || name !== "client") kept.delete(name);
    },
    redirectToAuthorization: (url) => {
      equal(url.searchParams.get("state"), get("state"));
      sent.push(url);
    },
  };
  const tokens = () => get<OAuthTokens | undefined>("tokens") ?? fail("Nobody is logged in");
  return {
    provider,
    sent,
    tokens,
    clientId: () => get<{ client_id: string } | undefined>("client")?.client_id,
    spoil: () => void kept.set("tokens", { ...tokens(), access_token: "spoilt" }),
  };
}

/** A kind of client that logs in. */
export interface LoginKind {
  readonly name: string;
  /** Whether it asks its person again when a tool needs more scopes, though it could refresh. */
  readonly stepsUp: boolean;
  /** Connects with what is kept. @throws {UnauthorizedError} When its person has to log in. */
  connect(endpoint: string, account: Account): Promise<Peer>;
  /** Takes the answer that came to the redirect URI. */
  finish(endpoint: string, account: Account, answer: URL): Promise<void>;
}

const INFO = { name: "e2e", version: "1.0.0" };

function v2(name: string, mode: VersionNegotiationOptions["mode"]): LoginKind {
  const transportOf = (endpoint: string, { provider }: Account) =>
    new StreamableHTTPClientTransport(new URL(endpoint), { authProvider: provider });
  return {
    name,
    stepsUp: true,
    connect: (endpoint, account) => {
      const client = new Client(INFO, { versionNegotiation: { mode: mode! } });
      return peer(client, { connect: () => client.connect(transportOf(endpoint, account)) });
    },
    finish: (endpoint, account, answer) =>
      transportOf(endpoint, account).finishAuth(answer.searchParams),
  };
}

const V1: LoginKind = {
  name: "SDK v1",
  stepsUp: false,
  connect: (endpoint, account) => {
    const client = new ClientV1(INFO);
    return peer(client, { connect: () => client.connect(transportV1(endpoint, account)) });
  },
  // It reads nothing but the code, and leaves errors to its application.
  finish: async (endpoint, account, { searchParams }) => {
    const error = searchParams.get("error");
    if (error !== null) throw Object.assign(new Error("The login failed"), { code: error });
    const transport = transportV1(endpoint, account) as HttpV1;
    await transport.finishAuth(searchParams.get("code")!);
  },
};

// Its types were not written for exact optional properties.
function transportV1(endpoint: string, { provider }: Account): Transport {
  const authProvider = provider as ProviderV1;
  return new HttpV1(new URL(endpoint), { authProvider }) as Transport;
}

/** The clients. */
export const LOGIN_KINDS: readonly LoginKind[] = [
  V1,
  v2("SDK v2 at 2025-11-25", "legacy"),
  v2("SDK v2 at 2026-07-28", { pin: "2026-07-28" }),
];

/** Connects, which takes a person when the client says so. */
export async function logIn(
  kind: LoginKind,
  endpoint: string,
  account: Account,
  person: Person,
): Promise<Peer> {
  await expectSent(kind.connect(endpoint, account), account);
  await finishLogin(kind, endpoint, account, person);
  return await kind.connect(endpoint, account);
}

/** The person goes where the client sent them last, and the client takes the answer. */
export async function finishLogin(
  kind: LoginKind,
  endpoint: string,
  account: Account,
  person: Person,
): Promise<void> {
  const to = account.sent.at(-1)!;
  const answer = await person(to);
  equal(answer.searchParams.get("state"), to.searchParams.get("state"));
  await kind.finish(endpoint, account, answer);
}

/** Expects that the client gives up for now and sends its person away, once. */
export async function expectSent(doing: Promise<unknown>, { sent }: Account): Promise<URL> {
  const before = sent.length;
  const outcome = await doing.then(() => "went on", (error: unknown) => error);
  if (!UnauthorizedError.isInstance(outcome) && !(outcome instanceof UnauthorizedV1)) {
    fail(`The client did not send its person away: ${outcome}`);
  }
  equal(sent.length, before + 1);
  return sent.at(-1)!;
}
