/**
 * A browser without a window: it keeps cookies, follows redirects and refreshes, and fills forms in
 * as a person would. It runs no script, as the pages need none.
 *
 * It is as strict as the strictest of the real ones, where that matters to a login.
 *
 * @module
 */

import { read } from "./page/markup.ts";

/** Sends one request; redirects are not its business. */
export type Send = (request: Request) => Promise<Response>;

/** What a browser shows. */
export interface Shown {
  readonly url: string;
  /** 0 for a URL that was not visited. */
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** A form on a page. */
interface Form {
  readonly action: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** A browser with cookies of its own. */
export interface Browser {
  /** Goes to a URL, and on to wherever that leads, up to the first URL that `until` fits. */
  open(url: string): Promise<Shown>;
  /** Presses a button of the form on a page. */
  press(page: Shown, name: string, value: string): Promise<Shown>;
  /** Its cookies by host. */
  readonly cookies: Map<string, Map<string, string>>;
  /** Its `Cookie` header for a URL; undefined without cookies. */
  cookieFor(url: string): string | undefined;
}

const MOST_STEPS = 20;

/**
 * Opens a browser.
 *
 * @param isEnd Which URLs are not visited any more: those of the client that waits for an answer.
 */
export function newBrowser(send: Send, isEnd: (url: string) => boolean): Browser {
  const cookies = new Map<string, Map<string, string>>();

  const visit = async (first: Request): Promise<Shown> => {
    let request = first;
    // Chromium holds redirects that follow a form to the `form-action` of the form's page.
    let form = first.method === "POST" ? new URL(first.url).origin : undefined;
    for (let step = 0; step < MOST_STEPS; step++) {
      const { url } = request;
      if (form !== undefined && new URL(url).origin !== form) {
        throw new Error(`Cannot go to ${url}: form-action does not allow it`);
      }
      if (isEnd(url)) return { url, status: 0, headers: new Headers(), text: "" };
      const cookie = cookieFor(url);
      const headers = new Headers(request.headers);
      if (cookie !== undefined) headers.set("cookie", cookie);
      const response = await send(new Request(request, { headers }));
      keep(response, url, jarOf(url));
      const text = await response.text();
      const { status } = response;
      if (status === 307 || status === 308) {
        throw new Error(`Cannot follow ${status}: it would send a form on to others`);
      }
      const location = response.headers.get("location");
      if (location === null) form = undefined;
      const onward = location ?? refreshOf(text);
      if (onward === undefined) return { url, status, headers: response.headers, text };
      request = new Request(new URL(onward, url), { redirect: "manual" });
    }
    throw new Error(`Cannot arrive: still on the way after ${MOST_STEPS} steps`);
  };

  // Cookies do not tell ports apart (RFC 6265 section 8.5).
  const jarOf = (url: string) => {
    const { hostname } = new URL(url);
    const jar = cookies.get(hostname) ?? new Map<string, string>();
    cookies.set(hostname, jar);
    return jar;
  };
  const cookieFor = (url: string) => {
    const pairs = [...jarOf(url)].map(([name, value]) => `${name}=${value}`);
    return pairs.length > 0 ? pairs.join("; ") : undefined;
  };

  return {
    cookies,
    cookieFor,
    open: (url) => visit(new Request(url, { redirect: "manual" })),
    press: (page, name, value) => {
      const { action, fields } = formOf(page.text);
      const url = new URL(action, page.url);
      return visit(
        new Request(url, {
          method: "POST",
          redirect: "manual",
          headers: { origin: new URL(page.url).origin, "sec-fetch-site": "same-origin" },
          body: new URLSearchParams({ ...fields, [name]: value }),
        }),
      );
    },
  };
}

// RFC 6265bis sections 5.7 and 4.1.3.2.
function keep(response: Response, url: string, jar: Map<string, string>): void {
  for (const cookie of response.headers.getSetCookie()) {
    const [, name, value, attributes] = /^([^=;]+)=([^;]*)(.*)$/.exec(cookie) ?? [];
    const has = (attribute: RegExp) => attribute.test(attributes ?? "");
    const isSecure = has(/;\s*secure(?:;|$)/i);
    if (name === undefined || (isSecure && !url.startsWith("https:"))) continue;
    const isHosts = isSecure && has(/;\s*path=\/(?:;|$)/i) && !has(/;\s*domain=/i);
    if (name.startsWith("__Host-") && !isHosts) continue;
    if (has(/;\s*max-age=(?:0|-\d+)(?:;|$)/i)) jar.delete(name);
    else jar.set(name, value!);
  }
}

function refreshOf(text: string): string | undefined {
  const [, refresh] = /<meta http-equiv="refresh" content="0; ?url=([^"]*)"/i.exec(text) ?? [];
  return refresh === undefined ? undefined : read(refresh);
}

/** The form on a page. */
export function formOf(text: string): Form {
  const [, action] = /<form[^>]* action="([^"]*)"/.exec(text) ?? [];
  if (action === undefined) throw new Error(`Cannot find a form on the page:\n${text}`);
  const inputs = [...text.matchAll(/<input[^>]* name="([^"]*)"[^>]* value="([^"]*)"/g)];
  return {
    action: read(action),
    fields: Object.fromEntries(inputs.map(([, name, value]) => [read(name!), read(value!)])),
  };
}
