/**
 * How much of the audit log strangers can fill: a line costs them one request, and a disk that is
 * full stops the server.
 *
 * @module
 */

import type { Audit } from "./audit.ts";
import { limiter } from "./limit.ts";

/** How many events one client's address may cause within the window. */
export const PER_ADDRESS = 60;

/** How many events all addresses together may cause within the window. */
export const OVERALL = 600;

const WINDOW_SECONDS = 60;

/** Events that need neither a token nor a login. */
const OF_STRANGERS: ReadonlySet<string> = new Set(["token refused", "refused"]);

/**
 * Passes on to `audit` all events but those that strangers cause too often, by the `address` among
 * their fields. The next of them that is passed on tells as `leftOut` how many were not.
 *
 * @param now Unix seconds.
 */
export function sparing(audit: Audit, now: () => number): Audit {
  const ofAddress = limiter({ limit: PER_ADDRESS, windowSeconds: WINDOW_SECONDS }, now);
  const ofAll = limiter({ limit: OVERALL, windowSeconds: WINDOW_SECONDS, maxClients: 1 }, now);
  let leftOut = 0;
  return {
    ready: () => audit.ready(),
    write(event, fields = {}) {
      if (!OF_STRANGERS.has(event)) return audit.write(event, fields);
      // In this order nobody who has used up a share uses up that of all.
      if (ofAddress(String(fields["address"])) > 0 || ofAll("") > 0) {
        leftOut++;
        return;
      }
      audit.write(event, leftOut === 0 ? fields : { ...fields, leftOut });
      leftOut = 0;
    },
  };
}
