/**
 * RFC 6750 bearer tokens as a gate.
 *
 * Reads the `Authorization` header and nothing else: a token in the query or the body does not
 * count. Every request is judged on its own; what is cached is the judgement of one exact token,
 * under its digest, for no longer than the token lives.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { cache } from "./cache.ts";
import type { Challenges } from "./challenge.ts";
import type { Verdict } from "./errors.ts";
import { type Gate, plain } from "./http.ts";
import { type Identity, type KnownIdentity, whoOf } from "./identity.ts";
import type { Ports } from "./ports.ts";
import type { Provider } from "./provider.ts";
import type { Missing } from "./scope.ts";

/** How many judgements are remembered. */
export const CACHE_ENTRIES = 10_000;

/** How long the tokens they stand for may be together, in characters. */
export const CACHE_LENGTH = 32 * 1024 * 1024;

/** Longest time a judgement is remembered, in seconds. */
export const CACHE_SECONDS = 300;

/** After how many seconds a client should try again when tokens cannot be judged. */
const RETRY_AFTER_SECONDS = 5;

/** Settings of {@linkcode bearer}. */
export interface BearerOptions {
  readonly challenges: Challenges;
  /** Scopes that every request needs. */
  readonly scopesRequired: readonly string[];
  readonly missing: Missing;
  /** Whether the operator lets a caller in. */
  readonly mayCall: (identity: KnownIdentity) => boolean;
}

/**
 * Admits requests whose token `provider` accepts and which carry the required scopes.
 *
 * Answers 401 without an error code when there is no bearer credential, 401 `invalid_token` when
 * there is a bad one, 400 when there are several, 403 without a challenge when the operator's rules
 * keep the caller out, 403 `insufficient_scope` when a scope lacks, and 503 with `Retry-After` when the token could not be judged.
 */
export function bearer(
  provider: Provider,
  ports: Pick<Ports, "now" | "meter" | "spans">,
  options: BearerOptions,
): Gate<Identity> {
  const { challenges, scopesRequired, missing, mayCall } = options;
  const { meter } = ports;
  const judge = remembered(provider, ports);
  return async (request, trace) => {
    const credential = credentialOf(request.headers.get("authorization"));
    if (credential.kind === "none") return challenges.bare();
    if (credential.kind === "several") {
      trace.audit("token refused", { reason: "several" });
      meter.judged({ result: "refused", reason: "several" });
      return challenges.refuse("invalid_request");
    }
    let verdict: Verdict;
    try {
      verdict = await judge(credential.token);
    } catch (error) {
      // A library may have put the token into its message.
      const told = String(error).replaceAll(credential.token || /$^/g, "[token]");
      trace.log("error", "token not judged", { error: told });
      meter.judged({ result: "failed" });
      return plain(503, "Tokens cannot be checked at the moment", {
        "retry-after": String(RETRY_AFTER_SECONDS),
        "cache-control": "no-store",
      });
    }
    if (!verdict.ok) {
      trace.log("warn", "token refused", verdict.refusal);
      trace.audit("token refused", { reason: verdict.refusal.reason });
      meter.judged({ result: "refused", reason: verdict.refusal.reason });
      return challenges.refuse("invalid_token");
    }
    const { identity } = verdict;
    const who = whoOf(identity);
    trace.note(who);
    if (!mayCall(identity)) {
      trace.log("warn", "caller not allowed", { email: identity.email, roles: identity.roles });
      trace.audit("caller not allowed", who);
      meter.judged({ result: "forbidden", reason: "caller" });
      return challenges.deny();
    }
    const lacking = missing(scopesRequired, identity.scopes);
    if (lacking.length > 0) {
      trace.log("warn", "scope refused", { needed: scopesRequired, lacking });
      trace.audit("scope refused", { ...who, needed: scopesRequired, lacking });
      meter.judged({ result: "forbidden", reason: "scope" });
      return challenges.refuse("insufficient_scope");
    }
    meter.judged({ result: "accepted" });
    return { ...identity, token: credential.token };
  };
}

/** What an `Authorization` header holds for this gate. */
export type Credential =
  | { readonly kind: "none" }
  | { readonly kind: "several" }
  | { readonly kind: "token"; readonly token: string };

/**
 * Reads an `Authorization` header (RFC 9110 section 11.6.2).
 *
 * The scheme is compared without case. A `Bearer` credential outside the `b64token` grammar is
 * still a token, one that no provider will accept. A comma is in no token: it joins the values of
 * a header that was sent twice.
 *
 * @example
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 * import { credentialOf } from "./bearer.ts";
 *
 * deepEqual(credentialOf("bearer abc"), { kind: "token", token: "abc" });
 * deepEqual(credentialOf("Basic abc"), { kind: "none" });
 * ```
 */
export function credentialOf(header: string | null): Credential {
  const match = /^bearer(?: +(.*))?$/is.exec(header ?? "");
  if (!match) return { kind: "none" };
  const token = match[1] ?? "";
  return token.includes(",") ? { kind: "several" } : { kind: "token", token };
}

function remembered(
  provider: Provider,
  { now, meter, spans }: Pick<Ports, "now" | "meter" | "spans">,
): (token: string) => Verdict | Promise<Verdict> {
  const known = cache<KnownIdentity>({ max: CACHE_ENTRIES, maxSize: CACHE_LENGTH }, now);
  const flights = new Map<string, Promise<Verdict>>();
  const judge = (token: string) =>
    spans.run("judge token", {}, async (tell) => {
      const verdict = await provider.verify(token, now());
      tell({ result: verdict.ok ? "accepted" : verdict.refusal.reason });
      return verdict;
    });
  const verify = async (key: string, token: string) => {
    const verdict = await judge(token);
    if (!verdict.ok) return verdict;
    const { identity, until = Infinity } = verdict;
    // The clock is read again: verifying may have taken a while.
    const end = Math.min(now() + CACHE_SECONDS, identity.expiresAt, until);
    known.set(key, identity, end, token.length);
    return verdict;
  };
  return (token) => {
    const key = createHash("sha256").update(token).digest("base64");
    const identity = known.get(key);
    const under = identity ? undefined : flights.get(key);
    meter.remembered(identity !== undefined || under !== undefined);
    if (identity) return { ok: true, identity };
    if (under) return under;
    const flight = verify(key, token).finally(() => flights.delete(key));
    flights.set(key, flight);
    return flight;
  };
}
