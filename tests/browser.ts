/**
 * A browser without a window: it keeps cookies, follows redirects and refreshes, and fills forms in
 * as a person would. It runs no script, as the pages need none.
 *
 * @module
 */

import { read } from "./proxy/markup.ts";

/** Sends one request; redirects are not its business. */
export type Send = (request: Request) => Promise<Response>;

/** What a browser shows. */
export interface Shown {
  readonly url: string;
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
    for (let step = 0; step < MOST_STEPS; step++) {
      const { url } = request;
      if (isEnd(url)) return { url, status: 0, headers: new Headers(), text: "" };
      const response = await send(withCookies(request, jarOf(url)));
      keep(response, jarOf(url));
      const text = await response.text();
      const onward = onwardOf(response, text);
      if (onward === undefined) {
        return { url, status: response.status, headers: response.headers, text };
      }
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

  return {
    cookies,
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

function withCookies(request: Request, jar: ReadonlyMap<string, string>): Request {
  if (jar.size === 0) return request;
  const headers = new Headers(request.headers);
  headers.set("cookie", [...jar].map(([name, value]) => `${name}=${value}`).join("; "));
  return new Request(request, { headers });
}

function keep(response: Response, jar: Map<string, string>): void {
  for (const cookie of response.headers.getSetCookie()) {
    const [, name, value] = /^([^=;]+)=([^;]*)/.exec(cookie) ?? [];
    if (name !== undefined) jar.set(name, value!);
  }
}

function onwardOf(response: Response, text: string): string | undefined {
  const location = response.headers.get("location");
  if (location !== null) return location;
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
