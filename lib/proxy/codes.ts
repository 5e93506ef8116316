/**
 * Authorization codes: random, stored under their digest, bound to what was asked, for one use.
 *
 * A code that was used stays known until it would have expired, so that a second use can be told
 * from a guess (RFC 9700 section 2.1.1, OAuth 2.1 section 4.1.3).
 *
 * @module
 */

import { base64url } from "../base64url.ts";
import type { Ports } from "../ports.ts";
import { hashOf } from "./clients.ts";
import type { Kept, Records } from "./records.ts";

/** How long a code can be used, in seconds. */
export const CODE_SECONDS = 300;

/** What a code stands for. */
export interface Code {
  readonly grantId: string;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly challenge: string;
  readonly resource: string;
  readonly expiresAt: number;
  readonly used: boolean;
}

/** The codes of a server. */
export interface Codes {
  /** @returns The code, for the client. */
  create(code: Omit<Code, "expiresAt" | "used">): Promise<string>;
  get(code: string): Promise<Kept<Code> | undefined>;
  /** Uses a code. @returns Whether this call was the one that did. */
  use(code: string, kept: Kept<Code>): Promise<boolean>;
}

const PREFIX = "gatehouse_c_";

/** Prepares the codes. */
export function codes(rows: Records<Code>, ports: Pick<Ports, "now" | "random">): Codes {
  return {
    async create(code) {
      const text = PREFIX +
        base64url(ports.random(32));
      const expiresAt = ports.now() + CODE_SECONDS;
      await rows.put(hashOf(text), { ...code, expiresAt, used: false }, CODE_SECONDS);
      return text;
    },
    get: async (code) => code.startsWith(PREFIX) ? await rows.get(hashOf(code)) : undefined,
    use: async (code, kept) => {
      const left = kept.value.expiresAt - ports.now();
      return left > 0 && !kept.value.used &&
        await rows.replace(hashOf(code), kept, { ...kept.value, used: true }, left);
    },
  };
}
