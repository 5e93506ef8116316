/**
 * The answer to the consent page (SPEC B5.3 to B5.6).
 *
 * It counts only from the browser that was asked and from this server's own page. Only an approval
 * makes a state for the identity provider, and only it sets the cookie that binds the way back.
 *
 * @module
 */

import { base64url } from "../base64url.ts";
import type { Handler } from "../http.ts";
import type { Ports } from "../ports.ts";
import type { Seal } from "../seal.ts";
import type { Trace } from "../trace.ts";
import type { Answers } from "./answer.ts";
import { audit } from "./audit.ts";
import type { ConsentForm } from "./authorize.ts";
import type { Binding } from "./browser.ts";
import { type Parameters, readForm } from "./form.ts";
import type { Pages } from "./pages.ts";
import { redirectHost } from "./redirect.ts";
import { type AuthorizationRequest, findClient, type RequestRules } from "./request.ts";
import type { Leg, Upstream } from "./upstream.ts";

/** How long a login at the identity provider may take, in seconds. */
export const LOGIN_SECONDS = 600;

/** What comes back from the identity provider as `state`, sealed. */
export interface LoginState extends Leg {
  readonly request: AuthorizationRequest;
  /** Digest of the browser's marker. */
  readonly browser: string;
  /** Names this login, so that it counts once. */
  readonly id: string;
}

/** What the decision needs. */
export interface ConsentOptions {
  readonly rules: Pick<RequestRules, "clients" | "redirects">;
  readonly answers: Answers;
  readonly pages: Pages;
  readonly upstream: Upstream;
  /** This server's own origin. */
  readonly origin: string;
  readonly form: { readonly seal: Seal; readonly browser: Binding };
  readonly login: { readonly seal: Seal; readonly browser: Binding };
}

/** Answers decisions. */
export function consent(
  options: ConsentOptions,
  { now, random }: Pick<Ports, "now" | "random">,
): Handler {
  const { rules, answers, pages, upstream, origin, form, login } = options;

  const approve = async (
    request: Request,
    asked: AuthorizationRequest,
    trace: Trace,
  ): Promise<Response> => {
    const { digest, cookie } = login.browser.bind(request);
    const state: LoginState = {
      request: asked,
      browser: digest,
      id: base64url(random(16)),
      verifier: base64url(random(32)),
      nonce: base64url(random(16)),
    };
    const sealed = await login.seal.seal(state, now() + LOGIN_SECONDS);
    let url: string;
    try {
      url = await upstream.begin(sealed, state);
    } catch (error) {
      trace.log("error", "login not begun", { error: String(error) });
      return answers.fail("provider", trace);
    }
    return pages.onward({ url, host: upstream.host }, { "set-cookie": cookie });
  };

  return async (request, trace) => {
    if (!isOwnPage(request, origin)) {
      audit(trace, "refused", { step: "consent", reason: "sent by another site" });
      return answers.fail("browser", trace);
    }
    const read = await readForm(request);
    if (!read.ok) return answers.fail("malformed", trace);
    const sent = await open(read.parameters, form.seal, now());
    if (!sent) return answers.fail("expired", trace);
    if (!form.browser.isBound(request, sent.browser)) {
      audit(trace, "refused", { step: "consent", reason: "another browser" });
      return answers.fail("browser", trace);
    }
    const { request: asked } = sent;
    const found = await findClient(asked.clientId, asked.redirectUri, rules);
    if (!found.ok) return answers.refuse(found, trace);
    const facts = {
      step: "consent",
      client: found.client.name,
      scopes: asked.scopes,
      redirects: [asked.redirectUri],
    };
    switch (read.parameters.get("decision")) {
      case "approve":
        audit(trace, "consented", facts);
        return await approve(request, asked, trace);
      case "deny":
        audit(trace, "refused", { ...facts, reason: "the person said no" });
        return pages.onward({
          url: answers.errorUrl(asked, "access_denied"),
          host: redirectHost(asked.redirectUri),
        });
      default:
        return answers.fail("malformed", trace);
    }
  };
}

/**
 * Whether a form was sent from a page of this server, as far as the browser tells.
 *
 * An addition to the cookie, not a substitute: a browser may tell nothing.
 */
export function isOwnPage({ headers }: Request, origin: string): boolean {
  const from = headers.get("origin");
  const site = headers.get("sec-fetch-site");
  return (from === null || from === origin) && (site === null || site === "same-origin");
}

async function open(
  parameters: Parameters,
  seal: Seal,
  now: number,
): Promise<ConsentForm | undefined> {
  return await seal.open(parameters.get("consent") ?? "", now) as ConsentForm | undefined;
}
