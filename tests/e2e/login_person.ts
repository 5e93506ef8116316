/**
 * A person who is sent to a login by a client, at a browser without a window.
 *
 * @module
 */

import { newBrowser, type Send } from "../browser.ts";

/** Where clients of the tests get their answers. Nobody listens there. */
export const REDIRECT_URI = "http://127.0.0.1:33418/callback";

/** Goes to the URL that a client shows; resolves to the one that its answer comes to. */
export type Person = (url: URL) => Promise<URL>;

/** What a person does. */
export interface Habits {
  /** Which button of the consent page is pressed. @default {"approve"} */
  readonly decision?: "approve" | "deny";
  /** Who is chosen on the login page for development; absent when there is none. */
  readonly user?: string;
  /** How pages are fetched. */
  readonly send?: Send;
  /** @default {REDIRECT_URI} */
  readonly redirectUri?: string;
}

/** A person with a browser of their own. */
export function newPerson(
  { decision = "approve", user, send = fetch, redirectUri = REDIRECT_URI }: Habits,
): Person {
  const isAnswer = (url: string) => url.startsWith(`${redirectUri}?`);
  const browser = newBrowser(send, isAnswer);
  return async (url) => {
    const asked = await browser.open(url.href);
    let shown = await browser.press(asked, "decision", decision);
    if (user !== undefined) shown = await browser.press(shown, "user", user);
    if (!isAnswer(shown.url)) {
      throw new Error(`Cannot log in: ${shown.status} ${shown.url}\n${shown.text}`);
    }
    return new URL(shown.url);
  };
}
