/**
 * `authorization_code`: a code becomes the first tokens of its grant (OAuth 2.1 section 4.1.3,
 * RFC 7636 section 4.6, RFC 8707 section 2.2).
 *
 * @module
 */

import { createHash, timingSafeEqual } from "node:crypto";
import { USED } from "./assertion.ts";
import { audit } from "./audit.ts";
import type { Code, Codes } from "./codes.ts";
import type { Parameters } from "./form.ts";
import { type Grants } from "./grants.ts";
import { type Granted, type GrantType, refuseGrant } from "./token.ts";

/** Prepares the redemption of codes. */
export function redeem(codes: Codes, grants: Grants): GrantType {
  return async (sent, client, trace, claim) => {
    const text = sent.get("code");
    if (text === undefined) return refuseGrant("invalid_request", "code is missing");
    const kept = await codes.get(text);
    if (!kept) return refuseGrant("invalid_grant", "unknown code");
    const code = kept.value;
    if (code.clientId !== client.id) return refuseGrant("invalid_grant", "another client's code");
    const wrong = judge(sent, code);
    if (wrong) return wrong;
    if (claim && !await claim()) return refuseGrant("invalid_client", USED);
    if (!await codes.use(text, kept)) {
      // Somebody who knows all that belongs to the code used it before: one of the two is a thief.
      const user = (await grants.get(code.grantId))?.value.person.username;
      await grants.end(code.grantId);
      const reason = "the code was used already";
      audit(trace, "reuse detected", { step: "token", client: client.name, user, reason });
      return refuseGrant("invalid_grant", reason);
    }
    const found = await grants.get(code.grantId);
    if (!found) return refuseGrant("invalid_grant", "the grant has ended");
    // From now on the grant lives as long as it is used.
    if (!await grants.replace(code.grantId, found, found.value)) {
      return refuseGrant("invalid_grant", "the grant has ended");
    }
    const { person: { username: user }, scopes } = found.value;
    audit(trace, "issued", { step: "token", client: client.name, user, scopes });
    return { ok: true, grantId: code.grantId, grant: found.value };
  };
}

function judge(sent: Parameters, { redirectUri, challenge, resource }: Code): Granted | undefined {
  // OAuth 2.1 dropped the parameter; who sends it has to be right (RFC 6749 section 4.1.3).
  const returned = sent.get("redirect_uri");
  if (returned !== undefined && returned !== redirectUri) {
    return refuseGrant("invalid_grant", "another redirect URI");
  }
  const verifier = sent.get("code_verifier");
  if (verifier === undefined) return refuseGrant("invalid_request", "code_verifier is missing");
  if (!isVerifier(verifier, challenge)) return refuseGrant("invalid_grant", "wrong code_verifier");
  if (sent.all("resource").some((one) => one !== resource)) {
    return refuseGrant("invalid_target", "another resource");
  }
  return undefined;
}

function isVerifier(verifier: string, challenge: string): boolean {
  if (!/^[\w.~-]{43,128}$/.test(verifier)) return false;
  const digest = createHash("sha256").update(verifier).digest();
  const expected = Uint8Array.fromBase64(`${challenge}=`, { alphabet: "base64url" });
  return timingSafeEqual(digest, expected);
}
