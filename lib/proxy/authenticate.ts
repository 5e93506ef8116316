/**
 * Client authentication at the token and revocation endpoints (RFC 6749 section 2.3, RFC 7523
 * section 2.2).
 *
 * A client authenticates the way it is registered for: a public client is known by its id alone,
 * and one that has a secret or a key cannot do without. The two ways to send a secret are one.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { timingSafeEqual } from "node:crypto";
import { ASSERTION_TYPE, type Assertions, type Claim, clientOf } from "./assertion.ts";
import type { AuthMethod, Client } from "./client.ts";
import { type Clients, hashOf } from "./clients.ts";
import type { OAuthError } from "./errors.ts";
import type { Parameters } from "./form.ts";

/** A client that is who it says, or why not. */
export type Authenticated =
  | {
    readonly ok: true;
    readonly client: Client;
    /** To be called before anything is granted; absent where there is nothing to use up. */
    readonly claim?: Claim;
  }
  | { readonly ok: false; readonly error: OAuthError; readonly reason: string };

/** Finds out which client sends a request. */
export type Authenticate = (request: Request, sent: Parameters) => Promise<Authenticated>;

/** Prepares the authentication. */
export function authenticator(clients: Clients, assertions: Assertions): Authenticate {
  return async (request, sent) => {
    const shown = credentialsOf(request, sent);
    if ("reason" in shown) return refuse(shown.error ?? "invalid_request", shown.reason);
    const found = await clients.find(shown.id);
    if (!found.ok) {
      return refuse(found.retryable ? "temporarily_unavailable" : "invalid_client", found.reason);
    }
    const { client } = found;
    const wrong = judge(client, shown);
    if (wrong) return refuse("invalid_client", wrong);
    if (shown.assertion === undefined) return { ok: true, client };
    const judged = await assertions.judge(shown.assertion, client);
    return judged.ok
      ? { ok: true, client, claim: judged.claim }
      : refuse("invalid_client", judged.reason);
  };
}

interface Shown {
  readonly id: string;
  readonly secret?: string;
  readonly assertion?: string;
}

function judge(client: Client, { secret, assertion }: Shown): string | undefined {
  const used: AuthMethod | "client_secret" = assertion !== undefined
    ? "private_key_jwt"
    : secret !== undefined
    ? "client_secret"
    : "none";
  const registered = client.authMethod.startsWith("client_secret_")
    ? "client_secret"
    : client.authMethod;
  if (used !== registered) return `authenticated by ${used}, registered for ${registered}`;
  return secret !== undefined && !isSecret(secret, client) ? "wrong secret" : undefined;
}

function isSecret(secret: string, { secretHash = "" }: Client): boolean {
  const [theirs, ours] = [Buffer.from(hashOf(secret)), Buffer.from(secretHash)];
  return theirs.length === ours.length && timingSafeEqual(theirs, ours);
}

interface Unclear {
  readonly error?: OAuthError;
  readonly reason: string;
}

function credentialsOf({ headers }: Request, sent: Parameters): Shown | Unclear {
  const [id, secret, assertion] = ["client_id", "client_secret", "client_assertion"]
    .map((name) => sent.get(name));
  const header = headers.get("authorization");
  const basic = header === null ? undefined : readBasic(header);
  // Who tried it by the header gets a challenge (RFC 6749 section 5.2).
  if (header !== null && !basic) {
    return { error: "invalid_client", reason: "the Authorization header is not Basic" };
  }
  const ways = [basic, secret, assertion].filter((way) => way !== undefined);
  if (ways.length > 1) return { reason: "several ways to authenticate" };
  if (basic) {
    return id === undefined || id === basic.id ? basic : { reason: "two different client ids" };
  }
  if (assertion !== undefined) {
    if (sent.get("client_assertion_type") !== ASSERTION_TYPE) {
      return { reason: "client_assertion_type is not that of a JSON Web Token" };
    }
    const named = id ?? clientOf(assertion);
    return named === undefined ? { reason: "no client id" } : { id: named, assertion };
  }
  if (id === undefined) return { reason: "no client id" };
  return { id, ...(secret !== undefined && { secret }) };
}

/** Reads a Basic header: id and secret are form-encoded first (RFC 6749 section 2.3.1). */
function readBasic(header: string): { id: string; secret: string } | undefined {
  const [, encoded] = /^basic +([\w+/=-]{1,8192})$/i.exec(header) ?? [];
  if (encoded === undefined) return undefined;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.fromBase64(encoded));
    const colon = text.indexOf(":");
    if (colon < 1) return undefined;
    const [id, secret] = [text.slice(0, colon), text.slice(colon + 1)].map(formDecoded);
    return { id: id!, secret: secret! };
  } catch {
    return undefined;
  }
}

function formDecoded(text: string): string {
  return decodeURIComponent(text.replaceAll("+", " "));
}

function refuse(error: OAuthError, reason: string): Authenticated {
  return { ok: false, error, reason };
}
