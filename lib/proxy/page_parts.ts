/**
 * Parts that several pages have.
 *
 * @module
 */

import { type Html, html } from "../page/html.ts";

/** A form that comes back to this server by POST. */
export interface PageForm {
  /** Path on this server. */
  readonly action: string;
  /** What comes back unseen. */
  readonly fields: Readonly<Record<string, string>>;
}

/** The unseen fields of a form. */
export function hidden(fields: PageForm["fields"]): Html[] {
  return Object.entries(fields).map(([name, value]) =>
    html`<input type="hidden" name="${name}" value="${value}">`
  );
}

/** A host, URL or identifier: from left to right, and apart from the words around it. */
export function literal(text: string): Html {
  return html`<bdi dir="ltr">${text}</bdi>`;
}

/** A host on which the decision depends. */
export function host(text: string): Html {
  return html`<strong class="host">${literal(text)}</strong>`;
}
