/**
 * Parameters of OAuth requests, from queries and forms, within bounds.
 *
 * A parameter that is sent twice is refused, and one without a value counts as absent (RFC 6749
 * section 3.1). Only `resource` may come several times (RFC 8707 section 2).
 *
 * @module
 */

import { mediaTypeOf, readBody } from "../http.ts";

/** Parameters of one request. */
export interface Parameters {
  get(name: string): string | undefined;
  /** The values of a parameter that may come several times. */
  all(name: string): readonly string[];
}

/** Parameters, or what is wrong with them. */
export type ParametersRead =
  | { readonly ok: true; readonly parameters: Parameters }
  | { readonly ok: false; readonly problem: string };

/** Longest query or form, in bytes. */
export const MAX_FORM_BYTES = 32 * 1024;

/** How long a form may take to arrive, in milliseconds. */
const DEADLINE_MS = 10_000;

const REPEATABLE = "resource";

/** Reads the parameters of a query or form. */
export function readParameters(sent: URLSearchParams): ParametersRead {
  const values = new Map<string, string[]>();
  for (const [name, value] of sent) {
    if (value === "") continue;
    const known = values.get(name);
    if (known && name !== REPEATABLE) {
      return { ok: false, problem: "A parameter was sent more than once" };
    }
    if (known) known.push(value);
    else values.set(name, [value]);
  }
  const all = (name: string) => values.get(name) ?? [];
  return { ok: true, parameters: { get: (name) => all(name)[0], all } };
}

/** Reads the parameters of the query. */
export function readQuery({ url }: Request): ParametersRead {
  if (url.length > MAX_FORM_BYTES) return { ok: false, problem: "The request is too long" };
  return readParameters(new URL(url).searchParams);
}

/** Reads the parameters of a form in the body (RFC 6749 appendix B). */
export async function readForm(request: Request): Promise<ParametersRead> {
  if (mediaTypeOf(request) !== "application/x-www-form-urlencoded") {
    return { ok: false, problem: "The body must be application/x-www-form-urlencoded" };
  }
  const body = await readBody(request, MAX_FORM_BYTES, DEADLINE_MS);
  return body.ok
    ? readParameters(new URLSearchParams(body.text))
    : { ok: false, problem: `The body is ${body.reason}` };
}
