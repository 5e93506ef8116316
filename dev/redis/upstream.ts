/**
 * A strict OpenID provider in this process, where Ada logs in without being asked. It can be slow.
 *
 * @module
 */

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { LIFETIMES, privateKey } from "../../tests/e2e/issuer.ts";
import { logIn, strictProvider } from "../strict_provider.ts";

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
  const provider = await strictProvider(url, {
    key,
    callback,
    client: CLIENT,
    ttl: LIFETIMES,
    claimsOf: () => ADA,
  });
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
      ? logIn(provider, ADA.sub, request, response)
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
