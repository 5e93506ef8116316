/**
 * Hosts that strangers name, and visits of them, without a network.
 *
 * @module
 */

import { match, ok, strictEqual as equal } from "node:assert/strict";
import { type Visited, visitor } from "../../lib/proxy/visit.ts";
import { fakePorts, type Strangers } from "../fakes.ts";

/** Where a test's document is. */
export const URL_OF = "https://client.example/oauth/client.json";

/** A public address. */
export const PUBLIC = "93.184.215.14";

/** What stands there. */
export const DOCUMENT = { client_id: URL_OF };

/** A host, and whether visits may go to loopback. */
export interface Site {
  readonly addresses?: readonly string[];
  readonly answer?: (request: Request, address: string) => Response | Promise<Response>;
  readonly resolve?: Strangers["resolve"];
  readonly allowLoopback?: boolean;
}

/** Visits over a name with `addresses` whose host gives `answer`. */
export function visits(
  { addresses = [PUBLIC], answer = () => Response.json(DOCUMENT), ...rest }: Site = {},
) {
  const resolved: string[] = [];
  const reached: { readonly request: Request; readonly address: string }[] = [];
  const ports = fakePorts(undefined, {
    resolve: (name) => {
      resolved.push(name);
      return rest.resolve ? rest.resolve(name) : Promise.resolve(addresses);
    },
    fetchAt: async (request, address) => {
      reached.push({ request, address });
      return await answer(request, address);
    },
  });
  const visit = visitor(ports, { allowLoopback: rest.allowLoopback ?? false });
  return { visit: (url = URL_OF, cap = 100) => visit(url, cap), ports, resolved, reached };
}

/** Checks that a visit failed. */
export function refused(visited: Visited, reason: RegExp, retryable: boolean) {
  ok(!visited.ok);
  match(visited.reason, reason);
  equal(visited.retryable, retryable);
}

/** An answer in JSON's name. */
export const json = (body: BodyInit, headers: Record<string, string> = {}) => () =>
  new Response(body, { headers: { "content-type": "application/json", ...headers } });
