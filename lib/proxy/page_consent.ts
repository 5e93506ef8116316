/**
 * The page that asks whether a client may act as the person (SPEC B5.3).
 *
 * @module
 */

import { type Html, html, type Part } from "../page/html.ts";
import { hidden, host, literal, type PageForm } from "./page_parts.ts";

/** A permission that a client asks for. */
export interface AskedScope {
  readonly name: string;
  /** In words, beginning with a verb: "Read dashboards". */
  readonly meaning?: string;
}

/** What {@linkcode Pages.consent} asks about. */
export interface ConsentPage extends PageForm {
  /** What the client calls itself. */
  readonly clientName: string;
  readonly clientId?: string;
  /** Host of the client's metadata document, when `origin` is `document`. */
  readonly clientHost?: string;
  /** Who vouches for the client, as in `Client`. */
  readonly origin: "configured" | "document" | "dynamic";
  /** Whom the answer reaches: host and port, or the scheme of a private-use URI (`cursor:`). */
  readonly redirectHost: string;
  /** The whole redirect URI, as the client gave it. */
  readonly redirectUri: string;
  /** Whether every redirect URI of the client is on loopback, so that any program can pose as it. */
  readonly isLoopbackOnly: boolean;
  readonly scopes: readonly AskedScope[];
  /** URL of the server that the client wants to use. */
  readonly resource: string;
  /** Host of the identity provider at which the person logs in next. */
  readonly loginHost: string;
}

/** The body of the page. */
export function consent(data: ConsentPage): Html {
  const { clientId, clientName, redirectHost, loginHost } = data;
  const login = literal(loginHost);
  const redirect = html`${host(redirectHost)}${data.isLoopbackOnly ? " (this computer)" : ""}
    <small>${literal(data.redirectUri)}</small>`;
  return html`
    <h1>Let <bdi class="claim">“${clientName}”</bdi> act as you?</h1>
    <p>${vouching(data)}</p>
    <dl>
      ${row("Access goes to", redirect)}
      ${row("What it may do", permissions(data.scopes))}
      ${row("On this server", literal(data.resource))}
      ${row("You log in at", host(loginHost))}
      ${clientId === undefined ? "" : row("Client ID", html`<small>${literal(clientId)}</small>`)}
    </dl>
    ${data.isLoopbackOnly ? LOOPBACK_WARNING : ""}
    <form method="post" action="${data.action}">
      ${hidden(data.fields)}
      <button class="main" name="decision" value="approve">Continue to ${login}</button>
      <button name="decision" value="deny">Cancel</button>
    </form>
    <p class="note">Did you not start this? Then cancel: nothing has been shared so far.</p>
  `;
}

const LOOPBACK_WARNING = html`
  <p class="warning" role="note">
    <strong>This app runs on this computer.</strong>
    Any program here can pretend to be it. Continue only if you just started this from an app you
    trust.
  </p>
`;

function row(term: string, detail: Part): Html {
  return html`
    <div>
      <dt>${term}</dt>
      <dd>${detail}</dd>
    </div>
  `;
}

function vouching({ origin, clientHost }: ConsentPage): Html {
  if (origin === "configured") return html`The operator of this server has registered this app.`;
  if (origin === "document" && clientHost !== undefined) {
    return html`${host(clientHost)} vouches for this app. Its name is its own claim.`;
  }
  return html`<strong>Nobody vouches for this app.</strong> It chose its name itself.`;
}

function permissions(scopes: readonly AskedScope[]): Part {
  if (scopes.length === 0) return "Act as you on this server";
  return html`<ul>${scopes.map(permission)}</ul>`;
}

function permission({ name, meaning }: AskedScope): Html {
  const code = html`<code dir="ltr">${name}</code>`;
  if (meaning === undefined) return html`<li>${code}</li>`;
  return html`<li>${meaning} <small>${code}</small></li>`;
}
