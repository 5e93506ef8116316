/**
 * The way back from the identity provider: the login is judged, a grant is made, and the client
 * gets a code.
 *
 * Nothing counts but a state of ours, in the browser that it was made for, once. A grant is stored
 * only after somebody logged in, so strangers cannot fill the store.
 *
 * @module
 */

import { LRUCache } from "lru-cache";
import type { Handler } from "../http.ts";
import type { KnownIdentity } from "../identity.ts";
import type { Ports } from "../ports.ts";
import type { Grantable } from "../scope.ts";
import type { Seal } from "../seal.ts";
import type { Trace } from "../trace.ts";
import type { Answers } from "./answer.ts";
import { audit } from "./audit.ts";
import type { Binding } from "./browser.ts";
import type { Client } from "./client.ts";
import { CODE_SECONDS, type Codes } from "./codes.ts";
import { LOGIN_SECONDS, type LoginState } from "./consent.ts";
import { readQuery } from "./form.ts";
import { type Grants, personOf, rolesOf } from "./grants.ts";
import type { Records } from "./records.ts";
import type { Roster } from "./roster.ts";
import { type AuthorizationRequest, findClient, type RequestRules } from "./request.ts";
import type { Login, Upstream } from "./upstream.ts";

/** How many logins may be asked about at the identity provider at once. */
export const MAX_EXCHANGES = 32;

/** How often one login may be asked about: its answer can be lost, but not forever. */
export const MAX_ATTEMPTS = 3;

/** Of how many logins attempts are counted. */
const COUNTED_LOGINS = 10_000;

/** What the way back needs. */
export interface CallbackOptions {
  readonly rules: Pick<RequestRules, "clients" | "redirects">;
  readonly answers: Answers;
  readonly upstream: Upstream;
  readonly login: { readonly seal: Seal; readonly browser: Binding };
  /** Logins that were finished. */
  readonly finished: Records<true>;
  readonly grants: Grants;
  readonly roster: Roster;
  readonly codes: Codes;
  /** Whether the operator lets a caller in. */
  readonly mayCall: (identity: KnownIdentity) => boolean;
  /** Which scopes a person can grant. */
  readonly grantable: Grantable;
}

/** Answers people who come back. */
export function callback(options: CallbackOptions, { now }: Pick<Ports, "now">): Handler {
  const { rules, answers, upstream, login, finished, grants, roster, codes, mayCall, grantable } =
    options;

  const attempts = new LRUCache<string, number>({ max: COUNTED_LOGINS });
  const isTooOften = ({ id }: LoginState) => {
    const attempt = (attempts.get(id) ?? 0) + 1;
    attempts.set(id, attempt);
    return attempt > MAX_ATTEMPTS;
  };

  let open = 0;
  const asking = async <T>(ask: () => Promise<T>): Promise<T> => {
    if (open >= MAX_EXCHANGES) throw new Error("Cannot ask: too many logins are asked about");
    open++;
    try {
      return await ask();
    } finally {
      open--;
    }
  };

  const issue = async (
    { name: clientName }: Client,
    { clientId, redirectUri, challenge, resource, scopes }: AuthorizationRequest,
    { identity, tokens }: Extract<Login, { ok: true }>,
  ): Promise<string> => {
    const person = personOf(identity);
    const grant = {
      clientId,
      clientName,
      scopes: grantable(rolesOf(person), scopes),
      resource,
      person,
      ...(tokens && { upstream: tokens }),
    };
    const grantId = await grants.create(grant, CODE_SECONDS);
    await roster.enter(person.subject, grantId);
    return await codes.create({ grantId, clientId, redirectUri, challenge, resource });
  };

  const finish = async (
    response: URLSearchParams,
    sealed: string,
    state: LoginState,
    client: Client,
    trace: Trace,
  ): Promise<Response> => {
    const { request: asked } = state;
    const ended = await asking(() => upstream.finish(response, sealed, state));
    if (!ended.ok) {
      audit(trace, "refused", { step: "login", client: client.name, reason: ended.reason });
      const error = ended.denied ? "access_denied" : "server_error";
      return answers.redirect(answers.errorUrl(asked, error));
    }
    const { identity } = ended;
    trace.note({ user: identity.username, subject: identity.subject });
    const facts = { step: "login", client: client.name, user: identity.username };
    if (!mayCall(identity)) {
      audit(trace, "refused", { ...facts, reason: "not among those who may call" });
      return answers.redirect(answers.errorUrl(asked, "access_denied"));
    }
    // Claimed last, when nothing else can fail: a bad answer must not use up the login.
    if (!await finished.add(state.id, true, LOGIN_SECONDS)) return answers.fail("used", trace);
    const code = await issue(client, asked, ended);
    audit(trace, "issued", facts);
    return answers.redirect(answers.urlOf(asked, { code }));
  };

  return async (request, trace) => {
    const read = readQuery(request);
    if (!read.ok) return answers.fail("malformed", trace);
    const sealed = read.parameters.get("state") ?? "";
    const state = await login.seal.open(sealed, now()) as LoginState | undefined;
    if (!state) return answers.fail("expired", trace);
    if (!login.browser.isBound(request, state.browser)) {
      audit(trace, "refused", { step: "login", reason: "another browser" });
      return answers.fail("browser", trace);
    }
    const { clientId, redirectUri } = state.request;
    const found = await findClient(clientId, redirectUri, rules);
    if (!found.ok) return answers.refuse(found, trace);
    trace.note({ client: found.client.name });
    try {
      // Before the provider is asked: it would take a code that comes twice for a theft.
      if (isTooOften(state) || await finished.get(state.id)) return answers.fail("used", trace);
      return await finish(new URL(request.url).searchParams, sealed, state, found.client, trace);
    } catch (error) {
      // The provider or the store: either way the client can begin anew.
      trace.log("error", "login not finished", { error: String(error) });
      return answers.redirect(answers.errorUrl(state.request, "temporarily_unavailable"));
    }
  };
}
