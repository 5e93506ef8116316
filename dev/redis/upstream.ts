/**
 * A certified OpenID provider in this process, where Ada logs in without being asked.
 *
 * It rotates its refresh tokens and punishes who uses one twice, as strict providers do; and it can
 * be slow.
 *
 * @module
 */

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { privateKey } from "../../tests/e2e/issuer.ts";

const { default: Provider } = await quietly(() => import("oidc-provider"));
type Provider = InstanceType<typeof Provider>;

/** The client that the replicas are. */
export const CLIENT = { id: "gatehouse", secret: "a secret that only these two know" };

/** How long a request may take to come, in milliseconds. */
const DEADLINE_MS = 10_000;

/** Who logs in. */
export const ADA = { sub: "ada-7", email: "ada@acme.example", name: "Ada Lovelace" };

/** A stop on the way of the requests to the token endpoint that come after it was set. */
export interface Hold {
  /** Resolves when so many requests wait; rejects when they do not come. */
  reached(count: number): Promise<void>;
  /** Breaks their connections off. */
  drop(): void;
}

/** A provider that runs. */
export interface Upstream extends AsyncDisposable {
  readonly url: string;
  /** What it answered at its token endpoint, refusals included. */
  readonly answers: readonly TokenAnswer[];
  /** How many tokens it was told to revoke. */
  revoked(): number;
  /** Holds token requests before they count for anything, or only their answers. */
  hold(what: "requests" | "answers"): Hold;
}

/** An answer of the token endpoint. */
export interface TokenAnswer {
  readonly type: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Starts a provider. @param callback Where it sends people back to. */
export async function startUpstream(callback: string): Promise<Upstream> {
  const answers: TokenAnswer[] = [];
  let revoked = 0;
  let stop: ((response: ServerResponse, goOn: () => void) => void) | undefined;
  let answer: (request: IncomingMessage, response: ServerResponse) => unknown = () => {};
  const server = createServer((request, response) => {
    if (request.url === "/token" && stop) stop(response, () => answer(request, response));
    else answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const key = await privateKey("upstream");
  const provider = await quietly(() => new Provider(url, configuration(key, callback)));
  // deno-lint-ignore no-explicit-any
  const record = ({ oidc, body }: any) => {
    if (oidc.route === "revocation") revoked++;
    if (oidc.route === "token") answers.push({ type: oidc.params?.grant_type, body });
  };
  // deno-lint-ignore no-explicit-any
  provider.use(async (context: any, next: () => Promise<void>) => {
    await next();
    record(context);
  });
  const rest = provider.callback();
  answer = (request, response) =>
    request.url!.startsWith("/login/")
      ? logIn(provider, request, response)
      : rest(request, response);
  return {
    url,
    answers,
    revoked: () => revoked,
    hold(what) {
      const waiting: ServerResponse[] = [];
      const news = new EventTarget();
      const wait = (response: ServerResponse) => {
        waiting.push(response);
        news.dispatchEvent(new Event("arrival"));
      };
      stop = (response, goOn) => {
        if (what === "requests") return wait(response);
        Object.assign(response, { end: () => wait(response) });
        goOn();
      };
      return {
        async reached(count) {
          const signal = AbortSignal.timeout(DEADLINE_MS);
          while (waiting.length < count) await once(news, "arrival", { signal });
        },
        drop() {
          stop = undefined;
          waiting.forEach((response) => response.socket?.destroy());
        },
      };
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

// It says that Deno is not Node and that memory forgets, which is true.
async function quietly<T>(load: () => T | Promise<T>): Promise<T> {
  const { warn } = console;
  Object.assign(console, { warn: () => {} });
  try {
    return await load();
  } finally {
    Object.assign(console, { warn });
  }
}

function configuration(key: unknown, callback: string) {
  return {
    jwks: { keys: [key] },
    clients: [{
      client_id: CLIENT.id,
      client_secret: CLIENT.secret,
      redirect_uris: [callback],
      grant_types: ["authorization_code", "refresh_token"],
    }],
    clientDefaults: { id_token_signed_response_alg: "ES256" },
    cookies: { keys: ["a key for cookies"] },
    scopes: ["openid", "offline_access"],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    enabledJWA: { idTokenSigningAlgValues: ["ES256"] },
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true, allowedPolicy: () => true },
    },
    rotateRefreshToken: true,
    ttl: {
      AccessToken: 3600,
      Grant: 7200,
      IdToken: 600,
      Interaction: 600,
      RefreshToken: 7200,
      Session: 600,
    },
    findAccount: (_: unknown, id: string) => ({
      accountId: id,
      claims: () => ({ ...ADA, email_verified: true }),
    }),
    interactions: { url: (_: unknown, { uid }: { uid: string }) => `/login/${uid}` },
  };
}

async function logIn(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { params } = await provider.interactionDetails(request, response);
  const grant = new provider.Grant({ accountId: ADA.sub, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  const result = { login: { accountId: ADA.sub }, consent: { grantId: await grant.save() } };
  await provider.interactionFinished(request, response, result);
}
