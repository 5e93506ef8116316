/**
 * `WWW-Authenticate`, written in one place (RFC 6750 section 3, RFC 9728 section 5.1).
 *
 * Every challenge names the metadata document, so a client that knows nothing can find its way.
 * It never carries text from a request or an exception.
 *
 * @module
 */

import { BEARER_ERRORS, type BearerError } from "./errors.ts";
import { isScope } from "./scope.ts";

/** Makes the refusals of one protected resource. */
export interface Challenges {
  /** 401 for a request without a bearer credential: no error code (RFC 6750 section 3.1). */
  bare(): Response;
  /**
   * A refusal with an error code.
   *
   * @param scope What the operation needs, when that is more than the resource's own scopes.
   */
  refuse(error: BearerError, scope?: readonly string[]): Response;
  /** 403 without a challenge: no other token of this caller would help, so none is asked for. */
  deny(): Response;
}

/**
 * Prepares the challenges of a resource.
 *
 * @param metadataUrl URL of its RFC 9728 document.
 * @param scope Scopes every request needs; left out of the header when empty.
 * @throws {TypeError} When the URL or a scope cannot stand in a quoted string.
 */
export function challenges(metadataUrl: string, scope: readonly string[]): Challenges {
  const metadata = parameter("resource_metadata", metadataUrl);
  const ownScope = scopeParameter(scope);
  const bare = respond(401, [metadata, ...ownScope], {
    error_description: "This server needs a bearer token; WWW-Authenticate tells where to get one",
  });
  const coded = Object.fromEntries(
    Object.entries(BEARER_ERRORS).map(([error, { status, description }]) => {
      const code = [
        parameter("error", error),
        parameter("error_description", description),
        metadata,
      ];
      return [error, (extra: readonly string[]) =>
        respond(status, [...code, ...extra], {
          error,
          error_description: description,
        })()];
    }),
  );
  return {
    bare,
    deny: () =>
      Response.json({
        error: "access_denied",
        error_description: "You are known here, but not allowed in. Ask whoever runs this server",
      }, { status: 403, headers: { "cache-control": "no-store" } }),
    refuse: (error, needed) => coded[error]!(needed ? scopeParameter(needed) : ownScope),
  };
}

function scopeParameter(scope: readonly string[]): string[] {
  const bad = scope.find((one) => !isScope(one));
  if (bad !== undefined) throw new TypeError(`Cannot ask for the scope "${bad}"`);
  return scope.length === 0 ? [] : [parameter("scope", scope.join(" "))];
}

function parameter(name: string, value: string): string {
  if (!/^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(value)) {
    throw new TypeError(`Cannot write ${name} into a challenge: the value needs escaping`);
  }
  return `${name}="${value}"`;
}

function respond(status: number, parameters: string[], body: unknown): () => Response {
  const init = {
    status,
    headers: {
      "content-type": "application/json",
      "cache-control": "no-store",
      "www-authenticate": `Bearer ${parameters.join(", ")}`,
    },
  };
  const text = JSON.stringify(body);
  return () => new Response(text, init);
}
