/**
 * Callers' shares of what is open at once: nobody who has logged in takes the room of all others,
 * wherever they call from and with whatever clients.
 *
 * @module
 */

import { crowd } from "./crowd.ts";
import { rpcError } from "./http.ts";
import { type Identity, subjectOf } from "./identity.ts";
import type { Meter } from "./meter.ts";
import type { Trace } from "./trace.ts";

/**
 * How many requests of one person may be open, streams included: far less than of one address, which
 * they may share with others.
 */
export const MAX_OPEN_PER_PERSON = 250;

const INVALID_REQUEST = -32600;

/** Answers a request of a caller who has been let in. */
type Handle = (
  request: Request,
  trace: Trace,
  identity: Identity | undefined,
) => Response | Promise<Response>;

/**
 * Refuses with 429 what one person asks beyond {@linkcode MAX_OPEN_PER_PERSON}, until answers have
 * been read. Without OAuth, nobody has a share of their own.
 */
export function shared(handle: Handle, meter: Meter): Handle {
  const open = crowd({ mostOfEach: MAX_OPEN_PER_PERSON });
  return (request, trace, identity) => {
    if (!identity) return handle(request, trace, identity);
    const person = subjectOf(identity);
    if (open.enter(person)) {
      meter.limited("open");
      const headers = { "retry-after": "5" };
      return rpcError(429, INVALID_REQUEST, "Too many of your requests are open", headers);
    }
    const leave = () => open.leave(person);
    trace.completed.then(leave, leave);
    return handle(request, trace, identity);
  };
}
