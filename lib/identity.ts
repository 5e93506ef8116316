/**
 * Who is calling, as far as a validated token tells.
 *
 * @module
 */

/** A caller whose token was accepted. Lives for one request; only its token-less part is cached. */
export interface Identity {
  /** The `sub` claim: stable within {@linkcode Identity.issuer}, and unique only there. */
  readonly subject: string;
  /** The `iss` claim, byte for byte. */
  readonly issuer: string;
  /** A name for people and logs. Never a key: use issuer and subject together. */
  readonly username: string;
  /** Absent when the issuer says that it is not verified. */
  readonly email?: string;
  /** Display name. */
  readonly name?: string;
  /** Granted scopes, as the token lists them. */
  readonly scopes: readonly string[];
  /** Roles, as the token lists them. */
  readonly roles: readonly string[];
  /** The client the token was issued to. */
  readonly clientId?: string;
  /** Its name for people and logs, where it is known. Chosen by the client. */
  readonly clientName?: string;
  /** The `exp` claim, in Unix seconds. */
  readonly expiresAt: number;
  /** All claims of the token, for packs that need more than this. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** The token itself, for acting upstream. Never reaches a log, an error or a tool result. */
  readonly token: string;
}

/** An identity without the credential: what may be kept between requests. */
export type KnownIdentity = Omit<Identity, "token">;

/** Who a caller is, in lines of the log and the audit log. */
export function whoOf(
  identity: KnownIdentity | undefined,
): { user?: string; subject?: string; client?: string | undefined } {
  if (!identity) return {};
  const { username, subject, clientId, clientName } = identity;
  return { user: username, subject, client: clientName ?? clientId };
}

/** The key of a person, who is one subject of an issuer whatever their clients and tokens; without OAuth, all callers are one. */
export function subjectOf(identity: KnownIdentity | undefined): string {
  return identity ? JSON.stringify([identity.issuer, identity.subject]) : "";
}

/**
 * The key under which things belong to a caller: two tokens of one user at one client share it,
 * and nobody else does.
 *
 * Parts are length-prefixed, so that no choice of names makes two callers collide.
 */
export function principalOf(identity: Identity | undefined): string {
  if (!identity) return "anonymous";
  return [identity.issuer, identity.subject, identity.clientId ?? ""]
    .map((part) => `${part.length}:${part}`).join("");
}
