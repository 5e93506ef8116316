/**
 * The pages that people see in proxy mode: plain data in, a whole response out.
 *
 * Names come from clients and prove nothing, so a page shows them as claims, apart from what this
 * server knows. Hosts are shown as they are written on the wire, punycode included. Nothing here
 * reads a request or decides anything.
 *
 * @module
 */

import { type Html, html, linkTo, newPage } from "../page/html.ts";
import { consent, type ConsentPage } from "./page_consent.ts";
import { hidden, literal, type PageForm } from "./page_parts.ts";
import { STYLE } from "./page_style.ts";

export type { AskedScope, ConsentPage } from "./page_consent.ts";
export type { PageForm } from "./page_parts.ts";

/** Somebody the development login knows. */
export interface Person {
  readonly id: string;
  readonly name: string;
  readonly role: string;
}

/** What {@linkcode Pages.login} offers. */
export interface LoginPage extends PageForm {
  readonly people: readonly Person[];
}

/** What {@linkcode Pages.failure} tells. */
export interface FailurePage {
  readonly status: number;
  /** In a few words, without a full stop. */
  readonly title: string;
  /** What happened, in a sentence. */
  readonly what: string;
  /** What the person can do. */
  readonly fix: string;
  readonly requestId: string;
  /** A way back to the client, for those who choose it. */
  readonly back?: { readonly label: string; readonly url: string };
}

/** What {@linkcode Pages.onward} leads to. */
export interface OnwardPage {
  readonly url: string;
  /** Name of the place, for people: most often its host. */
  readonly host: string;
}

/** The pages; `headers` are for what the page itself does not know, such as `set-cookie`. */
export interface Pages {
  /**
   * Asks whether a client may act as the person (SPEC B5.3). The form answers with
   * `decision=approve` or `decision=deny`.
   */
  consent(data: ConsentPage, headers?: HeadersInit): Response;
  /** Asks who to be, on a development machine. The form answers with `user=<id>`. */
  login(data: LoginPage, headers?: HeadersInit): Response;
  /**
   * Tells that something went wrong.
   *
   * @throws {TypeError} When the way back is none that {@linkcode linkTo} allows.
   */
  failure(data: FailurePage, headers?: HeadersInit): Response;
  /**
   * Goes to another place. It answers a form where a redirect cannot: Chromium holds those that
   * follow a form to `form-action`.
   *
   * @throws {TypeError} When the URL is none that {@linkcode linkTo} allows.
   */
  onward(data: OnwardPage, headers?: HeadersInit): Response;
}

/** Prepares the pages. */
export function newPages(): Pages {
  const page = newPage(STYLE);
  return {
    consent: (data, headers = {}) => page({ title: "Connect an app", headers }, consent(data)),
    login: (data, headers = {}) => page({ title: "Development login", headers }, login(data)),
    failure: (data, headers = {}) => {
      const { title, status } = data;
      return page({ title, status, headers }, failure(data));
    },
    onward: ({ url, host }, headers = {}) => {
      const href = linkTo(url);
      return page({ title: `Taking you to ${host}`, headers, onward: href }, onward(href, host));
    },
  };
}

function login({ people, action, fields }: LoginPage): Html {
  return html`
    <p class="warning" role="note">
      <strong>For development only.</strong>
      Nobody has to prove anything here. These people exist only on this server.
    </p>
    <h1>Who do you want to be?</h1>
    <form method="post" action="${action}">${hidden(fields)} ${people.map(choice)}</form>
  `;
}

function choice({ id, name, role }: Person): Html {
  const who = html`<bdi>${name}</bdi> <small><bdi>${role}</bdi></small>`;
  return html`<button class="person" name="user" value="${id}">${who}</button>`;
}

function failure({ title, what, fix, requestId, back }: FailurePage): Html {
  return html`
    <h1>${title}</h1>
    <p>${what}</p>
    <p>${fix}</p>
    ${back && html`<p>${button("button", linkTo(back.url), html`<bdi>${back.label}</bdi>`)}</p>`}
    <p class="note">Request ID: <code>${requestId}</code></p>
  `;
}

// The browser hands a URL with another scheme to an app, and stays where it is.
const CLOSING = "Once the app has opened, you can close this page.";

function onward(href: string, host: string): Html {
  return html`
    <h1>Taking you to ${literal(host)}…</h1>
    <p>If nothing happens, use this button. ${/^https?:/.test(href) ? "" : CLOSING}</p>
    <p>${button("button main", href, html`Continue to ${literal(host)}`)}</p>
  `;
}

function button(classes: string, href: string, label: Html): Html {
  return html`<a class="${classes}" href="${href}">${label}</a>`;
}
