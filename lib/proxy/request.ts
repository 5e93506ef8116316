/**
 * The authorization request (OAuth 2.1 section 4.1.1, RFC 7636, RFC 8707), judged in a printed
 * sequence:
 *
 * client → redirect URI → state → response type → PKCE → resource → scopes
 *
 * Until client and redirect URI are found good, nobody is redirected anywhere: the person gets a
 * page. From there on the client can be told.
 *
 * @module
 */

import type { Client } from "./client.ts";
import type { Clients } from "./clients.ts";
import type { Parameters } from "./form.ts";
import { judgeRedirect, matchesRedirect, type RedirectPolicy } from "./redirect.ts";

/** A request that a person may be asked about. */
export interface AuthorizationRequest {
  readonly clientId: string;
  readonly redirectUri: string;
  /** The client's own, untouched. */
  readonly state?: string;
  /** PKCE code challenge, S256. */
  readonly challenge: string;
  readonly scopes: readonly string[];
  readonly resource: string;
}

/** Where an answer to a client goes. */
export type ReturnAddress = Pick<AuthorizationRequest, "redirectUri" | "state">;

/** Error codes of authorization responses (RFC 6749 section 4.1.2.1, RFC 8707, RFC 9101). */
export type AuthorizationError =
  | "invalid_request"
  | "unsupported_response_type"
  | "invalid_target"
  | "request_not_supported"
  | "request_uri_not_supported"
  | "access_denied"
  | "server_error"
  | "temporarily_unavailable";

/** What became of a request. */
export type Judged =
  | { readonly ok: true; readonly request: AuthorizationRequest; readonly client: Client }
  /** For the person alone. */
  | { readonly ok: false; readonly page: "client" | "redirect" | "later"; readonly reason: string }
  /** For the client. */
  | {
    readonly ok: false;
    readonly error: AuthorizationError;
    readonly reason: string;
    readonly client: Client;
    readonly to: ReturnAddress;
  };

/** What requests are judged by. */
export interface RequestRules {
  readonly clients: Clients;
  readonly redirects: RedirectPolicy;
  readonly resource: string;
  /** Scopes that can be granted. */
  readonly scopes: readonly string[];
  /** Scopes that a request stands for which names none that can be granted. */
  readonly defaultScopes: readonly string[];
}

const LONGEST_STATE = 2048;

/** Judges a request. */
export async function judgeRequest(sent: Parameters, rules: RequestRules): Promise<Judged> {
  const found = await findClient(sent.get("client_id"), sent.get("redirect_uri"), rules);
  if (!found.ok) return found;
  const { client, redirectUri } = found;
  const state = sent.get("state");
  if (state !== undefined && !isState(state)) {
    const reason = "state is too long or not printable ASCII";
    return { ok: false, error: "invalid_request", reason, client, to: { redirectUri } };
  }
  const to: ReturnAddress = { redirectUri, ...(state !== undefined && { state }) };
  const wrong = judgeRest(sent, rules.resource);
  if (wrong) return { ok: false, ...wrong, client, to };
  const request = {
    ...to,
    clientId: client.id,
    challenge: sent.get("code_challenge")!,
    scopes: scopesOf(sent.get("scope"), rules),
    resource: rules.resource,
  };
  return { ok: true, client, request };
}

/** A client that may get its answer at a redirect URI, or why not. */
export async function findClient(
  id: string | undefined,
  redirectUri: string | undefined,
  { clients, redirects }: Pick<RequestRules, "clients" | "redirects">,
): Promise<
  | { readonly ok: true; readonly client: Client; readonly redirectUri: string }
  | Extract<Judged, { page: unknown }>
> {
  if (id === undefined) return { ok: false, page: "client", reason: "client_id is missing" };
  const found = await clients.find(id, redirectUri);
  if (!found.ok) {
    return { ok: false, page: found.retryable ? "later" : "client", reason: found.reason };
  }
  const { client } = found;
  if (redirectUri === undefined) {
    return { ok: false, page: "redirect", reason: "redirect_uri is missing" };
  }
  if (!matchesRedirect(client.redirectUris, redirectUri)) {
    return { ok: false, page: "redirect", reason: "redirect_uri is not registered" };
  }
  // What may be registered can have changed since.
  const complaint = judgeRedirect(redirectUri, redirects);
  if (complaint) return { ok: false, page: "redirect", reason: complaint };
  return { ok: true, client, redirectUri };
}

// RFC 6749 appendix A.5.
function isState(state: string): boolean {
  return state.length <= LONGEST_STATE && /^[\x20-\x7e]*$/.test(state);
}

type Wrong = { readonly error: AuthorizationError; readonly reason: string };

function judgeRest(sent: Parameters, resource: string): Wrong | undefined {
  const type = sent.get("response_type");
  if (type === undefined) return invalid("response_type is missing");
  if (type !== "code") return { error: "unsupported_response_type", reason: "not code" };
  // RFC 9101: parameters that come in an object would escape this judgement.
  if (sent.get("request") !== undefined) return { error: "request_not_supported", reason: "used" };
  if (sent.get("request_uri") !== undefined) {
    return { error: "request_uri_not_supported", reason: "used" };
  }
  if ((sent.get("response_mode") ?? "query") !== "query") return invalid("response_mode");
  // Without a method it would be `plain` (RFC 7636 section 4.3).
  if (sent.get("code_challenge_method") !== "S256") return invalid("PKCE with S256 is missing");
  if (!/^[\w-]{43}$/.test(sent.get("code_challenge") ?? "")) return invalid("code_challenge");
  if (sent.all("resource").some((one) => one !== resource)) {
    return { error: "invalid_target", reason: "another resource" };
  }
  return undefined;
}

function invalid(reason: string): Wrong {
  return { error: "invalid_request", reason };
}

/** The scopes that a request asks for and that can be granted (RFC 6749 section 3.3). */
function scopesOf(sent: string | undefined, { scopes, defaultScopes }: RequestRules): string[] {
  const asked = new Set((sent ?? "").split(" "));
  const granted = scopes.filter((scope) => asked.has(scope));
  return granted.length > 0 ? granted : [...defaultScopes];
}
