/**
 * Minting a token from the command line.
 *
 * @module
 */

import type { HmacOAuth, OAuthConfig } from "../config/oauth.ts";
import type { Problem } from "../config/sources.ts";
import { duration, issuer, list, read, type Reader, scopes } from "../config/values.ts";
import { type Grant, MAX_TTL_SECONDS, mint } from "../mint.ts";
import type { Flag, FlagValues } from "./args.ts";
import { EXIT, type ExitCode, type Host } from "./host.ts";

const DEFAULT_TTL_SECONDS = 3600;

/** Flags of the command. */
export const TOKEN_FLAGS: readonly Flag[] = [
  { name: "sub", value: "SUBJECT", help: "Who the token is for; required" },
  { name: "email", value: "ADDRESS", help: "E-mail address, said to be verified" },
  { name: "name", value: "NAME", help: "Display name" },
  { name: "roles", value: "ROLE,...", help: "Roles" },
  { name: "scope", value: "SCOPE,...", help: "Scopes; the required ones when not given" },
  { name: "audience", value: "AUDIENCE,...", help: "Audiences instead of the configured ones" },
  { name: "issuer", value: "URL", help: "Issuer instead of the configured one" },
  {
    name: "ttl",
    value: "DURATION",
    help: "Lifetime such as 90, 15m or 8h; 1h when not given, 24h at most",
  },
  { name: "json", help: "Print a token response (RFC 6749 section 5.1) instead of the bare token" },
];

/** Mints and prints a token. */
export async function token(
  grant: Grant,
  oauth: HmacOAuth,
  json: boolean,
  host: Host,
): Promise<ExitCode> {
  const minted = await mint(grant, oauth.provider.secret, host.random(16).toHex(), host.now());
  // RFC 6749 section 5.1.
  const response = {
    access_token: minted,
    token_type: "Bearer",
    expires_in: grant.ttl,
    scope: grant.scopes.join(" "),
  };
  host.stdout(`${json ? JSON.stringify(response) : minted}\n`);
  return EXIT.ok;
}

/** Reads what the token should say, adding to `problems` where the flags do not tell. */
export function readGrant(oauth: OAuthConfig, flags: FlagValues, problems: Problem[]): Grant {
  const from = <T, F>(name: string, reader: Reader<T>, fallback: F): T | F => {
    const text = flags[name];
    return text === undefined
      ? fallback
      : read({ text, where: `--${name}` }, reader, problems) ?? fallback;
  };
  const { sub: subject = "", email, name } = flags;
  if (!subject) {
    problems.push({ where: "--sub", what: "is missing", fix: "say who it is for: --sub=alice" });
  }
  return {
    subject,
    ...(email && { email }),
    ...(name && { name }),
    issuer: from("issuer", issuer, oauth.issuer),
    audiences: from("audience", list, oauth.audiences),
    roles: from("roles", list, []),
    scopes: from("scope", scopes, oauth.scopesRequired),
    ttl: from("ttl", duration(1, MAX_TTL_SECONDS, "at most 24h"), DEFAULT_TTL_SECONDS),
  };
}
