/**
 * How long a fetched document may be kept (RFC 9111, within bounds of our own).
 *
 * @module
 */

/** The least, in seconds, whatever the host says. */
export const MIN_SECONDS = 60;

/** The most, in seconds. */
export const MAX_SECONDS = 24 * 60 * 60;

/** What holds when the host says nothing, in seconds. */
export const DEFAULT_SECONDS = 60 * 60;

/**
 * Reads `Cache-Control`, `Age` and `Expires`.
 *
 * A host that forbids keeping gets the least, and so does one whose words make no sense: a document
 * is needed several times in one login.
 *
 * @param headers Of the answer that brought the document.
 * @param now Unix seconds.
 * @returns Seconds from now.
 *
 * @example
 * ```ts
 * import { strictEqual } from "node:assert/strict";
 * import { freshness } from "./freshness.ts";
 *
 * strictEqual(freshness(new Headers({ "cache-control": "max-age=600", age: "100" }), 0), 500);
 * ```
 */
export function freshness(headers: Headers, now: number): number {
  return Math.min(Math.max(stated(headers, now), MIN_SECONDS), MAX_SECONDS);
}

function stated(headers: Headers, now: number): number {
  const directives = (headers.get("cache-control") ?? "").toLowerCase().split(",");
  const argumentOf = (name: string) =>
    directives.map((directive) => directive.trim().split("="))
      .find(([key]) => key === name)?.[1]?.replace(/^"(.*)"$/, "$1") ?? undefined;
  const has = (name: string) => directives.some((text) => text.trim().split("=")[0] === name);
  if (has("no-store") || has("no-cache")) return 0;
  // Many users share this cache.
  const name = ["s-maxage", "max-age"].find(has);
  if (name) return wholeSeconds(argumentOf(name)) - wholeSeconds(headers.get("age"));
  const expires = headers.get("expires");
  // "0" and its like are dates in the past (RFC 9111 section 5.3).
  if (expires !== null) return /^[A-Z]/.test(expires) ? Date.parse(expires) / 1000 - now || 0 : 0;
  return DEFAULT_SECONDS;
}

const wholeSeconds = (text: string | null | undefined) =>
  text && /^\d{1,10}$/.test(text) ? Number(text) : 0;
