/**
 * The development login: this server as its own identity provider, with three people and no
 * passwords.
 *
 * It exists where nobody else can reach the server, and answers nobody but this machine. The way
 * through it is that of any provider: a state, a page, a code that is sealed instead of stored.
 *
 * @module
 */

import { isLoopbackAddress } from "../address.ts";
import type { Methods } from "../http.ts";
import type { KnownIdentity } from "../identity.ts";
import type { Ports } from "../ports.ts";
import type { Seal } from "../seal.ts";
import type { Trace } from "../trace.ts";
import type { Answers } from "./answer.ts";
import { hashOf } from "./clients.ts";
import { isOwnPage } from "./consent.ts";
import { readForm, readQuery } from "./form.ts";
import type { Pages } from "./pages.ts";
import { PEOPLE } from "./people.ts";
import type { Upstream } from "./upstream.ts";

/** Where the login page is. */
export const LOGIN_PATH = "/oauth/login";

/** How long a code lives, in seconds: one redirect. */
const CODE_SECONDS = 60;

/** Settings of {@linkcode login}. */
export interface LoginOptions {
  /** This server's own origin. */
  readonly origin: string;
  readonly callback: string;
  readonly seal: Seal;
  readonly pages: Pages;
  readonly answers: Answers;
}

/** The development login, as a provider and as the page that it needs. */
export interface DevelopmentLogin {
  readonly upstream: Upstream;
  readonly page: Methods;
}

interface LoginCode {
  readonly subject: string;
  /** Digest of the state that it was made for. */
  readonly state: string;
}

/** Prepares the login. */
export function login(options: LoginOptions, { now }: Pick<Ports, "now">): DevelopmentLogin {
  const { origin, callback, seal, pages, answers } = options;
  const upstream: Upstream = {
    host: new URL(origin).host,
    begin: (state) => Promise.resolve(`${origin}${LOGIN_PATH}?${new URLSearchParams({ state })}`),
    async finish(response, state) {
      const code = await seal.open(response.get("code") ?? "", now()) as LoginCode | undefined;
      const person = PEOPLE.find(({ subject }) => subject === code?.subject);
      if (!person || code?.state !== hashOf(state)) {
        return { ok: false, reason: "no code of this login", denied: false };
      }
      const identity: KnownIdentity = {
        ...person,
        issuer: origin,
        scopes: [],
        expiresAt: now(),
        claims: {},
      };
      return { ok: true, identity };
    },
    renew: () => Promise.reject(new Error("Cannot renew: the development login gives no tokens")),
    revoke: () => Promise.resolve(),
  };

  // What was forwarded came from elsewhere, whatever it says.
  const isHere = ({ headers }: Request, { address }: Trace) =>
    isLoopbackAddress(address) && !headers.has("x-forwarded-for") && !headers.has("forwarded");
  return {
    upstream,
    page: {
      GET: (request, trace) => {
        const read = readQuery(request);
        const state = read.ok ? read.parameters.get("state") : undefined;
        if (state === undefined) return answers.fail("malformed", trace);
        if (!isHere(request, trace)) return answers.fail("browser", trace);
        const people = PEOPLE.map(({ subject, name = subject, roles: [role = ""] }) => ({
          id: subject,
          name,
          role,
        }));
        return pages.login({ people, action: LOGIN_PATH, fields: { state } });
      },
      POST: async (request, trace) => {
        if (!isHere(request, trace) || !isOwnPage(request, origin)) {
          return answers.fail("browser", trace);
        }
        const read = await readForm(request);
        if (!read.ok) return answers.fail("malformed", trace);
        const { parameters } = read;
        const [state, subject] = [parameters.get("state"), parameters.get("user")];
        if (state === undefined || !PEOPLE.some((person) => person.subject === subject)) {
          return answers.fail("malformed", trace);
        }
        const code = await seal.seal({ subject, state: hashOf(state) }, now() + CODE_SECONDS);
        const url = `${callback}?${new URLSearchParams({ code, state, iss: origin })}`;
        return pages.onward({ url, host: new URL(origin).host });
      },
    },
  };
}
