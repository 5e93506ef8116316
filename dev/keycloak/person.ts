/**
 * A person with a browser, on the way through the pages of Gatehouse and those of Keycloak.
 *
 * @module
 */

import { read } from "../../tests/page/markup.ts";
import { REDIRECT_URI } from "./login.ts";

/** What a person does where it matters. */
export interface Decisions {
  /** What to say to Gatehouse. @default {"approve"} */
  readonly consent?: "approve" | "deny";
  /** What to say to Keycloak, should it ask. @default {"accept"} */
  readonly grant?: "accept" | "cancel";
  /** URLs to stop at, besides that of the client. */
  readonly until?: (url: URL) => boolean;
}

/** Somebody with an open browser. */
export interface Person {
  /**
   * Opens a URL, fills in what is asked, and goes on until the client is reached.
   *
   * @throws {Error} When a page is in the way, with its heading.
   */
  open(url: string | URL, decisions?: Decisions): Promise<URL>;
  /** Every URL that was opened, in order. */
  readonly visited: readonly URL[];
}

const MOST_STEPS = 20;

/** Opens a browser for the person of that name; nobody is logged in there. */
export function personAt(username: string): Person {
  const cookies = new Map<string, string>();
  const visited: URL[] = [];

  const load = async (url: URL, form?: URLSearchParams) => {
    visited.push(url);
    const response = await fetch(url, {
      redirect: "manual",
      headers: { cookie: [...cookies].map((pair) => pair.join("=")).join("; ") },
      ...(form && { method: "POST", body: form }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value, rest] = /^([^=]+)=([^;]*)(.*)$/.exec(line)!;
      if (/max-age=0/i.test(rest!)) cookies.delete(name!);
      else cookies.set(name!, value!);
    }
    const text = await response.text();
    const onward = response.headers.get("location") ?? refreshOf(text);
    return { url, text, onward: onward === undefined ? undefined : new URL(onward, url) };
  };

  return {
    visited,
    async open(start, { consent = "approve", grant = "accept", until = () => false } = {}) {
      let shown = await load(new URL(start));
      for (let step = 0; step < MOST_STEPS; step++) {
        const { url, text, onward } = shown;
        if (onward && (onward.href.startsWith(REDIRECT_URI) || until(onward))) return onward;
        shown = onward
          ? await load(onward)
          : await load(actionOf(url, text), answer(text, username, { consent, grant }));
      }
      throw new Error(`Cannot arrive: still at ${shown.url.origin} after ${MOST_STEPS} steps`);
    },
  };
}

function answer(
  text: string,
  username: string,
  { consent, grant }: Required<Pick<Decisions, "consent" | "grant">>,
): URLSearchParams {
  const form = new URLSearchParams();
  for (const [input] of text.matchAll(/<input[^>]*\btype="hidden"[^>]*>/g)) {
    form.set(read(attribute(input, "name")), read(attribute(input, "value")));
  }
  if (text.includes('name="decision"')) form.set("decision", consent);
  if (text.includes('name="accept"')) form.set(grant, "yes");
  if (text.includes('name="password"')) {
    form.set("username", username);
    form.set("password", `${username}123`);
  }
  return form;
}

function actionOf(url: URL, text: string): URL {
  const [, action] = /<form[^>]*\baction="([^"]+)"/.exec(text) ?? [];
  if (action !== undefined) return new URL(read(action), url);
  const [, heading = text] = /<h1[^>]*>(.*?)<\/h1>/s.exec(text) ?? [];
  throw new Error(`Cannot go on at ${url.origin}${url.pathname}: ${heading.trim()}`);
}

function attribute(tag: string, name: string): string {
  return new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1] ?? "";
}

function refreshOf(text: string): string | undefined {
  const [, url] = /<meta http-equiv="refresh" content="0;url=([^"]*)"/.exec(text) ?? [];
  return url === undefined ? undefined : read(url);
}
