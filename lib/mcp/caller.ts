/**
 * Carries the caller through the SDK, which hands its `authInfo` to handlers untouched.
 *
 * @module
 */

import type { AuthInfo, ServerContext } from "@modelcontextprotocol/server";
import type { Identity } from "../identity.ts";
import type { Trace } from "../trace.ts";

/** Who sent a request, and the request's log. */
export interface Caller {
  /** Absent when the server runs without OAuth. */
  readonly identity: Identity | undefined;
  readonly trace: Trace;
}

/** Packs a caller. The SDK's own fields stay empty, so that nothing can read the token there. */
export function toAuthInfo(caller: Caller): AuthInfo {
  return { token: "", clientId: "", scopes: [], extra: { caller } };
}

/** Unpacks the caller of the request being handled; `undefined` on stdio. */
export function callerOf(context: ServerContext): Caller | undefined {
  return context.http?.authInfo?.extra?.caller as Caller | undefined;
}
