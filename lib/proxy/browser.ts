/**
 * Telling browsers apart: what one of them began, only it can finish (CVE-2026-27124).
 *
 * A cookie carries a random marker, and what is sealed for that browser carries the marker's
 * digest. There are two kinds: one binds the consent form against forgery, and one is set only
 * once a person approved and binds the way back from the identity provider (SPEC B5.4, B5.6).
 *
 * @module
 */

import type { Ports } from "../ports.ts";
import { hashOf } from "./clients.ts";

/** How long a marker is kept, in seconds. */
const MARKER_SECONDS = 1800;

/** One of the two bindings. */
export interface Binding {
  /**
   * The digest of this browser's marker, and the header that sets it.
   *
   * A marker that is there already is kept, so that several windows can be at it at once.
   */
  bind(request: Request): { readonly digest: string; readonly cookie: string };
  /** Whether the request comes from the browser whose marker has that digest. */
  isBound(request: Request, digest: string): boolean;
}

/**
 * Prepares a binding.
 *
 * @param use Name of the binding.
 * @param secure Whether the server is reached by https; else it is on this machine.
 */
export function binding(use: string, secure: boolean, random: Ports["random"]): Binding {
  const name = `${secure ? "__Host-" : ""}gatehouse-${use}`;
  const attributes = `Path=/; HttpOnly; SameSite=Lax; Max-Age=${MARKER_SECONDS}${
    secure ? "; Secure" : ""
  }`;
  return {
    bind(request) {
      const [known] = markersOf(request, name);
      const marker = known ?? random(16).toHex();
      const digest = hashOf(marker);
      // A name of its own: of two windows that open at once, neither takes the other's away.
      return { digest, cookie: `${name}-${digest.slice(0, 8)}=${marker}; ${attributes}` };
    },
    isBound(request, digest) {
      return markersOf(request, name).some((marker) => hashOf(marker) === digest);
    },
  };
}

function markersOf(request: Request, name: string): string[] {
  return (request.headers.get("cookie") ?? "").split(/;[ \t]*/)
    // Not `trim`: a name that begins with another blank is no `__Host-` name to the browser.
    .map((part) => part.split("="))
    .filter(([key, value]) => key?.startsWith(`${name}-`) && /^[0-9a-f]{32}$/.test(value ?? ""))
    .map(([, value]) => value!);
}
