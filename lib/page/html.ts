/**
 * HTML documents that work without a script and give no value a chance to become markup.
 *
 * The policy of a page allows its one inline style by digest, its one inline script likewise if it
 * has one, forms to this server, and nothing else: no picture, no font, no frame, nothing from
 * another host.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { deliver } from "../delivery.ts";

// Not exported as a value: only `html` turns text into markup.
class Html {
  readonly #markup: string;

  constructor(markup: string) {
    this.#markup = markup;
  }

  static isHtml(value: object): value is Html {
    return #markup in value;
  }

  toString(): string {
    return this.#markup;
  }
}

/** Markup that {@linkcode html} made. */
export type { Html };

/** What may stand between the fixed parts of {@linkcode html}; `undefined` is nothing. */
export type Part = string | number | Html | undefined | readonly Part[];

/**
 * Builds markup of a template and values.
 *
 * A value stands in text or inside a double-quoted attribute; it is not safe anywhere else, such as
 * in a `<style>`, in a tag or as the URL of a link (see {@linkcode linkTo}).
 *
 * @example
 * ```ts
 * import { strictEqual as equal } from "node:assert/strict";
 * import { html } from "./html.ts";
 *
 * const name = "<b>Bob</b>";
 * equal(`${html`<p title="${name}">${html`<i>`}</p>`}`, '<p title="&lt;b&gt;Bob&lt;/b&gt;"><i></p>');
 * ```
 */
export function html(fixed: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(String.raw({ raw: fixed }, ...parts.map(markupOf)));
}

function markupOf(part: Part): string {
  if (part === undefined) return "";
  if (typeof part !== "object") return escape(String(part));
  if (Array.isArray(part)) return part.map(markupOf).join("");
  return Html.isHtml(part) ? part.toString() : escape(String(part));
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

// What HTML forbids even as a character reference (section 13.1.4): controls and noncharacters.
// deno-lint-ignore no-control-regex
const FORBIDDEN = /[\x00-\x08\x0b-\x1f\x7f-\x9f\p{Noncharacter_Code_Point}]/gu;

function escape(text: string): string {
  return text.toWellFormed().replace(FORBIDDEN, "\ufffd").replace(/[&<>"']/g, (c) => ENTITIES[c]!);
}

/** What a page has besides its body. */
export interface PageHead {
  readonly title: string;
  /** Status of the response; 200 when absent. */
  readonly status?: number;
  /** More headers, for example `set-cookie`. Those of every page cannot be replaced. */
  readonly headers?: HeadersInit;
  /** Where the browser goes at once, as {@linkcode linkTo} gave it. */
  readonly onward?: string;
}

/** Answers with a whole document around `body`. */
export type Page = (head: PageHead, body: Html) => Response;

/**
 * Prepares documents.
 *
 * @param style How they look: CSS without `</`, and a constant.
 * @param script What makes them more comfortable once they are there: JavaScript without `</` and
 * `<!--`, and a constant. None by default.
 */
export function newPage(style: string, script?: string): Page {
  const scripts = script === undefined ? "" : `script-src ${digestOf(script)}; `;
  const fixed: readonly (readonly [string, string])[] = [
    ["content-type", "text/html; charset=utf-8"],
    [
      "content-security-policy",
      `default-src 'none'; style-src ${digestOf(style)}; ${scripts}form-action 'self'; ` +
      "frame-ancestors 'none'; base-uri 'none'",
    ],
    // For browsers that know no `frame-ancestors`.
    ["x-frame-options", "DENY"],
    ["cache-control", "no-store"],
    // `no-referrer` would make browsers hide the origin of forms, which is checked.
    ["referrer-policy", "same-origin"],
  ];
  const sheet = new Html(`<style>${style}</style>`);
  const program = script === undefined ? undefined : new Html(`<script>${script}</script>`);
  return ({ title, status = 200, headers, onward }, body) => {
    const refresh = onward === undefined
      ? undefined
      : html`<meta http-equiv="refresh" content="0;url=${onward}">`;
    const document = html`
      <!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8">
          <meta name="viewport" content="width=device-width, initial-scale=1">
          <meta name="robots" content="noindex">
          <meta name="color-scheme" content="light dark">
          <title>${title}</title>
          ${sheet} ${refresh}
        </head>
        <body>
          <main>${body}</main>
          ${program}
        </body>
      </html>
    `;
    const response = deliver(document.toString().trim(), { status, ...(headers && { headers }) });
    for (const [name, value] of fixed) response.headers.set(name, value);
    return response;
  };
}

function digestOf(source: string): string {
  return `'sha256-${createHash("sha256").update(source).digest("base64")}'`;
}

const NEVER = ["about:", "blob:", "data:", "file:", "filesystem:", "javascript:", "vbscript:"];

/**
 * The URL of a link or of a way onward, in the form in which a browser reads it.
 *
 * A last net: which redirect URIs are good is decided where clients are registered.
 *
 * @throws {TypeError} When it is no absolute URL, or one that shows or runs what it carries.
 */
export function linkTo(url: string): string {
  const { href, protocol } = URL.parse(url) ?? { href: "", protocol: "" };
  if (href === "") throw new TypeError("Cannot link to what is no absolute URL");
  if (NEVER.includes(protocol)) throw new TypeError(`Cannot link to a URL with ${protocol}`);
  return href;
}
