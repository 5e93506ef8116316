/**
 * Where a client may have its user sent back to (OAuth 2.1 section 2.3, RFC 8252 section 7): https,
 * loopback http, and private-use schemes that the operator lists.
 *
 * A URI is judged as text and has to survive parsing unchanged, so that what is compared here is
 * what a browser will open. Nothing is normalised and nothing is a pattern: two spellings of one
 * address are two addresses.
 *
 * @module
 */

/** Longest redirect URI, in characters. */
export const MAX_REDIRECT_LENGTH = 512;

/** Which redirect URIs clients may register, beyond loopback. */
export interface RedirectPolicy {
  /** The https URIs; absent: any. */
  readonly https?: readonly string[];
  /** The URIs with a private-use scheme. */
  readonly custom: readonly string[];
  /** This server's own address at the identity provider, which is no client's. */
  readonly ownCallback: string;
}

// Schemes with a meaning of their own are not private-use (RFC 8252 section 7.1): a browser or the
// system runs, reads or dials what they name.
const MEANINGFUL_SCHEMES: ReadonlySet<string> = new Set(
  `about afp blob callto chrome chrome-extension cid content data dict dns facetime feed file
  filesystem ftp ftps git gopher imap intent irc ircs jar javascript ldap ldaps livescript magnet
  mailto market mhtml mid mk mms mocha moz-extension ms-appinstaller ms-its ms-msdt news nfs nntp
  pop res resource rtsp search-ms sftp shell sip sips sms smb ssh tel telnet urn vbscript
  view-source webcal ws wss wyciwyg xmpp`.split(/\s+/),
);

// The names are these three, as spelled: 127.1, 2130706433, localhost. and [::ffff:7f00:1] may lead
// to the same place, and no client needs them.
const LOOPBACK = /^(http:\/\/(?:localhost|127\.0\.0\.1|\[::1\]))(?::\d{1,5})?((?:[/?].*)?)$/;

/**
 * Prepares the rules.
 *
 * A list with any https URI in it closes https to all others. So does an entry that no client could
 * use: a slip must not leave open what the list was meant to close.
 *
 * @param listed What the operator lists. Loopback needs no entry, and `ownCallback` counts as none.
 * @param ownCallback This server's own address at the identity provider, without a query.
 */
export function redirectPolicy(listed: readonly string[], ownCallback: string): RedirectPolicy {
  const entries = listed.filter((uri) => uri !== ownCallback && !isLoopbackRedirect(uri));
  const custom = entries.filter((uri) => !redirectFault(uri) && !uri.startsWith("https:"));
  const others = entries.filter((uri) => !custom.includes(uri));
  return { ...(others.length > 0 && { https: others }), custom, ownCallback };
}

/**
 * Judges a URI that a client wants to register.
 *
 * @returns What is wrong, as the end of a sentence about the URI; never a part of it.
 *
 * @example
 * ```ts
 * import { strictEqual } from "node:assert/strict";
 * import { judgeRedirect, redirectPolicy } from "./redirect.ts";
 *
 * const policy = redirectPolicy([], "https://gate.example/oauth/callback");
 * strictEqual(judgeRedirect("http://127.0.0.1:33418/", policy), undefined);
 * strictEqual(judgeRedirect("https://client.example/cb#", policy), "has a fragment");
 * ```
 */
export function judgeRedirect(uri: string, policy: RedirectPolicy): string | undefined {
  const fault = redirectFault(uri);
  if (fault) return fault;
  // A code of this server would arrive as if the identity provider had issued it.
  if (uri.split("?")[0] === policy.ownCallback) return "is this server's own callback";
  if (isLoopbackRedirect(uri)) return undefined;
  const allowed = uri.startsWith("https:") ? policy.https : policy.custom;
  return !allowed || allowed.includes(uri) ? undefined : "is not one that the operator allows";
}

/** Judges a URI like {@linkcode judgeRedirect}, whatever the operator lists. */
export function redirectFault(uri: string): string | undefined {
  if (uri.length > MAX_REDIRECT_LENGTH) return `is longer than ${MAX_REDIRECT_LENGTH} characters`;
  // RFC 3986 section 2. Browsers drop tabs and line ends, and take a backslash for a slash.
  if (/[^\w.~:/?#[\]@!$&'()*+,;=%-]/.test(uri)) return "has a character that no URI has";
  if (/%(?![0-9a-f]{2})|%(?:[01].|5c|7f)/i.test(uri)) return "has a bad percent-encoding";
  const [, scheme, authority = "", path = ""] =
    /^([a-z][a-z0-9+.-]*):(?:\/\/([^/?#]*))?([^?#]*)/.exec(uri) ?? [];
  if (scheme === undefined) return "has no scheme in lower case";
  if (MEANINGFUL_SCHEMES.has(scheme)) return "has a scheme that is not for redirects";
  if (uri.includes("#")) return "has a fragment";
  if (authority.includes("@")) return "has user information";
  if (hasDotSegment(path)) return "has a dot segment";
  if (scheme === "http" && !isLoopbackRedirect(uri)) return "is http, but not to loopback";
  // An absent path is how many clients write loopback, and parses to "/".
  const href = URL.parse(uri)?.href;
  const isItself = href === uri || href === `${uri}/`;
  return isItself ? undefined : "is not spelled as a browser would spell it";
}

// Servers differ in whether they decode a path or cut parameters (";") before they resolve it.
function hasDotSegment(path: string): boolean {
  const segments = path.replaceAll(/%2e/gi, ".").split(/\/|%2f/i);
  return segments.some((segment) => /^\.{1,2}(?:;|%3b|$)/i.test(segment));
}

/**
 * Whether a client that registered `registered` may be answered at `presented`: the same text, or
 * for loopback the same but for the port (RFC 8252 section 7.3), since an app cannot know which
 * will be free. `localhost` and `127.0.0.1` are not the same.
 *
 * @param registered URIs that {@linkcode judgeRedirect} found nothing wrong with.
 */
export function matchesRedirect(registered: readonly string[], presented: string): boolean {
  if (registered.includes(presented)) return true;
  const portless = withoutPort(presented);
  return portless !== undefined && URL.canParse(presented) &&
    registered.some((uri) => withoutPort(uri) === portless);
}

function withoutPort(uri: string): string | undefined {
  const [, origin, rest] = LOOPBACK.exec(uri) ?? [];
  return origin === undefined ? undefined : origin + rest;
}

/** Whether a URI leads to this computer, by http (RFC 8252 section 7.3). */
export function isLoopbackRedirect(uri: string): boolean {
  return LOOPBACK.test(uri);
}

/**
 * Names the receiver of a redirect for a person who decides on it: host, and port unless it is the
 * usual one; for loopback the host alone, as the port says nothing; `scheme:` for an app.
 *
 * @param uri One that {@linkcode judgeRedirect} found nothing wrong with.
 * @throws {TypeError} when it is no URI.
 */
export function redirectHost(uri: string): string {
  const { protocol, host, hostname } = new URL(uri);
  if (isLoopbackRedirect(uri)) return hostname;
  return protocol === "https:" ? host : protocol;
}
