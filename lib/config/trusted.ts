/**
 * Which proxies in front are believed.
 *
 * @module
 */

import { isBlock } from "../forwarded.ts";
import { list, type Reader } from "./values.ts";

const FIX = "use addresses and CIDR blocks of the proxies, such as 127.0.0.1 or 10.1.0.0/16";

/** Addresses and CIDR blocks, as {@linkcode isBlock} admits. */
export const trustedProxies: Reader<string[]> = (text) => {
  const parts = list(text);
  if (!("value" in parts)) return parts;
  // Once, the setting was a number of proxies.
  if (/^\d+$/.test(text)) return { what: `is "${text}", and counts are not understood`, fix: FIX };
  const bad = parts.value.find((part) => !isBlock(part));
  return bad === undefined ? parts : { what: `names "${bad}"`, fix: FIX };
};
