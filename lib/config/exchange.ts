/**
 * What it takes to exchange callers' tokens (RFC 8693).
 *
 * @module
 */

import type { OAuthConfig } from "./oauth.ts";
import type { Problem } from "./sources.ts";

/** The service that tokens are exchanged for. */
export interface Exchanged {
  /** As people call it. */
  readonly service: string;
  /** What it is called at the identity provider. */
  readonly audience: string | undefined;
  /** The setting of that. */
  readonly where: string;
}

/** What is missing for exchanging tokens. */
export function exchangeMisfits(
  { service, audience, where }: Exchanged,
  { provider, proxy }: OAuthConfig,
): Problem[] {
  const problems: Problem[] = [];
  const client = proxy?.client ?? (provider.kind === "hmac" ? undefined : provider.client);
  if (provider.kind === "hmac" || !client?.secret) {
    problems.push({
      where: "OIDC_CLIENT_ID",
      what: "is not set together with OIDC_CLIENT_SECRET, and tokens are exchanged as that client",
      fix: "register this server at the identity provider and set both",
    });
  }
  if (!audience) {
    problems.push({
      where,
      what: "is not set, and tokens are to be exchanged for some that name it",
      fix: `set it to what ${service} is called at the identity provider, as its client id`,
    });
  }
  return problems;
}
