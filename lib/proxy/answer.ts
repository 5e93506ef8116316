/**
 * Authorization responses: how a client hears what became of its request (RFC 6749 section 4.1.2,
 * RFC 9207).
 *
 * Every answer names this server as its issuer, success or not. A person is sent on without being
 * asked only where the redirect URI is trusted or a person decided so; else a page lets them choose
 * (RFC 9700 section 4.11.2).
 *
 * @module
 */

import type { Trace } from "../trace.ts";
import { audit } from "./audit.ts";
import type { Client } from "./client.ts";
import type { Pages } from "./pages.ts";
import { isLoopbackRedirect, redirectHost } from "./redirect.ts";
import type { AuthorizationError, Judged, ReturnAddress } from "./request.ts";

/** Tells clients and people how it ended. */
export interface Answers {
  /** URL of the client with an answer. */
  urlOf(to: ReturnAddress, answer: Readonly<Record<string, string>>): string;
  /** URL of the client with an error. */
  errorUrl(to: ReturnAddress, error: AuthorizationError): string;
  /** Sends the browser on (never 307: RFC 9700 section 4.12). */
  redirect(url: string): Response;
  /** Answers a request that was found wanting. */
  refuse(judged: Extract<Judged, { ok: false }>, trace: Trace): Response;
  /** A page for the person, when the client cannot or need not be told. */
  fail(kind: keyof typeof FAILURES, trace: Trace): Response;
}

const ERROR_TEXTS: Readonly<Record<AuthorizationError, string>> = {
  invalid_request: "A parameter is missing or malformed; PKCE with S256 is required",
  unsupported_response_type: "The response type must be code",
  invalid_target: "This resource is not served here",
  request_not_supported: "Request objects are not supported",
  request_uri_not_supported: "Request objects are not supported",
  access_denied: "Access was denied",
  server_error: "The login did not work",
  temporarily_unavailable: "The login cannot be done at the moment",
};

const START_AGAIN = "Go back to the app and connect again.";

const FAILURES = {
  malformed: {
    status: 400,
    title: "This request is malformed",
    what: "A parameter was sent twice, or the request is too long.",
    fix: START_AGAIN,
  },
  client: {
    status: 400,
    title: "This app is not known here",
    what: "Its registration has expired, or was made at another server.",
    fix:
      "Remove this server from the app and add it again, so that the app registers anew. If that does not help, tell whoever runs this server.",
  },
  later: {
    status: 503,
    title: "This app could not be looked up",
    what: "What the app says about itself cannot be fetched at the moment.",
    fix: "Wait a minute, go back to the app and connect again.",
  },
  redirect: {
    status: 400,
    title: "This app asked to return to an unknown address",
    what: "Nothing was sent there, because the address is not one that the app registered.",
    fix:
      "If you came from an app that you trust, update it, or remove this server from it and add it again.",
  },
  expired: {
    status: 400,
    title: "This page is too old",
    what: "It was opened too long ago, or the server was set up anew since.",
    fix: START_AGAIN,
  },
  browser: {
    status: 403,
    title: "This login belongs to another browser",
    what:
      "It was not started in this browser, or its cookies are gone. Somebody may have sent you a link to log in for them.",
    fix: "If you started it yourself, allow cookies and connect again from the app.",
  },
  used: {
    status: 400,
    title: "This login was used already",
    what: "Each login works once.",
    fix: START_AGAIN,
  },
  provider: {
    status: 502,
    title: "The login page cannot be reached",
    what: "The identity provider does not answer.",
    fix: "Wait a minute, go back to the app and connect again.",
  },
} as const;

/** Prepares the answers. @param issuer This server, byte for byte. */
export function answers(issuer: string, pages: Pages): Answers {
  const urlOf: Answers["urlOf"] = ({ redirectUri, state }, answer) => {
    const parameters = new URLSearchParams({
      ...answer,
      ...(state !== undefined && { state }),
      iss: issuer,
    });
    // Appended as text: the registered URI stays as it is, byte for byte.
    return `${redirectUri}${redirectUri.includes("?") ? "&" : "?"}${parameters}`;
  };
  const errorUrl: Answers["errorUrl"] = (to, error) =>
    urlOf(to, { error, error_description: ERROR_TEXTS[error] });
  const redirect: Answers["redirect"] = (location) =>
    new Response(null, { status: 303, headers: { location } });
  const fail: Answers["fail"] = (kind, { id }) =>
    pages.failure({ ...FAILURES[kind], requestId: id });
  return {
    urlOf,
    errorUrl,
    redirect,
    fail,
    refuse: (judged, trace) => {
      audit(trace, "refused", {
        step: "authorization",
        client: "client" in judged ? judged.client.name : undefined,
        reason: judged.reason,
      });
      if ("page" in judged) return fail(judged.page, trace);
      const url = errorUrl(judged.to, judged.error);
      if (isTrusted(judged.client, judged.to.redirectUri)) return redirect(url);
      return pages.failure({
        status: 400,
        title: "The app's request cannot be fulfilled",
        what: `${ERROR_TEXTS[judged.error]}.`,
        fix: "The app may say more if you go back to it.",
        requestId: trace.id,
        back: { label: `Back to ${redirectHost(judged.to.redirectUri)}`, url },
      });
    },
  };
}

function isTrusted({ origin }: Client, redirectUri: string): boolean {
  return origin === "configured" || isLoopbackRedirect(redirectUri);
}
