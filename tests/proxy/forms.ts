/**
 * Sending what a browser would send, but with something changed; and seals that should not open.
 *
 * @module
 */

import { doesNotMatch, ok, strictEqual as equal } from "node:assert/strict";
import { type Seal, seals } from "../../lib/seal.ts";
import { type Browser, formOf, type Shown } from "../browser.ts";
import { SECRET } from "../fakes.ts";
import { type Changes, type Gate, parameters } from "./flow.ts";

/** What proxy mode seals, by purpose. */
export const PURPOSES = [
  "client",
  "consent",
  "login",
  "development login",
  ...["keys", "grant", "code", "assertion", "turn", "login", "person"].map((kind) => `row ${kind}`),
] as const;

/** The seal of a purpose, as the program makes it. */
export function sealOf({ origin }: Gate, purpose: string, secret = SECRET): Seal {
  return seals([new TextEncoder().encode(secret)], origin)(purpose);
}

/** Changes to what a form sends. */
export interface FormChanges {
  readonly fields?: Changes;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly address?: string;
}

/** Posts the form of a page as `browser` would, but for the changes. */
export function postForm(
  gate: Gate,
  page: Shown,
  browser: Browser,
  { fields = {}, headers = {}, address }: FormChanges = {},
): Promise<Response> {
  const form = formOf(page.text);
  const sent = {
    origin: gate.origin,
    "sec-fetch-site": "same-origin",
    cookie: browser.cookieFor(page.url),
    ...headers,
  };
  const init = {
    method: "POST",
    headers: Object.entries(sent).filter((one): one is [string, string] => one[1] !== undefined),
    body: parameters({ ...form.fields, ...fields }),
  };
  return gate.send(form.action, init, address);
}

/** Opens a URL of the gate with a browser's cookies, without following anything. */
export function openBare(gate: Gate, url: string, browser?: Browser): Promise<Response> {
  const cookie = browser?.cookieFor(url);
  return gate.send(url, cookie === undefined ? {} : { headers: { cookie } });
}

/** Text in a new order of its middle: an altered seal. */
export function altered(text: string): string {
  const at = text.length - 30;
  return text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);
}

/** Checks that an answer is a page that says no, and leads nowhere and sets nothing. */
export async function refusedByPage(
  response: Response,
  status: number,
  title: string,
): Promise<void> {
  const text = await response.text();
  equal(/<title>(.*?)<\/title>/.exec(text)?.[1], title);
  equal(response.status, status);
  equal(response.headers.get("location"), null);
  equal(response.headers.get("set-cookie"), null);
  equal(response.headers.get("refresh"), null);
  ok(response.headers.get("content-security-policy")!.includes("frame-ancestors 'none'"));
  doesNotMatch(text, /http-equiv="refresh"|<a |<form/);
}

/** Titles of the pages that say no. */
export const TITLES = {
  malformed: "This request is malformed",
  client: "This app is not known here",
  later: "This app could not be looked up",
  redirect: "This app asked to return to an unknown address",
  expired: "This page is too old",
  browser: "This login belongs to another browser",
  used: "This login was used already",
  provider: "The login page cannot be reached",
  request: "The app&#39;s request cannot be fulfilled",
} as const;
