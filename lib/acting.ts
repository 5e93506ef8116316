/**
 * The contract for acting as a caller at a service behind this one.
 *
 * One way is chosen by configuration and holds for every call. A caller who is known is never acted
 * for with anybody else's rights.
 *
 * @module
 */

import type { Identity } from "./identity.ts";

/** What is shown to the service. */
export interface Credential {
  readonly token: string;
  /** Whether it is the caller's own, or the server's. */
  readonly of: "caller" | "server";
}

/** Gets credentials for callers. */
export interface Acting {
  /**
   * The credential for a caller.
   *
   * @param identity Absent when the server runs without OAuth.
   * @throws {ToolError} When the caller cannot be acted for, in words for them.
   * @throws {Error} When the machinery does not work.
   */
  credentialFor(identity: Identity | undefined): Promise<Credential>;
  /**
   * Drops what is kept for a caller, if it is still what the service `refused`.
   *
   * @returns Whether asking again may yield another.
   */
  forget(identity: Identity | undefined, refused: Credential): boolean;
}
