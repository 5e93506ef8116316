/**
 * The authorization endpoint (OAuth 2.1 section 3.1): judges the request and asks the person.
 *
 * Everybody is asked, every time, for every client: a remembered consent could be ridden by
 * whoever borrows the client's id (SPEC B5.1, B5.2). Nothing is stored, and no answer here is
 * readable from another web page.
 *
 * @module
 */

import type { Handler } from "../http.ts";
import type { Ports } from "../ports.ts";
import type { Seal } from "../seal.ts";
import type { Answers } from "./answer.ts";
import type { Binding } from "./browser.ts";
import type { Client } from "./client.ts";
import { readQuery } from "./form.ts";
import type { Pages } from "./pages.ts";
import { isLoopbackRedirect, redirectHost } from "./redirect.ts";
import { type AuthorizationRequest, judgeRequest, type RequestRules } from "./request.ts";
import type { Upstream } from "./upstream.ts";

/** How long a consent page can be answered, in seconds. */
export const CONSENT_SECONDS = 1800;

/** What a consent form brings back, sealed. */
export interface ConsentForm {
  readonly request: AuthorizationRequest;
  /** Digest of the browser's marker. */
  readonly browser: string;
}

/** What the consent page needs. */
export interface AuthorizeOptions {
  readonly rules: RequestRules;
  readonly answers: Answers;
  readonly pages: Pages;
  readonly seal: Seal;
  readonly browser: Binding;
  readonly upstream: Upstream;
  /** Path of the form. */
  readonly action: string;
}

/** Answers authorization requests. */
export function authorize(options: AuthorizeOptions, { now }: Pick<Ports, "now">): Handler {
  const { rules, answers, pages, seal, browser, upstream, action } = options;
  return async (request, trace) => {
    const read = readQuery(request);
    if (!read.ok) return answers.fail("malformed", trace);
    const judged = await judgeRequest(read.parameters, rules);
    if (!judged.ok) return answers.refuse(judged, trace);
    const { digest, cookie } = browser.bind(request);
    const form: ConsentForm = { request: judged.request, browser: digest };
    const consent = await seal.seal(form, now() + CONSENT_SECONDS);
    return pages.consent({
      ...describe(judged.client, judged.request),
      loginHost: upstream.host,
      action,
      fields: { consent },
    }, { "set-cookie": cookie });
  };
}

function describe(client: Client, { redirectUri, scopes, resource }: AuthorizationRequest) {
  const { id, name, origin, redirectUris } = client;
  return {
    clientName: name,
    origin,
    ...(origin !== "dynamic" && { clientId: id }),
    ...(origin === "document" && { clientHost: new URL(id).host }),
    redirectUri,
    redirectHost: redirectHost(redirectUri),
    isLoopbackOnly: redirectUris.every(isLoopbackRedirect),
    scopes: scopes.map((scope) => ({ name: scope })),
    resource,
  };
}
